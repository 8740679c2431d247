// What the stepper notes of the branches that it runs, and what traces make of it: which way a conditional one usually goes, and where an
// indirect one, a call or a return usually leads. It is the stepper that notes, since what is hot has been stepped some thousand times; what is
// found is a guess, which translated code checks wherever it follows it.

import { pe } from '../arch/state-layout.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { branchFold, branchSite, branchSiteAt, branchTables, direction, directionAt } from './runtime-tables.ts';
import type { RuntimeTables } from './runtime-tables.ts';
import type { Text } from './text.ts';
import { op, type } from './wasm/opcodes.ts';

/** Branches that have been stepped less often have no usual way. */
const fewestRuns = 8;

/** A way that is gone once where the other one is gone so often is seldom gone. */
const seldom = 16;

/** Bits [31:25] of an unconditional branch to a register. */
const registerBranch = 0b1101011;

export interface BranchNoting {
  /** After a branch, whose word is known, from `pc` to the record's PC. */
  readonly taken: () => void;
  /** After a conditional branch that has not been taken. */
  readonly notTaken: () => void;
}

/** The text that notes branches; `cpu`, `pc` and `word` are locals. */
export function branchNoting(t: Text, tables: RuntimeTables, cpu: number, pc: number, word: number): BranchNoting {
  const at = t.local(type.i32);
  const target = t.local(type.i64);

  /** `at` = the place, in one of the tables, of the branch at `pc`, without the table's address. */
  function find({ entries, bytes }: { readonly entries: number; readonly bytes: number }): void {
    t.get(pc).ops(op.i32_wrap_i64).i32(2).ops(op.i32_shr_u).tee(at);
    t.get(at)
      .i32(branchFold)
      .ops(op.i32_shr_u, op.i32_xor)
      .i32(entries - 1)
      .ops(op.i32_and);
    t.i32(Math.log2(bytes)).ops(op.i32_shl).set(at);
  }

  function change(offset: number, by: number): void {
    t.get(at).get(at).memory(op.i32_load, offset).i32(by).ops(op.i32_add).memory(op.i32_store, offset);
  }

  function noteDirection(offset: number): void {
    find(branchTables.directions);
    change(tables.directions + offset, 1);
  }

  function noteTarget(): void {
    const sites = tables.branchSites;
    const noted = (offset: number): Text => t.get(at).memory(op.i64_load, sites + offset);
    const isTarget = (offset: number): Text => noted(offset).get(target).ops(op.i64_eq);
    const note = (offset: number): Text =>
      t
        .get(at)
        .get(target)
        .memory(op.i64_store, sites + offset);
    find(branchTables.sites);
    t.get(cpu).memory(op.i64_load, pe.pc).set(target);
    change(sites + branchSite.runs, 1);
    isTarget(branchSite.last).ops(op.i32_eqz);
    t.nest(op.if, () => {
      t.get(at);
      noted(branchSite.last).memory(op.i64_store, sites + branchSite.other);
      note(branchSite.last);
    });
    isTarget(branchSite.usual);
    t.nest(op.if, () => {
      change(sites + branchSite.balance, 1);
      t.ops(op.else);
      t.get(at).memory(op.i32_load, sites + branchSite.balance);
      t.nest(op.if, () => {
        change(sites + branchSite.balance, -1);
        t.ops(op.else);
        note(branchSite.usual);
        t.get(at)
          .i32(1)
          .memory(op.i32_store, sites + branchSite.balance);
      });
    });
  }

  return {
    taken: () => {
      t.get(word).i32(25).ops(op.i32_shr_u).i32(registerBranch).ops(op.i32_eq);
      t.nest(op.if, () => {
        noteTarget();
        t.ops(op.else);
        noteDirection(direction.taken);
      });
    },
    notTaken: () => {
      noteDirection(direction.notTaken);
    },
  };
}

/** How often a conditional branch has been taken and not taken, and whether it seldom goes one of both ways. */
export interface Direction {
  readonly taken: number;
  readonly notTaken: number;
  readonly isSteady: boolean;
}

/** Which way branches usually go, by their virtual addresses. */
export interface UsualWays {
  directionOf(va: bigint): Direction;
  /** Where an indirect branch has led nearly always, if there is such a place. */
  usualTarget(va: bigint): bigint | undefined;
}

/** What has been noted, for who translates. */
export class NotedBranches implements UsualWays {
  private readonly views: MemoryViews;
  private readonly tables: RuntimeTables;

  constructor(views: MemoryViews, tables: RuntimeTables) {
    this.views = views;
    this.tables = tables;
  }

  private word(address: number): number {
    return this.views.words[address >>> 2] as number;
  }

  directionOf(va: bigint): Direction {
    const at = directionAt(this.tables, va);
    const [taken, notTaken] = [this.word(at + direction.taken), this.word(at + direction.notTaken)];
    const [usual, other] = [Math.max(taken, notTaken), Math.min(taken, notTaken)];
    return { taken, notTaken, isSteady: usual >= fewestRuns && seldom * other <= usual };
  }

  usualTarget(va: bigint): bigint | undefined {
    const at = branchSiteAt(this.tables, va);
    const runs = this.word(at + branchSite.runs);
    // The others count against it.
    const others = (runs - this.word(at + branchSite.balance)) / 2;
    const isUsual = runs >= fewestRuns && seldom * others <= runs;
    return isUsual ? this.views.doublewords[(at + branchSite.usual) >>> 3] : undefined;
  }
}
