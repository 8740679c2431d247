// FPAdd, FPSub, FPMul, FPMulX, FPMulAdd and the fused steps of reciprocal estimates (Arm DDI 0487, "shared/functions/float").

import type { Value } from '../semantics.ts';
import { infinity, quietBit, rounding, signBit } from './format.ts';
import { normalized, round, roundingMode } from './round.ts';
import {
  also,
  type Context,
  exact,
  firstOf,
  fpDefaultNaN,
  fpInfinity,
  fpZero,
  invalid,
  type Outcome,
  processNaNs,
  type Unpacked,
  unpack,
  withSign,
} from './unpack.ts';
import { least, shiftRightJam, type Words } from './words.ts';

/** The sign of an exact zero that is the sum of numbers of different signs. */
const signOfZeroSum = (c: Context): Value => c.w.bit(c.w.eq(roundingMode(c), rounding.minusInfinity));

/** The rounded sum of two finite numbers, of which the second may have its sign changed. */
function sumOf(c: Context, a: Unpacked, b: Unpacked, signB: Value): Outcome {
  const { w } = c;
  // A zero has the least exponent of all, so that it is the smaller one.
  const isSwapped = w.either(
    w.less(a.exponent, b.exponent),
    w.both(w.eq(a.exponent, b.exponent), w.below(a.mantissa, b.mantissa)),
  );
  const take = (x: Value, y: Value): Value => w.choose(isSwapped, y, x);
  const exponent = take(a.exponent, b.exponent);
  const distance = w.sub(exponent, take(b.exponent, a.exponent));
  // One bit of room for the carry; below the 53 bits of a double ten are left to guard.
  const large = w.shr(take(a.mantissa, b.mantissa), 1);
  const small = shiftRightJam(w, w.shr(take(b.mantissa, a.mantissa), 1), least(w, distance, 63));
  const differ = w.ne(a.sign, signB);
  const sum = w.choose(differ, w.sub(large, small), w.add(large, small));
  const rounded = round(c, normalized(w, take(a.sign, signB), w.add(exponent, 1), sum));
  const zero = fpZero(c, w.choose(differ, signOfZeroSum(c), a.sign));
  return firstOf(c, [[w.eq(sum, 0), exact(c, zero)]], rounded);
}

/** FPAdd and FPSub. */
export function add(c: Context, x: Value, y: Value, subtract = false): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const signB = subtract ? w.xor(b.sign, 1) : b.sign;
  const nan = processNaNs(c, [a, b]);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [w.both(a.isInfinity, b.isInfinity, w.ne(a.sign, signB)), invalid(c, fpDefaultNaN(c))],
      [a.isInfinity, exact(c, fpInfinity(c, a.sign))],
      [b.isInfinity, exact(c, fpInfinity(c, signB))],
    ],
    sumOf(c, a, b, signB),
  );
  return also(c, outcome, a.flags, b.flags);
}

/** The product of two finite numbers, 128 bits wide: bit 127 weighs 2^exponent. */
function productOf(
  w: Words,
  a: Unpacked,
  b: Unpacked,
): { readonly exponent: Value; readonly high: Value; readonly low: Value } {
  return {
    exponent: w.add(w.add(a.exponent, b.exponent), 1),
    high: w.mulHigh(a.mantissa, b.mantissa),
    low: w.mul(a.mantissa, b.mantissa),
  };
}

/** FPMul; `extended`: FPMulX, where infinity times zero is 2. */
export function multiply(c: Context, x: Value, y: Value, extended = false): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const sign = w.xor(a.sign, b.sign);
  const nan = processNaNs(c, [a, b]);
  const isIndefinite = w.either(w.both(a.isInfinity, b.isZero), w.both(a.isZero, b.isInfinity));
  const { exponent, high, low } = productOf(w, a, b);
  const product = round(c, normalized(w, sign, exponent, w.or(high, w.bit(w.ne(low, 0)))));
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [isIndefinite, extended ? exact(c, withSign(c, sign, two(c))) : invalid(c, fpDefaultNaN(c))],
      [w.either(a.isInfinity, b.isInfinity), exact(c, fpInfinity(c, sign))],
      [w.either(a.isZero, b.isZero), exact(c, fpZero(c, sign))],
    ],
    product,
  );
  return also(c, outcome, a.flags, b.flags);
}

