// How a trace is entered and left: what is loaded at its entry, what the record has where the trace is left, and the budget.
//
// Ways out that are seldom gone have a common end, since V8 takes as long over a trace as it has text.

import { exit } from '../arch/exits.ts';
import { btypeChecked, pe } from '../arch/state-layout.ts';
import type { UsualWays } from './branch-notes.ts';
import { constant, constant32, localValue, type Node } from './expression.ts';
import { secondLocal } from './emitting.ts';
import { pageOf } from './fetched-pages.ts';
import { LocalRegisters, stackPointerSlot } from './local-registers.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** A trace has run so often that a region is worth while; PC is at its start. Beyond the codes of arch/exits.ts. */
export const traceIsHot = 65;

export interface TraceSource {
  /** Virtual address of the first instruction. */
  readonly start: bigint;
  /** The word at a virtual address in the page of `start`, or in one that `addendOf` knows. */
  readonly fetch: (va: bigint) => number;
  /**
   * Physical minus virtual address of the page of an address, modulo 2^32, where it can be fetched from and is guarded or not as that of `start`:
   * traces follow branches there.
   */
  readonly addendOf?: (va: bigint) => number | undefined;
  /** The Exception level, part of every jump cache key. */
  readonly el: number;
  /** Address of the record, where only one PE runs the code. */
  readonly record?: number;
  /** Accesses check alignment. */
  readonly strictAlignment: boolean;
  /** The page is guarded (FEAT_BTI). */
  readonly guarded: boolean;
  /** Traces follow branches the usual way. */
  readonly usualWays?: UsualWays;
  /**
   * Address, in the shared memory, of a word that counts the trace's rounds down (round-counters.ts): at 0 it begins with `start` again, and the
   * trace leaves with `traceIsHot`; below 0 it leaves for what runs in its place.
   */
  readonly counter?: { readonly address: number; readonly start: number };
  /** The place of the link to an address (trace-links.ts), in the page of `start` or in one that `addendOf` knows. */
  readonly linkTo?: (va: bigint) => number;
}

interface Uses {
  readonly slotsWritten: Set<number>;
  flagsRead: boolean;
  flagsWritten: boolean;
  loops: boolean;
}

const noUses = (): Uses => ({
  slotsWritten: new Set(),
  flagsRead: false,
  flagsWritten: false,
  loops: false,
});

export abstract class TraceEnds extends LocalRegisters {
  protected source!: TraceSource;
  /** What this pass has found out, and what the pass before found out. */
  private uses = noUses();
  private known = noUses();

  /** Of the present instruction in the trace. */
  protected index = 0;
  /** The pages that are known to be fetched from where they were since the last service. */
  protected knownPages = new Set<bigint>();
  /** Where execution goes on after the trace, and how often branches have been noted to lead there: 0 where that is not known. */
  protected successors = new Map<bigint, number>();

  private count = -1;
  private dirtySlots = new Set<number>();
  private dirtyFlags = false;
  /** Registers in the order in which they are first written, for the common end; SP is not among them. */
  private writeOrder: number[] = [];
  /** Branches to the common end: where their labels stand, and what these are if no registers have been written. */
  private endBranches: { readonly position: number; readonly label: number }[] = [];
  /** The record has all that the service for the present access needs. */
  private isPrepared = false;
  /** Registers whose locals have their values. */
  private slotsLoaded = new Set<number>();

  protected startTrace(source: TraceSource): void {
    this.source = source;
    this.alignment = source.strictAlignment ? 'strict' : 'relaxed';
    this.isGuarded = source.guarded;
    this.el = source.el;
    this.record = source.record;
    this.known = noUses();
  }

  protected startPass(): void {
    this.w = new Writer(4096);
    this.startFunction();
    this.uses = noUses();
    this.count = -1;
    this.index = 0;
    this.knownPages = new Set([pageOf(this.source.start)]);
    this.successors = new Map();
    this.dirtySlots = new Set();
    this.dirtyFlags = false;
    this.writeOrder = this.known.loops ? [...this.known.slotsWritten].filter((slot) => slot !== stackPointerSlot) : [];
    this.endBranches = [];
    this.isPrepared = false;
    this.slotsLoaded = new Set();
  }

  /** What the pass has found out is known from here on. */
  protected knowUses(): Pick<Uses, 'loops'> {
    this.known = this.uses;
    return this.known;
  }

