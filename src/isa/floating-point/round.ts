// FPRound (Arm DDI 0487, "shared/functions/float/fpround"): from an exact number to a format.

import type { Value } from '../semantics.ts';
import { fpcrBit, fpsr, infinity, minNormalExponent, rounding } from './format.ts';
import { type Context, control, flagsWhere, type Outcome, raised, type UnpackKind, withSign } from './unpack.ts';
import { least, shiftRightJam, type Term, type Words } from './words.ts';

/** A number that is not zero: the mantissa normalized, with bit 0 set where it stands for more bits below. */
export interface Exact {
  readonly sign: Value;
  readonly exponent: Value;
  readonly mantissa: Value;
}

/** FPCR.RMode. */
export const roundingMode = ({ w, fpcr }: Context): Value => w.and(w.shr(fpcr, fpcrBit.RMode), 3);

/** Whether a magnitude is rounded away from zero: what was cut off, against half of the last place. */
export function roundsUp(
  w: Words,
  mode: Value,
  {
    sign,
    isOdd,
    rest,
    half,
  }: { readonly sign: Value; readonly isOdd: Value; readonly rest: Value; readonly half: Term },
): Value {
  const isInexact = w.ne(rest, 0);
  const isAbove = w.below(half, rest);
  const isTie = w.eq(rest, half);
  const is = (which: number): Value => w.eq(mode, which);
  return w.either(
    w.both(is(rounding.tieEven), w.either(isAbove, w.both(isTie, isOdd))),
    w.both(is(rounding.tieAway), w.either(isAbove, isTie)),
    w.both(is(rounding.plusInfinity), isInexact, w.eq(sign, 0)),
    w.both(is(rounding.minusInfinity), isInexact, w.ne(sign, 0)),
  );
}

/** FPRound and FPRoundCV; under `rounding.odd` an inexact result has its last bit set (FPRounding_ODD). */
export function round(
  c: Context,
  number: Exact,
  mode: Value = roundingMode(c),
  kind: UnpackKind = 'arithmetic',
): Outcome {
  const { w, format } = c;
  const { fractionBits, maxExponent } = format;
  const { sign, exponent } = number;
  const minimum = minNormalExponent(format);
  const isHalf = format.bits === 16;
  const never = w.eq(1, 0);
  const flushes = isHalf ? (kind === 'conversion' ? never : control(c, fpcrBit.FZ16)) : control(c, fpcrBit.FZ);
  const isTiny = w.less(exponent, minimum);
  const isFlushed = w.both(flushes, isTiny);

  const mantissa = w.choose(
    isTiny,
    shiftRightJam(w, number.mantissa, least(w, w.sub(minimum, exponent), 63)),
    number.mantissa,
  );
  const cut = 63 - fractionBits;
  const kept = w.shr(mantissa, cut);
  const rest = w.and(mantissa, (1n << BigInt(cut)) - 1n);
  const isInexact = w.ne(rest, 0);
  const up = roundsUp(w, mode, { sign, isOdd: w.ne(w.and(kept, 1), 0), rest, half: 1n << BigInt(cut - 1) });
  const last = w.bit(w.both(w.eq(mode, rounding.odd), isInexact));
  const rounded = w.or(w.add(kept, w.bit(up)), last);
  // The leading bit of a normal mantissa adds 1 to the field; a carry out of the fraction does what it should.
  const field = w.choose(isTiny, 0, w.sub(exponent, minimum));
  const packed = w.add(w.shl(field, fractionBits), rounded);

  const toInfinity = w.either(
    w.eq(mode, rounding.tieEven),
    w.eq(mode, rounding.tieAway),
    w.both(w.eq(mode, rounding.plusInfinity), w.eq(sign, 0)),
    w.both(w.eq(mode, rounding.minusInfinity), w.ne(sign, 0)),
  );
  // A field far beyond the format must not wrap: compare exponents first.
  const isFar = w.less(maxExponent, field);
  const overflows = w.either(isFar, w.not(w.below(packed, infinity(format))));
  const overflowed = w.choose(toInfinity, infinity(format), infinity(format) - 1n);
  const ordinary: Outcome = {
    value: withSign(c, sign, w.choose(overflows, overflowed, packed)),
    flags: raised(
      c,
      flagsWhere(c, w.both(isTiny, isInexact), fpsr.UFC),
      flagsWhere(c, overflows, fpsr.OFC),
      flagsWhere(c, w.either(isInexact, overflows), fpsr.IXC),
    ),
  };
  const flushed: Outcome = { value: withSign(c, sign, 0), flags: w.word(fpsr.UFC) };
  const result =
    isHalf && kind === 'conversion'
      ? alternativeHalf(c, ordinary, { sign, packed, isFar, isTiny, isInexact })
      : ordinary;
  return {
    value: w.choose(isFlushed, flushed.value, result.value),
    flags: w.choose(isFlushed, flushed.flags, result.flags),
  };
}

/** FPCR.AHP: the highest exponent is one of numbers, and what is beyond is the largest number and an Invalid Operation. */
function alternativeHalf(
  c: Context,
  ieee: Outcome,
  { sign, packed, isFar, isTiny, isInexact }: Record<'sign' | 'packed' | 'isFar' | 'isTiny' | 'isInexact', Value>,
): Outcome {
  const { w } = c;
  const isAlternative = control(c, fpcrBit.AHP);
  const largest = 0x7fff;
  const overflows = w.either(isFar, w.below(largest, packed));
  const flags = w.choose(
    overflows,
    fpsr.IOC,
    raised(c, flagsWhere(c, w.both(isTiny, isInexact), fpsr.UFC), flagsWhere(c, isInexact, fpsr.IXC)),
  );
  return {
    value: w.choose(isAlternative, withSign(c, sign, w.choose(overflows, largest, packed)), ieee.value),
    flags: w.choose(isAlternative, flags, ieee.flags),
  };
}

/** The number of a mantissa that is not normalized, whose bit 63 weighs 2^exponent. Not for 0. */
export function normalized(w: Words, sign: Value, exponent: Term, mantissa: Value): Exact {
  const shift = w.leadingZeros(mantissa);
  return { sign, exponent: w.sub(exponent, shift), mantissa: w.shlBy(mantissa, shift) };
}
