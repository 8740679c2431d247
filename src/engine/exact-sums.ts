// Sums and products of doubles with what their rounding has cut off, in the host's arithmetic: on one double, or on those of a vector.

import type { Value } from '../isa/semantics.ts';

/** The host's arithmetic, rounded to nearest. */
export interface Doubles {
  sum(a: Value, b: Value): Value;
  difference(a: Value, b: Value): Value;
  product(a: Value, b: Value): Value;
  /** A double of these bits. */
  number(bits: bigint): Value;
}

interface Split {
  readonly high: Value;
  readonly low: Value;
}

/** The rounded sum, and what was cut off (Knuth's TwoSum). */
export function exactSum(on: Doubles, a: Value, b: Value): Split {
  const high = on.sum(a, b);
  const ofB = on.difference(high, a);
  const ofA = on.difference(high, ofB);
  return { high, low: on.sum(on.difference(a, ofA), on.difference(b, ofB)) };
}

/** A number in two halves of 26 bits (Veltkamp). */
function halves(on: Doubles, a: Value): Split {
  const scaled = on.product(a, on.number(0x41a0_0000_0200_0000n)); // 2^27 + 1
  const high = on.difference(scaled, on.difference(scaled, a));
  return { high, low: on.difference(a, high) };
}

/** The rounded product, and what was cut off (Dekker). */
function exactProduct(on: Doubles, a: Value, b: Value): Split {
  const high = on.product(a, b);
  const [x, y] = [halves(on, a), halves(on, b)];
  const first = on.difference(on.product(x.high, y.high), high);
  const second = on.sum(first, on.product(x.high, y.low));
  const third = on.sum(second, on.product(x.low, y.high));
  return { high, low: on.sum(third, on.product(x.low, y.low)) };
}

/**
 * FPMulAdd of doubles: it is high + low + what the product has lost, exactly. The last two are added, which rounds: a little more and a
 * little less than their sum bracket the exact one. `value` is the result where `more` and `less` are the same number, and where the product
 * has lost nothing (`lost` is 0). Nothing may overflow or underflow on the way, for which exponents in `factorRange` and `addendRange`
 * are enough.
 */
export function bracketedMultiplyAdd(on: Doubles, addend: Value, a: Value, b: Value) {
  const product = exactProduct(on, a, b);
  const { high, low } = exactSum(on, product.high, addend);
  const rest = on.sum(low, product.low);
  const scaled = (factor: bigint): Value => on.sum(high, on.product(rest, on.number(factor)));
  return {
    value: on.sum(high, rest),
    more: scaled(0x3ff0_0000_0000_0001n), // 1 + 2^-52
    less: scaled(0x3fef_ffff_ffff_fffen), // 1 - 2^-52
    lost: product.low,
  };
}

/** Exponents from -n to n. */
export const factorRange = 255;
export const addendRange = 900;
