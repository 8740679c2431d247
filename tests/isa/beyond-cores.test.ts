// Features that no core has: QEMU's user mode does not know them, so the manual's definitions are the oracle, and GNU's text for FEAT_CSSC.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler.ts';
import { assertUnambiguous, makeDecoder } from '../../src/isa/decoder.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import { beyondCores, decodeAny, everyInstruction, instructionSet } from '../../src/isa/instruction-set.ts';
import { noNames } from '../../src/isa/syntax.ts';
import { execute } from './execute.ts';

const texts: readonly (readonly [number, string])[] = [
  [0x5ac02022, 'abs w2, w1'],
  [0xdac02083, 'abs x3, x4'],
  [0xdac01c41, 'cnt x1, x2'],
  [0x5ac01841, 'ctz w1, w2'],
  [0x9ac36041, 'smax x1, x2, x3'],
  [0x1ac36441, 'umax w1, w2, w3'],
  [0x11c3ec41, 'smax w1, w2, #-5'],
  [0x91cf2041, 'umin x1, x2, #200'],
  [0x99000a18, 'stilp w24, w0, [x16, #-8]!'],
  [0xd9010a39, 'stilp x25, x1, [x17, #-16]!'],
  [0x99021a5a, 'stilp w26, w2, [x18]'],
  [0xd9031bfb, 'stilp x27, x3, [sp]'],
  [0x99440a9c, 'ldiapp w28, w4, [x20], #8'],
  [0xd9450abd, 'ldiapp x29, x5, [x21], #16'],
  [0xd9471aff, 'ldiapp xzr, x7, [x23]'],
  [0x998009e3, 'stlr w3, [x15, #-4]!'],
  [0xd9800be3, 'stlr x3, [sp, #-8]!'],
  [0x99c00be3, 'ldapr w3, [sp], #4'],
  [0xd9c009e3, 'ldapr x3, [x15], #8'],
  [0x1d1ff9e3, 'stlur b3, [x15, #-1]'],
  [0x5d0029e3, 'stlur h3, [x15, #2]'],
  [0x9d1fd9e3, 'stlur s3, [x15, #-3]'],
  [0xdd004be3, 'stlur d3, [sp, #4]'],
  [0x1d9fb9e3, 'stlur q3, [x15, #-5]'],
  [0x1d4069e3, 'ldapur b3, [x15, #6]'],
  [0xdd5f79e3, 'ldapur d3, [x15, #-9]'],
  [0x1dc0abe3, 'ldapur q3, [sp, #10]'],
  [0x0d0185e3, 'stl1 {v3.d}[0], [x15]'],
  [0x4d0187e3, 'stl1 {v3.d}[1], [sp]'],
  [0x0d4187e3, 'ldap1 {v3.d}[0], [sp]'],
  [0x4d4185e3, 'ldap1 {v3.d}[1], [x15]'],
  [0xd9415840, 'ldap x0, x1, [x2]'],
  [0xd9417840, 'ldapp x0, x1, [x2]'],
  [0xd9015840, 'stlp x0, x1, [x2]'],
];

const wordOf = (text: string): number => new DataView(assemble(text).bytes.buffer).getUint32(0, true);

describe('an instruction of a feature that no core has', () => {
  test.each(texts)('0x%s is %s', (word, text) => {
    expect(disassemble(word, 0, noNames, decodeAny)).toBe(text);
    expect(wordOf(text)).toBe(word);
  });

  test('is UNDEFINED on a core', () => {
    const decode = makeDecoder(instructionSet);
    expect(texts.filter(([word]) => decode(word) !== undefined)).toEqual([]);
  });

  test('shares no word with another', () => {
    for (const row of beyondCores) {
      for (let n = 0; n < 2000; n += 1) {
        const random = Math.imul(n + 1, 0x9e37_79b1) >>> 0;
        assertUnambiguous(everyInstruction, ((random & ~row.mask) | row.value) >>> 0);
      }
    }
  });

  test('refuses a write-back by anything but the size of the pair', () => {
    expect(() => assemble('stilp w0, w1, [x2, #-16]!')).toThrow('offset -16, where only -8 is possible');
    expect(() => assemble('ldiapp x0, x1, [x2], #8')).toThrow('offset 8, where only 16 is possible');
  });
});

describe('FEAT_CSSC', () => {
  const signed = (bits: bigint, width: number) => BigInt.asIntN(width, bits);
  const largest = (a: bigint, b: bigint) => (a > b ? a : b);
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const trailing = (x: bigint, width: number): bigint => {
    let n = 0;
    while (n < width && ((x >> BigInt(n)) & 1n) === 0n) n += 1;
    return BigInt(n);
  };
  const edge = fc.constantFrom(0n, 1n, -1n, 1n << 31n, 1n << 63n, (1n << 31n) - 1n, (1n << 63n) - 1n, 200n, -5n);
  const operand = fc
    .oneof(edge, fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }))
    .map((x) => BigInt.asUintN(64, x));

  test.each([64, 32])('computes on %i bits', (width) => {
    const R = width === 64 ? 'x' : 'w';
    const expected = (a: bigint, b: bigint): Readonly<Record<string, bigint>> => ({
      [`abs ${R}0, ${R}1`]: signed(a, width) < 0n ? -a : a,
      [`cnt ${R}0, ${R}1`]: BigInt(a.toString(2).replaceAll('0', '').length),
      [`ctz ${R}0, ${R}1`]: trailing(a, width),
      [`smax ${R}0, ${R}1, ${R}2`]: largest(signed(a, width), signed(b, width)),
      [`smin ${R}0, ${R}1, ${R}2`]: least(signed(a, width), signed(b, width)),
      [`umax ${R}0, ${R}1, ${R}2`]: largest(a, b),
      [`umin ${R}0, ${R}1, ${R}2`]: least(a, b),
      [`smax ${R}0, ${R}1, #-5`]: largest(signed(a, width), -5n),
      [`smin ${R}0, ${R}1, #-128`]: least(signed(a, width), -128n),
      [`umax ${R}0, ${R}1, #200`]: largest(a, 200n),
      [`umin ${R}0, ${R}1, #255`]: least(a, 255n),
    });
    fc.assert(
      fc.property(operand, operand, (x1, x2) => {
        const results = expected(BigInt.asUintN(width, x1), BigInt.asUintN(width, x2));
        for (const [text, result] of Object.entries(results)) {
          expect([text, execute(wordOf(text), { x: { 1: x1, 2: x2 } }).x[0]]).toEqual([
            text,
            BigInt.asUintN(width, result),
          ]);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});
