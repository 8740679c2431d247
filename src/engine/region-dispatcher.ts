// Code in several pages, and indirect branches within a region: whether code is still fetched from where it was when the region was made,
// and the dispatcher that chooses among the blocks to which such a branch may lead.

import { addendAfterTag, btypeChecked, pageShift, pe, softTlbEntry } from '../arch/state-layout.ts';
import { constant, constant32, localValue, type Node, stateLoad } from './expression.ts';
import type { Block } from './flow-graph.ts';
import type { BlockFacts, RegionFacts } from './region-facts.ts';
import { RegionState } from './region-state.ts';
import type { TraceSource } from './trace-ends.ts';
import { op } from './wasm/opcodes.ts';

export interface RegionSource extends TraceSource {
  readonly maxInstructions: number;
  /** Whether the code there can be fetched now, from a page that is guarded or not as that of `start`, and whether it has run. */
  readonly isMapped: (va: bigint) => boolean;
  readonly hasRun: (va: bigint) => boolean;
  /** Where indirect branches may lead, in ascending order: code that has run often, from pages that are as the first one is. */
  readonly indirectTargets: () => readonly bigint[];
  /** Address of what is known of the indirect call at a virtual address (runtime-tables.ts, branchSite). */
  readonly callSiteAt: (va: bigint) => number;
  /** What it has called lately. */
  readonly calledFrom: (va: bigint) => readonly bigint[];
  /** Physical minus virtual address of its page, modulo 2^32. */
  readonly addendOf: (va: bigint) => number;
}

export abstract class RegionDispatcher extends RegionState {
  protected source!: RegionSource;
  protected blocks: readonly Block[] = [];
  protected facts!: RegionFacts;
  /** Depth of the wasm block or loop that a branch to a block leaves or repeats, by block. */
  protected labels = new Map<number, number>();
  /** The region is made of several pages. */
  protected spansPages = false;
  /** Where an indirect branch goes, on its way to the dispatcher. */
  protected indirectTarget = -1;

  protected blockAt(n: number): Block {
    return this.blocks[n] as Block;
  }
  protected factsOf(n: number): BlockFacts {
    return this.facts.blocks.get(n) as BlockFacts;
  }
  protected written(): number {
    return this.facts.written;
  }
  protected addressOf(offset: number): bigint {
    return BigInt.asUintN(64, this.source.start + BigInt(offset));
  }

  /** On the way to one of several blocks. */
  private handFlagsOnToSome(targets: readonly number[]): void {
    const facts = targets.filter((n) => this.takesFlags(n)).map((n) => this.factsOf(n));
    for (const areRead of [true, false]) {
      const some = facts.find(({ flagsReadIn }) => flagsReadIn === areRead);
      if (some) this.handFlagsOn(some);
    }
  }

  /** Flags of several blocks meet there, and somebody needs them. */
  protected takesFlags(n: number): boolean {
    const { flagsFrom, flagsLiveIn } = this.factsOf(n);
    return flagsFrom === n && flagsLiveIn;
  }

  /** Goes on at the block of `indirectTarget`, by a table of the words between the first block and the last. */
  protected dispatch({ targets = [], isOfReturns = false }: Block): void {
    this.payBudget();
    const target = localValue(64, this.indirectTarget, true);
    if (targets.length === 0) {
      this.leave(target);
      return;
    }
    const offsets = targets.map((n) => this.blockAt(n).offset);
    const first = Math.min(...offsets);
    const words = (Math.max(...offsets) - first) / 4 + 1;
    // Bits [1:0] rotated to the top are beyond every table.
    const distance = this.sub(target, constant(64, this.addressOf(first)));
    const index = localValue(64, this.settle(this.ror(distance, constant(64, 2n)) as Node), true);
    const need = Math.max(...targets.map((n) => this.factsOf(n)).map((facts) => (facts.isChecked ? facts.need : 0)));
    if (need > 0) this.checkBudget(need, target);
    this.handFlagsOnToSome(targets);
    this.block(op.block, () => {
      this.emit(this.ltU(index, constant(64, BigInt(words))) as Node);
      this.emit(constant32(0));
      this.w.byte(op.i32_eq);
      this.branchIfSeldom(0);
      if (this.spansPages) {
        this.emit(this.isFetchedOtherwise(target));
        this.branchIfSeldom(0);
      }
      // The branch has been admitted; its target's first instruction ends what it has left. A return leaves nothing.
      if (!isOfReturns)
        this.storeState(pe.btype, this.or(this.loadState(32, pe.btype), constant32(btypeChecked)) as Node);
      this.emit(this.low32(index) as Node);
      this.w.byte(op.br_table);
      this.w.u32(words);
      const byWord = new Map(targets.map((n) => [(this.blockAt(n).offset - first) / 4, n]));
      for (let word = 0; word < words; word += 1) {
        const n = byWord.get(word);
        this.w.u32(n === undefined ? 0 : this.depth - (this.labels.get(n) as number));
      }
      this.w.u32(0);
    });
    // None of the blocks has taken it: it is yet to be admitted where it leads.
    if (!isOfReturns)
      this.storeState(pe.btype, this.and(this.loadState(32, pe.btype), constant32(~btypeChecked)) as Node);
    this.leaveSeldom(target);
  }

  /** Leaves where the soft TLB does not say that the page of an address is where it was when the region was made. */
  protected leaveIfFetchedElsewhere(address: Node): void {
    this.block(op.block, () => {
      this.block(op.block, () => {
        for (const condition of this.fetchedElsewhere(address.bits, this.source.addendOf(address.bits))) {
          this.emit(condition);
          this.branchIfSeldom(0);
        }
        this.w.byte(op.br);
        this.w.u32(1);
      });
      this.leaveSeldom(address);
    });
  }

  /** Not 0 where the page of an address that is known when the code runs is not as the first one. */
  private isFetchedOtherwise(address: Node): Node {
    const { base, offset } = this.softTlbEntryOf(this.low32(address) as Node, false);
    const addend = BigInt.asUintN(32, BigInt(this.source.addendOf(this.source.start)));
    const page = this.and(address, constant(64, -(1n << BigInt(pageShift))));
    const isOtherPage = this.ne(stateLoad(op.i64_load, 64, base, offset + softTlbEntry.fetchTag), page);
    const isElsewhere = this.ne(
      stateLoad(op.i64_load, 64, base, offset + softTlbEntry.fetchTag + addendAfterTag),
      constant(64, addend),
    );
    return this.or(isOtherPage, isElsewhere) as Node;
  }
}
