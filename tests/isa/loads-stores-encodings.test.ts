// The load/store rows as encodings: against the independent list of encodings that the vectors use, and among themselves.

import { describe, expect, test } from 'vitest';
import { assertUnambiguous, makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { LOADS_STORES, SIMD_LOADS_STORES } from '../vectors/encodings/loads-stores.ts';
import { ATOMICS, EXCLUSIVES_AND_ORDERED } from '../vectors/encodings/synchronization.ts';
import { matches } from '../vectors/pattern.ts';
import { randomLoadStoreWord, randomWords } from './loads-stores-words.ts';

const decode = makeDecoder(loadsStores);
const listed = [...LOADS_STORES, ...SIMD_LOADS_STORES, ...EXCLUSIVES_AND_ORDERED, ...ATOMICS];
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
    '%s decodes to itself',
    (_, row) => {
      const random = randomWords(row.value + 1);
      const words = Array.from({ length: 400 }, () => ((random() & ~row.mask) | row.value) >>> 0);
      const decoded = words.map(decode).filter((d) => d !== undefined);
      expect(decoded.length).toBeGreaterThan(20);
      expect(new Set(decoded.map((d) => d.row))).toContain(row);
      const names = new Set(decoded.map((d) => d.row.encoding(d.fields)));
    expect([...names].filter((name) => !listedNames.has(name))).toEqual([]);
  });
});
