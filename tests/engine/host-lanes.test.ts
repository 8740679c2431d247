// The host's floating point on vectors beside the exact arithmetic of src/isa/floating-point, lane by lane: where it is taken, every lane is
// the exact result, and nothing is raised that FPSR does not have.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant } from '../../src/engine/expression.ts';
import { hostLanes } from '../../src/engine/host-lanes.ts';
import { hostFuses } from '../../src/engine/wasm/host-fuses.ts';
import { rounding } from '../../src/isa/floating-point/format.ts';
import type { FloatOperation } from '../../src/isa/floating-point/names.ts';
import {
  type Bits,
  exactly,
  fpcrArbitrary,
  numberArbitrary,
  operandsArbitrary,
  statusArbitrary,
} from './float-arbitraries.ts';
import { holdsUnlessForbidden, hostFunction, ordinaryNumbers } from './host-functions.ts';

const lanesOf = (bits: Bits): number => 128 / bits;

/** Lanes as two doublewords, and back. */
function doublewordsOf(bits: Bits, lanes: readonly bigint[]): readonly bigint[] {
  const whole = lanes.reduceRight((sum, lane) => (sum << BigInt(bits)) | lane, 0n);
  return [BigInt.asUintN(64, whole), whole >> 64n];
}
function lanesFrom(bits: Bits, [low = 0n, high = 0n]: readonly bigint[]): bigint[] {
  const whole = (high << 64n) | low;
  return Array.from({ length: lanesOf(bits) }, (_, lane) => BigInt.asUintN(bits, whole >> BigInt(bits * lane)));
}

interface Tried {
  readonly operation: FloatOperation;
  readonly vectors: number;
  readonly words?: readonly bigint[];
}

const numbers: readonly Tried[] = [
  ...(['add', 'sub', 'mul', 'mulX', 'div', 'max', 'min', 'maxNum', 'minNum'] as const).map((operation) => ({
    operation,
    vectors: 2,
  })),
  ...(['compareEQ', 'compareGE', 'compareGT'] as const).map((operation) => ({ operation, vectors: 2 })),
  { operation: 'sqrt', vectors: 1 },
  { operation: 'mulAdd', vectors: 3 },
];
const integers: readonly Tried[] = [
  { operation: 'fromSigned32', vectors: 1, words: [0n] },
  { operation: 'fromUnsigned32', vectors: 1, words: [0n] },
  { operation: 'toSigned32', vectors: 1, words: [0n, BigInt(rounding.zero)] },
];

/** The operation on vectors; the operands after them are these words. */
const byHost = ({ operation, vectors, words = [] }: Tried, bits: Bits, fuses: boolean) =>
  hostFunction(
    (g, operands, control) =>
      hostLanes(g, operation, bits, [...operands, ...words.map((word) => constant(64, word))], control),
    vectors,
    128,
    fuses,
  );

function check(tried: Tried, bits: Bits, lane: fc.Arbitrary<readonly bigint[]>, fuses = false): void {
  const { operation, vectors, words = [] } = tried;
  const run = byHost(tried, bits, fuses);
  const lanes = fc.array(lane, { minLength: lanesOf(bits), maxLength: lanesOf(bits) });
  const numRuns = operation === 'mulAdd' ? 6000 : 1000;
  let taken = 0;
  fc.assert(
    fc.property(lanes, fpcrArbitrary, statusArbitrary, (drawn, fpcr, status) => {
      const operands = Array.from({ length: vectors }, (_, n) =>
        doublewordsOf(
          bits,
          drawn.map((ofLane) => ofLane[n] ?? 0n),
        ),
      );
      const { value, holds } = run(fpcr, status, operands);
      if (!holds) return;
      taken += 1;
      const exact = drawn.map((ofLane) =>
        exactly(operation, bits, fpcr, status, [...ofLane.slice(0, vectors), ...words]),
      );
      expect(lanesFrom(bits, value)).toEqual(exact.map((each) => each.value));
      for (const { status: after } of exact) expect(after).toBe(status);
    }),
    { numRuns },
  );
  expect(taken).toBeGreaterThan(numRuns / 50);
}

describe.each([32, 64] as const)('vectors of %i-bit numbers by the host', (bits) => {
  it.each(numbers)('$operation is the exact result in every lane, or is not taken', (tried) => {
    check(tried, bits, operandsArbitrary(bits));
  });

  it.each(bits === 32 ? integers : [])('$operation is the exact result in every lane, or is not taken', (tried) => {
    const integer = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
    check(tried, bits, fc.tuple(tried.operation.startsWith('from') ? integer : numberArbitrary(bits)));
  });

  it.runIf(hostFuses())('mulAdd rounded once by the host is the exact result in every lane, or is not taken', () => {
    check({ operation: 'mulAdd', vectors: 3 }, bits, operandsArbitrary(bits), true);
  });

  it.each(numbers)('$operation of ordinary numbers is left to the host', (tried) => {
    const operands = Array.from({ length: tried.vectors }, (_, n) =>
      doublewordsOf(bits, new Array<bigint>(lanesOf(bits)).fill(ordinaryNumbers(bits)[n % 2]!)),
    );
    expect(holdsUnlessForbidden(byHost(tried, bits, false), operands)).toEqual([true, false]);
  });
});
