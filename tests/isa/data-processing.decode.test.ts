import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branches } from '../../src/isa/branches.ts';
import { dataProcessing } from '../../src/isa/data-processing.ts';
import { assertUnambiguous, makeDecoder } from '../../src/isa/decoder.ts';
import { fieldsOf, type Row } from '../../src/isa/encoding.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { system } from '../../src/isa/system.ts';

const rows = [...dataProcessing, ...branches, ...system];
const decode = makeDecoder(instructionSet);

/** A word with the row's fixed bits and these bits elsewhere. */
const wordOf = (row: Row, bits: number): number => ((bits & ~row.mask) | row.value) >>> 0;

const anyWord = fc.integer({ min: 0, max: 0xffff_ffff });
const seed = 2;

describe('the rows of data processing, branches and system', () => {
  it.each(rows.map((row) => [row.name, row.pattern, row] as const))('decodes %s: %s', (_name, _pattern, row) => {
    let allocated = 0;
    fc.assert(
      fc.property(anyWord, (bits) => {
        const word = wordOf(row, bits);
        if (!row.allocated(fieldsOf(row, word))) return;
        allocated += 1;
        expect(decode(word)?.row).toBe(row);
      }),
      { seed, numRuns: 200 },
    );
    expect(allocated).toBeGreaterThan(0);
  });

  it('claims a word once', () => {
    fc.assert(
      fc.property(fc.nat(rows.length - 1), anyWord, anyWord, (n, bits, word) => {
        assertUnambiguous(instructionSet, wordOf(rows[n]!, bits));
        assertUnambiguous(instructionSet, word);
      }),
      { seed, numRuns: 100_000 },
    );
  });
});
