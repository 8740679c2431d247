// The run loop: what runs the code at PC, translated or not; and the way from one piece of translated code to the next.

import { exit } from '../arch/exits.ts';
import {
  emptyJumpKey,
  guardedAfterFetchTag,
  jumpCacheEntries,
  jumpCacheEntryBytes,
  jumpCacheFold,
  jumpCachePieceBytes,
  pe,
  softTlbEntry,
} from '../arch/state-layout.ts';
import { importIndex, stepBlockIndex } from './runtime-imports.ts';
import { codeEntry, entryTablePlace, type RuntimeTables } from './runtime-tables.ts';
import { fetchAddress, fetchTagOf, findFetchEntry } from './stepper.ts';
import { Text } from './text.ts';
import { codeSignature, type ModuleFunction, unarySignature } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';

/** Where the jump cache has PC, or would have it: to be added to the record's address, `pe.jumpCache` on. */
function jumpCacheOffset(t: Text, pc: number): Text {
  t.get(pc).get(pc).i64(BigInt(jumpCacheFold)).ops(op.i64_shr_u, op.i64_xor, op.i32_wrap_i64);
  t.i32(Math.log2(jumpCacheEntryBytes) - 2).ops(op.i32_shl);
  return t.i32((jumpCacheEntries - 1) * jumpCacheEntryBytes).ops(op.i32_and);
}

/** The jump cache entry of the record's PC, and the key that it holds if it is the right one. */
function findEntry(t: Text, cpu: number, pc: number, key: number, entry: number): void {
  t.get(cpu).memory(op.i64_load, pe.pc).tee(pc);
  t.get(cpu).memory(op.i32_load, pe.jumpTag).ops(op.i64_extend_i32_u, op.i64_or).set(key);
  jumpCacheOffset(t, pc).get(cpu).ops(op.i32_add).set(entry);
}

/**
 * cpu → exit: runs what stands for the code at PC, until something other than a look-up stops it: translated code by the jump cache, or by the
 * entry table; cold code by the stepper, a block at a time; TypeScript decides where neither table knows what to do. Code that is new, and whose
 * place in the entry table is free, is cold: it is hot when it has been entered `hotRuns` times.
 */
