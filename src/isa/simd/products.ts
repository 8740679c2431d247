// Products of elements, as the pages of three registers and those of a vector by an element have them in common.

import type { ElementBits, Semantics, Value } from '../semantics.ts';
import { type Lane, saturatedSum, signed } from './elements.ts';

/** The element of the destination; `d` is what it held before. */
export type Operation = (c: Lane, a: Value, b: Value, d: Value) => Value;

/** What becomes of vectors whose elements are as wide as those of the destination. */
export type Whole = (s: Semantics, bits: ElementBits, a: Value, b: Value, d: Value) => Value;

export const product: Whole = (s, bits, a, b) => s.lanes('mul', bits, a, b);
export const addedProduct: Whole = (s, bits, a, b, d) => s.lanes('add', bits, d, product(s, bits, a, b, d));
export const subtractedProduct: Whole = (s, bits, a, b, d) => s.lanes('sub', bits, d, product(s, bits, a, b, d));

/** PolynomialMult of bytes: coefficients are bits, and sums have no carry. */
export const polynomialProduct: Whole = (s, bits, a, b) => {
  let sum = s.xor(a, a);
  for (let bit = 0; bit < 8; bit += 1) {
    // All ones where the bit is set.
    const isSet = s.shiftLanes('rightS', bits, s.shiftLanes('left', bits, b, bits - 1 - bit), bits - 1);
    sum = s.xor(sum, s.and(isSet, s.shiftLanes('left', bits, a, bit)));
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
