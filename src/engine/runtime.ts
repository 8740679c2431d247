// The runtime module, one for each worker: the stepper's loop, the run loop, the way from trace to trace, and the arithmetic that wasm
// lacks. It alone imports the table of code: an instance keeps a copy of each table that it imports, and every change is made in all of them.

import { exit } from '../arch/exits.ts';
import {
  addendAfterTag,
  btypeChecked,
  guardedAfterFetchTag,
  jumpCacheCount,
  jumpCacheEntries,
  jumpCacheEntryBytes,
  pageShift,
  pe,
  softTlbEntries,
  softTlbEntry,
} from '../arch/state-layout.ts';
import { type AesBox, aesBoxes } from '../isa/crypto/aes-box.ts';
import { flagKind } from './services.ts';
import { stepBranched } from './step.ts';
import {
  codeSignature,
  encodeModule,
  flagsSignature,
  i64BinarySignature,
  i64UnarySignature,
  type ModuleFunction,
  unarySignature,
  vectorUnarySignature,
} from './wasm/module.ts';
import { secondLookUp } from './second-look-up.ts';
import { Text } from './text.ts';
import { op, simd, threads, type } from './wasm/opcodes.ts';

/** The decode cache: direct-mapped, 8 bytes an entry: instruction word, function index of its step function (0: none). */
const decodeCacheEntries = 1 << 16;
export const decodeCacheBytes = decodeCacheEntries * 8;
/** Where the decode cache of worker `n` lies in the shared memory: n times its size after this. */
export const decodeCacheBase = 0x0100_0000;

const imports = [
  /** (cpu, budget) → function index for the code at PC, or 0 after an exception. */
  { name: 'resolve', signature: codeSignature },
  /** (cpu, word) → function index of the step function. */
  { name: 'decode', signature: codeSignature },
  /** cpu → 0 when the soft TLB now translates PC, else an exception has been taken. */
  { name: 'fetchMiss', signature: unarySignature },
  /** cpu → 0 when the instruction at PC may follow the branch that has led to it, else an exception has been taken. */
  { name: 'branchTarget', signature: unarySignature },
  /** (cpu, descriptor) → exit: of services.ts, for accesses that neither level of the soft TLB can make. */
  { name: 'access', signature: codeSignature },
  // The services that are TypeScript: as exports they can stand in the table of functions that generated code calls.
  ...(['exclusive', 'atomic', 'system'] as const).map((name) => ({
    name,
    signature: codeSignature,
    isExported: true,
  })),
] as const;
/** The first function that is defined. */
const chainIndex = imports.length;
const importIndex = { resolve: 0, decode: 1, fetchMiss: 2, branchTarget: 3, access: 4 } as const;

/**
 * cpu, budget → exit: runs step functions. `goesOn` stands for cold code in the jump cache: it counts its entries down there, takes
 * itself out after the last one, and goes on after a branch wherever that leads.
 */
