import { expect, test } from 'vitest';
import { runProgram } from './random-programs.ts';
import { runCase } from './random-words.ts';

// Found by random words: a store of translated code that changes the instruction which stores.
test.each([7758, 27882, 50958, 56352, 118398, 166020])(
  'a store over its own instruction is done once, by that instruction (seed 1, case %i)',
  (index) => {
    expect(runCase(1, index, true)).toBeUndefined();
  },
);

// An ST3 whose first part lies over itself and whose last part over another trace.
test('a store of several parts over its own instruction is done once (branching, seed 16, program 87)', () => {
  expect(runProgram('branching', 16, 87)).toBeUndefined();
});
