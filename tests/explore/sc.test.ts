// The explorer under sequential consistency, and every interleaving.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../src/explore/explore.ts';
import { interleavings } from './interleavings.ts';
import { programOf, type Source, statesOf } from './programs.ts';

/** X20 and X21 hold addresses; W0..W2 are loaded into, computed with and stored. */
const register = fc.integer({ min: 0, max: 2 });
const variable = fc.constantFrom('x20', 'x21');
const instruction = fc.oneof(
  fc.tuple(register, variable).map(([n, x]) => `ldr w${n}, [${x}]`),
  fc.tuple(register, variable).map(([n, x]) => `str w${n}, [${x}]`),
  fc.tuple(register, fc.integer({ min: 1, max: 3 })).map(([n, value]) => `mov w${n}, #${value}`),
  fc.tuple(register, register).map(([n, m]) => `add w${n}, w${n}, w${m}`),
  fc.tuple(register, register, variable).map(([n, m, x]) => `swp w${n}, w${m}, [${x}]`),
  fc.tuple(register, register, variable).map(([n, m, x]) => `ldadd w${n}, w${m}, [${x}]`),
  fc.tuple(register, register, variable).map(([n, m, x]) => `cas w${n}, w${m}, [${x}]`),
  // An address that depends on a read, and a branch over the next instruction.
  fc.tuple(register, register, variable).map(([n, m, x]) => `eor w3, w${m}, w${m}\nldr w${n}, [${x}, w3, sxtw]`),
  fc.tuple(register, register).map(([n, m]) => `cbz w${n}, 1f\nadd w${m}, w${m}, #1\n1:`),
);
const thread = (most: number) =>
  fc.array(instruction, { minLength: 1, maxLength: most }).map((lines) => ['mov w0, #1', ...lines].join('\n'));

const observed = (threads: number): string[] => [
  ...Array.from({ length: threads }, (_, n) => [`${n}:X0`, `${n}:X1`, `${n}:X2`]).flat(),
  ...['x', 'y'],
];

const sources: fc.Arbitrary<Source> = fc
  .oneof(fc.tuple(thread(4), thread(4)), fc.tuple(thread(2), thread(2), thread(2)))
  .map((threads) => ({ threads, variables: { x: 0, y: 2 }, observed: observed(threads.length) }));

describe('the explorer', () => {
  it('finds under SC what interleavings give, no more and no less', () => {
    fc.assert(
      fc.property(sources, (source) => {
        expect(statesOf(source, builtInModels.sc)).toEqual([...interleavings(programOf(source))].sort());
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('finds at least those under TSO and Armv8', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const strong = statesOf(source, builtInModels.sc);
        expect(statesOf(source, builtInModels.tso)).toEqual(expect.arrayContaining(strong));
        expect(statesOf(source, builtInModels.arm)).toEqual(expect.arrayContaining(strong));
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
