// FPConvert, FPToFixed, FixedToFP and FPRoundInt (Arm DDI 0487, "shared/functions/float").

import type { Value } from '../semantics.ts';
import {
  defaultNaN,
  type Format,
  formats,
  fpcrBit,
  fpsr,
  fractionMask,
  infinity,
  minNormalExponent,
} from './format.ts';
import { normalized, round, roundingMode, roundsUp } from './round.ts';
import {
  also,
  type Context,
  control,
  exact,
  firstOf,
  flagsWhere,
  fpInfinity,
  fpZero,
  invalid,
  type Outcome,
  processNaNs,
  raised,
  type Unpacked,
  unpack,
  withSign,
} from './unpack.ts';
import type { Term, Words } from './words.ts';

/** FPConvertNaN: sign and the high end of the fraction are kept. */
function convertNaN({ w }: Context, { bits, sign }: Unpacked, from: Format, to: Format): Value {
  const narrower = from.fractionBits - to.fractionBits;
  const fraction = w.and(bits, (1n << BigInt(from.fractionBits)) - 1n);
  const moved = narrower > 0 ? w.shr(fraction, narrower) : w.shl(fraction, -narrower);
  return w.or(w.shl(sign, to.bits - 1), w.or(moved, defaultNaN(to)));
}

/** FPConvert: from the format of the context to another one. `mode`: FPCR.RMode, or to odd. */
export function convert(c: Context, x: Value, to: Format, mode: Value = roundingMode(c)): Outcome {
  const { w, format: from } = c;
  const target: Context = { ...c, format: to };
  const a = unpack(c, x, 'conversion');
  const isAlternative = to.bits === 16 ? control(c, fpcrBit.AHP) : w.eq(1, 0);
  const nan = w.choose(control(c, fpcrBit.DN), defaultNaN(to), convertNaN(c, a, from, to));
  const outcome = firstOf(
    c,
    [
      [w.both(a.isNaN, isAlternative), invalid(c, fpZero(target, a.sign))],
      [a.isNaN, { value: nan, flags: flagsWhere(c, a.isSignaling, fpsr.IOC) }],
      // The alternative half-precision format has no infinity: the largest number stands for it.
      [w.both(a.isInfinity, isAlternative), invalid(c, withSign(target, a.sign, 0x7fff))],
      [a.isInfinity, exact(c, fpInfinity(target, a.sign))],
      [a.isZero, exact(c, fpZero(target, a.sign))],
    ],
    round(target, a, mode, 'conversion'),
  );
  return also(c, outcome, a.flags);
}

/** A half-precision operand of FPMulAddH in the format of the context, which holds it exactly; a NaN is not made quiet. */
export function widenHalf(c: Context, x: Value): Value {
  const { w, format: to } = c;
  const from = formats[16];
  const a = unpack({ ...c, format: from }, x);
  const number = w.add(w.shl(w.add(a.exponent, to.bias - 1), to.fractionBits), w.shr(a.mantissa, 63 - to.fractionBits));
  const fraction = w.shl(w.and(x, fractionMask(from)), to.fractionBits - from.fractionBits);
  const special = w.or(infinity(to), fraction);
  const finite = w.choose(a.isZero, 0, number);
  return withSign({ ...c, format: to }, a.sign, w.choose(w.either(a.isNaN, a.isInfinity), special, finite));
}

/** The magnitude of a number times 2^`scale` as an integer below 2^64, and the fraction cut off as a fraction of 2^64. */
interface Split {
  readonly integer: Value;
  readonly fraction: Value;
  readonly isTooLarge: Value;
}

function split(w: Words, { exponent, mantissa }: Unpacked, scale: Term): Split {
  const position = w.add(exponent, scale);
  // Places of the mantissa behind the point; at 64 all of it is, beyond that nothing but a trace.
  const places = w.sub(63, position);
  const isTooLarge = w.less(places, 0);
  const isAll = w.less(63, places);
  const isTrace = w.less(64, places);
  const isInteger = w.less(places, 1);
  const behind = w.choose(isInteger, 0, w.shlBy(mantissa, w.sub(64, places)));
  return {
    integer: w.choose(isAll, 0, w.shrBy(mantissa, places)),
    fraction: w.choose(isTrace, w.bit(w.ne(mantissa, 0)), w.choose(isAll, mantissa, behind)),
    isTooLarge: w.both(isTooLarge, w.ne(mantissa, 0)),
  };
}

