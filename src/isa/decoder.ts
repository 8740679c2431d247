// From an instruction word to its row. Rows are bucketed by the 11 highest bits, which separate almost all of them.

import { assert } from '../report/assert.ts';
import { fieldsOf, type Row } from './encoding.ts';

export interface Decoded {
  readonly row: Row;
  readonly fields: Readonly<Record<string, number>>;
}

const bucketShift = 21;

export type Decoder = (word: number) => Decoded | undefined;

/** A decoder for these rows; asserts that no two of them claim the same word unless one refuses it (`allocated`). */
export function makeDecoder(rows: readonly Row[]): Decoder {
  const buckets: Row[][] = Array.from({ length: 1 << (32 - bucketShift) }, () => []);
  for (const row of rows) {
    const mask = row.mask >>> bucketShift;
    const value = row.value >>> bucketShift;
    // Every number with these bits under the mask: adding to one that has all the mask's bits set carries past them.
    for (let n = value; n < buckets.length; n = (((n | mask) + 1) & ~mask) | value) buckets[n]!.push(row);
  }
  return (word) => {
    for (const row of buckets[word >>> bucketShift] ?? []) {
      if ((word & row.mask) >>> 0 !== row.value) continue;
      const fields = fieldsOf(row, word);
      if (row.allocated(fields)) return { row, fields };
    }
    return undefined;
  };
}

/** Asserts that a word belongs to at most one row. */
export function assertUnambiguous(rows: readonly Row[], word: number): void {
  const claims = rows.filter((r) => (word & r.mask) >>> 0 === r.value && r.allocated(fieldsOf(r, word)));
  assert(claims.length <= 1, `0x${word.toString(16)} is claimed by ${claims.map((r) => r.name).join(' and ')}`);
}
