// Products of elements, as the pages of three registers and those of a vector by an element have them in common.

import { wordsOver } from '../floating-point/words.ts';
import type { ElementBits, Value } from '../semantics.ts';
import { extended, type Lane, saturatedSum, signed } from './elements.ts';

/** The element of the destination; `d` is what it held before. */
export type Operation = (c: Lane, a: Value, b: Value, d: Value) => Value;

export const product: Operation = ({ s }, a, b) => s.mul(a, b);
export const addedProduct: Operation = ({ s }, a, b, d) => s.add(d, s.mul(a, b));
export const subtractedProduct: Operation = ({ s }, a, b, d) => s.sub(d, s.mul(a, b));

/** PolynomialMult of bytes: coefficients are bits, and sums have no carry. */
export const polynomialProduct: Operation = ({ s }, a, b) => {
  const w = wordsOver(s);
  let sum = w.word(0);
  for (let bit = 0; bit < 8; bit += 1) {
    const isSet = w.ne(w.and(w.shr(b, bit), 1), 0);
    sum = w.xor(sum, w.choose(isSet, w.shl(a, bit), 0));
  }
  return sum;
};

const signedProduct = ({ s, bits }: Lane, a: Value, b: Value): Value => s.mul(signed(s, a, bits), signed(s, b, bits));

/** SQDMULH: the high half of twice the product. */
const highOfDoubled =
  (rounds: boolean): Operation =>
  (c, a, b) => {
    const { s, bits, saturation } = c;
    const doubled = signedProduct(c, a, b);
    const rounded = rounds ? s.add(doubled, s.constant(64, 1n << BigInt(bits - 2))) : doubled;
    return saturation.clamp(s.asr(rounded, s.constant(64, bits - 1)), bits, false);
  };
export const doublingHigh = highOfDoubled(false);
export const roundedDoublingHigh = highOfDoubled(true);

/** SQRDMLAH and SQRDMLSH: d is the high half of what twice the product is added to. All is halved, so that it stays a word. */
const accumulatedHigh =
  (subtracts: boolean): Operation =>
  (c, a, b, d) => {
    const { s, bits, saturation } = c;
    const accumulator = s.lsl(signed(s, d, bits), s.constant(64, bits - 1));
    const term = signedProduct(c, a, b);
    const sum = subtracts ? s.sub(accumulator, term) : s.add(accumulator, term);
    const rounded = s.add(sum, s.constant(64, 1n << BigInt(bits - 2)));
    return saturation.clamp(s.asr(rounded, s.constant(64, bits - 1)), bits, false);
  };
export const addedHigh = accumulatedHigh(false);
export const subtractedHigh = accumulatedHigh(true);

// Elements of the destination twice as wide as those of the sources.

const twice = (bits: ElementBits): ElementBits => (2 * bits) as ElementBits;

export const longProduct: Operation = ({ s, bits, unsigned }, a, b) =>
  s.mul(extended(s, a, bits, unsigned), extended(s, b, bits, unsigned));
export const addedLongProduct: Operation = (c, a, b, d) => c.s.add(d, longProduct(c, a, b, d));
export const subtractedLongProduct: Operation = (c, a, b, d) => c.s.sub(d, longProduct(c, a, b, d));

/** SQDMULL: the product is doubled by adding it to itself. */
export const doublingLong: Operation = (c, a, b) => {
  const once = signedProduct(c, a, b);
  return saturatedSum(c.s, c.saturation, [once, once], twice(c.bits), { unsigned: false, subtract: false });
};

const accumulatedDoublingLong =
  (subtract: boolean): Operation =>
  (c, a, b, d) =>
    saturatedSum(c.s, c.saturation, [d, doublingLong(c, a, b, d)], twice(c.bits), { unsigned: false, subtract });
export const addedDoublingLong = accumulatedDoublingLong(false);
export const subtractedDoublingLong = accumulatedDoublingLong(true);