function roundSplit(w: Words, mode: Value, sign: Value, { integer, fraction }: Split): Value {
  const up = roundsUp(w, mode, { sign, isOdd: w.ne(w.and(integer, 1), 0), rest: fraction, half: 1n << 63n });
  return w.add(integer, w.bit(up));
}

/** A kind of integer. */
export interface IntegerKind {
  readonly bits: 16 | 32 | 64;
  readonly unsigned: boolean;
}

/** FPToFixed: saturated to the kind; `fractionBits` is a word of 0 to 64. */
export function toFixed(
  c: Context,
  x: Value,
  fractionBits: Value,
  { bits, unsigned }: IntegerKind,
  mode: Value,
): Outcome {
  const { w } = c;
  const a = unpack(c, x);
  const parts = split(w, a, fractionBits);
  const magnitude = roundSplit(w, mode, a.sign, parts);
  const isNegative = w.ne(a.sign, 0);
  const limit = unsigned
    ? w.choose(isNegative, 0, (1n << BigInt(bits)) - 1n)
    : w.choose(isNegative, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n);
  const isBeyond = w.either(parts.isTooLarge, a.isInfinity, w.below(limit, magnitude));
  const saturated = w.choose(isBeyond, limit, magnitude);
  const negated = w.and(w.sub(0, saturated), (1n << BigInt(bits)) - 1n);
  const value = w.choose(isNegative, negated, saturated);
  const outcome: Outcome = {
    value,
    flags: w.choose(isBeyond, fpsr.IOC, flagsWhere(c, w.ne(parts.fraction, 0), fpsr.IXC)),
  };
  return also(c, firstOf(c, [[a.isNaN, invalid(c, 0)]], outcome), a.flags);
}

/** FixedToFP: an integer of the kind, in the low bits of a word, divided by 2^`fractionBits`, in the format of the context. */
export function fromFixed(c: Context, x: Value, fractionBits: Value, { bits, unsigned }: IntegerKind): Outcome {
  const { w } = c;
  const mask = (1n << BigInt(bits)) - 1n;
  const integer = w.and(x, mask);
  const sign = unsigned ? w.word(0) : w.and(w.shr(integer, bits - 1), 1);
  const magnitude = w.choose(w.ne(sign, 0), w.and(w.sub(0, integer), mask), integer);
  const rounded = round(c, normalized(w, sign, w.sub(63, fractionBits), magnitude));
  return firstOf(c, [[w.eq(integer, 0), exact(c, 0)]], rounded);
}

/** FPRoundInt: to an integral value in the same format; `isExact`: a change raises Inexact. */
export function roundToIntegral(c: Context, x: Value, mode: Value, isExact: boolean): Outcome {
  const { w, format } = c;
  const a = unpack(c, x);
  const nan = processNaNs(c, [a]);
  const parts = split(w, a, 0);
  const integer = roundSplit(w, mode, a.sign, parts);
  const { exponent, mantissa } = normalized(w, a.sign, 63, integer);
  // The integer has no more digits than the format, so that it is packed as it is.
  const field = w.sub(exponent, minNormalExponent(format));
  const packed = w.add(w.shl(field, format.fractionBits), w.shr(mantissa, 63 - format.fractionBits));
  const isIntegral = w.eq(parts.fraction, 0);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [w.either(a.isInfinity, a.isZero, isIntegral, parts.isTooLarge), exact(c, a.bits)],
      [w.eq(integer, 0), exact(c, fpZero(c, a.sign))],
    ],
    exact(c, withSign(c, a.sign, packed)),
  );
  const isChanged = w.both(w.not(nan.isAny), w.not(a.isInfinity), w.not(isIntegral));
  const inexact = isExact ? flagsWhere(c, isChanged, fpsr.IXC) : w.word(0);
  return { value: outcome.value, flags: raised(c, outcome.flags, inexact, a.flags) };
}
