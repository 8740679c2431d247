// One PE cannot tell whether others run at the same time: what orders and what excludes has the same results, whatever it is made of.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatMachine, normalMemory } from './flat-machine.ts';

const sizes = [
  { suffix: 'b', register: 'w' },
  { suffix: 'h', register: 'w' },
  { suffix: '', register: 'w' },
  { suffix: '', register: 'x' },
] as const;
const operations = ['add', 'clr', 'eor', 'set', 'smax', 'smin', 'umax', 'umin'];
const orders = ['', 'a', 'l', 'al'];

const size = fc.constantFrom(...sizes);
const order = fc.constantFrom(...orders);
const atomic = fc
  .tuple(fc.constantFrom(...operations), order, size)
  .map(([operation, o, { suffix, register }]) => `ld${operation}${o}${suffix} ${register}2, ${register}3, [x1]`);
const swap = fc
  .tuple(order, size)
  .map(([o, { suffix, register }]) => `swp${o}${suffix} ${register}2, ${register}3, [x1]`);
const compare = fc
  .tuple(order, size, fc.constantFrom(3, 4))
  .map(([o, { suffix, register: r }, n]) => `cas${o}${suffix} ${r}${n}, ${r}2, [x1]`);
const comparePair = fc
  .tuple(order, fc.constantFrom('w', 'x'), fc.constantFrom(4, 6))
  .map(([o, r, n]) => `casp${o} ${r}${n}, ${r}${n + 1}, ${r}2, ${r}3, [x1]`);
const exclusive = fc.tuple(fc.boolean(), fc.boolean(), size).map(([a, l, { suffix, register: r }]) => {
  const load = `ld${a ? 'a' : ''}xr${suffix} ${r}3, [x1]`;
  return `${load}\n add x4, x3, x2\n st${l ? 'l' : ''}xr${suffix} w5, ${r}4, [x1]\n st${l ? 'l' : ''}xr${suffix} w6, ${r}2, [x1]`;
});
const exclusivePair = fc
  .tuple(fc.constantFrom('w', 'x'), fc.boolean())
  .map(([r, clears]) => `ldaxp ${r}6, ${r}7, [x1]\n ${clears ? 'clrex' : 'nop'}\n stlxp w5, ${r}7, ${r}2, [x1]`);
const ordered = fc
  .tuple(fc.constantFrom('ldar', 'ldapr', 'stlr'), size)
  .map(([name, { suffix, register }]) => `${name}${suffix} ${register}3, [x1]`);
const barrier = fc.constantFrom('dmb ish', 'dmb ishld', 'dmb ishst', 'dsb sy', 'isb', 'yield', 'clrex');
const instruction = fc.oneof(atomic, swap, compare, comparePair, exclusive, exclusivePair, ordered, barrier);

const program = (instructions: readonly string[]): string => `
        ${normalMemory.start}
        adr     x1, data
        mov     x8, #3
again:  movz    x2, #0x1234, lsl #16
        ${instructions.join('\n')}
        add     x2, x2, x3
        str     x2, [x1, #32]
        sub     x8, x8, #1
        cbnz    x8, again
end:    b       end
        .align  7
data:   .quad   0x8182838485868788
        .quad   0x0102030405060708
        .space  48
        .align  12
${normalMemory.table}
last:   .word   0`;

describe.each(['step', 'translate'] as const)('a PE among others that run at the same time, %s', (mode) => {
  it('computes, orders and excludes as one that is alone', () => {
    fc.assert(
      fc.property(fc.array(instruction, { minLength: 8, maxLength: 30 }), (instructions) => {
        const [alone, among] = [false, true].map((isConcurrent) => {
          const machine = flatMachine(mode, program(instructions), { isConcurrent });
          machine.run(0, 600);
          return [machine.state(0), machine.ram('last')];
        });
        expect(among).toEqual(alone);
      }),
      { numRuns: 20, seed: 6 },
    );
  });
});
