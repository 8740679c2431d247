// FPDiv and FPSqrt (Arm DDI 0487, "shared/functions/float").

import type { Value } from '../semantics.ts';
import { fpsr } from './format.ts';
import { normalized, round } from './round.ts';
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
} from './unpack.ts';

/** Digits of a long division, 11 bits each: a remainder below 2^53 shifted by that stays a word. */
const digitBits = 11;

/** The rounded quotient of two finite numbers that are not zero. */
function quotientOf(c: Context, a: Unpacked, b: Unpacked, sign: Value): Outcome {
  const { w, format } = c;
  const digits = Math.ceil((format.fractionBits + 3) / digitBits);
  // The mantissas as integers of 53 bits.
  const divisor = w.shr(b.mantissa, digitBits);
  let remainder = w.shr(a.mantissa, digitBits);
  let quotient = w.bit(w.not(w.below(remainder, divisor)));
  remainder = w.choose(w.below(remainder, divisor), remainder, w.sub(remainder, divisor));
  for (let n = 0; n < digits; n += 1) {
    const dividend = w.shl(remainder, digitBits);
    const digit = w.div(dividend, divisor);
    remainder = w.sub(dividend, w.mul(digit, divisor));
    quotient = w.or(w.shl(quotient, digitBits), digit);
  }
  const mantissa = w.or(w.shl(quotient, 1), w.bit(w.ne(remainder, 0)));
  // Bit `digits * digitBits + 1` of the mantissa weighs 2^(exponent of a - exponent of b).
  const exponent = w.add(w.sub(a.exponent, b.exponent), 63 - (digits * digitBits + 1));
  return round(c, normalized(w, sign, exponent, mantissa));
}

export function divide(c: Context, x: Value, y: Value): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const sign = w.xor(a.sign, b.sign);
  const nan = processNaNs(c, [a, b]);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [w.either(w.both(a.isInfinity, b.isInfinity), w.both(a.isZero, b.isZero)), invalid(c, fpDefaultNaN(c))],
      [a.isInfinity, exact(c, fpInfinity(c, sign))],
      [b.isZero, { value: fpInfinity(c, sign), flags: w.word(fpsr.DZC) }],
      [w.either(a.isZero, b.isInfinity), exact(c, fpZero(c, sign))],
    ],
    quotientOf(c, a, b, sign),
  );
  return also(c, outcome, a.flags, b.flags);
}

/** The rounded root of a positive finite number, bit by bit: Arm leaves the way open, the result is exact. */
function rootOf(c: Context, a: Unpacked): Outcome {
  const { w, format } = c;
  const isOdd = w.ne(w.and(a.exponent, 1), 0);
  // Radicand as a number below 4 with an even exponent: its two bits before the point, then pairs of bits of the fraction.
  const evenExponent = w.sub(a.exponent, w.bit(isOdd));
  const integer = w.choose(isOdd, w.shr(a.mantissa, 62), w.shr(a.mantissa, 63));
  let fraction = w.choose(isOdd, w.shl(a.mantissa, 2), w.shl(a.mantissa, 1));
  let root = w.word(1);
  let remainder = w.sub(integer, 1);
  for (let n = 0; n < format.fractionBits + 2; n += 1) {
    const pair = w.shr(fraction, 62);
    fraction = w.shl(fraction, 2);
    const dividend = w.or(w.shl(remainder, 2), pair);
    const trial = w.or(w.shl(root, 2), 1);
    const fits = w.not(w.below(dividend, trial));
    remainder = w.choose(fits, w.sub(dividend, trial), dividend);
    root = w.or(w.shl(root, 1), w.bit(fits));
  }
  const rootBits = format.fractionBits + 3;
  const mantissa = w.or(w.shl(root, 64 - rootBits), w.bit(w.ne(remainder, 0)));
  const half = w.sub(w.shr(w.add(evenExponent, 0x1_0000), 1), 0x8000);
  return round(c, { sign: w.word(0), exponent: half, mantissa });
}

export function squareRoot(c: Context, x: Value): Outcome {
  const { w } = c;
  const a = unpack(c, x);
  const nan = processNaNs(c, [a]);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [a.isZero, exact(c, fpZero(c, a.sign))],
      [w.ne(a.sign, 0), invalid(c, fpDefaultNaN(c))],
      [a.isInfinity, exact(c, fpInfinity(c, a.sign))],
    ],
    rootOf(c, a),
  );
  return also(c, outcome, a.flags);
}