function stepper(goesOn: boolean, decodeCache: number, exportName: string): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  const pc = t.local(type.i64);
  const entry = t.local(type.i32);
  const word = t.local(type.i32);
  const slot = t.local(type.i32);
  const status = t.local(type.i32);
  const returnStatus = (code: number): void => {
    t.get(cpu).get(budget).memory(op.i32_store, pe.budget).i32(code).ops(op.return);
  };
  if (goesOn) {
    jumpCacheEntryOfPc(t, cpu);
    t.tee(slot).get(slot).memory(op.i32_load, jumpCacheCount).i32(1).ops(op.i32_sub).tee(status);
    t.memory(op.i32_store, jumpCacheCount);
    t.get(status).ops(op.i32_eqz);
    t.nest(op.if, () => {
      t.get(slot).i64(-1n).memory(op.i64_store, 0);
    });
  }
  t.nest(op.loop, () => {
    // PC is in the local until something else than the next instruction follows.
    t.get(cpu).memory(op.i64_load, pe.pc).set(pc);
    t.nest(op.loop, () => {
      t.get(budget).i32(0).ops(op.i32_le_s);
      t.nest(op.if, () => {
        returnStatus(exit.budget);
      });
      t.get(cpu).get(budget).memory(op.i32_store, pe.budget);
      t.get(cpu).memory(op.i32_load, pe.tlb);
      t.get(pc)
        .ops(op.i32_wrap_i64)
        .i32(pageShift - Math.log2(softTlbEntry.bytes))
        .ops(op.i32_shr_u);
      t.i32((softTlbEntries - 1) * softTlbEntry.bytes)
        .ops(op.i32_and, op.i32_add)
        .tee(entry);
      t.memory(op.i64_load, softTlbEntry.fetchTag);
      t.get(pc)
        .i64(BigInt(-(1 << pageShift) | 3))
        .ops(op.i64_and, op.i64_ne);
      t.nest(op.if, () => {
        t.get(cpu).call(importIndex.fetchMiss);
        t.nest(op.if, () => {
          t.i32(exit.redirect).ops(op.return);
        });
        t.br(2);
      });
      admitBranch(t, cpu, entry);
      t.get(pc)
        .ops(op.i32_wrap_i64)
        .get(entry)
        .memory(op.i32_load, softTlbEntry.fetchTag + addendAfterTag)
        .ops(op.i32_add);
      t.memory(op.i32_load, 0).tee(word);
      // Fibonacci hashing: the high half of the word times 2^32 / phi.
      t.i32(0x9e3779b1).ops(op.i32_mul).i32(16).ops(op.i32_shr_u).i32(3).ops(op.i32_shl).tee(slot);
      t.memory(op.i32_load, decodeCache).get(word).ops(op.i32_ne);
      t.get(slot)
        .memory(op.i32_load, decodeCache + 4)
        .ops(op.i32_eqz, op.i32_or);
      t.nest(op.if, () => {
        t.get(slot)
          .get(cpu)
          .get(word)
          .call(importIndex.decode)
          .memory(op.i32_store, decodeCache + 4);
        t.get(slot).get(word).memory(op.i32_store, decodeCache);
      });
      t.get(cpu)
        .get(word)
        .get(slot)
        .memory(op.i32_load, decodeCache + 4)
        .callIndirect()
        .tee(status);
      t.nest(op.if, () => {
        t.get(status).i32(stepBranched).ops(op.i32_ne);
        t.nest(op.if, () => {
          t.get(status).ops(op.return);
        });
        t.get(budget).i32(1).ops(op.i32_sub).set(budget);
        if (goesOn) t.get(cpu).get(budget).returnCall(chainIndex);
        else t.br(2);
      });
      t.get(cpu).get(pc).i64(4n).ops(op.i64_add).tee(pc).memory(op.i64_store, pe.pc);
      t.get(budget).i32(1).ops(op.i32_sub).set(budget).br(0);
    });
  });
  t.ops(op.unreachable);
  return t.done(codeSignature, exportName);
}

/** As checkBranchTarget, without asking it where the page is not guarded: every instruction in it may follow any branch. */
function admitBranch(t: Text, cpu: number, entry: number): void {
  t.get(cpu).memory(op.i32_load, pe.btype);
  t.nest(op.if, () => {
    t.get(entry).memory(op.i32_load, softTlbEntry.fetchTag + guardedAfterFetchTag);
    t.nest(op.if, () => {
      t.get(cpu).call(importIndex.branchTarget);
      t.nest(op.if, () => {
        t.i32(exit.redirect).ops(op.return);
      });
      t.ops(op.else);
      t.get(cpu).i32(0).get(cpu).memory(op.i32_load, pe.btype).i32(btypeChecked).ops(op.i32_or);
      t.get(cpu).memory(op.i32_load, pe.btype).i32(btypeChecked).ops(op.i32_and, op.select);
      t.memory(op.i32_store, pe.btype);
    });
  });
}

