// The *region* reading: many blocks of hot code as one wasm function, with guest registers in its locals, branches between the blocks as
// structured control flow, and calls and returns inside it as branches.
//
// Control flow is laid out along the dominator tree (Ramsey, "Beyond Relooper"): a block that several blocks lead to stands behind the end
// of a wasm block, a loop's header at the start of a wasm loop, every other block inside the one that leads to it. What is known about
// values at the end of a block holds in the blocks that it alone leads to.
//
// The budget is looked at on the way into loops, and wherever else a path would be long; where it does not cover what comes before
// the next look, the region is left for the stepper. A plain access that misses the soft TLB calls its service with PC, budget, flags and
// stack pointer in the record; other registers follow only when it leaves the code, at one place for the whole region.

import { exit } from '../arch/exits.ts';
import { addendAfterTag, btypeChecked, pageShift, pe, softTlbEntries, softTlbEntry } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { Value } from '../isa/semantics.ts';
import { cpuLocal, secondLocal } from './emitting.ts';
import { constant, constant32, localValue, type Node, stateLoad } from './expression.ts';
import { type Block, flowGraph } from './flow-graph.ts';
import { dominance, type Dominance } from './dominators.ts';
import { makeSummaries, slotBit, slotsOf, type InstructionSummary } from './instruction-summary.ts';
import { type Company, endingOperations, LocalRegisters, stackPointerSlot } from './local-registers.ts';
import { type BlockFacts, regionFacts, type RegionFacts } from './region-facts.ts';
import type { TraceSource } from './translate.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

export interface RegionSource extends TraceSource {
  readonly maxInstructions: number;
  /** Whether the code there can be fetched now, from a page that is guarded or not as that of `start`, and whether it has run. */
  readonly isMapped: (va: bigint) => boolean;
  readonly hasRun: (va: bigint) => boolean;
  /** Where indirect branches may lead, in ascending order: code that has run often, from pages that are as the first one is. */
  readonly indirectTargets: () => readonly bigint[];
  /** Physical minus virtual address of its page, modulo 2^32. */
  readonly addendOf: (va: bigint) => number;
}

export interface Region {
  readonly function: ModuleFunction;
  /** Virtual addresses of its instructions; some may be there more than once. */
  readonly addresses: readonly bigint[];
}

/** An exception that an access takes banks the stack pointer: the record must have it by then. */
const stackPointerBit = slotBit(stackPointerSlot);

/** What is known where the text is. */
interface Situation {
  readonly slotValues: Map<number, Node>;
  readonly flagValues: Node[];
  readonly dirty: number;
  readonly areFlagsDirty: boolean;
  readonly count: number;
  readonly isFpEnabled: boolean;
}

class RegionGenerator extends LocalRegisters {
  private readonly decode: Decoder;
  private readonly summaries: (word: number) => InstructionSummary;
  private source!: RegionSource;
  private blocks: readonly Block[] = [];
  private graph!: Dominance;
  private facts!: RegionFacts;
  /** Depth of the wasm block or loop that a branch to a block leaves or repeats, by block. */
  private labels = new Map<number, number>();
  /** What dispatchers choose from. */
  private chosen = new Set<number>();
  /** The region is made of several pages. */
  private spansPages = false;
  private flagsAtEnd = new Map<number, readonly Node[]>();

  /** Registers that differ from the record here, and instructions since the budget was brought up to date. */
  private dirty = 0;
  private areFlagsDirty = false;
  private count = 0;
  private isFpEnabled = false;
  private hasEnded = false;
  /** The next service is that of an access: registers are stored where it leaves the code. */
  private isPrepared = false;
  /** Where an indirect branch goes, on its way to the dispatcher. */
  private indirectTarget = -1;

  constructor(decode: Decoder, company: Company) {
    super(company);
    this.decode = decode;
    this.summaries = makeSummaries(decode, company);
  }

