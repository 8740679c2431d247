import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Writer } from '../../src/engine/wasm/writer.ts';
import { Calculator, instantiate, reversedBits, runtime } from './wasm-functions.ts';
import { codeSignature } from '../../src/engine/wasm/module.ts';
import { op, type } from '../../src/engine/wasm/opcodes.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const edges = fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n);
const operand = fc.oneof(u64, edges);
const i64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const call = (name: string, ...args: readonly (bigint | number)[]): bigint | number =>
  (runtime[name] as (...a: readonly (bigint | number)[]) => bigint | number)(...args);
const unsigned = (value: bigint | number): bigint => BigInt.asUintN(64, BigInt(value));

describe('the runtime', () => {
  it('reverses bits', () => {
    fc.assert(
      fc.property(operand, (a) => {
        expect(unsigned(call('rbit', i64(a)))).toBe(reversedBits(64, a));
      }),
      { numRuns: 500 },
    );
  });

  it('gives the high half of products, unsigned and signed', () => {
    fc.assert(
      fc.property(operand, operand, (a, b) => {
        expect(unsigned(call('umulh', i64(a), i64(b)))).toBe((a * b) >> 64n);
        expect(call('smulh', i64(a), i64(b))).toBe((i64(a) * i64(b)) >> 64n);
      }),
      { numRuns: 1000 },
    );
  });

  /** BitReverse(Poly32Mod2(…)) of the Arm ARM, by long division of the bits as the manual writes them. */
  function crcOfTheManual(acc: number, data: bigint, bytes: number, polynomial: bigint): number {
    const bits = BigInt(8 * bytes);
    const reverse = (value: bigint, width: bigint): bigint => reversedBits(Number(width), value);
    let dividend = (reverse(BigInt(acc), 32n) << bits) ^ (reverse(BigInt.asUintN(8 * bytes, data), bits) << 32n);
    for (let i = bits + 31n; i >= 32n; i -= 1n) {
      if ((dividend >> i) & 1n) dividend ^= ((1n << 32n) | polynomial) << (i - 32n);
    }
    return Number(reverse(BigInt.asUintN(32, dividend), 32n));
  }

  /** Adds 1, 2, 4 and 8 bytes to a remainder. */
  function crcFunction(castagnoli: boolean): (acc: number, data: bigint) => bigint[] {
    const calculator = new Calculator();
    const run = calculator.compile(
      () =>
        ([1, 2, 4, 8] as const).map((bytes) =>
          calculator.crc32(calculator.input(0, 32), calculator.input(1, 64), bytes, castagnoli),
        ),
      false,
    );
    return (acc, data) => run([BigInt(acc), data]);
  }

  it.each([
    { castagnoli: false, polynomial: 0x04c11db7n },
    { castagnoli: true, polynomial: 0x1edc6f41n },
  ])('adds bytes to a CRC-32 by $polynomial, whatever lies above them', ({ castagnoli, polynomial }) => {
    const added = crcFunction(castagnoli);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), operand, (acc, data) => {
        expect(added(acc, data).map(Number)).toEqual(
          [1, 2, 4, 8].map((bytes) => crcOfTheManual(acc, data, bytes, polynomial)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('gives the check values that the CRC catalogues list', () => {
    const of = (text: string, castagnoli: boolean): number => {
      const added = crcFunction(castagnoli);
      const end = [...Buffer.from(text)].reduce((acc, byte) => Number(added(acc, BigInt(byte))[0]), 0xffff_ffff);
      return ~end >>> 0;
    };
    expect(of('123456789', false)).toBe(0xcbf43926);
    expect(of('123456789', true)).toBe(0xe3069283);
  });
});

describe('the writer', () => {
  it('encodes numbers as WebAssembly reads them', () => {
    const unsignedOf = (bytes: Uint8Array): bigint =>
      bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
    const signedOf = (bytes: Uint8Array): bigint => BigInt.asIntN(7 * bytes.length, unsignedOf(bytes));
    const written = (write: (w: Writer) => void): Uint8Array => {
      const w = new Writer(1);
      write(w);
      return w.take();
    };
    const isShortest = (bytes: Uint8Array): boolean =>
      bytes.slice(0, -1).every((byte) => byte >= 0x80) && (bytes.at(-1) ?? 0) < 0x80;
    fc.assert(
      fc.property(operand, (value) => {
        const [u32, s32] = [Number(BigInt.asUintN(32, value)), Number(BigInt.asIntN(32, value))];
        const encoded = [
          written((w) => {
            w.u32(u32);
          }),
          written((w) => {
            w.s32(s32);
          }),
          written((w) => {
            w.s64(value);
          }),
        ] as const;
        expect(encoded.every(isShortest)).toBe(true);
        expect([unsignedOf(encoded[0]), signedOf(encoded[1]), signedOf(encoded[2])]).toEqual([
          BigInt(u32),
          BigInt(s32),
          i64(value),
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  it('puts parts together at any size', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (parts) => {
        const whole = new Writer(1);
        for (const part of parts) {
          const w = new Writer(1);
          for (const byte of part) w.byte(byte);
          whole.append(w);
        }
        expect([...whole.take()]).toEqual(parts.flatMap((part) => [...part]));
      }),
    );
  });
});

describe('a module', () => {
  it('declares the locals of its functions in runs of one type', () => {
    const body = new Writer();
    // Locals 2 to 6 follow the two parameters: their types must be those that were asked for.
    for (const [local, constant] of [
      [2, op.i32_const],
      [3, op.i32_const],
      [4, op.i64_const],
      [5, op.i32_const],
      [6, op.i64_const],
    ] as const) {
      body.byte(constant);
      body.s32(local);
      body.byte(op.local_set);
      body.u32(local);
    }
    body.byte(op.local_get);
    body.u32(5);
    const locals = [type.i32, type.i32, type.i64, type.i32, type.i64];
    const { f0 } = instantiate([{ signature: codeSignature, locals, body }]);
    expect((f0 as (cpu: number, second: number) => number)(0, 0)).toBe(5);
  });
});
