import { expect, test } from 'vitest';
import { runCase } from './random-words.ts';

// Found by random words: a store of translated code that changes the instruction which stores.
test.each([7758, 27882, 50958, 56352, 118398, 166020])(
  'a store over its own instruction is done once, by that instruction (seed 1, case %i)',
  (index) => {
    expect(runCase(1, index, true)).toBeUndefined();
  },
);