  /** The function's body: registers are loaded, then at the head of the (possible) loop the budget is checked. */
  protected withEntry(body: Writer): Writer {
    this.w = new Writer(body.length + 512);
    for (const { position, label } of this.endBranches) body.setByte(position, label + this.writeOrder.length);
    this.fixRecord();
    const { loops, flagsRead, flagsWritten } = this.known;
    if (loops) for (const slot of this.slotLocals.keys()) this.loadSlot(slot);
    if (flagsRead || (loops && flagsWritten)) this.loadFlags();
    this.loadFloatControl();
    if (loops) {
      this.checkBranchTarget();
      // At its head V8 looks whether the thread is wanted: only where something leads back there.
      this.withEnd(() => {
        this.block(op.loop, () => {
          this.checkBudget();
          this.round(body);
        });
        this.w.byte(op.unreachable);
      });
    } else {
      this.checkBudget();
      this.admitBranch(this.source.start);
      this.withEnd(() => {
        this.round(body);
      });
    }
    return this.w;
  }

  /**
   * The end that ways out have in common which are seldom gone. Each of them enters it where the registers are stored that it has written, after
   * those which are written later. PC is in the record by then, and flags and SP; and the budget, where there is a status to be returned.
   */
  private withEnd(text: () => void): void {
    if (this.endBranches.length === 0) {
      text();
      return;
    }
    const nest = (written: number): void => {
      this.block(op.block, () => {
        if (written === this.writeOrder.length) text();
        else nest(written + 1);
      });
      this.storeSlots(this.writeOrder.slice(Math.max(written - 1, 0), written));
    };
    nest(0);
    this.get(this.statusLocal);
    this.ifSeldom(() => {
      this.get(this.statusLocal);
      this.w.byte(op.return);
    });
    this.chain(localValue(32, secondLocal, true));
  }

  /** A branch to the common end. */
  private branchToEnd(isConditional: boolean): void {
    if (isConditional) this.w.hintSeldom();
    this.w.byte(isConditional ? op.br_if : op.br);
    const label = this.depth + (this.known.loops ? 1 : 0) - this.writeOrder.length;
    this.endBranches.push({ position: this.w.length, label });
    this.w.byte(0);
  }

  protected noteSuccessor(va: bigint, runs = 0): void {
    this.successors.set(va, Math.max(runs, this.successors.get(va) ?? 0));
  }

  /** Completes the record but for the budget, and for registers that the common end stores. */
  private completeSeldom(target: Node): void {
    const dirty = this.known.loops ? this.known.slotsWritten : this.dirtySlots;
    if (dirty.has(stackPointerSlot)) this.storeSlots([stackPointerSlot]);
    if (this.known.loops ? this.known.flagsWritten : this.dirtyFlags) this.storeFlagsSeldom();
    this.storeState(pe.pc, target);
  }

  /** Leaves for an address by a way that is seldom gone. */
  protected leaveSeldom(target: Node): void {
    if (target.isConstant) this.noteSuccessor(target.bits);
    this.completeSeldom(target);
    this.emit(this.remaining(this.index));
    this.set(secondLocal);
    this.branchToEnd(false);
  }

  protected override prepareAccess(): void {
    this.isPrepared = true;
    this.completeSeldom(constant(64, this.address));
    this.storeState(pe.budget, this.remaining(this.index));
  }

  protected override leaveIfAsked(): void {
    if (this.isPrepared) this.branchToEnd(true);
    else super.leaveIfAsked();
    this.isPrepared = false;
  }

  private checkBudget(): void {
    this.get(secondLocal);
    this.i32(this.index);
    this.w.byte(op.i32_lt_s);
    this.leaveAtStartIf(exit.budget);
  }

  /** One way through the trace. */
  private round(body: Writer): void {
    if (this.source.counter !== undefined) this.countDown(this.source.counter);
    this.w.append(body);
  }

  /** Leaves at the head of the loop where the condition on the stack holds; `first` when the record is complete. */
  private leaveAtStartIf(code: number, first?: () => void): void {
    const { loops } = this.known;
    this.ifSeldom(() => {
      this.arm(() => {
        if (loops) {
          this.flagValues = this.flagsInLocals();
          this.writeBack();
        }
        this.storeState(pe.pc, constant(64, this.source.start));
        this.storeState(pe.budget, localValue(32, secondLocal, true));
        first?.();
        this.i32(code);
        this.w.byte(op.return);
      });
    });
  }

  private get countLocal(): number {
    if (this.count < 0) this.count = this.allocate(type.i32);
    return this.count;
  }

  /** Counts a round, unless it is time to ask for a region, or the trace has ended: then this is no round of it. */
  private countDown({ address, start }: NonNullable<TraceSource['counter']>): void {
    const left = this.countLocal;
    const isNegative = (): void => {
      this.i32(0);
      this.w.byte(op.i32_lt_s);
    };
    this.i32(address);
    this.memoryOperation(op.i32_load, 0);
    this.i32(1);
    this.w.byte(op.i32_sub);
    this.w.byte(op.local_tee);
    this.w.u32(left);
    isNegative();
    this.leaveAtStartIf(traceIsHot, () => {
      this.get(left);
      this.i32(1);
      this.w.byte(op.i32_add);
      isNegative();
      this.block(op.if, () => {
        this.leaveForSuccessor(localValue(32, secondLocal, true));
      });
      this.i32(address);
      this.i32(start);
      this.memoryOperation(op.i32_store, 0);
    });
    this.i32(address);
    this.get(left);
    this.memoryOperation(op.i32_store, 0);
  }

