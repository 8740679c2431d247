// The host's floating point on vectors beside the exact arithmetic of src/isa/floating-point, lane by lane: where it is taken, every lane is
// the exact result, and nothing is raised that FPSR does not have.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arithmetic } from '../../src/engine/arithmetic.ts';
import { cpuLocal } from '../../src/engine/emitting.ts';
import { constant, localValue, type Node, stateLoad } from '../../src/engine/expression.ts';
import { hostLanes } from '../../src/engine/host-lanes.ts';
import { codeSignature } from '../../src/engine/wasm/module.ts';
import { Writer } from '../../src/engine/wasm/writer.ts';
import { fpsr, rounding } from '../../src/isa/floating-point/format.ts';
import type { FloatOperation } from '../../src/isa/floating-point/names.ts';
import {
  type Bits,
  exactly,
  fpcrArbitrary,
  numberArbitrary,
  operandsArbitrary,
  statusArbitrary,
} from './float-arbitraries.ts';
import { doublewords, instantiate } from './wasm-functions.ts';

/** Doublewords of the page: FPCR, FPSR, three vectors, the result and whether it holds. */
const place = { fpcr: 0x100, fpsr: 0x101, operands: 0x102, value: 0x108, holds: 0x10a } as const;

class LaneFunction extends Arithmetic {
  /** The operation on vectors of the page; the operands after them are these words. */
  function(operation: FloatOperation, bits: Bits, vectors: number, words: readonly bigint[]): () => void {
    this.w = new Writer();
    this.resetLocals();
    const vector = (n: number): Node => stateLoad(0, 128, localValue(32, cpuLocal, true), 8 * place.operands + 16 * n);
    const operands = [
      ...Array.from({ length: vectors }, (_, n) => vector(n)),
      ...words.map((word) => constant(64, word)),
    ];
    const control = { fpcr: this.loadState(64, 8 * place.fpcr), fpsr: this.loadState(64, 8 * place.fpsr) };
    const host = hostLanes(this, operation, bits, operands, control);
    if (!host) throw new Error(`the host has no ${operation} of ${bits} bits`);
    this.storeState(8 * place.holds, this.zeroExtend(host.holds, 32, 64) as Node);
    this.storeState(8 * place.value, host.value);
    this.i32(0);
    const { f0 } = instantiate([{ signature: codeSignature, locals: this.localTypes, body: this.w }]);
    return () => (f0 as CallableFunction & ((cpu: number, second: number) => number))(0, 0);
  }
}

const lanesOf = (bits: Bits): number => 128 / bits;

function write(at: number, bits: Bits, lanes: readonly bigint[]): void {
  const whole = lanes.reduceRight((sum, lane) => (sum << BigInt(bits)) | lane, 0n);
  doublewords[at] = BigInt.asUintN(64, whole);
  doublewords[at + 1] = whole >> 64n;
}

function read(at: number, bits: Bits): bigint[] {
  const whole = (doublewords[at + 1]! << 64n) | doublewords[at]!;
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

function check({ operation, vectors, words = [] }: Tried, bits: Bits, lane: fc.Arbitrary<readonly bigint[]>): void {
  const run = new LaneFunction().function(operation, bits, vectors, words);
  const lanes = fc.array(lane, { minLength: lanesOf(bits), maxLength: lanesOf(bits) });
  const numRuns = operation === 'mulAdd' ? 6000 : 1000;
  let taken = 0;
  fc.assert(
    fc.property(lanes, fpcrArbitrary, statusArbitrary, (drawn, fpcr, status) => {
      doublewords[place.fpcr] = fpcr;
      doublewords[place.fpsr] = status;
      for (let n = 0; n < vectors; n += 1) {
        write(
          place.operands + 2 * n,
          bits,
          drawn.map((operands) => operands[n] ?? 0n),
        );
      }
      run();
      if (doublewords[place.holds] === 0n) return;
      taken += 1;
      const exact = drawn.map((operands) =>
        exactly(operation, bits, fpcr, status, [...operands.slice(0, vectors), ...words]),
      );
      expect(read(place.value, bits)).toEqual(exact.map(({ value }) => value));
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

  it.each(numbers)('$operation of ordinary numbers is left to the host', ({ operation, vectors }) => {
    const run = new LaneFunction().function(operation, bits, vectors, []);
    const ordinary = bits === 64 ? [0x3ff8_0000_0000_0000n, 0x3fb9_9999_9999_999an] : [0x3fc0_0000n, 0x3dcc_cccdn];
    for (let n = 0; n < vectors; n += 1) {
      write(place.operands + 2 * n, bits, new Array<bigint>(lanesOf(bits)).fill(ordinary[n % 2]!));
    }
    const holds = (fpcr: bigint): bigint => {
      doublewords[place.fpcr] = fpcr;
      doublewords[place.fpsr] = BigInt(fpsr.IXC);
      run();
      return doublewords[place.holds]!;
    };
    expect([holds(0n), holds(1n << 22n)]).toEqual([1n, 0n]);
  });
});
