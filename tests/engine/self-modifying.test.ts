// Programs that store to their own text. Fetches see what the same PE has stored at the next instruction, in every tier.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import { flatMachine, normalMemory } from './flat-machine.ts';

/** Stores of several parts, with X1 as the address of the first. */
const storesOfParts = [
  'stp q0, q1, [x1]',
  'stp q0, q1, [x1], #32',
  'st1 {v0.16b - v3.16b}, [x1]',
  'st1 {v0.8h - v2.8h}, [x1], #48',
  'st2 {v0.4s, v1.4s}, [x1]',
  'st3 {v0.16b - v2.16b}, [x1]',
  'st4 {v0.2d - v3.2d}, [x1]',
  'st4 {v0.s - v3.s}[1], [x1]',
  'st3 {v0.d - v2.d}[0], [x1]',
];

/** Cold code in the line before that of hot code stores over the ends of both, and runs what it has made of itself. */
const overwriting = (store: string, at: number, offset: number): string => `
        ${normalMemory.start}
        adr     x1, words
        ld1     {v0.16b - v3.16b}, [x1]
        mov     x9, #3
again:  mov     x6, #100
heat:   bl      hot
        subs    x6, x6, #1
        b.ne    heat
        adr     x1, cold + ${offset}
        bl      cold
        subs    x9, x9, #1
        b.ne    again
end:    b       end
        .align  6
words:  ${Array.from({ length: 16 }, (_, n) => `add x5, x5, #${1 << Math.floor(n / 2)}, lsl #${12 * (n % 2)}`).join('\n')}
cold:   ${Array.from({ length: 16 }, (_, n) => (n === at ? store : `add x3, x3, #${n}`)).join('\n')}
hot:    ${Array.from({ length: 15 }, (_, n) => `add x4, x4, #${n}`).join('\n')}
        ret
        ret
        .align  12
${normalMemory.table}
last:   .word   0`;

describe('a store of several parts over its own instruction', () => {
  it('is done once, whatever its parts meet, in every tier', () => {
    fc.assert(
      fc.property(fc.constantFrom(...storesOfParts), fc.nat(15), fc.nat(63), (store, at, offset) => {
        const program = overwriting(store, at, offset);
        const outcomeIn = (mode: EngineMode): string[] => {
          const machine = flatMachine(mode, program, mode === 'tiered' ? { hotRuns: 50 } : {});
          machine.run(0, 6200);
          return [machine.state(0), machine.ram('last')];
        };
        const expected = outcomeIn('step');
        for (const mode of ['translate', 'region', 'tiered'] as const) expect(outcomeIn(mode), mode).toEqual(expected);
      }),
      { numRuns: 15, seed: 6 },
    );
  });
});

describe('a store over its own instruction that clears the exclusive monitor of another PE', () => {
  it.each([
    ['str w2, [x1]', 1],
    ['swp w2, w5, [x1]', 1],
    ['stp q0, q0, [x1]', 8],
    ['st4 {v0.4s - v3.4s}, [x1]', 16],
  ])('is done once, and is the last of its run: %s', (store, words) => {
    const program = `
start:  cbnz    x0, other
        ${normalMemory.start}
        adr     x1, own
        ldr     w2, word
        dup     v0.4s, w2
        mov     v1.16b, v0.16b
        mov     v2.16b, v0.16b
        mov     v3.16b, v0.16b
own:    ${store}
        ${'nop\n'.repeat(16)}
end:    b       end
word:   add     x3, x3, #1
        .align  7
other:  adr     x1, own
        ldxr    w4, [x1]
wait:   b       wait
        .align  12
${normalMemory.table}`;
    for (const mode of ['step', 'translate', 'region', 'tiered'] as const) {
      const machine = flatMachine(mode, program, { pes: 2 });
      machine.run(1, 10);
      machine.run(0, (machine.address('own') - machine.address('start')) / 4);
      expect(machine.runOnce(0, 100), mode).toEqual({ code: exit.budget, left: 99 });
      machine.run(0, 99);
      // What it has written begins with its own word.
      expect(machine.pes[0]?.readX(3), mode).toBe(BigInt(words - 1));
    }
  });
});
