import { expect, it } from 'vitest';
import { makeRepetition } from '../../../actors/core/repetition.ts';
import type { Pe } from '../../../src/arch/pe.ts';
import { flatMachine } from '../../engine/flat-machine.ts';

/** Least common multiple of 1 to 8: what a waiting core gets as its slice. */
const slice = 840;

it.each([
  ['in a load, a comparison and a branch back', 'again: ldr x1, [x3]\n cbz x1, again', true],
  ['in an exchange that finds the lock taken', 'again: swpa x2, x1, [x0]\n cbnz x1, again', true],
  ['but not in a loop that counts', 'again: add x1, x1, #1\n b again', false],
  ['but not in a loop that walks through memory', 'again: ldr x1, [x0], #8\n b again', false],
])('a PE is seen to go round in circles, %s', (_what, loop, isWaiting) => {
  const machine = flatMachine(
    'translate',
    `
        adr     x0, taken
        adr     x3, zero
        mov     x2, #1
        ${loop}
        .align  3
taken:  .quad   1
zero:   .quad   0`,
  );
  machine.run(0, 20);
  const isRepeating = makeRepetition(machine.views, machine.pes[0] as Pe);
  isRepeating();
  machine.run(0, slice);
  expect(isRepeating()).toBe(isWaiting);
});
