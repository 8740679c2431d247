// The *translate* reading: a trace of instructions as one wasm function, with operand fields known, guest registers in wasm locals, and a
// loop back to its own start kept inside the function.
//
// A trace follows branches: direct ones, calls among them, and the returns from these; the jumps of a linker's veneers; that side of conditional
// ones which is the usual one. It follows them to other pages, too, where these are fetched from then. Ways out that are seldom gone have a common
// end, since V8 takes as long over a trace as it has text.
// Its cost is charged at each exit; it is entered only when the budget covers all of it, so that budgets are exact to the instruction.
// The text of a trace that loops is generated twice: the first pass finds out that it does, and which registers it writes.

import { exit } from '../arch/exits.ts';
import { btypeChecked, pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { BranchKind, Value } from '../isa/semantics.ts';
import type { UsualWays } from './branch-notes.ts';
import { constant, constant32, localValue, type Node } from './expression.ts';
import { secondLocal } from './emitting.ts';
import { pageOf } from './fetched-pages.ts';
import {
  type Company,
  endingOperations,
  LocalRegisters,
  returningOperations,
  stackPointerSlot,
} from './local-registers.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** A trace longer than this gains little and is entered less often at the end of a budget. */
const maxInstructions = 64;

/** Calls within calls that are followed. */
const maxCalls = 2;

/** A trace has run so often that a region is worth while; PC is at its start. Beyond the codes of arch/exits.ts. */
export const traceIsHot = 65;

const alone: Company = { isConcurrent: false, yields: false };

export interface TraceSource {
  /** Virtual address of the first instruction. */
  readonly start: bigint;
  /** The word at a virtual address in the page of `start`, or in one that `addendOf` knows. */
  readonly fetch: (va: bigint) => number;
  /**
   * Physical minus virtual address of the page of an address, modulo 2^32, where it can be fetched from and is guarded or not as that of `start`:
   * traces follow calls there.
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
  /** Address, in the shared memory, of a word that counts the trace's rounds down: at 0 it leaves with `traceIsHot`. */
  readonly counter?: number;
  /** The place of the link to an address (trace-links.ts), in the page of `start` or in one that `addendOf` knows. */
  readonly linkTo?: (va: bigint) => number;
}

export interface Trace {
  readonly function: ModuleFunction;
  /** Virtual addresses of the instructions, in the order of the trace. */
  readonly addresses: readonly bigint[];
  /** Statically known virtual addresses at which execution goes on after the trace, at once or when a call has returned. */
  readonly successors: readonly bigint[];
}

interface Call {
  readonly callee: bigint;
  readonly returnsTo: bigint;
}

interface Uses {
  readonly slotsRead: Set<number>;
  readonly slotsWritten: Set<number>;
  flagsRead: boolean;
  flagsWritten: boolean;
  loops: boolean;
}

const noDirection = { isTaken: false, isSteady: false };

const noUses = (): Uses => ({
  slotsRead: new Set(),
  slotsWritten: new Set(),
  flagsRead: false,
  flagsWritten: false,
  loops: false,
});

class TraceGenerator extends LocalRegisters {
  private readonly decode: Decoder;
  private source!: TraceSource;
  /** What this pass has found out, and what the pass before found out. */
  private uses = noUses();
  private known = noUses();

  private index = 0;
  private ended = false;
  private next = 0n;
  /** The page that instructions are fetched from, and those that are known to be where they were since the last service. */
  private page = 0n;
  private knownPages = new Set<bigint>();
  /** Calls that have been followed. */
  private calls: readonly Call[] = [];
  /** Where the trace has been, by its calls. */
  private visited = new Set<string>();
  /** What comes here has come by an indirect branch, with this BTYPE; undefined where BTYPE is 0. */
  private branchType: Node | undefined;
  private addresses: bigint[] = [];
  private successors: bigint[] = [];

  private dirtySlots = new Set<number>();
  private dirtyFlags = false;
  /** Registers in the order in which they are first written, for the common end; SP is not among them. */
  private writeOrder: number[] = [];
  /** Branches to the common end: where their labels stand, and what these are if no registers have been written. */
  private endBranches: { readonly position: number; readonly label: number }[] = [];
  /** The record has all that the service for the present access needs. */
  private isPrepared = false;

  constructor(decode: Decoder, company: Company) {
    super(company);
    this.decode = decode;
  }

  trace(source: TraceSource): Trace {
    this.source = source;
    this.alignment = source.strictAlignment ? 'strict' : 'relaxed';
    this.isGuarded = source.guarded;
    this.el = source.el;
    this.record = source.record;
    this.known = noUses();
    this.uses = noUses();
    let body = this.pass();
    if (this.uses.loops) {
      this.known = this.uses;
      this.uses = noUses();
      body = this.pass();
    } else {
      this.known = this.uses;
    }
    return {
      function: { signature: codeSignature, locals: this.localTypes, body: this.withEntry(body) },
      addresses: this.addresses,
      successors: this.successors,
    };
  }

  private pass(): Writer {
    this.w = new Writer(4096);
    this.startFunction();
    this.count = -1;
    this.address = this.source.start;
    this.index = 0;
    this.ended = false;
    this.page = pageOf(this.source.start);
    this.knownPages = new Set([this.page]);
    this.calls = [];
    this.visited = new Set();
    this.branchType = undefined;
    this.addresses = [];
    this.successors = [];
    this.dirtySlots = new Set();
    this.dirtyFlags = false;
    this.writeOrder = this.known.loops ? [...this.known.slotsWritten].filter((slot) => slot !== stackPointerSlot) : [];
    this.endBranches = [];
    this.isPrepared = false;
    while (!this.ended) this.instruction();
    return this.w;
  }

  private instruction(): void {
    if (this.index === maxInstructions || !this.canGoTo(this.address)) {
      this.leaveTo(this.address, this.index);
      this.ended = true;
      return;
    }
    this.goTo(this.address);
    this.addresses.push(this.address);
    this.visited.add(this.placeOf(this.address));
    this.next = this.address + 4n;
    const { branchType } = this;
    this.branchType = undefined;
    // The branch has been admitted: in a page that is not guarded every instruction is a target.
    if (branchType) this.storeState(pe.btype, this.or(branchType, constant32(btypeChecked)) as Node);
    const decoded = this.decode(this.source.fetch(this.address));
    if (!decoded) {
      this.undefined();
      this.index += 1;
      return;
    }
    this.perform(decoded);
    // What may be a branch's target is over now.
    if ((this.index === 0 || branchType) && !this.hasSetBType()) this.storeState(pe.btype, constant32(0));
    this.index += 1;
    if (!this.ended) this.transfer();
    this.address = this.next;
  }

  // Entry and exits.

  /** The function's body: registers are loaded, then at the head of the (possible) loop the budget is checked. */
  private withEntry(body: Writer): Writer {
    this.w = new Writer(body.length + 512);
    for (const { position, label } of this.endBranches) body.setByte(position, label + this.writeOrder.length);
    this.fixRecord();
    const { loops, slotsRead, flagsRead, flagsWritten } = this.known;
    for (const slot of this.slotLocals.keys()) {
      if (loops || slotsRead.has(slot)) this.loadSlot(slot);
    }
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

  /** Completes the record but for the budget, and for registers that the common end stores. */
  private completeSeldom(target: Node): void {
    const dirty = this.known.loops ? this.known.slotsWritten : this.dirtySlots;
    if (dirty.has(stackPointerSlot)) this.storeSlots([stackPointerSlot]);
    if (this.known.loops ? this.known.flagsWritten : this.dirtyFlags) this.storeFlagsSeldom();
    this.storeState(pe.pc, target);
  }

  /** Leaves for an address by a way that is seldom gone. */
  private leaveSeldom(target: Node): void {
    if (target.isConstant) this.successors.push(target.bits);
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
    if (this.source.counter !== undefined) {
      this.countDown(this.source.counter);
      this.leaveAtStartIf(traceIsHot);
    }
    this.w.append(body);
  }

  /** Leaves at the head of the loop where the condition on the stack holds. */
  private leaveAtStartIf(code: number): void {
    const { loops } = this.known;
    this.ifSeldom(() => {
      this.arm(() => {
        if (loops) {
          this.flagValues = this.flagsInLocals();
          this.writeBack();
        }
        this.storeState(pe.pc, constant(64, this.source.start));
        this.storeState(pe.budget, localValue(32, secondLocal, true));
        this.i32(code);
        this.w.byte(op.return);
      });
    });
  }

  private count = -1;
  private get countLocal(): number {
    if (this.count < 0) this.count = this.allocate(type.i32);
    return this.count;
  }

  /** Leaves on the stack whether the word at an address has been counted down to 0. */
  private countDown(address: number): void {
    this.i32(address);
    this.i32(address);
    this.memoryOperation(op.i32_load, 0);
    this.i32(1);
    this.w.byte(op.i32_sub);
    this.w.byte(op.local_tee);
    this.w.u32(this.countLocal);
    this.memoryOperation(op.i32_store, 0);
    this.get(this.countLocal);
    this.w.byte(op.i32_eqz);
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
  private writeBack(): void {
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

  private remaining(count: number): Node {
    return this.sub(localValue(32, secondLocal, true), constant32(count)) as Node;
  }

  /** Leaves for a statically known address after `count` instructions: to the loop's head, or out of the function. */
  private leaveTo(target: bigint, count: number): void {
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
    this.successors.push(target);
    this.writeBack();
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

  /** Leaves by a look-up, with registers and flags in the record. */
  private leaveBy(target: Node, count = this.index): void {
    this.storeState(pe.pc, target);
    this.chain(this.remaining(count));
  }

  /** An address and the calls within which it is. */
  private placeOf(address: bigint): string {
    return [...this.calls.map(({ returnsTo }) => returnsTo), address].join();
  }

  /** Whether the trace can go on at an address: not where it has been, and in another page only if that is known. */
  private canGoTo(target: bigint): boolean {
    if (this.index > 0 && (target === this.source.start || this.visited.has(this.placeOf(target)))) return false;
    return pageOf(target) === this.page || this.source.addendOf?.(target) !== undefined;
  }

  /** Goes into a call, or not: where there are too many, or it is one of itself. */
  private call(target: bigint): boolean {
    const before = this.calls;
    if (before.length === maxCalls || before.some(({ callee }) => callee === target)) return false;
    this.calls = [...before, { callee: target, returnsTo: this.address + 4n }];
    if (this.canGoTo(target)) return true;
    this.calls = before;
    return false;
  }

  /** Goes on there; in another page the code looks whether it is still fetched from where it was. */
  private goTo(target: bigint): void {
    this.next = target;
    this.page = pageOf(target);
    if (this.knownPages.has(this.page)) return;
    this.knownPages.add(this.page);
    const addend = this.source.addendOf?.(target) as number;
    this.emit(this.or(...this.fetchedElsewhere(target, addend)) as Node);
    this.ifSeldom(() => {
      this.arm(() => {
        this.leaveSeldom(constant(64, target));
      });
    });
  }

  /** Goes on where it can, and leaves for where it cannot. */
  private goToOrLeave(target: bigint): void {
    if (this.canGoTo(target)) {
      this.goTo(target);
      return;
    }
    this.leaveTo(target, this.index);
    this.ended = true;
  }

  /** Leaves where a branch does not lead where it usually does. */
  private leaveUnless(target: Node, expected: bigint): void {
    this.emit(this.ne(target, constant(64, expected)) as Node);
    this.ifSeldom(() => {
      this.arm(() => {
        this.leaveSeldom(target);
      });
    });
  }

  /** Follows a return from a call that has been followed. */
  private returnTo(target: Node): boolean {
    const expected = this.calls.at(-1)?.returnsTo;
    this.calls = this.calls.slice(0, -1);
    if (expected === undefined || (target.isConstant && target.bits !== expected)) return false;
    if (!target.isConstant) this.leaveUnless(target, expected);
    this.goToOrLeave(expected);
    return true;
  }

  /** Follows the jump of a linker's veneer where it usually leads, if that is in pages whose instructions are targets of all branches. */
  private followVeneer(target: Node, kind: BranchKind): boolean {
    const isVeneer = kind === 'indirect' && (this.baseSlot === 16 || this.baseSlot === 17);
    const usual = isVeneer && !this.source.guarded ? this.source.usualWays?.usualTarget(this.address) : undefined;
    if (usual === undefined || this.index === maxInstructions || !this.canGoTo(usual)) return false;
    this.leaveUnless(target, usual);
    this.goTo(usual);
    this.branchType = this.branchTypeSet;
    return true;
  }

  /** Follows a conditional branch the usual way, and leaves by the other one. */
  private branchIfUsual(condition: Node, target: bigint): void {
    const { isTaken, isSteady } = this.source.usualWays?.directionOf(this.address) ?? noDirection;
    const isFollowed = isTaken && this.canGoTo(target);
    const other = isFollowed ? this.next : target;
    const isSeldom = isSteady && isFollowed === isTaken && other !== this.source.start;
    this.emit(isFollowed ? (this.eq(condition, constant32(0)) as Node) : condition);
    if (isSeldom) this.w.hintSeldom();
    this.block(op.if, () => {
      this.arm(() => {
        if (isSeldom) this.leaveSeldom(constant(64, other));
        else this.leaveTo(other, this.index);
      });
    });
    if (isFollowed) this.goTo(target);
  }

  /** Follows the control transfer that the instruction asked for, after its writes. */
  private transfer(): void {
    if (!this.control) return;
    const { target, condition, kind } = this.control;
    if (condition) {
      this.branchIfUsual(condition, target.bits);
      return;
    }
    if (target.isConstant && kind === 'direct') {
      this.goToOrLeave(target.bits);
      return;
    }
    if (kind === 'call' && target.isConstant && this.call(target.bits)) {
      this.goTo(target.bits);
      return;
    }
    if (kind === 'return' && this.returnTo(target)) return;
    if (!target.isConstant && this.followVeneer(target, kind)) return;
    this.ended = true;
    if (kind === 'call') this.successors.push(this.next);
    if (target.isConstant) {
      this.leaveTo(target.bits, this.index);
      return;
    }
    this.writeBack();
    this.leaveBy(target);
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.knownPages = new Set([this.page]);
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    if (returningOperations.has(operation)) this.successors.push(this.next);
    this.leaveBy(constant(64, this.next), this.index + 1);
    this.ended = true;
  }

  // Registers and flags.

  protected noteRead(slot: number): void {
    if (!this.uses.slotsWritten.has(slot)) this.uses.slotsRead.add(slot);
  }
  protected noteWrite(slot: number): void {
    this.uses.slotsWritten.add(slot);
    this.dirtySlots.add(slot);
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

/** Makes traces of the instructions that `decode` knows; others are UNDEFINED. */
export function makeTranslator(decode: Decoder, company: Company = alone): (source: TraceSource) => Trace {
  const generator = new TraceGenerator(decode, company);
  return (source) => generator.trace(source);
}
