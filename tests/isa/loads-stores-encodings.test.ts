// The load/store rows as encodings: against the independent list of encodings that the vectors use, and among themselves.

import { describe, expect, test } from 'vitest';
import { assertUnambiguous, makeDecoder } from '../../src/isa/decoder.ts';
import { fieldsOf } from '../../src/isa/encoding.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { LOADS_STORES, SIMD_LOADS_STORES } from '../vectors/encodings/loads-stores.ts';
import { AUTHENTICATED_LOADS } from '../vectors/encodings/pointer-authentication.ts';
import { STRUCTURES } from '../vectors/encodings/structures.ts';
import { ATOMICS, EXCLUSIVES_AND_ORDERED } from '../vectors/encodings/synchronization.ts';
import { matches } from '../vectors/pattern.ts';
import { randomLoadStoreWord, randomWords } from './loads-stores-words.ts';

const decode = makeDecoder(loadsStores);
const listed = [
  ...AUTHENTICATED_LOADS,
  ...STRUCTURES,
  ...LOADS_STORES,
  ...SIMD_LOADS_STORES,
  ...EXCLUSIVES_AND_ORDERED,
  ...ATOMICS,
];
const listedNames = new Set(listed.map((encoding) => encoding.name));

function nameOf(word: number): string | undefined {
  const decoded = decode(word);
  return decoded?.row.encoding(decoded.fields);
}

describe('load/store encodings', () => {
  test.each(listed.map((encoding) => [encoding.name, encoding] as const))('%s has a row', (name, encoding) => {
    const random = randomWords(encoding.value + 1);
    const words = Array.from({ length: 400 }, () => ((random() & ~encoding.mask) | encoding.value) >>> 0);
    const legal = words.filter((word) => matches(encoding, word));
    expect(legal.length).toBeGreaterThan(20);
    expect(new Set(legal.map(nameOf))).toEqual(new Set([name]));
  });

  test.each(loadsStores.map((row) => [`${row.name}, ${row.pattern}`, row] as const))(
    '%s decodes to itself, under names of the list',
    (_, row) => {
      const random = randomWords(row.value + 1);
      const words = Array.from({ length: 400 }, () => ((random() & ~row.mask) | row.value) >>> 0);
      const allocated = words.filter((word) => row.allocated(fieldsOf(row, word)));
      expect(allocated.length).toBeGreaterThan(20);
      expect(new Set(allocated.map((word) => decode(word)?.row))).toEqual(new Set([row]));
      const names = new Set(allocated.map(nameOf));
      expect([...names].filter((name) => name === undefined || !listedNames.has(name))).toEqual([]);
    },
  );

  test('200,000 random words of the load/store space belong to at most one row each', () => {
    const random = randomWords(7);
    let allocated = 0;
    for (let n = 0; n < 200_000; n += 1) {
      const word = randomLoadStoreWord(random);
      assertUnambiguous(instructionSet, word);
      if (decode(word)) allocated += 1;
    }
    expect(allocated).toBeGreaterThan(50_000);
  });
});
