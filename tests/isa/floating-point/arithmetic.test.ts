// Floating-point arithmetic against the host's, which is IEEE 754 rounded to nearest; every rounding mode, exception and NaN is in the
// vectors from QEMU (tests/vectors, group float).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concrete, traceOperations } from '../../../src/engine/trace-values.ts';
import { formats, fpsr } from '../../../src/isa/floating-point/format.ts';
import type { FloatOperation } from '../../../src/isa/floating-point/names.ts';
import { floatOutcome } from '../../../src/isa/floating-point/operations.ts';
import { wordsOver } from '../../../src/isa/floating-point/words.ts';

const w = wordsOver(traceOperations);
const words = new BigUint64Array(1);
const doubles = new Float64Array(words.buffer);
const singles = new Float32Array(words.buffer);

function bitsOf(value: number, bits: 32 | 64): bigint {
  words[0] = 0n;
  if (bits === 64) doubles[0] = value;
  else singles[0] = value;
  return words[0];
}

function numberOf(pattern: bigint, bits: 32 | 64): number {
  words[0] = pattern;
  return (bits === 64 ? doubles : singles)[0] as number;
}

function run(operation: FloatOperation, bits: 32 | 64, fpcr: bigint, operands: readonly bigint[]) {
  const [a = 0n, b = 0n, d = 0n] = operands;
  const c = { w, format: formats[bits], fpcr: w.word(fpcr) };
  const { value, flags } = floatOutcome(operation, c, [w.word(a), w.word(b), w.word(d)]);
  return { value: concrete(value).bits, flags: Number(concrete(flags).bits) };
}

const host: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  sqrt: (a) => Math.sqrt(a),
};

/** Patterns of which many are special, denormal or close to each other. */
const pattern = (bits: 32 | 64): fc.Arbitrary<bigint> => {
  const any = fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
  const values = [0, -0, 1, -1, Infinity, -Infinity, NaN, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** -126, 2 ** -1022];
  const near = fc.double({ min: 0.25, max: 4, noNaN: true });
  return fc.oneof(
    any,
    fc.constantFrom(...values.map((v) => bitsOf(v, bits))),
    near.map((v) => bitsOf(v, bits)),
  );
};

describe.each([32, 64] as const)('numbers of %i bits, rounded to nearest', (bits) => {
  it.each(Object.keys(host))('%s gives what the host gives', (operation) => {
    fc.assert(
      fc.property(pattern(bits), pattern(bits), (x, y) => {
        const exact = host[operation]!(numberOf(x, bits), numberOf(y, bits));
        const { value } = run(operation as FloatOperation, bits, 0n, [x, y]);
        if (Number.isNaN(exact)) expect(numberOf(value, bits)).toBeNaN();
        else expect(value).toBe(bitsOf(exact, bits));
      }),
      { numRuns: 2000 },
    );
  });

  it('a fused multiply-add of 0 or by 1 is the product or the sum, and rounds once', () => {
    const one = bitsOf(1, bits);
    const negativeZero = bitsOf(-0, bits);
    fc.assert(
      fc.property(pattern(bits), pattern(bits), (x, y) => {
        expect(run('mulAdd', bits, 0n, [y, x, one]).value).toBe(run('add', bits, 0n, [y, x]).value);
        const product = run('mul', bits, 0n, [x, y]);
        const fused = run('mulAdd', bits, 0n, [negativeZero, x, y]);
        // A product of zero keeps its sign only where the addend's is the same.
        if ((product.value & ~(1n << BigInt(bits - 1))) !== 0n) expect(fused.value).toBe(product.value);
      }),
      { numRuns: 2000 },
    );
    // (1 + 2^-27)^2 - (1 + 2^-26) is 2^-54 exactly, and nothing when it is rounded twice.
    const e = bits === 64 ? 27 : 12;
    const a = bitsOf(1 + 2 ** -e, bits);
    expect(run('mulAdd', bits, 0n, [bitsOf(-(1 + 2 ** (1 - e)), bits), a, a]).value).toBe(bitsOf(2 ** (-2 * e), bits));
  });

  it('the four rounding modes enclose the exact result', () => {
    const at = (mode: bigint, x: bigint, y: bigint): number =>
      numberOf(run('div', bits, mode << 22n, [x, y]).value, bits);
    fc.assert(
      fc.property(pattern(bits), pattern(bits), (x, y) => {
        const [nearest, up, down, zero] = [0n, 1n, 2n, 3n].map((mode) => at(mode, x, y)) as [
          number,
          number,
          number,
          number,
        ];
        if (Number.isNaN(nearest)) return;
        expect(down).toBeLessThanOrEqual(nearest);
        expect(up).toBeGreaterThanOrEqual(nearest);
        expect([down, up]).toContain(nearest);
        expect(zero).toBe(nearest > 0 || Object.is(nearest, 0) ? down : up);
        const { flags } = run('div', bits, 0n, [x, y]);
        if (up !== down) expect(flags & fpsr.IXC).toBe(fpsr.IXC);
      }),
      { numRuns: 1000 },
    );
  });
});