  region(source: RegionSource): Region {
    this.source = source;
    this.alignment = source.strictAlignment ? 'strict' : 'relaxed';
    this.isGuarded = source.guarded;
    this.blocks = flowGraph({
      pageOffset: Number(source.start & ((1n << BigInt(pageShift)) - 1n)),
      summaryAt: (offset) => this.summaries(source.fetch(this.addressOf(offset))),
      hasRun: (offset) => source.hasRun(this.addressOf(offset)),
      isMapped: (offset) => source.isMapped(this.addressOf(offset)),
      maxInstructions: source.maxInstructions,
      // In a guarded page what a branch leads to must be looked at first.
      indirectTargets: () =>
        source.guarded ? [] : source.indirectTargets().map((va) => Number(BigInt.asIntN(64, va - source.start))),
    });
    this.graph = dominance(this.blocks);
    this.facts = regionFacts(this.blocks, this.graph, (from, to) => this.isOtherPage(from, to));
    this.labels = new Map();
    this.flagsAtEnd = new Map();
    const { order } = this.graph;
    this.chosen = new Set(order.flatMap((n) => this.blockAt(n).targets ?? []));
    const first = this.blockAt(0);
    this.spansPages = order.some(
      (n) => this.blockAt(n).summaries.length > 0 && this.isOtherPage(first, this.blockAt(n)),
    );
    this.startFunction();
    this.indirectTarget = this.allocate(type.i64);
    const body = this.body();
    const addresses = this.graph.order.flatMap((n) => {
      const { offset, summaries } = this.blockAt(n);
      return summaries.map((_, i) => this.addressOf(offset + 4 * i));
    });
    return {
      function: { signature: codeSignature, locals: this.localTypes, body: this.withEntry(body) },
      addresses,
    };
  }

  private blockAt(n: number): Block {
    return this.blocks[n] as Block;
  }
  private factsOf(n: number): BlockFacts {
    return this.facts.blocks.get(n) as BlockFacts;
  }
  private addressOf(offset: number): bigint {
    return BigInt.asUintN(64, this.source.start + BigInt(offset));
  }
  private isOtherPage(from: Block, to: Block): boolean {
    if (from.targets || to.targets) return false;
    const last = from.offset + 4 * (from.summaries.length - 1);
    return this.pageOf(this.addressOf(last)) !== this.pageOf(this.addressOf(to.offset));
  }
  private pageOf(va: bigint): bigint {
    return va >> BigInt(pageShift);
  }

  // Entry and exits.

  private body(): Writer {
    this.w = new Writer(1 << 14);
    this.dirty = 0;
    this.areFlagsDirty = false;
    this.count = 0;
    this.isFpEnabled = false;
    // Inside the block of the common exit.
    this.depth = 1;
    this.visit(0);
    return this.w;
  }

  private withEntry(body: Writer): Writer {
    this.w = new Writer(body.length + 1024);
    this.depth = 0;
    this.get(cpuLocal);
    this.memoryOperation(op.i32_load, pe.tlb);
    this.set(this.tlbLocal);
    this.path(() => {
      this.checkEntry();
    });
    for (const slot of slotsOf(this.facts.loaded)) this.loadSlot(slot);
    if (this.factsOf(0).flagsLiveIn) this.loadFlags();
    this.loadFloatControl();
    this.block(op.block, () => {
      this.w.append(body);
      this.w.byte(op.unreachable);
    });
    this.storeSlots(slotsOf(this.facts.written & ~stackPointerBit));
    this.get(this.statusLocal);
    return this.w;
  }

  /** The budget must cover the region's first blocks; only then the branch that has led here is looked at. */
  private checkEntry(): void {
    this.get(secondLocal);
    this.i32(this.factsOf(0).need);
    this.w.byte(op.i32_lt_s);
    this.ifSeldom(() => {
      this.storeState(pe.pc, constant(64, this.source.start));
      this.storeState(pe.budget, localValue(32, secondLocal, true));
      this.i32(exit.budget);
      this.w.byte(op.return);
    });
    this.admitBranch(this.source.start);
  }

