// FPUnpack, FPProcessNaN and their kin (Arm DDI 0487, "shared/functions/float").

import type { Value } from '../semantics.ts';
import { defaultNaN, type Format, fpcrBit, fpsr, fractionMask, infinity, quietBit, signBit } from './format.ts';
import type { Term, Words } from './words.ts';

/** What arithmetic works with: a format, FPCR as a word, and the operations. */
export interface Context {
  readonly w: Words;
  readonly format: Format;
  readonly fpcr: Value;
}

/** A result, and the cumulative exceptions that it raises. */
export interface Outcome {
  readonly value: Value;
  readonly flags: Value;
}

/** A number as (-1)^sign * (mantissa / 2^63) * 2^exponent, the mantissa normalized; 0 where it is zero. */
export interface Unpacked {
  readonly bits: Value;
  /** 0 or 1, a word. */
  readonly sign: Value;
  readonly exponent: Value;
  readonly mantissa: Value;
  // Conditions.
  readonly isZero: Value;
  readonly isInfinity: Value;
  readonly isNaN: Value;
  readonly isSignaling: Value;
  /** Input denormal: an exception where a denormal was taken as zero. */
  readonly flags: Value;
}

export const control = ({ w, fpcr }: Context, bit: number): Value => w.ne(w.and(w.shr(fpcr, bit), 1), 0);

/** Conversions between formats know no FZ16, and half-precision numbers may be in the alternative format (FPUnpackCV). */
export type UnpackKind = 'arithmetic' | 'conversion';

export function unpack(c: Context, bits: Value, kind: UnpackKind = 'arithmetic'): Unpacked {
  const { w, format } = c;
  const { fractionBits, maxExponent, bias } = format;
  const sign = w.and(w.shr(bits, format.bits - 1), 1);
  const field = w.and(w.shr(bits, fractionBits), maxExponent);
  const fraction = w.and(bits, fractionMask(format));
  const isDenormal = w.both(w.eq(field, 0), w.ne(fraction, 0));
  const never = w.eq(1, 0);
  const flushes =
    format.bits === 16 ? (kind === 'conversion' ? never : control(c, fpcrBit.FZ16)) : control(c, fpcrBit.FZ);
  const isFlushed = w.both(isDenormal, flushes);
  const isSpecial =
    format.bits === 16 && kind === 'conversion'
      ? w.both(w.eq(field, maxExponent), w.not(control(c, fpcrBit.AHP)))
      : w.eq(field, maxExponent);
  const isNaN = w.both(isSpecial, w.ne(fraction, 0));
  const significand = w.choose(
    w.eq(field, 0),
    w.choose(isFlushed, 0, fraction),
    w.or(fraction, 1n << BigInt(fractionBits)),
  );
  const shift = w.leadingZeros(significand);
  // A number whose field is 0 has the exponent of field 1; every leading zero beyond those of a normal number halves it.
  const base = w.sub(w.choose(w.eq(field, 0), 1, field), bias - (63 - fractionBits));
  return {
    bits: w.choose(isFlushed, w.and(bits, signBit(format)), bits),
    sign,
    exponent: w.sub(base, shift),
    mantissa: w.choose(w.eq(significand, 0), 0, w.shlBy(significand, shift)),
    isZero: w.eq(significand, 0),
    isInfinity: w.both(isSpecial, w.eq(fraction, 0)),
    isNaN,
    isSignaling: w.both(isNaN, w.eq(w.and(bits, quietBit(format)), 0)),
    flags: format.bits === 16 ? w.word(0) : w.choose(isFlushed, fpsr.IDC, 0),
  };
}

export const flagsWhere = ({ w }: Context, condition: Value, flags: number): Value => w.choose(condition, flags, 0);

export const raised = ({ w }: Context, ...flags: readonly Term[]): Value =>
  flags.map((term) => w.word(term)).reduce((a, b) => w.or(a, b));

/** FPProcessNaN: the NaN made quiet, or the default NaN. */
function quieted(c: Context, { bits }: Unpacked): Value {
  return c.w.choose(control(c, fpcrBit.DN), defaultNaN(c.format), c.w.or(bits, quietBit(c.format)));
}

/** FPProcessNaNs: a signaling NaN comes before a quiet one, an earlier operand before a later one. */
export function processNaNs(c: Context, operands: readonly Unpacked[]): { readonly isAny: Value } & Outcome {
  const { w } = c;
  const isAny = w.either(...operands.map(({ isNaN }) => isNaN));
  const isSignaling = w.either(...operands.map((operand) => operand.isSignaling));
  let value = w.word(0);
  for (const operand of [...operands].reverse()) value = w.choose(operand.isNaN, quieted(c, operand), value);
  for (const operand of [...operands].reverse()) value = w.choose(operand.isSignaling, quieted(c, operand), value);
  return { isAny, value, flags: flagsWhere(c, isSignaling, fpsr.IOC) };
}

/** A sign and a magnitude. */
export const withSign = ({ w, format }: Context, sign: Value, magnitude: Term): Value =>
  w.or(w.shl(sign, format.bits - 1), magnitude);

export const fpInfinity = (c: Context, sign: Value): Value => withSign(c, sign, infinity(c.format));
export const fpZero = (c: Context, sign: Value): Value => withSign(c, sign, 0);
export const fpDefaultNaN = ({ w, format }: Context): Value => w.word(defaultNaN(format));

/** The result of the first case whose condition holds; the last one has none. */
export function firstOf(c: Context, cases: readonly (readonly [Value, Outcome])[], otherwise: Outcome): Outcome {
  let { value, flags } = otherwise;
  for (const [condition, outcome] of [...cases].reverse()) {
    value = c.w.choose(condition, outcome.value, value);
    flags = c.w.choose(condition, outcome.flags, flags);
  }
  return { value, flags };
}

export const exact = (c: Context, value: Term): Outcome => ({ value: c.w.word(value), flags: c.w.word(0) });
export const invalid = (c: Context, value: Term): Outcome => ({ value: c.w.word(value), flags: c.w.word(fpsr.IOC) });

/** The outcome with further exceptions. */
export const also = (c: Context, outcome: Outcome, ...flags: readonly Value[]): Outcome => ({
  value: outcome.value,
  flags: raised(c, outcome.flags, ...flags),
});
