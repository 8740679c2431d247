// What scalar and vector pages of floating point have in common: operations on one number, the integers of conversions, immediates.

import { type FormatBits, formats, rounding, signBit } from './floating-point/format.ts';
import type { Semantics, Value } from './semantics.ts';

/** FPNeg and FPAbs work on the sign alone, of NaNs too. */
export const fpNeg = (s: Semantics, value: Value, bits: FormatBits): Value =>
  s.xor(value, s.constant(64, signBit(formats[bits])));
export const fpAbs = (s: Semantics, value: Value, bits: FormatBits): Value =>
  s.and(value, s.constant(64, signBit(formats[bits]) - 1n));

export type OneSource = (s: Semantics, value: Value, bits: FormatBits) => Value;

const integral =
  (mode: number): OneSource =>
  (s, value, bits) =>
    s.float('roundToIntegral', bits, [value, s.constant(64, mode)]);

/** FRINT<mode> rounds in its own way, FRINTX and FRINTI as FPCR says. */
export const oneSourceOperations = {
  FABS: fpAbs,
  FNEG: fpNeg,
  FSQRT: (s, value, bits) => s.float('sqrt', bits, [value]),
  FRINTN: integral(rounding.tieEven),
  FRINTP: integral(rounding.plusInfinity),
  FRINTM: integral(rounding.minusInfinity),
  FRINTZ: integral(rounding.zero),
  FRINTA: integral(rounding.tieAway),
  FRINTX: (s, value, bits) => s.float('roundToIntegralExact', bits, [value, s.roundingMode()]),
  FRINTI: (s, value, bits) => s.float('roundToIntegral', bits, [value, s.roundingMode()]),
} as const satisfies Readonly<Record<string, OneSource>>;

/** The letters of conversions from and to integers. */
export const integerSigns = [
  { letter: 'S', name: 'Signed', bit: '0' },
  { letter: 'U', name: 'Unsigned', bit: '1' },
] as const;

/** VFPExpandImm: sign, an exponent of three bits around 0, and four bits of fraction. */
export function expandImmediate(s: Semantics, imm8: Value, bits: FormatBits): Value {
  const { fractionBits, maxExponent } = formats[bits];
  const wide = s.zeroExtend(imm8, 32, 64);
  const field = (lsb: number, width: number): Value =>
    s.and(s.lsr(wide, s.constant(64, lsb)), s.constant(64, 2 ** width - 1));
  const at = (value: Value, lsb: number): Value => s.lsl(value, s.constant(64, lsb));
  const b = field(6, 1);
  // NOT(b) : Replicate(b, E - 3) : imm8<5:4>
  const highExponent = s.select(
    s.low32(b),
    s.constant(64, (maxExponent >> 1) & ~3),
    s.constant(64, (maxExponent + 1) / 2),
  );
  const exponent = s.or(highExponent, field(4, 2));
  return s.or(s.or(at(field(7, 1), bits - 1), at(exponent, fractionBits)), at(field(0, 4), fractionBits - 4));
}