  private remaining(): Node {
    return this.sub(localValue(32, secondLocal, true), constant32(this.count)) as Node;
  }

  /** Completes the record but for PC and budget. */
  private writeBack(): void {
    this.storeSlots(slotsOf(this.dirty));
    if (this.areFlagsDirty) this.storeFlags();
  }

  protected synchronise(): void {
    this.writeBack();
    this.storeState(pe.pc, constant(64, this.address));
    this.storeState(pe.budget, this.remaining());
  }

  protected override prepareAccess(): void {
    this.isPrepared = true;
    this.storeSlots(slotsOf(this.dirty & stackPointerBit));
    if (this.areFlagsDirty) this.storeFlags();
    this.storeState(pe.pc, constant(64, this.address));
    this.storeState(pe.budget, this.remaining());
  }

  protected override callService(service: number, descriptor: Node): void {
    if (!this.isPrepared) {
      super.callService(service, descriptor);
      return;
    }
    this.isPrepared = false;
    this.get(cpuLocal);
    this.emit(descriptor);
    this.callFunction(service, codeSignature);
    this.w.byte(op.local_tee);
    this.w.u32(this.statusLocal);
    this.branchIfSeldom(this.depth - 1);
  }

  /** Leaves for an address by a way that is seldom taken. */
  private leaveSeldom(target: Node): void {
    this.path(() => {
      this.leave(target);
    });
  }

  private leave(target: Node): void {
    this.writeBack();
    this.storeState(pe.pc, target);
    this.chain(this.remaining());
  }

  /** Leaves for the stepper, since the budget does not cover what follows. */
  private leaveForBudget(target: Node): void {
    this.path(() => {
      this.writeBack();
      this.storeState(pe.pc, target);
      this.storeState(pe.budget, this.remaining());
      this.i32(exit.budget);
      this.w.byte(op.return);
    });
  }

  // Blocks.

  /** A way of which the text after it knows nothing. */
  private way(body: () => void): void {
    const before: Situation = {
      slotValues: new Map(this.slotValues),
      flagValues: [...this.flagValues],
      dirty: this.dirty,
      areFlagsDirty: this.areFlagsDirty,
      count: this.count,
      isFpEnabled: this.isFpEnabled,
    };
    this.path(body);
    this.slotValues = before.slotValues;
    this.flagValues = before.flagValues;
    this.dirty = before.dirty;
    this.areFlagsDirty = before.areFlagsDirty;
    this.count = before.count;
    this.isFpEnabled = before.isFpEnabled;
  }

  private isJoined(n: number): boolean {
    return this.graph.merges.has(n) || this.graph.loopHeaders.has(n);
  }

  /** A block and what it dominates. */
  private visit(n: number): void {
    if (this.isJoined(n)) {
      const { dirtyIn, flagsDirtyIn, flagsFrom } = this.factsOf(n);
      this.slotValues = new Map();
      this.dirty = dirtyIn;
      this.areFlagsDirty = flagsDirtyIn;
      this.count = 0;
      this.isFpEnabled = false;
      const from = flagsFrom === n ? undefined : this.flagsAtEnd.get(flagsFrom);
      this.flagValues = from ? [...from] : this.flagsInLocals();
    }
    const merges = (this.graph.children.get(n) as readonly number[]).filter((child) => this.graph.merges.has(child));
    if (!this.graph.loopHeaders.has(n)) {
      this.within(n, merges);
      return;
    }
    this.block(op.loop, () => {
      this.labels.set(n, this.depth);
      this.within(n, merges);
    });
  }

  /** The text of a block, in front of the blocks that several of its descendants lead to, the last of which stands outermost. */
  private within(n: number, merges: readonly number[]): void {
    const last = merges.at(-1);
    if (last === undefined) {
      this.text(n);
      return;
    }
    this.block(op.block, () => {
      this.labels.set(last, this.depth);
      this.within(n, merges.slice(0, -1));
    });
    this.way(() => {
      this.visit(last);
    });
  }

