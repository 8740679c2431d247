// The space of "Data Processing -- Scalar Floating-Point and Advanced SIMD" (op0 = x111), walked class by class as the Arm ARM's encoding
// index divides it (C4.1): words that are random but for the fixed bits of their class, and which of them qemu-aarch64 executes.
//
//   file   gzip( "# heddle-decode-space 1 seed=N words=N tool=…\n" ( class "\t" one hexadecimal digit for 4 words, lowest bit first "\n" )* )

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { random } from './random.ts';

export const SPACE_FORMAT = 'heddle-decode-space';
export const SPACE_VERSION = 1;
export const SPACE_SEED = 20_26;
export const WORDS_PER_CLASS = 1600;

/** The classes with their fixed bits, in the order of the index. */
const CLASSES: Readonly<Record<string, string>> = {
  'Cryptographic AES': '01001110 xx 10100 xxxxx 10 xxxxxxxxxx',
  'Cryptographic three-register SHA': '01011110 xx 0 xxxxx 0 xxx 00 xxxxxxxxxx',
  'Cryptographic two-register SHA': '01011110 xx 10100 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD scalar copy': '01 x 11110000 xxxxx 0 xxxx 1 xxxxxxxxxx',
  'Advanced SIMD scalar three same FP16': '01 x 11110 x10 xxxxx 00 xxx 1 xxxxxxxxxx',
  'Advanced SIMD scalar two-register miscellaneous FP16': '01 x 11110 x111100 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD scalar three same extra': '01 x 11110 xx 0 xxxxx 1 xxxx 1 xxxxxxxxxx',
  'Advanced SIMD scalar two-register miscellaneous': '01 x 11110 xx 10000 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD scalar pairwise': '01 x 11110 xx 11000 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD scalar three different': '01 x 11110 xx 1 xxxxx xxxx 00 xxxxxxxxxx',
  'Advanced SIMD scalar three same': '01 x 11110 xx 1 xxxxx xxxxx 1 xxxxxxxxxx',
  'Advanced SIMD scalar shift by immediate': '01 x 111110 xxxxxxx xxxxx 1 xxxxxxxxxx',
  'Advanced SIMD scalar x indexed element': '01 x 11111 xxxxxxxx xxxx x 0 xxxxxxxxxx',
  'Advanced SIMD table lookup': '0 x 001110 xx 0 xxxxx 0 xxx 00 xxxxxxxxxx',
  'Advanced SIMD permute': '0 x 001110 xx 0 xxxxx 0 xxx 10 xxxxxxxxxx',
  'Advanced SIMD extract': '0 x 101110 xx 0 xxxxx 0 xxxx 0 xxxxxxxxxx',
  'Advanced SIMD copy': '0 xx 01110000 xxxxx 0 xxxx 1 xxxxxxxxxx',
  'Advanced SIMD three same FP16': '0 xx 01110 x10 xxxxx 00 xxx 1 xxxxxxxxxx',
  'Advanced SIMD two-register miscellaneous FP16': '0 xx 01110 x111100 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD three-register extension': '0 xx 01110 xx 0 xxxxx 1 xxxx 1 xxxxxxxxxx',
  'Advanced SIMD two-register miscellaneous': '0 xx 01110 xx 10000 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD across lanes': '0 xx 01110 xx 11000 xxxxx 10 xxxxxxxxxx',
  'Advanced SIMD three different': '0 xx 01110 xx 1 xxxxx xxxx 00 xxxxxxxxxx',
  'Advanced SIMD three same': '0 xx 01110 xx 1 xxxxx xxxxx 1 xxxxxxxxxx',
  'Advanced SIMD modified immediate': '0 xx 0111100000 xxx xxxx x 1 xxxxxxxxxx',
  'Advanced SIMD shift by immediate': '0 xx 011110 xxxxxxx xxxxx 1 xxxxxxxxxx',
  'Advanced SIMD vector x indexed element': '0 xx 01111 xxxxxxxx xxxx x 0 xxxxxxxxxx',
  'Cryptographic three-register, imm2': '11001110010 xxxxx 10 xxxx xxxxxxxxxx',
  'Cryptographic three-register SHA 512': '11001110011 xxxxx 1 x 00 xx xxxxxxxxxx',
  'Cryptographic four-register': '110011100 xx xxxxx 0 xxxxx xxxxxxxxxx',
  'Cryptographic XAR': '11001110100 xxxxx xxxxxx xxxxxxxxxx',
  'Cryptographic two-register SHA 512': '11001110110000001000 xx xxxxxxxxxx',
  'Conversion between floating-point and fixed-point': 'x 0 x 11110 xx 0 xx xxx xxxxxx xxxxxxxxxx',
  'Conversion between floating-point and integer': 'x 0 x 11110 xx 1 xx xxx 000000 xxxxxxxxxx',
  'Floating-point data-processing (1 source)': 'x 0 x 11110 xx 1 xxxxxx 10000 xxxxxxxxxx',
  'Floating-point compare': 'x 0 x 11110 xx 1 xxxxx xx 1000 xxxxxxxxxx',
  'Floating-point immediate': 'x 0 x 11110 xx 1 xxxxxxxx 100 xxxxxxxxxx',
  'Floating-point conditional compare': 'x 0 x 11110 xx 1 xxxxx xxxx 01 xxxxxxxxxx',
  'Floating-point data-processing (2 source)': 'x 0 x 11110 xx 1 xxxxx xxxx 10 xxxxxxxxxx',
  'Floating-point conditional select': 'x 0 x 11110 xx 1 xxxxx xxxx 11 xxxxxxxxxx',
  'Floating-point data-processing (3 source)': 'x 0 x 11111 xx x xxxxx x xxxxx xxxxxxxxxx',
  'Conversion between floating-point and fixed-point, S 0': 'x 0 0 11110 xx 0 xx xxx xxxxxx xxxxxxxxxx',
  'Conversion between floating-point and integer, S 0': 'x 0 0 11110 xx 1 xx xxx 000000 xxxxxxxxxx',
  'Floating-point data-processing (1 source), M and S 0': '000 11110 xx 1 xxxxxx 10000 xxxxxxxxxx',
  'Floating-point compare with Rm 0, M and S 0': '000 11110 xx 1 00000 xx 1000 xxxxx xx000',
  'any of the space': 'xxx x 111 x xxxxxxxxxxxxxxxxxxxxxxxx',
};

