import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import { fieldsOf, knownCombinations, type Row } from '../../src/isa/encoding.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { names } from './register-names.ts';
import { randomWords } from './random-words.ts';

const base = 0x4000_0000;

function reassemble(text: string): number {
  const { bytes } = assemble(text, { base, names });
  expect(bytes.length).toBe(4);
  return new DataView(bytes.buffer).getUint32(0, true);
}

/**
 * The word that the text of a word stands for. DecodeBitMasks takes immr modulo the element size, so the bits above it are lost;
 * all other words have a text of their own.
 */
function canonical(row: Row, word: number): number {
  const fields = fieldsOf(row, word);
  const ignoring = (field: string, bits: number): number => {
    const lsb = row.fields.find(({ name }) => name === field)?.lsb ?? 0;
    return (word & ~(bits << lsb)) >>> 0;
  };
  if (/^(AND|ANDS|ORR|EOR) \(immediate\)$/.test(row.name)) {
    const { N = 0, imms = 0 } = fields;
    const elementBits = 1 << (31 - Math.clz32((N << 6) | (~imms & 0x3f)));
    return ignoring('immr', 0x3f & ~(elementBits - 1));
  }
  // The lowest bit of imm5 that is set gives the size of elements: DUP (general) has no use for those above, INS for those of imm4 below.
  const { elements = 0 } = fields;
  const lowest = elements & -elements;
  if (row.name === 'DUP (general)') return ignoring('elements', elements ^ lowest);
  if (row.name === 'INS (element)') return ignoring('element', lowest - 1);
  return word;
}

describe('the syntax of the rows', () => {
  test('every row has a form', () => {
    expect(instructionSet.filter((row) => row.syntax.length === 0).map((row) => row.name)).toEqual([]);
  });

  test('a form fixes fields of its row only', () => {
    const strangers = instructionSet.flatMap((row) =>
      row.syntax
        .flatMap((form) => Object.keys(form.where ?? {}))
        .filter((name) => !row.fields.some((field) => field.name === name))
        .map((name) => `${row.name}: ${name}`),
    );
    expect(strangers).toEqual([]);
  });

  test(
    'what the disassembler prints assembles to the same word, for every variant of every row',
    { timeout: 120_000 },
    () => {
      const different: string[] = [];
      let variants = 0;
      instructionSet.forEach((row, r) => {
        knownCombinations(row).forEach((known, k) => {
          const words = randomWords(row, 8, 1000 * r + k, known);
          if (words.length > 0) variants += 1;
          for (const word of words) {
            const text = disassemble(word, base, names);
            const back = reassemble(text);
            if (back !== canonical(row, word))
              different.push(`${row.name}: ${word.toString(16)} ${text} ${back.toString(16)}`);
          }
        });
      });
      expect(different).toEqual([]);
      expect(variants).toBeGreaterThan(1000);
    },
  );

  test('a word that is not allocated goes round as data', () => {
    expect(reassemble(disassemble(0x04000000, base))).toBe(0x04000000);
  });

  test('a row without known fields is a variant, too', () => {
    const NOP = instructionSet.find((row) => row.name === 'NOP')!;
    expect(knownCombinations(NOP)).toEqual([{}]);
    expect(randomWords(NOP, 3, 1)).toEqual([0xd503201f, 0xd503201f, 0xd503201f]);
  });
});