export function runLoop(tables: RuntimeTables, hotRuns: number): ModuleFunction {
  const t = new Text(1);
  const cpu = 0;
  const key = t.local(type.i64);
  const entry = t.local(type.i32);
  const code = t.local(type.i32);
  const pc = t.local(type.i64);
  const fetched = t.local(type.i32);
  const pa = t.local(type.i32);
  /** With its flags, as an entry of the table has it. */
  const placed = pa;
  const place = t.local(type.i32);
  const resolved = t.local(type.i32);
  /** Code is stepped before it is translated. */
  const isStepped = hotRuns > 1 && hotRuns < Infinity;
  const budget = (): Text => t.get(cpu).memory(op.i32_load, pe.budget);
  /** Leaves in `code` what the entry table has for PC: 0 for nothing, or for code that TypeScript must look at. */
  const lookUp = (): void => {
    t.i32(0).set(code);
    findFetchEntry(t, cpu, pc, fetched);
    fetchTagOf(t, pc).get(fetched).memory(op.i64_load, softTlbEntry.fetchTag).ops(op.i64_eq);
    t.nest(op.if, () => {
      fetchAddress(t, pc, fetched).set(pa);
      t.get(pa).i32(2).ops(op.i32_shr_u);
      t.get(pa).i32(18).ops(op.i32_shr_u).i32(entryTablePlace.spread).ops(op.i32_mul, op.i32_add);
      t.i32(entryTablePlace.entries - 1).ops(op.i32_and);
      t.i32(codeEntry.bytes).ops(op.i32_mul).set(place);
      t.get(pa);
      t.get(cpu).memory(op.i32_load, pe.strictAlignment).i32(codeEntry.strict).ops(op.i32_and, op.i32_or);
      t.get(fetched)
        .memory(op.i32_load, softTlbEntry.fetchTag + guardedAfterFetchTag)
        .i32(1)
        .ops(op.i32_shl, op.i32_or)
        .set(placed);
      const known = (): Text => t.get(place).memory(op.i32_load, tables.entryTable + codeEntry.place);
      t.get(place)
        .memory(op.i64_load, tables.entryTable + codeEntry.key)
        .get(key)
        .ops(op.i64_eq);
      known().get(placed).ops(op.i32_eq, op.i32_and);
      t.nest(op.if, () => {
        t.get(place)
          .memory(op.i32_load, tables.entryTable + codeEntry.code)
          .set(code);
        if (!isStepped) return;
        t.ops(op.else);
        known().ops(op.i32_eqz);
        t.nest(op.if, () => {
          t.get(place)
            .get(key)
            .memory(op.i64_store, tables.entryTable + codeEntry.key);
          t.get(place)
            .get(placed)
            .memory(op.i32_store, tables.entryTable + codeEntry.place);
          t.i32(1 - hotRuns).set(code);
        });
      });
    });
  };
  t.nest(op.loop, () => {
    budget().i32(0).ops(op.i32_le_s);
    t.nest(op.if, () => {
      t.i32(exit.budget).ops(op.return);
    });
    findEntry(t, cpu, pc, key, entry);
    t.get(entry).memory(op.i64_load, pe.jumpCache).get(key).ops(op.i64_eq);
    t.nest(op.if, () => {
      t.get(entry)
        .memory(op.i32_load, pe.jumpCache + 8)
        .set(code);
      t.ops(op.else);
      lookUp();
      t.get(code).i32(0).ops(op.i32_lt_s);
      t.nest(op.if, () => {
        t.get(place)
          .get(code)
          .i32(1)
          .ops(op.i32_add)
          .memory(op.i32_store, tables.entryTable + codeEntry.code);
        t.get(cpu);
        budget().call(stepBlockIndex).tee(code).i32(exit.lookup).ops(op.i32_eq);
        t.nest(op.if, () => {
          t.br(3);
        });
        t.get(code).ops(op.return);
      });
      t.get(code).ops(op.i32_eqz);
      t.nest(op.if, () => {
        t.get(cpu);
        budget().call(importIndex.resolve).tee(resolved).ops(op.i32_eqz);
        t.nest(op.if, () => {
          t.i32(exit.redirect).ops(op.return);
        });
        // Translated code that only its page had been missing for is found there now.
        lookUp();
        t.get(code).i32(0).ops(op.i32_le_s);
        t.nest(op.if, () => {
          t.get(resolved).set(code).br(2);
        });
      });
      // The piece of the jump cache that the entry is in.
      t.get(cpu).get(cpu).memory(op.i32_load, pe.jumpCachePieces);
      t.i32(1).get(entry).get(cpu).ops(op.i32_sub).i32(Math.log2(jumpCachePieceBytes)).ops(op.i32_shr_u);
      t.ops(op.i32_shl, op.i32_or).memory(op.i32_store, pe.jumpCachePieces);
      t.get(entry).get(key).memory(op.i64_store, pe.jumpCache);
      t.get(entry)
        .get(code)
        .memory(op.i32_store, pe.jumpCache + 8);
    });
    t.get(cpu);
    budget().get(code).callIndirect().tee(code);
    t.i32(exit.lookup).ops(op.i32_eq);
    t.nest(op.if, () => {
      t.br(1);
    });
  });
  t.get(code);
  return t.done(unarySignature, 'run');
}

/** (cpu, budget) → exit: the way out of translated code. */
export function chain(): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  const pc = t.local(type.i64);
  const key = t.local(type.i64);
  const entry = t.local(type.i32);
  findEntry(t, cpu, pc, key, entry);
  t.get(entry).memory(op.i64_load, pe.jumpCache).get(key).ops(op.i64_eq);
  t.nest(op.if, () => {
    t.get(cpu)
      .get(budget)
      .get(entry)
      .memory(op.i32_load, pe.jumpCache + 8)
      .returnCallIndirect();
  });
  t.get(cpu).get(budget).memory(op.i32_store, pe.budget).i32(exit.lookup);
  return t.done(codeSignature, 'chain');
}

/** What stands in the table for code that is no longer valid: the jump caches lead here until they are refilled. */
export function stale(): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  t.get(cpu).get(budget).memory(op.i32_store, pe.budget);
  // The run loop would find the same entry again: it is emptied first.
  const pc = t.local(type.i64);
  const entry = t.local(type.i32);
  t.get(cpu).memory(op.i64_load, pe.pc).set(pc);
  jumpCacheOffset(t, pc).get(cpu).ops(op.i32_add).tee(entry);
  t.i32(emptyJumpKey.first).i32(emptyJumpKey.other).get(entry).get(cpu).ops(op.i32_eq, op.select);
  t.ops(op.i64_extend_i32_u).memory(op.i64_store, pe.jumpCache);
  t.i32(exit.lookup);
  return t.done(codeSignature, 'stale');
}