/** The fixed bits of a pattern of 32 characters 0, 1 and x. */
function fixedBits(pattern: string): { readonly mask: number; readonly value: number } {
  const bits = pattern.replaceAll(' ', '');
  assert.match(bits, /^[01x]{32}$/, pattern);
  return {
    mask: Number.parseInt(bits.replace(/[01]/g, '1').replace(/x/g, '0'), 2),
    value: Number.parseInt(bits.replace(/x/g, '0'), 2),
  };
}

export function isOfPattern(pattern: string, word: number): boolean {
  const { mask, value } = fixedBits(pattern);
  return (word & mask) >>> 0 === value;
}

/** The words of a class. */
function wordsOf(name: string, pattern: string): number[] {
  const { mask, value } = fixedBits(pattern);
  const source = random(SPACE_SEED, name);
  return Array.from({ length: WORDS_PER_CLASS }, () => ((source.word() & ~mask) | value) >>> 0);
}

export interface WalkedClass {
  readonly name: string;
  readonly words: readonly number[];
}

export const walkedClasses = (): WalkedClass[] =>
  Object.entries(CLASSES).map(([name, pattern]) => ({ name, words: wordsOf(name, pattern) }));

const spaceFile = (): URL => new URL('./data/decode-space.txt.gz', import.meta.url);

/** One digit for four words. */
export function packBits(bits: readonly boolean[]): string {
  let text = '';
  for (let i = 0; i < bits.length; i += 4) {
    text += bits
      .slice(i, i + 4)
      .reduce((digit, bit, n) => digit | (Number(bit) << n), 0)
      .toString(16);
  }
  return text;
}

/** Which words qemu-aarch64 executed, by class. */
export function readDecodeSpace(): ReadonlyMap<string, readonly boolean[]> {
  const [header = '', ...lines] = gunzipSync(readFileSync(spaceFile())).toString('utf8').trimEnd().split('\n');
  const expected = `# ${SPACE_FORMAT} ${SPACE_VERSION} seed=${SPACE_SEED} words=${WORDS_PER_CLASS} `;
  assert.ok(header.startsWith(expected), 'run tests/vectors/generate-decode-space.sh');
  return new Map(
    lines.map((line) => {
      const [name = '', digits = ''] = line.split('\t');
      return [
        name,
        Array.from(digits).flatMap((digit) => [0, 1, 2, 3].map((n) => ((Number.parseInt(digit, 16) >> n) & 1) === 1)),
      ];
    }),
  );
}