  private text(n: number): void {
    const block = this.blockAt(n);
    if (block.targets) {
      this.flagsAtEnd.set(n, [...this.flagValues]);
      this.dispatch(block.targets);
      return;
    }
    this.hasEnded = false;
    block.summaries.forEach((_, i) => {
      this.address = this.addressOf(block.offset + 4 * i);
      this.control = undefined;
      const decoded = this.decode(this.source.fetch(this.address));
      if (decoded) this.perform(decoded);
      else this.undefined();
      // The first instruction may be a branch's target: it is over now.
      if (i === 0 && this.isBranchTarget(n) && !this.hasSetBType() && !this.hasEnded)
        this.storeState(pe.btype, constant32(0));
      this.count += 1;
    });
    if (this.isOver()) return;
    this.flagsAtEnd.set(n, [...this.flagValues]);
    this.transfer(block);
  }

  /** True when a service has ended the block. */
  private isOver(): boolean {
    return this.hasEnded;
  }

  /** Goes on after the last instruction of a block. */
  private transfer(block: Block): void {
    const after = constant(64, this.addressOf(block.offset + 4 * block.summaries.length));
    if (!this.control) {
      this.edge(block, block.next, after);
      return;
    }
    const { target, condition, kind } = this.control;
    if (condition) {
      this.emit(condition);
      this.block(op.if, () => {
        this.edge(block, block.taken, target);
      });
      this.edge(block, block.next, after);
      return;
    }
    if (kind === 'indirect' && block.taken !== undefined) {
      this.emit(target);
      this.set(this.indirectTarget);
      this.edge(block, block.taken, localValue(64, this.indirectTarget, true));
      return;
    }
    if (kind !== 'return') {
      if (target.isConstant) this.edge(block, block.taken, target);
      else this.leave(target);
      return;
    }
    if (block.taken === undefined || block.returnsTo === undefined) {
      this.leave(target);
      return;
    }
    const expected = constant(64, this.addressOf(block.returnsTo));
    this.emit(this.ne(target, expected) as Node);
    this.ifSeldom(() => {
      this.leaveSeldom(target);
    });
    this.edge(block, block.taken, expected);
  }

  /** Whether an indirect branch may lead to a block: the region's first one, and a dispatcher's choices. */
  private isBranchTarget(n: number): boolean {
    return n === 0 || this.chosen.has(n);
  }