  /** Leaves for what runs in place of the trace, which has ended: that admits the branch which has led here anew. */
  private leaveForSuccessor(budget: Node): void {
    const { linkTo, start } = this.source;
    this.storeState(pe.btype, this.and(this.loadState(32, pe.btype), constant32(~btypeChecked)) as Node);
    if (linkTo) this.followTable(linkTo(start), budget);
    else this.chain(budget);
  }

  /** If the budget lets the trace run, its first instruction must be a target of the branch that has led to it. */
  private checkBranchTarget(): void {
    this.get(secondLocal);
    this.i32(this.index);
    this.w.byte(op.i32_ge_s);
    this.block(op.if, () => {
      this.admitBranch(this.source.start);
    });
  }

  /** Completes the record for leaving, or for a service, `count` instructions after the start. */
  protected writeBack(): void {
    this.storeSlots(this.known.loops ? this.known.slotsWritten : this.dirtySlots);
    if (this.known.loops ? this.known.flagsWritten : this.dirtyFlags) this.storeFlags();
  }

  protected synchronise(): void {
    this.writeBack();
    if (!this.inArm) {
      this.dirtySlots.clear();
      this.dirtyFlags = false;
    }
    this.storeState(pe.pc, constant(64, this.address));
    this.storeState(pe.budget, this.remaining(this.index));
  }

  protected remaining(count: number): Node {
    return this.sub(localValue(32, secondLocal, true), constant32(count)) as Node;
  }

  /** Leaves for a statically known address after `count` instructions: to the loop's head, or out of the function. */
  protected leaveTo(target: bigint, count: number): void {
    if (target === this.source.start) {
      this.uses.loops = true;
      this.flagValues.forEach((value, i) => {
        const local = this.flagLocals[i] as number;
        if (value.local === local) return;
        this.emit(value);
        this.set(local);
      });
      this.emit(this.remaining(count));
      this.set(secondLocal);
      this.w.byte(op.br);
      this.w.u32(this.inArm ? 1 : 0);
      return;
    }
    this.noteSuccessor(target);
    this.writeBack();
    this.leaveByLink(target, count);
  }

  /** Leaves for an address by its link, where it has one, with registers and flags in the record. */
  private leaveByLink(target: bigint, count: number): void {
    const { linkTo, addendOf } = this.source;
    if (linkTo && this.knownPages.has(pageOf(target))) {
      this.followLink(linkTo(target), this.remaining(count));
      return;
    }
    const addend = addendOf?.(target);
    if (linkTo && addend !== undefined) {
      this.emit(this.or(...this.fetchedElsewhere(target, addend)) as Node);
      this.ifSeldom(() => {
        this.arm(() => {
          this.leaveBy(constant(64, target), count);
        });
      });
      this.followLink(linkTo(target), this.remaining(count));
      return;
    }
    this.leaveBy(constant(64, target), count);
  }

  /** Leaves for where an indirect branch has led nearly always by its link, and for other addresses by a look-up. */
  protected leaveUsually(target: Node, usual: bigint): void {
    this.noteSuccessor(usual);
    const settled = localValue(64, this.settle(target), true);
    this.emit(this.ne(settled, constant(64, usual)) as Node);
    this.ifSeldom(() => {
      this.arm(() => {
        this.leaveBy(settled);
      });
    });
    this.leaveByLink(usual, this.index);
  }

  /** Leaves by a look-up, with registers and flags in the record. */
  protected leaveBy(target: Node, count = this.index): void {
    this.storeState(pe.pc, target);
    this.chain(this.remaining(count));
  }

  // Registers and flags.

  /** A register is loaded when it is first read, so that its local is not kept for longer; what loops has all of them at its entry. */
  protected noteRead(slot: number): void {
    if (this.known.loops || this.slotsLoaded.has(slot)) return;
    this.loadSlot(slot);
    if (this.depth === 0) this.slotsLoaded.add(slot);
  }
  protected noteWrite(slot: number): void {
    this.uses.slotsWritten.add(slot);
    this.dirtySlots.add(slot);
    this.slotsLoaded.add(slot);
    if (slot !== stackPointerSlot && !this.writeOrder.includes(slot)) this.writeOrder.push(slot);
  }
  protected noteFlagRead(): void {
    if (!this.uses.flagsWritten) this.uses.flagsRead = true;
  }
  protected noteFlagWrite(): void {
    this.uses.flagsWritten = true;
    this.dirtyFlags = true;
  }
}