/** Leaves on the stack the address of the jump cache entry of the record's PC. */
function jumpCacheEntryOfPc(t: Text, cpu: number): void {
  t.get(cpu)
    .memory(op.i32_load, pe.pc)
    .i32(2)
    .ops(op.i32_shr_u)
    .i32(jumpCacheEntries - 1)
    .ops(op.i32_and);
  t.i32(jumpCacheEntryBytes).ops(op.i32_mul).get(cpu).ops(op.i32_add).i32(pe.jumpCache).ops(op.i32_add);
}

/** The jump cache entry of the record's PC, and the key that it holds if it is the right one. */
function findEntry(t: Text, cpu: number, key: number, entry: number): void {
  t.get(cpu).memory(op.i64_load, pe.pc);
  t.get(cpu).memory(op.i32_load, pe.jumpTag).ops(op.i64_extend_i32_u);
  t.ops(op.i64_or)
    .tee(key)
    .ops(op.i32_wrap_i64)
    .i32(2)
    .ops(op.i32_shr_u)
    .i32(jumpCacheEntries - 1)
    .ops(op.i32_and);
  t.i32(jumpCacheEntryBytes).ops(op.i32_mul).get(cpu).ops(op.i32_add).i32(pe.jumpCache).ops(op.i32_add).set(entry);
}

/** cpu → exit: enters translated code through the jump cache until something other than a look-up stops it. */
function runLoop(): ModuleFunction {
  const t = new Text(1);
  const cpu = 0;
  const key = t.local(type.i64);
  const entry = t.local(type.i32);
  const code = t.local(type.i32);
  t.nest(op.loop, () => {
    t.get(cpu).memory(op.i32_load, pe.budget).i32(0).ops(op.i32_le_s);
    t.nest(op.if, () => {
      t.i32(exit.budget).ops(op.return);
    });
    findEntry(t, cpu, key, entry);
    t.get(entry).memory(op.i64_load, 0).get(key).ops(op.i64_eq);
    t.nest(op.if, () => {
      t.get(entry).memory(op.i32_load, 8).set(code);
    });
    t.get(entry).memory(op.i64_load, 0).get(key).ops(op.i64_ne);
    t.nest(op.if, () => {
      t.get(cpu).get(cpu).memory(op.i32_load, pe.budget).call(importIndex.resolve).tee(code).ops(op.i32_eqz);
      t.nest(op.if, () => {
        t.i32(exit.redirect).ops(op.return);
      });
    });
    t.get(cpu).get(cpu).memory(op.i32_load, pe.budget).get(code).callIndirect().tee(code);
    t.i32(exit.lookup).ops(op.i32_eq);
    t.nest(op.if, () => {
      t.br(1);
    });
  });
  t.get(code);
  return t.done(unarySignature, 'run');
}

/** (cpu, budget) → exit: the way out of translated code. */
function chain(): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  const key = t.local(type.i64);
  const entry = t.local(type.i32);
  findEntry(t, cpu, key, entry);
  t.get(entry).memory(op.i64_load, 0).get(key).ops(op.i64_eq);
  t.nest(op.if, () => {
    t.get(cpu).get(budget).get(entry).memory(op.i32_load, 8).returnCallIndirect();
  });
  t.get(cpu).get(budget).memory(op.i32_store, pe.budget).i32(exit.lookup);
  return t.done(codeSignature, 'chain');
}

/** What stands in the table for code that is no longer valid: the jump caches lead here until they are refilled. */
function stale(): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  t.get(cpu).get(budget).memory(op.i32_store, pe.budget);
  // The run loop would find the same entry again: it is emptied first.
  jumpCacheEntryOfPc(t, cpu);
  t.i64(-1n).memory(op.i64_store, 0);
  t.i32(exit.lookup);
  return t.done(codeSignature, 'stale');
}

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

/** The binary of the runtime module for a worker. */
export function runtimeModule(worker: number): Uint8Array<ArrayBuffer> {
  const decodeCache = decodeCacheBase + worker * decodeCacheBytes;
  return encodeModule(
    [
      chain(),
      stepper(true, decodeCache, 'stepBlock'),
      stepper(false, decodeCache, 'step'),
      runLoop(),
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
