// The *region* reading: many blocks of hot code as one wasm function, with guest registers in its locals, branches between the blocks as
// structured control flow, and calls and returns inside it as branches.
//
// Control flow is laid out along the dominator tree (Ramsey, "Beyond Relooper"): a block that several blocks lead to stands behind the end
// of a wasm block, a loop's header at the start of a wasm loop, every other block inside the one that leads to it. What is known about
// values at the end of a block holds in the blocks that it alone leads to.
//
// The budget is looked at on the way into loops, and wherever else a path would be long; where it does not cover what comes before
// the next look, the region is left for the stepper. How the record is completed: region-state.ts.

import { exit } from '../arch/exits.ts';
import { btypeChecked, pageShift, pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import { secondLocal } from './emitting.ts';
import { constant, constant32, localValue, type Node } from './expression.ts';
import { pageOf } from './fetched-pages.ts';
import { type Block, flowGraph } from './flow-graph.ts';
import { dominance, type Dominance } from './dominators.ts';
import { makeSummaries, slotsOf, type InstructionSummary } from './instruction-summary.ts';
import type { Company } from './local-registers.ts';
import { RegionDispatcher, type RegionSource } from './region-dispatcher.ts';
import { regionFacts } from './region-facts.ts';
import { type FlagState, textDepth } from './region-state.ts';
import { sharedAccesses } from './remembered-pages.ts';
import { vectorFacts } from './vector-facts.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

export interface Region {
  readonly function: ModuleFunction;
  /** Virtual addresses of its instructions; some may be there more than once. */
  readonly addresses: readonly bigint[];
}

class RegionGenerator extends RegionDispatcher {
  private readonly decode: Decoder;
  private readonly summaries: (word: number) => InstructionSummary;
  private graph!: Dominance;
  /** What dispatchers choose from, and what indirect calls call. */
  private chosen = new Set<number>();
  private flagsAtEnd = new Map<number, FlagState>();

  constructor(decode: Decoder, company: Company) {
    super(company);
    this.decode = decode;
    this.summaries = makeSummaries(decode, company);
  }

  region(source: RegionSource): Region {
    this.source = source;
    this.alignment = source.strictAlignment ? 'strict' : 'relaxed';
    this.isGuarded = source.guarded;
    this.el = source.el;
    this.record = source.record;
    const offsetOf = (va: bigint): number => Number(BigInt.asIntN(64, va - source.start));
    this.blocks = flowGraph({
      pageOffset: Number(source.start & ((1n << BigInt(pageShift)) - 1n)),
      summaryAt: (offset) => this.summaries(source.fetch(this.addressOf(offset))),
      hasRun: (offset) => source.hasRun(this.addressOf(offset)),
      isMapped: (offset) => source.isMapped(this.addressOf(offset)),
      maxInstructions: source.maxInstructions,
      // In a guarded page what a branch leads to must be looked at first.
      indirectTargets: () => (source.guarded ? [] : source.indirectTargets().map(offsetOf)),
      calledFrom: (offset) => (source.guarded ? [] : source.calledFrom(this.addressOf(offset)).map(offsetOf)),
    });
    this.graph = dominance(this.blocks);
    this.facts = regionFacts(this.blocks, this.graph, (from, to) => this.isOtherPage(from, to));
    this.vectors = vectorFacts(this.blocks, this.graph);
    this.labels = new Map();
    this.flagsAtEnd = new Map();
    const { order } = this.graph;
    this.chosen = new Set(
      order.flatMap((n) => {
        const { targets, callees, isOfReturns } = this.blockAt(n);
        if (isOfReturns) return [];
        return targets ?? callees?.map(({ block }) => block) ?? [];
      }),
    );
    const first = this.blockAt(0);
    this.spansPages = order.some(
      (n) => this.blockAt(n).summaries.length > 0 && this.isOtherPage(first, this.blockAt(n)),
    );
    this.startRegion(sharedAccesses(this.blocks, this.graph));
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

  private isOtherPage(from: Block, to: Block): boolean {
    if (from.targets || to.targets) return false;
    const last = from.offset + 4 * (from.summaries.length - 1);
    return pageOf(this.addressOf(last)) !== pageOf(this.addressOf(to.offset));
  }

  // Entry and exits.

  private body(): Writer {
    this.w = new Writer(1 << 14);
    this.startSituation();
    this.depth = textDepth;
    this.visit(0);
    return this.w;
  }

  private withEntry(body: Writer): Writer {
    this.w = new Writer(body.length + 1024);
    this.depth = 0;
    this.fixRecord();
    this.path(() => {
      this.checkEntry();
    });
    for (const slot of slotsOf(this.facts.loaded)) this.loadSlot(slot);
    this.loadVectors(this.vectors.loaded);
    if (this.factsOf(0).flagsReadIn) this.loadFlags();
    this.loadFloatControl();
    this.forgetPages();
    this.withEnds(body);
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

  // Blocks.

  private isJoined(n: number): boolean {
    return this.graph.merges.has(n) || this.graph.loopHeaders.has(n);
  }

  /** A block and what it dominates. */
  private visit(n: number): void {
    if (this.isJoined(n)) {
      const facts = this.factsOf(n);
      this.meet(facts, this.vectors.dirtyIn.get(n) as number);
      const from = facts.flagsFrom === n ? undefined : this.flagsAtEnd.get(facts.flagsFrom);
      if (from) this.setFlagState(from);
      else this.meetFlags(facts);
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
      this.flagsAtEnd.set(n, this.flagState());
      this.dispatch(block);
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
    this.flagsAtEnd.set(n, this.flagState());
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
    // A branch to the next instruction leads there in one way.
    if (condition && (block.taken === undefined || block.taken !== block.next)) {
      this.emit(condition);
      this.block(op.if, () => {
        this.edge(block, block.taken, target);
      });
      this.edge(block, block.next, after);
      return;
    }
    const isDispatched = kind === 'indirect' || (kind === 'return' && block.returnsTo === undefined);
    if (isDispatched && block.taken !== undefined) {
      this.emit(target);
      this.set(this.indirectTarget);
      this.edge(block, block.taken, localValue(64, this.indirectTarget, true));
      return;
    }
    if (kind === 'indirect call') {
      this.call(block, target);
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

  /** Goes on in what an indirect call has called before, if that is it. */
  private call(block: Block, target: Node): void {
    const branchType = this.branchTypeSet as Node;
    for (const callee of block.callees ?? []) {
      const expected = constant(64, this.addressOf(callee.offset));
      this.emit(this.eq(target, expected) as Node);
      this.block(op.if, () => {
        this.edge(block, callee.block, expected, this.or(branchType, constant32(btypeChecked)) as Node);
      });
    }
    this.noteCalled(this.source.callSiteAt(this.address), target);
    this.leave(target);
  }

  /** Whether an indirect branch may lead to a block: the region's first one, a dispatcher's choices, and what calls call. */
  private isBranchTarget(n: number): boolean {
    return n === 0 || this.chosen.has(n);
  }

  /** Goes on at a block, or where there is none leaves for its address. */
  private edge(from: Block, to: number | undefined, address: Node, branchType?: Node): void {
    this.way(() => {
      this.goOn(from, to, address, branchType);
    });
  }

  private goOn(from: Block, to: number | undefined, address: Node, branchType: Node | undefined): void {
    if (to === undefined) {
      this.leave(address);
      return;
    }
    const facts = this.factsOf(to);
    if (this.isOtherPage(from, this.blockAt(to))) {
      this.leaveIfFetchedElsewhere(address);
    }
    // An indirect branch has been admitted here: they are followed in pages that are not guarded, which this one still is.
    if (branchType) this.storeState(pe.btype, branchType);
    if (facts.isChecked) {
      // Paid first: the host then has one number to keep, not that from before it too.
      this.payBudget();
      this.checkBudget(facts.need, address);
    }
    if (!this.isJoined(to)) {
      this.visit(to);
      return;
    }
    const label = this.labels.get(to);
    if (this.takesFlags(to)) this.handFlagsOn(facts);
    this.payBudget();
    if (label === undefined) {
      this.visit(to);
      return;
    }
    this.w.byte(op.br);
    this.w.u32(this.depth - label);
  }
}

/** Makes regions of the instructions that `decode` knows, as makeTranslator does traces. */
export function makeRegionTranslator(decode: Decoder, company: Company): (source: RegionSource) => Region {
  const generator = new RegionGenerator(decode, company);
  return (source) => generator.region(source);
}
