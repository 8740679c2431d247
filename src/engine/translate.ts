// The *translate* reading: a trace of instructions as one wasm function, with operand fields known, guest registers in wasm locals, and a
// loop back to its own start kept inside the function.
//
// A trace follows unconditional direct branches inside the page and that side of conditional ones which has run more. It
// follows direct calls, to other pages, too, where they are fetched from then, and the returns from them. Its cost is
// charged at each exit; it is entered only when the budget covers all of it, so that budgets are exact to the instruction.
// The text of a trace that loops is generated twice: the first pass finds out that it does, and which registers it writes.

import { exit } from '../arch/exits.ts';
import { pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { Value } from '../isa/semantics.ts';
import { constant, constant32, localValue, type Node } from './expression.ts';
import { secondLocal } from './emitting.ts';
import { pageOf } from './fetched-pages.ts';
import { type Company, endingOperations, LocalRegisters, returningOperations } from './local-registers.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** A trace longer than this gains little and is entered less often at the end of a budget. */
const maxInstructions = 64;

/** Calls within calls that are followed. */
const maxCalls = 3;

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
  /** How often code of the page has been stepped to by branches that are taken; 0 of what is translated. Traces follow the usual side. */
  readonly runsOf?: (va: bigint) => number;
  /** Address, in the shared memory, of a word that counts the trace's rounds down: at 0 it leaves with `traceIsHot`. */
  readonly counter?: number;
  /** Address of what is known of the indirect call at a virtual address (runtime-tables.ts, callSite). */
  readonly callSiteAt: (va: bigint) => number;
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

interface Uses {
  readonly slotsRead: Set<number>;
  readonly slotsWritten: Set<number>;
  flagsRead: boolean;
  flagsWritten: boolean;
  loops: boolean;
}

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
  /** How often the present instruction has run, roughly. */
  private runs = 0;
  private ended = false;
  private next = 0n;
  /** The page that instructions are fetched from, and where the calls that have been followed return to. */
  private page = 0n;
  private returns: bigint[] = [];
  private addresses: bigint[] = [];
  private successors: bigint[] = [];
  /** Pages that are fetched from where they were when the trace was made, wherever it has come to. */
  private pages = new Set<bigint>();

  private dirtySlots = new Set<number>();
  private dirtyFlags = false;

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
    this.address = this.source.start;
    this.index = 0;
    this.runs = this.source.runsOf?.(this.source.start) ?? 0;
    this.ended = false;
    this.page = pageOf(this.source.start);
    this.returns = [];
    this.addresses = [];
    this.successors = [];
    this.pages = new Set([this.page]);
    this.dirtySlots = new Set();
    this.dirtyFlags = false;
    while (!this.ended) this.instruction();
    return this.w;
  }

  private instruction(): void {
    const visited = this.addresses.includes(this.address);
    if (visited || this.index === maxInstructions || pageOf(this.address) !== this.page) {
      this.leaveTo(this.address, this.index);
      this.ended = true;
      return;
    }
    this.addresses.push(this.address);
    this.next = this.address + 4n;
    const decoded = this.decode(this.source.fetch(this.address));
    if (!decoded) {
      this.undefined();
      this.index += 1;
      return;
    }
    this.perform(decoded);
    // The first instruction may be a branch's target: it is over now.
    if (this.index === 0 && !this.hasSetBType()) this.storeState(pe.btype, constant32(0));
    this.index += 1;
    if (!this.ended) this.transfer();
    this.address = this.next;
  }

  // Entry and exits.

  /** The function's body: registers are loaded, then at the head of the (possible) loop the budget is checked. */
  private withEntry(body: Writer): Writer {
    this.w = new Writer(body.length + 512);
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
      this.block(op.loop, () => {
        this.checkBudget();
        this.round(body);
      });
      this.w.byte(op.unreachable);
    } else {
      this.checkBudget();
      this.admitBranch(this.source.start);
      this.round(body);
    }
    return this.w;
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

  /** Leaves on the stack whether the word at an address has been counted down to 0. */
  private countDown(address: number): void {
    this.i32(address);
    this.i32(address);
    this.memoryOperation(op.i32_load, 0);
    this.i32(1);
    this.w.byte(op.i32_sub);
    this.w.byte(op.local_tee);
    this.w.u32(this.statusLocal);
    this.memoryOperation(op.i32_store, 0);
    this.get(this.statusLocal);
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
    if (linkTo && this.pages.has(pageOf(target))) {
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

  /** Goes on at an address, of another page only if that is known; there the code looks whether it is still fetched from where it was. */
  private goTo(target: bigint): boolean {
    if (target === this.source.start || this.addresses.includes(target)) return false;
    if (pageOf(target) !== this.page) {
      const addend = this.source.addendOf?.(target);
      if (addend === undefined) return false;
      this.emit(this.or(...this.fetchedElsewhere(target, addend)) as Node);
      this.ifSeldom(() => {
        this.arm(() => {
          this.successors.push(target);
          this.writeBack();
          this.leaveBy(constant(64, target));
        });
      });
      this.page = pageOf(target);
      this.pages.add(this.page);
    }
    this.next = target;
    return true;
  }

  /** Follows a return from a call that has been followed. */
  private returnTo(target: Node): boolean {
    const expected = this.returns.pop();
    if (expected === undefined || (target.isConstant && target.bits !== expected)) return false;
    if (!target.isConstant) {
      this.emit(this.ne(target, constant(64, expected)) as Node);
      this.ifSeldom(() => {
        this.arm(() => {
          this.writeBack();
          this.leaveBy(target);
        });
      });
    }
    if (this.goTo(expected)) return true;
    this.leaveTo(expected, this.index);
    this.ended = true;
    return true;
  }

  /** Whether a conditional branch to an address has been taken more often than not, as far as the numbers of runs tell. */
  private isUsuallyTaken(target: bigint): boolean {
    const { start, runsOf } = this.source;
    if (!runsOf || pageOf(target) !== pageOf(start) || pageOf(target) !== this.page) return false;
    if (target === start || this.addresses.includes(target)) return false;
    const taken = runsOf(target);
    // What has run more often than this is come to from elsewhere, too.
    const isUsual = 2 * taken > this.runs && taken <= this.runs;
    if (taken <= this.runs) this.runs = isUsual ? taken : this.runs - taken;
    return isUsual;
  }

  /** Follows the control transfer that the instruction asked for, after its writes. */
  private transfer(): void {
    if (!this.control) return;
    const { target, condition, kind } = this.control;
    if (condition) {
      const isFollowed = this.isUsuallyTaken(target.bits);
      const other = isFollowed ? this.next : target.bits;
      this.emit(isFollowed ? (this.eq(condition, constant32(0)) as Node) : condition);
      this.block(op.if, () => {
        this.arm(() => {
          this.leaveTo(other, this.index);
        });
      });
      if (isFollowed) this.next = target.bits;
      return;
    }
    if (target.isConstant && kind === 'direct' && target.bits !== this.source.start) {
      this.next = target.bits;
      return;
    }
    if (kind === 'call' && target.isConstant && this.returns.length < maxCalls && this.goTo(target.bits)) {
      this.returns.push(this.address + 4n);
      return;
    }
    if (kind === 'return' && this.returnTo(target)) return;
    this.ended = true;
    if (kind === 'call') this.successors.push(this.next);
    if (target.isConstant) {
      this.leaveTo(target.bits, this.index);
      return;
    }
    if (kind === 'indirect call') this.noteCalled(this.source.callSiteAt(this.address), target);
    this.writeBack();
    this.leaveBy(target);
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
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
