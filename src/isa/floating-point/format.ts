// Binary floating-point formats, FPCR and FPSR (Arm DDI 0487, A1.4 "Supported data types", C5.2 "FPCR" and "FPSR").

/** IEEE 754 binary16, binary32 and binary64 by their widths. */
export type FormatBits = 16 | 32 | 64;

export interface Format {
  readonly bits: FormatBits;
  readonly fractionBits: number;
  /** All ones in the exponent field. */
  readonly maxExponent: number;
  readonly bias: number;
}

const makeFormat = (bits: FormatBits, exponentBits: number): Format => ({
  bits,
  fractionBits: bits - 1 - exponentBits,
  maxExponent: 2 ** exponentBits - 1,
  bias: 2 ** (exponentBits - 1) - 1,
});

export const formats: Readonly<Record<FormatBits, Format>> = {
  16: makeFormat(16, 5),
  32: makeFormat(32, 8),
  64: makeFormat(64, 11),
};

/** Exponent of the smallest normal number. */
export const minNormalExponent = ({ bias }: Format): number => 1 - bias;

export const signBit = ({ bits }: Format): bigint => 1n << BigInt(bits - 1);
export const infinity = ({ maxExponent, fractionBits }: Format): bigint => BigInt(maxExponent) << BigInt(fractionBits);
export const defaultNaN = (format: Format): bigint => infinity(format) | quietBit(format);
export const quietBit = ({ fractionBits }: Format): bigint => 1n << BigInt(fractionBits - 1);
export const fractionMask = ({ fractionBits }: Format): bigint => (1n << BigInt(fractionBits)) - 1n;

/** Positions of the fields of FPCR. */
export const fpcrBit = { FZ16: 19, RMode: 22, FZ: 24, DN: 25, AHP: 26 } as const;

/** Cumulative exceptions, as FPSR has them; QC is not of floating point but lies beside them. */
export const fpsr = {
  IOC: 1 << 0,
  DZC: 1 << 1,
  OFC: 1 << 2,
  UFC: 1 << 3,
  IXC: 1 << 4,
  IDC: 1 << 7,
  QC: 1 << 27,
} as const;

/** FPCR.RMode, and after its four values the rounding modes that only instructions ask for. */
export const rounding = { tieEven: 0, plusInfinity: 1, minusInfinity: 2, zero: 3, tieAway: 4, odd: 5 } as const;