/** 2 and 1.5 in a format. */
const two = ({ format: { bias, fractionBits } }: Context): bigint => BigInt(bias + 1) << BigInt(fractionBits);
const oneAndAHalf = ({ format }: Context): bigint =>
  (BigInt(format.bias) << BigInt(format.fractionBits)) | quietBit(format);

/** A number of 128 bits. */
interface Wide {
  readonly high: Value;
  readonly low: Value;
}

/** Shifted right by 0 to 127, with what falls out kept in bit 0. */
function shiftWideRightJam(w: Words, { high, low }: Wide, amount: Value): Wide {
  const isFar = w.not(w.below(amount, 64));
  const near = w.and(amount, 63);
  const isWhole = w.eq(near, 0);
  const carried = w.choose(isWhole, 0, w.shlBy(high, w.sub(64, near)));
  const lostLow = w.choose(isWhole, 0, w.shlBy(low, w.sub(64, near)));
  const shifted: Wide = { high: w.shrBy(high, near), low: w.or(w.shrBy(low, near), carried) };
  const farLow = shifted.high;
  return {
    high: w.choose(isFar, 0, shifted.high),
    low: w.choose(
      isFar,
      w.or(farLow, w.bit(w.either(w.ne(carried, 0), w.ne(low, 0)))),
      w.or(shifted.low, w.bit(w.ne(lostLow, 0))),
    ),
  };
}

const wideBelow = (w: Words, a: Wide, b: Wide): Value =>
  w.either(w.below(a.high, b.high), w.both(w.eq(a.high, b.high), w.below(a.low, b.low)));

function wideAdd(w: Words, a: Wide, b: Wide): Wide {
  const low = w.add(a.low, b.low);
  return { high: w.add(w.add(a.high, b.high), w.bit(w.below(low, a.low))), low };
}

const wideSub = (w: Words, a: Wide, b: Wide): Wide => ({
  high: w.sub(w.sub(a.high, b.high), w.bit(w.below(a.low, b.low))),
  low: w.sub(a.low, b.low),
});

/** The rounded sum of a finite number and a finite product; `halve` divides it by 2 before it is rounded. */
function fusedSum(c: Context, addend: Unpacked, a: Unpacked, b: Unpacked, signP: Value, halve: boolean): Outcome {
  const { w } = c;
  const isProductZero = w.either(a.isZero, b.isZero);
  const product = productOf(w, a, b);
  // Bit 127 or 126 leads in the product; one place right makes room for the carry, and no bit is lost: the lowest 20 are clear.
  const shiftRight = ({ high, low }: Wide): Wide => ({
    high: w.shr(high, 1),
    low: w.or(w.shr(low, 1), w.shl(high, 63)),
  });
  const p = shiftRight(product);
  const q = shiftRight({ high: addend.mantissa, low: w.word(0) });
  const exponentP = w.choose(isProductZero, -0x4000, product.exponent);
  const exponentQ = w.choose(addend.isZero, -0x4000, addend.exponent);
  const isSwapped = w.either(w.less(exponentP, exponentQ), w.both(w.eq(exponentP, exponentQ), wideBelow(w, p, q)));
  const choose = (x: Wide, y: Wide): Wide => ({
    high: w.choose(isSwapped, y.high, x.high),
    low: w.choose(isSwapped, y.low, x.low),
  });
  const exponent = w.choose(isSwapped, exponentQ, exponentP);
  const distance = w.sub(exponent, w.choose(isSwapped, exponentP, exponentQ));
  const large = choose(p, q);
  const small = shiftWideRightJam(w, choose(q, p), least(w, distance, 127));
  // With the leading bit of the product at 126 the smaller of the two may still be the larger number.
  const differ = w.ne(signP, addend.sign);
  const isNegative = w.both(differ, wideBelow(w, large, small));
  const added = wideAdd(w, large, small);
  const forward = wideSub(w, large, small);
  const backward = wideSub(w, small, large);
  const part = (name: keyof Wide): Value =>
    w.choose(differ, w.choose(isNegative, backward[name], forward[name]), added[name]);
  const [high, low] = [part('high'), part('low')];
  const signLarge = w.choose(isSwapped, addend.sign, signP);
  const sign = w.choose(isNegative, w.xor(signLarge, 1), signLarge);
  // Normalize over both words, then fold what is below the high one into its last bit.
  const isHighZero = w.eq(high, 0);
  const top = w.choose(isHighZero, low, high);
  const below = w.choose(isHighZero, 0, low);
  const zeros = w.leadingZeros(top);
  const brought = w.choose(w.eq(zeros, 0), 0, w.shrBy(below, w.sub(64, zeros)));
  const rest = w.shlBy(below, zeros);
  const mantissa = w.or(w.or(w.shlBy(top, zeros), brought), w.bit(w.ne(rest, 0)));
  const bit63 = w.sub(w.add(exponent, halve ? 0 : 1), w.choose(isHighZero, 64, 0));
  const rounded = round(c, { sign, exponent: w.sub(bit63, zeros), mantissa });
  const isZeroSum = w.both(w.eq(high, 0), w.eq(low, 0));
  const zero = fpZero(c, w.choose(differ, signOfZeroSum(c), addend.sign));
  return firstOf(c, [[isZeroSum, exact(c, zero)]], rounded);
}

