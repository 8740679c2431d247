// The runtime module, one for each worker: the stepper, the run loop, the way from trace to trace, and the arithmetic that wasm lacks.
// It alone imports the table of code: an instance keeps a copy of each table that it imports, and every change is made in all of them.

import { pe } from '../arch/state-layout.ts';
import { type AesBox, aesBoxes } from '../isa/crypto/aes-box.ts';
import { chain, runLoop, stale } from './run-loop.ts';
import { imports, importIndex } from './runtime-imports.ts';
import { runtimeTables } from './runtime-tables.ts';
import { secondLookUp } from './second-look-up.ts';
import { flagKind } from './services.ts';
import { stepper } from './stepper.ts';
import { Text } from './text.ts';
import {
  encodeModule,
  flagsSignature,
  i64BinarySignature,
  i64UnarySignature,
  type ModuleFunction,
  unarySignature,
  vectorUnarySignature,
} from './wasm/module.ts';
import { op, simd, threads, type } from './wasm/opcodes.ts';

/** cpu → 0: orders what TypeScript accesses before and after it. */
function fence(): ModuleFunction {
  const t = new Text(1);
  t.ops(op.threads, threads.atomic_fence, 0).i32(0);
  return t.done(unarySignature, 'fence');
}

/** The record's flags become those of an operation (services.ts, flagKind), as AddWithCarry() of the manual gives them. */
function storeFlags(): ModuleFunction {
  const t = new Text(4);
  const [cpu, kind, x, y] = [0, 1, 2, 3];
  const result = t.local(type.i64);
  const flag = (offset: number, value: () => void): void => {
    t.get(cpu);
    value();
    t.memory(op.i32_store, offset);
  };
  t.get(kind).ops(op.i32_eqz);
  t.nest(op.if, () => {
    t.ops(op.return);
  });
  // At the upper end of 64 bits the flags of 32 are the same.
  t.get(kind).i32(flagKind.wide).ops(op.i32_and, op.i32_eqz);
  t.nest(op.if, () => {
    for (const operand of [x, y]) t.get(operand).i64(32n).ops(op.i64_shl).set(operand);
  });
  t.get(kind).i32(flagKind.subtraction).ops(op.i32_and);
  t.nest(op.if, () => {
    t.get(x).get(y).ops(op.i64_sub).set(result);
    flag(pe.c, () => {
      t.get(x).get(y).ops(op.i64_lt_u, op.i32_eqz);
    });
    flag(pe.v, () => {
      t.get(x).get(y).ops(op.i64_xor).get(x).get(result).ops(op.i64_xor, op.i64_and);
      t.i64(0n).ops(op.i64_lt_s);
    });
    t.ops(op.else);
    t.get(x).get(y).ops(op.i64_add).set(result);
    flag(pe.c, () => {
      t.get(result).get(x).ops(op.i64_lt_u);
    });
    flag(pe.v, () => {
      t.get(x).get(result).ops(op.i64_xor).get(y).get(result).ops(op.i64_xor, op.i64_and);
      t.i64(0n).ops(op.i64_lt_s);
    });
  });
  flag(pe.n, () => {
    t.get(result).i64(0n).ops(op.i64_lt_s);
  });
  flag(pe.z, () => {
    t.get(result).ops(op.i64_eqz);
  });
  return t.done(flagsSignature, 'storeFlags');
}

/** Reverses 64 bits: swaps neighbours at distances 1, 2, 4, then bytes. */
function rbit(): ModuleFunction {
  const t = new Text(1);
  const steps: [bigint, bigint][] = [
    [1n, 0x5555555555555555n],
    [2n, 0x3333333333333333n],
    [4n, 0x0f0f0f0f0f0f0f0fn],
    [8n, 0x00ff00ff00ff00ffn],
    [16n, 0x0000ffff0000ffffn],
  ];
  for (const [distance, mask] of steps) {
    t.get(0).i64(mask).ops(op.i64_and).i64(distance).ops(op.i64_shl);
    t.get(0).i64(distance).ops(op.i64_shr_u).i64(mask).ops(op.i64_and, op.i64_or).set(0);
  }
  t.get(0).i64(32n).ops(op.i64_rotl);
  return t.done(i64UnarySignature, 'rbit');
}

/** High half of a product, from the products of halves; `signed` subtracts what the sign bits added. */
function multiplyHigh(signed: boolean): ModuleFunction {
  const t = new Text(2);
  const [a, b] = [0, 1];
  const low = 0xffff_ffffn;
  const carry = t.local(type.i64);
  const middle = t.local(type.i64);
  const half = (x: number, high: boolean): Text =>
    high ? t.get(x).i64(32n).ops(op.i64_shr_u) : t.get(x).i64(low).ops(op.i64_and);
  half(a, false);
  half(b, false).ops(op.i64_mul).i64(32n).ops(op.i64_shr_u).set(carry);
  half(a, true);
  half(b, false).ops(op.i64_mul).get(carry).ops(op.i64_add).set(middle);
  half(a, false);
  half(b, true).ops(op.i64_mul).get(middle).i64(low).ops(op.i64_and, op.i64_add).i64(32n).ops(op.i64_shr_u).set(carry);
  half(a, true);
  half(b, true).ops(op.i64_mul).get(middle).i64(32n).ops(op.i64_shr_u, op.i64_add).get(carry).ops(op.i64_add);
  if (signed) {
    t.get(a).i64(63n).ops(op.i64_shr_s).get(b).ops(op.i64_and, op.i64_sub);
    t.get(b).i64(63n).ops(op.i64_shr_s).get(a).ops(op.i64_and, op.i64_sub);
  }
  return t.done(i64BinarySignature, signed ? 'smulh' : 'umulh');
}

/** Each byte of a vector through a box: 16 tables of 16 bytes, of which a byte finds itself in one. */
function substitution(box: AesBox, exportName: string): ModuleFunction {
  const t = new Text(1);
  const bytes = (values: readonly number[]): Text => {
    t.simd(simd.v128_const);
    for (const value of values) t.w.byte(value);
    return t;
  };
  const [vector, result] = [0, t.local(type.v128)];
  for (let table = 0; table < 16; table += 1) {
    bytes(aesBoxes[box].slice(16 * table, 16 * table + 16));
    t.get(vector).simd(simd.i8x16_swizzle).get(result).simd(simd.v128_or).set(result);
    t.get(vector);
    bytes(new Array<number>(16).fill(16)).simd(simd.i8x16_sub).set(vector);
  }
  t.get(result);
  return t.done(vectorUnarySignature, exportName);
}

/** The binary of the runtime module for a worker; code is hot when it has been entered `hotRuns` times. */
export function runtimeModule(worker: number, hotRuns: number): Uint8Array<ArrayBuffer> {
  const tables = runtimeTables(worker);
  return encodeModule(
    [
      stepper(true, tables, 'stepBlock'),
      stepper(false, tables, 'step'),
      runLoop(tables, hotRuns),
      chain(),
      stale(),
      fence(),
      secondLookUp(worker, importIndex.access),
      storeFlags(),
      rbit(),
      multiplyHigh(false),
      multiplyHigh(true),
      substitution('AES', 'aesBox'),
      substitution('inverse AES', 'inverseAesBox'),
    ],
    imports,
  );
}
