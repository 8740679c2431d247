// The stepper: runs instructions one by one by their step functions (step.ts).
//
// This is the engine's hot path for everything that runs a few thousand times and not more: most of a program's code.

import { exit } from '../arch/exits.ts';
import {
  addendAfterTag,
  btypeChecked,
  guardedAfterFetchTag,
  pageShift,
  pe,
  softTlbEntries,
  softTlbEntry,
} from '../arch/state-layout.ts';
import { branchNoting } from './branch-notes.ts';
import { importIndex } from './runtime-imports.ts';
import { type RuntimeTables, stepCacheBytes } from './runtime-tables.ts';
import { stepBranched } from './step.ts';
import { Text } from './text.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';

const pageBytes = 1 << pageShift;

/** The soft TLB entry of fetches from the page of PC. */
export function findFetchEntry(t: Text, cpu: number, pc: number, entry: number): void {
  t.get(cpu).memory(op.i32_load, pe.tlb);
  t.get(pc)
    .ops(op.i32_wrap_i64)
    .i32(pageShift - Math.log2(softTlbEntry.bytes))
    .ops(op.i32_shr_u);
  t.i32((softTlbEntries - 1) * softTlbEntry.bytes)
    .ops(op.i32_and, op.i32_add)
    .set(entry);
}

/** What the tag of the soft TLB entry holds where the page of PC has been fetched from, and PC is aligned. */
export const fetchTagOf = (t: Text, pc: number): Text =>
  t
    .get(pc)
    .i64(BigInt(-(1 << pageShift) | 3))
    .ops(op.i64_and);

/** The physical address of PC, by its soft TLB entry. */
export const fetchAddress = (t: Text, pc: number, entry: number): Text =>
  t
    .get(pc)
    .ops(op.i32_wrap_i64)
    .get(entry)
    .memory(op.i32_load, softTlbEntry.fetchTag + addendAfterTag)
    .ops(op.i32_add);

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

/**
 * cpu, budget → exit: runs step functions; `oneBlock` stops with exit.lookup after a branch that is taken. What holds for a page is looked up
 * when the stepper comes there; each instruction asks again whether it still holds, and for the word in memory. PC and the budget are in the
 * record alone, since nothing stays in a register of the host over a call.
 */
export function stepper(oneBlock: boolean, tables: RuntimeTables, exportName: string): ModuleFunction {
  const { decodeCache, stepCache } = tables;
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  const pc = t.local(type.i64);
  const page = t.local(type.i64);
  const entry = t.local(type.i32);
  const pa = t.local(type.i32);
  const word = t.local(type.i32);
  const slot = t.local(type.i32);
  const decoded = t.local(type.i32);
  const status = t.local(type.i32);
  const note = branchNoting(t, tables, cpu, pc, word);
  const loadPc = (): Text => t.get(cpu).memory(op.i64_load, pe.pc);
  const passOn = (): void => {
    t.get(cpu);
    loadPc().i64(4n).ops(op.i64_add).memory(op.i64_store, pe.pc);
  };
  const spend = (): void => {
    t.get(cpu)
      .get(cpu)
      .memory(op.i32_load, pe.budget)
      .i32(1)
      .ops(op.i32_sub)
      .tee(budget)
      .memory(op.i32_store, pe.budget);
  };
  /** The step function of the word, by the word itself. */
  const decode = (): void => {
    // Fibonacci hashing: the high half of the word times 2^32 / phi.
    t.get(word).i32(0x9e3779b1).ops(op.i32_mul).i32(16).ops(op.i32_shr_u).i32(3).ops(op.i32_shl).set(decoded);
    t.get(decoded).memory(op.i32_load, decodeCache).get(word).ops(op.i32_ne);
    t.get(decoded)
      .memory(op.i32_load, decodeCache + 4)
      .ops(op.i32_eqz, op.i32_or);
    t.nest(op.if, () => {
      t.get(decoded)
        .get(cpu)
        .get(word)
        .call(importIndex.decode)
        .memory(op.i32_store, decodeCache + 4);
      t.get(decoded).get(word).memory(op.i32_store, decodeCache);
    });
    t.get(slot)
      .get(decoded)
      .memory(op.i32_load, decodeCache + 4)
      .memory(op.i32_store, stepCache + 4);
    t.get(slot).get(word).memory(op.i32_store, stepCache);
  };
  t.get(cpu).get(budget).memory(op.i32_store, pe.budget);
  t.nest(op.loop, () => {
    t.get(budget).i32(0).ops(op.i32_le_s);
    t.nest(op.if, () => {
      t.i32(exit.budget).ops(op.return);
    });
    loadPc().set(pc);
    findFetchEntry(t, cpu, pc, entry);
    fetchTagOf(t, pc).tee(page);
    t.get(entry).memory(op.i64_load, softTlbEntry.fetchTag).ops(op.i64_ne);
    t.nest(op.if, () => {
      t.get(cpu).call(importIndex.fetchMiss);
      t.nest(op.if, () => {
        t.i32(exit.redirect).ops(op.return);
      });
      t.br(1);
    });
    fetchAddress(t, pc, entry).set(pa);
    t.nest(op.loop, () => {
      admitBranch(t, cpu, entry);
      t.get(pa).memory(op.i32_load, 0).set(word);
      t.get(pa)
        .i32(1)
        .ops(op.i32_shl)
        .i32(stepCacheBytes - 8)
        .ops(op.i32_and)
        .tee(slot);
      t.memory(op.i32_load, stepCache).get(word).ops(op.i32_ne);
      t.nest(op.if, decode);
      t.get(cpu)
        .get(word)
        .get(slot)
        .memory(op.i32_load, stepCache + 4)
        .callIndirect()
        .tee(status);
      t.nest(op.if, () => {
        t.get(status).i32(stepBranched).ops(op.i32_ne);
        t.nest(op.if, () => {
          t.get(status).i32(exit.last).ops(op.i32_ne);
          t.nest(op.if, () => {
            t.get(status).ops(op.return);
          });
          passOn();
          spend();
          t.i32(exit.budget).ops(op.return);
        });
        t.get(page)
          .get(pa)
          .i32(pageBytes - 1)
          .ops(op.i32_and, op.i64_extend_i32_u, op.i64_or)
          .set(pc);
        loadPc().get(pc).i64(4n).ops(op.i64_add, op.i64_ne);
        t.nest(op.if, () => {
          note.taken();
          spend();
          if (oneBlock) t.i32(exit.lookup).ops(op.return);
          else t.br(3);
        });
        note.notTaken();
        t.ops(op.else);
        passOn();
      });
      spend();
      // More to do, in the same page, as it was.
      t.nest(op.block, () => {
        t.get(budget).i32(0).ops(op.i32_le_s).brIf(0);
        t.get(pa).i32(4).ops(op.i32_add).tee(pa);
        t.i32(pageBytes - 1)
          .ops(op.i32_and, op.i32_eqz)
          .brIf(0);
        t.get(entry).memory(op.i64_load, softTlbEntry.fetchTag).get(page).ops(op.i64_ne).brIf(0);
        t.br(1);
      });
    });
    t.br(0);
  });
  t.ops(op.unreachable);
  return t.done(codeSignature, exportName);
}