  /** Goes on at the block of `indirectTarget`, by a table of the words between the first block and the last. */
  private dispatch(targets: readonly number[]): void {
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
    if (need > 0) {
      this.get(secondLocal);
      this.i32(need);
      this.w.byte(op.i32_lt_s);
      this.ifSeldom(() => {
        this.leaveForBudget(target);
      });
    }
    if (targets.some((n) => this.factsOf(n).flagsFrom === n && this.factsOf(n).flagsLiveIn)) this.flagsToLocals();
    this.block(op.block, () => {
      this.emit(this.ltU(index, constant(64, BigInt(words))) as Node);
      this.emit(constant32(0));
      this.w.byte(op.i32_eq);
      this.branchIfSeldom(0);
      if (this.spansPages) {
        this.emit(this.isFetchedOtherwise(target));
        this.branchIfSeldom(0);
      }
      // The branch has been admitted; its target's first instruction ends what it has left.
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
    this.leaveSeldom(target);
  }

  /** Goes on at a block, or where there is none leaves for its address. */
  private edge(from: Block, to: number | undefined, address: Node): void {
    this.way(() => {
      this.goOn(from, to, address);
    });
  }

  private goOn(from: Block, to: number | undefined, address: Node): void {
    if (to === undefined) {
      this.leave(address);
      return;
    }
    const { need, isChecked, flagsFrom, flagsLiveIn } = this.factsOf(to);
    if (this.isOtherPage(from, this.blockAt(to))) {
      this.emit(this.isFetchedElsewhere(address.bits));
      this.ifSeldom(() => {
        this.leaveSeldom(address);
      });
    }
    if (isChecked) {
      this.get(secondLocal);
      this.i32(this.count + need);
      this.w.byte(op.i32_lt_s);
      this.ifSeldom(() => {
        this.leaveForBudget(address);
      });
    }
    if (!this.isJoined(to)) {
      this.visit(to);
      return;
    }
    const label = this.labels.get(to);
    if (flagsFrom === to && flagsLiveIn) this.flagsToLocals();
    this.payBudget();
    if (label === undefined) {
      this.visit(to);
      return;
    }
    this.w.byte(op.br);
    this.w.u32(this.depth - label);
  }

  private payBudget(): void {
    if (this.count === 0) return;
    this.emit(this.remaining());
    this.set(secondLocal);
    this.count = 0;
  }

  private flagsToLocals(): void {
    this.flagValues.forEach((value, i) => {
      const local = this.flagLocals[i] as number;
      if (value.local === local) return;
      this.emit(value);
      this.set(local);
    });
  }

  /** Not 0 where the soft TLB does not say that the page of an address is where it was when the region was made. */
  private isFetchedElsewhere(address: bigint): Node {
    const page = this.pageOf(address);
    const entry = Number(page & BigInt(softTlbEntries - 1)) * softTlbEntry.bytes + softTlbEntry.fetchTag;
    const tlb = localValue(32, this.tlbLocal, true);
    const addend = BigInt.asUintN(32, BigInt(this.source.addendOf(address)));
    const guarded = this.source.guarded ? 1n << 32n : 0n;
    const isOtherPage = this.ne(stateLoad(op.i64_load, 64, tlb, entry), constant(64, page << BigInt(pageShift)));
    const isElsewhere = this.ne(
      stateLoad(op.i64_load, 64, tlb, entry + addendAfterTag),
      constant(64, guarded | addend),
    );
    return this.or(isOtherPage, isElsewhere) as Node;
  }

  /** The same for an address that is known when the code runs: not 0 where its page is not as the first one. */
  private isFetchedOtherwise(address: Node): Node {
    const index = this.and(
      this.lsr(this.low32(address), constant32(pageShift - Math.log2(softTlbEntry.bytes))),
      constant32((softTlbEntries - 1) * softTlbEntry.bytes),
    );
    const entry = localValue(32, this.settle(this.add(localValue(32, this.tlbLocal, true), index) as Node), true);
    const addend = BigInt.asUintN(32, BigInt(this.source.addendOf(this.source.start)));
    const page = this.and(address, constant(64, -(1n << BigInt(pageShift))));
    const isOtherPage = this.ne(stateLoad(op.i64_load, 64, entry, softTlbEntry.fetchTag), page);
    const isElsewhere = this.ne(
      stateLoad(op.i64_load, 64, entry, softTlbEntry.fetchTag + addendAfterTag),
      constant(64, addend),
    );
    return this.or(isOtherPage, isElsewhere) as Node;
  }

  // What instructions do.

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.isFpEnabled = false;
    this.dirty = 0;
    this.areFlagsDirty = false;
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    this.address += 4n;
    this.count += 1;
    this.leave(constant(64, this.address));
    this.hasEnded = true;
  }

  override checkFPEnabled(): void {
    if (this.isFpEnabled) return;
    super.checkFPEnabled();
    this.isFpEnabled = true;
  }

  protected noteRead(): void {
    // The facts have it.
  }
  protected noteWrite(slot: number): void {
    this.dirty |= slotBit(slot);
  }
  protected noteFlagRead(): void {
    // The facts have it.
  }
  protected noteFlagWrite(): void {
    this.areFlagsDirty = true;
  }
}

/** Makes regions of the instructions that `decode` knows, as makeTranslator does traces. */
export function makeRegionTranslator(decode: Decoder, company: Company): (source: RegionSource) => Region {
  const generator = new RegionGenerator(decode, company);
  return (source) => generator.region(source);
}
