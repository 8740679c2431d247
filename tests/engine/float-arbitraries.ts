// Operands that are hard on floating point, and the exact arithmetic of src/isa/floating-point on them.

import fc from 'fast-check';
import { concrete, traceOperations } from '../../src/engine/trace-values.ts';
import { formats, fpsr } from '../../src/isa/floating-point/format.ts';
import type { FloatOperation } from '../../src/isa/floating-point/names.ts';
import { floatOutcome } from '../../src/isa/floating-point/operations.ts';
import { wordsOver } from '../../src/isa/floating-point/words.ts';

export type Bits = 32 | 64;
const w = wordsOver(traceOperations);

/** The result, and FPSR with what the operation raises. */
export function exactly(
  operation: FloatOperation,
  bits: Bits,
  fpcr: bigint,
  status: bigint,
  operands: readonly bigint[],
) {
  const [a = 0n, b = 0n, d = 0n] = operands;
  const c = { w, format: formats[bits], fpcr: w.word(fpcr) };
  const { value, flags } = floatOutcome(operation, c, [w.word(a), w.word(b), w.word(d)]);
  return { value: concrete(value).bits, status: status | concrete(flags).bits };
}

/** Numbers of a format: most in the middle of its range, with fractions of few bits, all ones, or any. */
export function numberArbitrary(bits: Bits): fc.Arbitrary<bigint> {
  const { fractionBits, maxExponent, bias } = formats[bits];
  const most = (1n << BigInt(fractionBits)) - 1n;
  const fraction = fc.oneof(
    fc.bigInt({ min: 0n, max: most }),
    fc.constantFrom(0n, 1n, 2n, most, most - 1n, (most + 1n) / 2n, (most + 1n) / 2n - 1n),
  );
  const exponent = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: bias - 30, max: bias + 30 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: maxExponent }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, 1, 2, maxExponent - 1, maxExponent, bias - 256, bias - 255, bias + 256),
    },
  );
  return fc
    .tuple(fc.boolean(), exponent, fraction)
    .map(
      ([sign, e, f]) =>
        (((BigInt(sign) << BigInt(bits - 1 - fractionBits)) | BigInt(Math.min(Math.max(e, 0), maxExponent))) <<
          BigInt(fractionBits)) |
        f,
    );
}

/** FPCR is 0 and FPSR.IXC is set where the host may be asked, and mostly they are. */
export const fpcrArbitrary = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 31 }).map((modes) => BigInt(modes) << 22n) },
);
export const statusArbitrary = fc.constantFrom(
  BigInt(fpsr.IXC),
  BigInt(fpsr.IXC),
  BigInt(fpsr.IXC),
  0n,
  BigInt(fpsr.QC),
);

const inverted = (word: bigint, bits: Bits): bigint => word ^ (1n << BigInt(bits - 1));

/** Two or three operands, the addend of the latter first; some are chosen so that most of the sum cancels. */
export const operandsArbitrary = (bits: Bits): fc.Arbitrary<readonly bigint[]> => {
  const number = numberArbitrary(bits);
  const near = fc.tuple(number, number, fc.integer({ min: -2, max: 2 })).map(([a, b, ulps]) => {
    const product = exactly('mul', bits, 0n, 0n, [a, b]).value;
    return [BigInt.asUintN(bits, inverted(product, bits) + BigInt(ulps)), a, b];
  });
  return fc.oneof({ weight: 3, arbitrary: fc.tuple(number, number, number) }, { weight: 1, arbitrary: near });
};
