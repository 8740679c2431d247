// Random words of a row, from a seed, with the values that have a syntax of their own more often than chance gives them.

import { fieldsOf, type Row } from '../../src/isa/encoding.ts';

/** xorshift32. */
function makeRandom(seed: number): () => number {
  let state = (seed * 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Tries before a row is given up: the rarest row, one barrier option of sixteen, is hit every few tries. */
const mostTries = 2000;

/** Up to `count` allocated words; `known` fixes known fields. */
export function randomWords(
  row: Row,
  count: number,
  seed: number,
  known: Readonly<Record<string, number>> = {},
): number[] {
  const random = makeRandom(seed);
  const words: number[] = [];
  for (let tries = 0; words.length < count && tries < mostTries; tries += 1) {
    let word = ((random() & ~row.mask) | row.value) >>> 0;
    for (const { name, lsb, width } of row.fields) {
      const mask = ((1 << width) - 1) << lsb;
      const fixed = known[name];
      // A register 31 or an immediate of all ones; an immediate of 0; equal registers.
      const choice = random() % 8;
      const chosen = choice === 0 ? mask : choice === 1 ? 0 : word & mask;
      word = ((word & ~mask) | (fixed === undefined ? chosen : fixed << lsb)) >>> 0;
    }
    if (row.allocated(fieldsOf(row, word))) words.push(word);
  }
  return words;
}
