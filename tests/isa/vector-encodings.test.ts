// The space of floating point and Advanced SIMD (op0 = x111), class by class: a word is allocated here exactly if qemu-aarch64 executes it,
// but for what is listed below with its reason; and objdump calls every one of them as our disassembler does.

import { describe, expect, test } from 'vitest';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { armName, ENCODINGS } from '../vectors/encodings.ts';
import { isOfPattern, readDecodeSpace, walkedClasses } from '../vectors/decode-space.ts';
import { hasObjdump, OBJDUMP, objdumpTexts } from './objdump.ts';
import { names } from './register-names.ts';

/** What the emulator's processor has of features that ours has not. */
const otherFeatures: Readonly<Record<string, readonly string[]>> = {
  FEAT_JSCVT: ['00011110 01 1 11 110 000000 xxxxxxxxxx'],
  FEAT_FRINTTS: ['0 xx 01110 0 x 10000 1111x 10 xxxxxxxxxx', '00011110 0x 1 0100xx 10000 xxxxxxxxxx'],
  FEAT_BF16: [
    '00011110 01 1 000110 10000 xxxxxxxxxx',
    '0 x 0 01110 10 10000 10110 10 xxxxxxxxxx',
    '0 x 1 01110 x1 0 xxxxx 111111 xxxxxxxxxx',
    '0 1 1 01110 01 0 xxxxx 111011 xxxxxxxxxx',
    '0 x 0 01111 x1 xxxxxx 1111 x0 xxxxxxxxxx',
  ],
  FEAT_I8MM: [
    '01 x 01110 10 0 xxxxx 1010x1 xxxxxxxxxx',
    '0 x 0 01110 10 0 xxxxx 100111 xxxxxxxxxx',
    '0 x 0 01111 x0 xxxxxx 1111 x0 xxxxxxxxxx',
  ],
  FEAT_SM3: [
    '11001110010 xxxxx 10 xxxx xxxxxxxxxx',
    '11001110010 xxxxx 0 xxxxx xxxxxxxxxx',
    '11001110011 xxxxx 1100 0x xxxxxxxxxx',
  ],
  FEAT_SM4: ['11001110011 xxxxx 1100 10 xxxxxxxxxx', '11001110110000001000 01 xxxxxxxxxx'],
};

/** What qemu-aarch64 7.2 executes though the manual has it UNDEFINED, or leaves it to the implementation. */
const emulatorTakesMore: Readonly<Record<string, readonly string[]>> = {
  'FMAXNMV, FMINNMV, FMAXV and FMINV of halves: bit 22 is 0': [
    '0 x 0 01110 x 1 11000 01100 10 xxxxxxxxxx',
    '0 x 0 01110 x 1 11000 01111 10 xxxxxxxxxx',
  ],
  'scalar pairs of halves: bit 22 is 0': ['01 0 11110 x 1 11000 011xx 10 xxxxxxxxxx'],
  'FMOV (vector, immediate) of halves: op is 0': ['0 x 1 0111100000 xxx 1111 11 xxxxxxxxxx'],
  'FNEG of halves: there is no scalar form': ['01 1 11110 1 111100 01111 10 xxxxxxxxxx'],
  'FCMP and FCMPE with zero: Rm is should-be-zero, and here UNDEFINED if it is not': [
    '000 11110 xx 1 xxxxx 00 1000 xxxxx x1000',
  ],
};

/** What objdump 2.40 has text for though the manual has it UNDEFINED, and qemu-aarch64 refuses it. */
const objdumpTakesMore: Readonly<Record<string, readonly string[]>> = {
  'FMLAL and its kin: sz is 0': [
    '0 x 0 01110 x1 1 xxxxx 111011 xxxxxxxxxx',
    '0 x 1 01110 x1 1 xxxxx 110011 xxxxxxxxxx',
  ],
};

const isIn = (lists: Readonly<Record<string, readonly string[]>>, word: number): boolean =>
  Object.values(lists).some((patterns) => patterns.some((pattern) => isOfPattern(pattern, word)));
const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
const decode = makeDecoder(instructionSet);
const encodingOf = (word: number): string | undefined => {
  const decoded = decode(word);
  return decoded?.row.encoding(decoded.fields);
};
const classes = walkedClasses();

describe('the space of floating point and Advanced SIMD', () => {
  const executed = readDecodeSpace();

  test.each(classes)('$name: what is allocated is what qemu-aarch64 executes', ({ name, words }) => {
    const bits = executed.get(name)!;
    const differences = words.flatMap((word, n) => {
      const ours = encodingOf(word);
      if ((ours !== undefined) === bits[n]!) return [];
      if (ours === undefined && (isIn(otherFeatures, word) || isIn(emulatorTakesMore, word))) return [];
      return [`${hex(word)}: ${ours ?? 'UNDEFINED'} here, but qemu-aarch64 ${bits[n] ? 'executes' : 'refuses'} it`];
    });
    expect(differences).toEqual([]);
  });

  test('the walk comes by every encoding that the vectors cover there, and by no other', () => {
    const seen = new Set(classes.flatMap(({ words }) => words.flatMap((word) => encodingOf(word) ?? [])));
    const covered = new Set(ENCODINGS.filter(({ value }) => ((value >>> 25) & 7) === 7).map(armName));
    expect([...covered].filter((name) => !seen.has(name))).toEqual([]);
    expect([...seen].filter((name) => !covered.has(name))).toEqual([]);
    expect(seen.size).toBe(723);
  });

  test.runIf(hasObjdump)(`${OBJDUMP} has our text for what is allocated, and none for the rest`, () => {
    const words = classes.flatMap((walked) => walked.words);
    const theirs = objdumpTexts(words);
    const plain = (text: string): string => text.replace(/\s*(<.*>)?\s*(\/\/.*)?$/, '').replace(/\s+/g, ' ');
    const differences = words.flatMap((word, n) => {
      const ours = decode(word) && disassemble(word, 4 * n, names);
      const text = theirs[n] === undefined ? undefined : plain(theirs[n]);
      if (ours === text) return [];
      if (ours === undefined && [otherFeatures, emulatorTakesMore, objdumpTakesMore].some((list) => isIn(list, word)))
        return [];
      return [`${hex(word)}: ${ours ?? 'UNDEFINED'} here, ${text ?? 'undefined'} there`];
    });
    expect(differences).toEqual([]);
  });
});
