// The host's floating point beside the exact arithmetic of src/isa/floating-point: results and FPSR, over operands that are hard on it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatFunctionNames, floatFunctions, fpcrOffset, fpsrOffset } from '../../src/engine/float-functions.ts';
import { concrete, traceOperations } from '../../src/engine/trace-values.ts';
import { formats, fpsr } from '../../src/isa/floating-point/format.ts';
import type { FloatOperation } from '../../src/isa/floating-point/names.ts';
import { floatOutcome } from '../../src/isa/floating-point/operations.ts';
import type { Value } from '../../src/isa/semantics.ts';
import { wordsOver } from '../../src/isa/floating-point/words.ts';
import { hostFloat } from '../../src/engine/host-float.ts';
import { Calculator, doublewords, instantiate } from './wasm-functions.ts';

type Bits = 32 | 64;
const w = wordsOver(traceOperations);
const functions = instantiate(floatFunctions());

function byEngine(operation: FloatOperation, bits: Bits, fpcr: bigint, status: bigint, operands: readonly bigint[]) {
  const called = functions[`f${floatFunctionNames.indexOf(`${operation}:${bits}`)}`] as CallableFunction &
    ((cpu: number, a: bigint, b: bigint, d: bigint) => bigint);
  doublewords[fpcrOffset / 8] = fpcr;
  doublewords[fpsrOffset / 8] = status;
  const [a = 0n, b = 0n, d = 0n] = operands;
  const value = BigInt.asUintN(64, called(0, a, b, d));
  return { value, status: doublewords[fpsrOffset / 8]! };
}

function exactly(operation: FloatOperation, bits: Bits, fpcr: bigint, status: bigint, operands: readonly bigint[]) {
  const [a = 0n, b = 0n, d = 0n] = operands;
  const c = { w, format: formats[bits], fpcr: w.word(fpcr) };
  const { value, flags } = floatOutcome(operation, c, [w.word(a), w.word(b), w.word(d)]);
  return { value: concrete(value).bits, status: status | concrete(flags).bits };
}

/** Numbers of a format: most in the middle of its range, with fractions of few bits, all ones, or any. */
function numberArbitrary(bits: Bits): fc.Arbitrary<bigint> {
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
const fpcrArbitrary = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 31 }).map((modes) => BigInt(modes) << 22n) },
);
const statusArbitrary = fc.constantFrom(BigInt(fpsr.IXC), BigInt(fpsr.IXC), BigInt(fpsr.IXC), 0n, BigInt(fpsr.QC));

const inverted = (word: bigint, bits: Bits): bigint => word ^ (1n << BigInt(bits - 1));

/** Two or three operands, the addend of the latter first; some are chosen so that most of the sum cancels. */
const operandsArbitrary = (bits: Bits): fc.Arbitrary<readonly bigint[]> => {
  const number = numberArbitrary(bits);
  const near = fc.tuple(number, number, fc.integer({ min: -2, max: 2 })).map(([a, b, ulps]) => {
    const product = exactly('mul', bits, 0n, 0n, [a, b]).value;
    return [BigInt.asUintN(bits, inverted(product, bits) + BigInt(ulps)), a, b];
  });
  return fc.oneof({ weight: 3, arbitrary: fc.tuple(number, number, number) }, { weight: 1, arbitrary: near });
};

const arithmetic = ['add', 'sub', 'mul', 'mulX', 'div', 'sqrt', 'mulAdd', 'max', 'min', 'maxNum', 'minNum'] as const;
const comparisons = ['compareQuiet', 'compareSignaling', 'compareEQ', 'compareGE', 'compareGT'] as const;

describe.each([32, 64] as const)('numbers of %i bits by the host', (bits) => {
  const check = (operation: FloatOperation, operands: fc.Arbitrary<readonly bigint[]>, numRuns: number): void => {
    fc.assert(
      fc.property(operands, fpcrArbitrary, statusArbitrary, (drawn, fpcr, status) => {
        expect(byEngine(operation, bits, fpcr, status, drawn)).toEqual(exactly(operation, bits, fpcr, status, drawn));
      }),
      { numRuns },
    );
  };

  it.each([...arithmetic, ...comparisons])('%s gives the exact result and its flags', (operation) => {
    check(operation, operandsArbitrary(bits), operation === 'mulAdd' ? 4000 : 800);
  });

  const wider = bits === 32 ? 'convertTo64' : 'convertTo32';
  it(`${wider} gives the exact result and its flags`, () => {
    check(wider, fc.tuple(numberArbitrary(bits), fc.constantFrom(0n, 0n, 1n, 2n, 3n, 5n)), 800);
  });

  const fractions = fc.constantFrom(0n, 0n, 0n, 1n, 16n);
  it.each(['toSigned32', 'toSigned64'] as const)('%s gives the exact result and its flags', (operation) => {
    check(operation, fc.tuple(numberArbitrary(bits), fractions, fc.constantFrom(3n, 3n, 0n, 1n, 2n, 4n)), 800);
  });

  it.each(['fromSigned32', 'fromSigned64', 'fromUnsigned32', 'fromUnsigned64'] as const)(
    '%s gives the exact result and its flags',
    (operation) => {
      const max = (1n << 64n) - 1n;
      const integer = fc.oneof(
        fc.bigInt({ min: 0n, max }),
        fc.integer({ min: 0, max: 70 }).map((n) => (1n << BigInt(n)) & max),
      );
      check(operation, fc.tuple(integer, fractions), 800);
    },
  );

  it.each([...arithmetic, ...comparisons])(
    '%s of ordinary numbers is left to the host, unless FPCR forbids it',
    (operation) => {
      const calculator = new Calculator();
      const ordinary = bits === 64 ? [0x3ff8_0000_0000_0000n, 0x3fb9_9999_9999_999an] : [0x3fc0_0000n, 0x3dcc_cccdn];
      const holds = (fpcr: bigint, status: bigint): bigint[] =>
        calculator.calculate(
          [ordinary[0]!, ordinary[1]!, ordinary[1]!, fpcr, status],
          () => {
            const [a, b, d, control, flags] = [0, 1, 2, 3, 4].map((n) => calculator.input(n, 64)) as [
              Value,
              Value,
              Value,
              Value,
              Value,
            ];
            return [hostFloat(calculator, operation, bits, [a, b, d], { fpcr: control, fpsr: flags })!.holds];
          },
          false,
        );
      expect(holds(0n, BigInt(fpsr.IXC))).toEqual([1n]);
      expect(holds(1n << 22n, BigInt(fpsr.IXC))).toEqual([0n]);
    },
  );
});
