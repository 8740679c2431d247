// FPRecipEstimate, FPRSqrtEstimate and FPRecpX (Arm DDI 0487, "shared/functions/float"): the architected estimates of 8 bits, by the
// arithmetic that defines their tables.

import type { Value } from '../semantics.ts';
import { type Format, fpcrBit, fpsr, infinity, rounding } from './format.ts';
import { roundingMode } from './round.ts';
import {
  also,
  type Context,
  control,
  exact,
  firstOf,
  fpDefaultNaN,
  fpInfinity,
  fpZero,
  invalid,
  type Outcome,
  processNaNs,
  unpack,
  withSign,
} from './unpack.ts';
import type { Words } from './words.ts';

/** RecipEstimate: of 256 to 511 for the 9 highest bits of a mantissa, 256 to 511 of its reciprocal. */
export function reciprocalEstimate(w: Words, a: Value): Value {
  const middle = w.add(w.shl(a, 1), 1);
  return w.shr(w.add(w.div(1 << 19, middle), 1), 1);
}

/** RecipSqrtEstimate: of 128 to 511, 256 to 511 of the reciprocal of its root. */
export function rootEstimate(w: Words, a: Value): Value {
  const isLow = w.below(a, 256);
  const middle = w.choose(isLow, w.add(w.shl(a, 1), 1), w.shl(w.add(w.shl(w.shr(a, 1), 1), 1), 1));
  // The largest b with middle * b^2 < 2^28: the step that the manual counts up to, found by halves.
  let b = w.word(512);
  for (let step = 256; step >= 1; step /= 2) {
    const next = w.add(b, step);
    b = w.choose(w.below(w.mul(w.mul(middle, next), next), 1 << 28), next, b);
  }
  return w.shr(w.add(b, 1), 1);
}

/** The least exponent field whose reciprocal is beyond the format. */
const overflowExponent = (format: Format): number => -format.bias - 2;

export function reciprocal(c: Context, x: Value): Outcome {
  const { w, format } = c;
  const { fractionBits, bias } = format;
  const a = unpack(c, x);
  const nan = processNaNs(c, [a]);
  const isNegative = w.ne(a.sign, 0);
  const mode = roundingMode(c);
  const toInfinity = w.either(
    w.eq(mode, rounding.tieEven),
    w.both(w.eq(mode, rounding.plusInfinity), w.not(isNegative)),
    w.both(w.eq(mode, rounding.minusInfinity), isNegative),
  );
  // Magnitudes below 2^(-bias - 1), whose reciprocal overflows.
  const overflows = w.less(a.exponent, overflowExponent(format) + 1);
  const largest = w.choose(toInfinity, infinity(format), infinity(format) - 1n);
  const flushes = control(c, format.bits === 16 ? fpcrBit.FZ16 : fpcrBit.FZ);
  // The reciprocal of magnitudes from 2^(bias - 1) on is below the smallest normal number.
  const isTiny = w.not(w.less(a.exponent, bias - 1));

  const estimate = reciprocalEstimate(w, w.shr(a.mantissa, 55));
  const exponent = w.sub(-1, a.exponent);
  const field = w.add(exponent, bias);
  // 256 to 511 in 9 bits: the leading one is implicit in a normal number, and a digit of a denormal one.
  const fraction = w.shl(w.and(estimate, 0xff), fractionBits - 8);
  const normal = w.add(w.shl(field, fractionBits), fraction);
  const whole = w.shl(estimate, fractionBits - 8);
  const denormal = w.choose(w.eq(field, 0), w.shr(whole, 1), w.shr(whole, 2));
  const packed = w.choose(w.less(0, field), normal, denormal);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [a.isInfinity, exact(c, fpZero(c, a.sign))],
      [a.isZero, { value: fpInfinity(c, a.sign), flags: w.word(fpsr.DZC) }],
      [overflows, { value: withSign(c, a.sign, largest), flags: w.word(fpsr.OFC | fpsr.IXC) }],
      [w.both(flushes, isTiny), { value: fpZero(c, a.sign), flags: w.word(fpsr.UFC) }],
    ],
    exact(c, withSign(c, a.sign, packed)),
  );
  return also(c, outcome, a.flags);
}

export function reciprocalRoot(c: Context, x: Value): Outcome {
  const { w, format } = c;
  const { fractionBits, bias } = format;
  const a = unpack(c, x);
  const nan = processNaNs(c, [a]);
  const isOdd = w.ne(w.and(a.exponent, 1), 0);
  // A number with an even exponent is 128 to 255 of 256ths times an even power, one with an odd exponent 256 to 511.
  const scaled = w.choose(isOdd, w.shr(a.mantissa, 55), w.shr(a.mantissa, 56));
  const estimate = rootEstimate(w, scaled);
  // floor((-1 - exponent) / 2), by a shift of a number that is not negative.
  const exponent = w.sub(w.shr(w.add(w.sub(-1, a.exponent), 0x1_0000), 1), 0x8000);
  const packed = w.add(w.shl(w.add(exponent, bias), fractionBits), w.shl(w.and(estimate, 0xff), fractionBits - 8));
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [a.isZero, { value: fpInfinity(c, a.sign), flags: w.word(fpsr.DZC) }],
      [w.ne(a.sign, 0), invalid(c, fpDefaultNaN(c))],
      [a.isInfinity, exact(c, fpZero(c, w.word(0)))],
    ],
    exact(c, packed),
  );
  return also(c, outcome, a.flags);
}

/** FPRecpX: the exponent inverted, the fraction dropped. */
export function reciprocalExponent(c: Context, x: Value): Outcome {
  const { w, format } = c;
  const { fractionBits, maxExponent } = format;
  const a = unpack(c, x);
  const nan = processNaNs(c, [a]);
  const field = w.and(w.shr(x, fractionBits), maxExponent);
  const inverted = w.choose(w.eq(field, 0), maxExponent - 1, w.xor(field, maxExponent));
  const value = withSign(c, a.sign, w.shl(inverted, fractionBits));
  return also(c, firstOf(c, [[nan.isAny, nan]], exact(c, value)), a.flags);
}
