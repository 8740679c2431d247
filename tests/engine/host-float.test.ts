// The host's floating point beside the exact arithmetic of src/isa/floating-point: results and FPSR, over operands that are hard on it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatFunctionNames, floatFunctions, fpcrOffset, fpsrOffset } from '../../src/engine/float-functions.ts';
import type { FloatOperation } from '../../src/isa/floating-point/names.ts';
import { hostFloat } from '../../src/engine/host-float.ts';
import { hostFuses } from '../../src/engine/wasm/host-fuses.ts';
import {
  type Bits,
  exactly,
  fpcrArbitrary,
  numberArbitrary,
  operandsArbitrary,
  statusArbitrary,
} from './float-arbitraries.ts';
import { holdsUnlessForbidden, hostFunction, ordinaryNumbers } from './host-functions.ts';
import { doublewords, instantiate } from './wasm-functions.ts';

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

  const byHost = (operation: FloatOperation, fuses: boolean) =>
    hostFunction((g, [a, b, d], control) => hostFloat(g, operation, bits, [a!, b!, d!], control), 3, 64, fuses);

  it.each([...arithmetic, ...comparisons])(
    '%s of ordinary numbers is left to the host, unless FPCR forbids it',
    (operation) => {
      const [a, b] = ordinaryNumbers(bits);
      expect(holdsUnlessForbidden(byHost(operation, false), [[a], [b], [b]])).toEqual([true, false]);
    },
  );

  it.runIf(hostFuses())('mulAdd rounded once by the host is the exact result, or is not taken', () => {
    const fused = byHost('mulAdd', true);
    let taken = 0;
    fc.assert(
      fc.property(operandsArbitrary(bits), fpcrArbitrary, statusArbitrary, (drawn, fpcr, status) => {
        const { value, holds } = fused(
          fpcr,
          status,
          drawn.map((word) => [word]),
        );
        if (!holds) return;
        taken += 1;
        expect({ value: value[0], status }).toEqual(exactly('mulAdd', bits, fpcr, status, drawn));
      }),
      { numRuns: 4000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
