// PMULL and PMULL2 of doublewords: the product of polynomials over {0, 1}, of 128 bits. Arm DDI 0487, C4.1 "Advanced SIMD three
// different", size 11.

import { row, type Row } from '../encoding.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { Semantics, Value } from '../semantics.ts';
import { T } from '../syntax/vectors.ts';
import { vectorOf64 } from './words.ts';

/** Every fourth bit, from bit n on. */
const everyFourth = (n: number): bigint => 0x1111_1111_1111_1111n << BigInt(n);

/**
 * The low 64 bits of the product, by multiplications of integers: of two words in which only every fourth bit may be set, at most 16
 * partial products meet in a bit, so that what carries stays below the next bit that counts, but for the highest, where it falls out.
 */
function lowHalf(s: Semantics, a: Value, b: Value): Value {
  const w = wordsOver(s);
  const [x, y] = [a, b].map((word) => [0, 1, 2, 3].map((n) => w.and(word, everyFourth(n))));
  return [0, 1, 2, 3]
    .map((n) => {
      const products = [0, 1, 2, 3].map((i) => s.mul(x![i]!, y![(n - i) & 3]!));
      return w.and(
        products.reduce((sum, product) => w.xor(sum, product)),
        BigInt.asUintN(64, everyFourth(n)),
      );
    })
    .reduce((half, part) => w.or(half, part));
}

/** The high 64 bits: of the reversed words, the low bits reversed, without the one that both halves share. */
function highHalf(s: Semantics, a: Value, b: Value): Value {
  return s.lsr(s.rbit(lowHalf(s, s.rbit(a), s.rbit(b))), s.constant(64, 1));
}

/** PMULL takes the lower doublewords, PMULL2 the upper ones. */
export const polynomial: readonly Row[] = [
  row({
    name: 'PMULL, PMULL2',
    pattern: '0 Q 0 01110 11 1 Rm 1110 00 Rn Rd',
    encoding: 'PMULL_asimddiff_L',
    feature: 'FEAT_PMULL',
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [a, b] = [s.laneOf(s.readV(f.Rn, 128), 64, k.Q), s.laneOf(s.readV(f.Rm, 128), 64, k.Q)];
      s.writeV(f.Rd, vectorOf64(s, lowHalf(s, a, b), highHalf(s, a, b)));
    },
    syntax: [
      {
        mnemonic: (k) => (k.Q === 1 ? 'pmull2' : 'pmull'),
        operands: [
          T('Rd', () => '1q'),
          T('Rn', (f) => (f.Q === 1 ? '2d' : '1d')),
          T('Rm', (f) => (f.Q === 1 ? '2d' : '1d')),
        ],
      },
    ],
  }),
];