/** FPMulAdd: addend + x * y, rounded once. FPNeg of an operand is the caller's, as in the manual. */
export function multiplyAdd(c: Context, addend: Value, x: Value, y: Value): Outcome {
  const { w } = c;
  const [d, a, b] = [unpack(c, addend), unpack(c, x), unpack(c, y)];
  const sign = w.xor(a.sign, b.sign);
  const nan = processNaNs(c, [d, a, b]);
  const isInfinite = w.either(a.isInfinity, b.isInfinity);
  const isIndefinite = w.either(w.both(a.isInfinity, b.isZero), w.both(a.isZero, b.isInfinity));
  const outcome = firstOf(
    c,
    [
      [w.both(d.isNaN, w.not(d.isSignaling), isIndefinite), invalid(c, fpDefaultNaN(c))],
      [nan.isAny, nan],
      [w.either(isIndefinite, w.both(d.isInfinity, isInfinite, w.ne(d.sign, sign))), invalid(c, fpDefaultNaN(c))],
      [w.both(d.isInfinity), exact(c, fpInfinity(c, d.sign))],
      [isInfinite, exact(c, fpInfinity(c, sign))],
    ],
    fusedSum(c, d, a, b, sign, false),
  );
  return also(c, outcome, d.flags, a.flags, b.flags);
}

/** FPRecipStepFused (2 - x * y) and FPRSqrtStepFused ((3 - x * y) / 2). */
export function step(c: Context, x: Value, y: Value, which: 'reciprocal' | 'square root'): Outcome {
  const { w, format } = c;
  const isRoot = which === 'square root';
  const a = unpack(c, w.xor(x, signBit(format)));
  const b = unpack(c, y);
  const sign = w.xor(a.sign, b.sign);
  const nan = processNaNs(c, [a, b]);
  const isInfinite = w.either(a.isInfinity, b.isInfinity);
  const isIndefinite = w.either(w.both(a.isInfinity, b.isZero), w.both(a.isZero, b.isInfinity));
  const constantBits = isRoot ? two(c) | quietBit(format) : two(c);
  const addend = unpack(c, w.word(constantBits));
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [isIndefinite, exact(c, isRoot ? oneAndAHalf(c) : two(c))],
      [isInfinite, exact(c, w.or(w.shl(sign, format.bits - 1), infinity(format)))],
    ],
    fusedSum(c, addend, a, b, sign, isRoot),
  );
  return also(c, outcome, a.flags, b.flags);
}
