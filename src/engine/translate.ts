// The *translate* reading: a trace of instructions inside one page as one wasm function, with operand fields known, guest registers in
// wasm locals, and a loop back to its own start kept inside the function.
//
// A trace follows unconditional direct branches inside the page and the fall-through side of conditional ones. Its cost is
// charged at each exit; it is entered only when the budget covers all of it, so that budgets are exact to the instruction.
// The text of a trace that loops is generated twice: the first pass finds out that it does, and which registers it writes.

import { exit } from '../arch/exits.ts';
import { pageShift, pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { BranchKind, FlagName, Value } from '../isa/semantics.ts';
import { constant, constant32, intOf, localValue, type Node, pin } from './expression.ts';
import { cpuLocal, secondLocal } from './emitting.ts';
import { Generator } from './generator.ts';
import type { AlignmentCheck } from './memory-generator.ts';
import { functionIndex, systemOperation } from './services.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** A trace longer than this gains little and is entered less often at the end of a budget. */
const maxInstructions = 64;

const stackPointerSlot = 32;
const zeroRegister = 31;
const flagNames = ['N', 'Z', 'C', 'V'] as const;
const flagOffset: Readonly<Record<FlagName, number>> = { N: pe.n, Z: pe.z, C: pe.c, V: pe.v };

/** After these a trace ends: they take an exception, synchronise the context, or are calls that change registers. */
const endingOperations: ReadonlySet<number> = new Set([
  systemOperation.undefined,
  systemOperation.svc,
  systemOperation.hvc,
  systemOperation.smc,
  systemOperation.brk,
  systemOperation.hlt,
  systemOperation.eret,
  systemOperation.eretTo,
  systemOperation.isb,
]);

/** Of these, the ones after which execution usually goes on at the next instruction. */
const returningOperations: ReadonlySet<number> = new Set([
  systemOperation.svc,
  systemOperation.hvc,
  systemOperation.smc,
  systemOperation.isb,
]);

/** Who else runs. */
export interface Company {
  /** Other threads run PEs at the same time. */
  readonly isConcurrent: boolean;
  /** YIELD gives the thread to another PE. */
  readonly yields: boolean;
}

const alone: Company = { isConcurrent: false, yields: false };

export interface TraceSource {
  /** Virtual address of the first instruction. */
  readonly start: bigint;
  /** The word at a virtual address in the page of `start`. */
  readonly fetch: (va: bigint) => number;
  /** The Exception level, part of every jump cache key. */
  readonly el: number;
  /** Accesses check alignment. */
  readonly strictAlignment: boolean;
  /** The page is guarded (FEAT_BTI). */
  readonly guarded: boolean;
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

class TraceGenerator extends Generator {
  protected alignment: AlignmentCheck = 'relaxed';
  protected override readonly inlinesHostFloat = true;
  protected readonly isConcurrent: boolean;
  protected override readonly inlinesAtomics = true;
  protected readonly yields: boolean;
  private readonly decode: Decoder;
  private source!: TraceSource;
  /** What this pass has found out, and what the pass before found out. */
  private uses = noUses();
  private known = noUses();

  private address = 0n;
  private index = 0;
  private ended = false;
  private setsBType = false;
  private next = 0n;
  private control: { target: Node; condition: Node | undefined; kind: BranchKind } | undefined;
  private addresses: bigint[] = [];
  private successors: bigint[] = [];

  private slotLocals = new Map<number, number>();
  private slotValues = new Map<number, Node>();
  private flagLocals: number[] = [];
  private flagValues: Node[] = [];
  private dirtySlots = new Set<number>();
  private dirtyFlags = false;
  private tlbLocal = -1;

  constructor(decode: Decoder, { isConcurrent, yields }: Company) {
    super();
    this.decode = decode;
    this.isConcurrent = isConcurrent;
    this.yields = yields;
  }

  trace(source: TraceSource): Trace {
    this.source = source;
    this.alignment = source.strictAlignment ? 'strict' : 'relaxed';
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
    this.resetLocals();
    this.address = this.source.start;
    this.index = 0;
    this.ended = false;
    this.addresses = [];
    this.successors = [];
    this.slotLocals = new Map();
    this.slotValues = new Map();
    this.dirtySlots = new Set();
    this.dirtyFlags = false;
    this.tlbLocal = this.allocate(type.i32);
    this.flagLocals = flagNames.map(() => this.allocate(type.i32));
    this.flagValues = this.flagLocals.map((local) => localValue(32, local, false));
    while (!this.ended) this.instruction();
    return this.w;
  }

  private instruction(): void {
    const page = this.source.start >> BigInt(pageShift);
    const visited = this.addresses.includes(this.address);
    if (visited || this.index === maxInstructions || this.address >> BigInt(pageShift) !== page) {
      this.leaveTo(this.address, this.index);
      this.ended = true;
      return;
    }
    this.addresses.push(this.address);
    this.next = this.address + 4n;
    this.control = undefined;
    const decoded = this.decode(this.source.fetch(this.address));
    if (!decoded) {
      this.undefined();
      this.index += 1;
      return;
    }
    const operands: Record<string, Node> = {};
    const fields: Record<string, number> = {};
    for (const { name, known } of decoded.row.fields) {
      const value = decoded.fields[name] ?? 0;
      if (known) fields[name] = value;
      else operands[name] = constant32(value);
    }
    this.setsBType = false;
    decoded.row.meaning(this, fields, operands);
    this.commit();
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
    this.get(cpuLocal);
    this.memoryOperation(op.i32_load, pe.tlb);
    this.set(this.tlbLocal);
    const { loops, slotsRead, flagsRead, flagsWritten } = this.known;
    for (const [slot, local] of this.slotLocals) {
      if (!loops && !slotsRead.has(slot)) continue;
      this.get(cpuLocal);
      this.memoryOperation(op.i64_load, pe.x + 8 * slot);
      this.set(local);
    }
    if (flagsRead || (loops && flagsWritten)) {
      flagNames.forEach((name, i) => {
        this.get(cpuLocal);
        this.memoryOperation(op.i32_load, flagOffset[name]);
        this.set(this.flagLocals[i] as number);
      });
    }
    this.checkBranchTarget();
    this.block(op.loop, () => {
      this.get(secondLocal);
      this.i32(this.index);
      this.w.byte(op.i32_lt_s);
      this.block(op.if, () => {
        this.arm(() => {
          if (loops) {
            this.flagValues = this.flagLocals.map((local) => localValue(32, local, false));
            this.writeBack();
          }
          this.storeState(pe.pc, constant(64, this.source.start));
          this.storeState(pe.budget, localValue(32, secondLocal, true));
          this.i32(exit.budget);
          this.w.byte(op.return);
        });
      });
      this.w.append(body);
    });
    this.w.byte(op.unreachable);
    return this.w;
  }

  /** PSTATE.BTYPE is not 0 after an indirect branch: if the budget lets the trace run, its first instruction must be a target. */
  private checkBranchTarget(): void {
    this.get(cpuLocal);
    this.memoryOperation(op.i32_load, pe.btype);
    this.block(op.if, () => {
      this.get(secondLocal);
      this.i32(this.index);
      this.w.byte(op.i32_ge_s);
      this.block(op.if, () => {
        this.arm(() => {
          this.storeState(pe.pc, constant(64, this.source.start));
          this.storeState(pe.budget, localValue(32, secondLocal, true));
          this.callService(functionIndex.system, constant32(systemOperation.branchTarget));
        });
      });
    });
  }

  /** Completes the record for leaving, or for a service, `count` instructions after the start. */
  private writeBack(): void {
    const slots = this.known.loops ? this.known.slotsWritten : this.dirtySlots;
    for (const slot of [...slots].sort((a, b) => a - b)) {
      this.get(cpuLocal);
      this.get(this.slotLocal(slot));
      this.memoryOperation(op.i64_store, pe.x + 8 * slot);
    }
    if (this.known.loops ? this.known.flagsWritten : this.dirtyFlags) {
      flagNames.forEach((name, i) => {
        this.storeState(flagOffset[name], this.flagValues[i] as Node);
      });
    }
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
    this.storeState(pe.pc, constant(64, target));
    this.leave(constant(64, target), count);
  }

  private leave(target: Node, count: number): void {
    if (this.inArm) {
      this.get(cpuLocal);
      this.emit(this.remaining(count));
      this.w.byte(op.return_call);
      this.w.u32(functionIndex.chain);
      return;
    }
    const budget = this.allocate(type.i32);
    this.emit(this.remaining(count));
    this.set(budget);
    this.chain(target, this.source.el, budget, exit.lookup);
  }

  private hasSetBType(): boolean {
    return this.setsBType;
  }

  override setBType(btype: Value): void {
    this.setsBType = true;
    super.setBType(btype);
  }

  inGuardedPage(): Value {
    return constant32(this.source.guarded ? 1 : 0);
  }

  branch(target: Value, kind: BranchKind): void {
    this.control = { target: target as Node, condition: undefined, kind };
  }

  branchIf(condition: Value, target: Value): void {
    const c = condition as Node;
    if (c.isConstant && intOf(c) === 0) return;
    this.control = { target: target as Node, condition: c.isConstant ? undefined : c, kind: 'direct' };
  }

  /** Follows the control transfer that the instruction asked for, after its writes. */
  private transfer(): void {
    if (!this.control) return;
    const { target, condition, kind } = this.control;
    if (condition) {
      this.emit(condition);
      this.block(op.if, () => {
        this.arm(() => {
          this.leaveTo(target.bits, this.index);
        });
      });
      return;
    }
    if (target.isConstant && kind === 'direct' && target.bits !== this.source.start) {
      this.next = target.bits;
      return;
    }
    this.ended = true;
    if (kind === 'call') this.successors.push(this.next);
    if (target.isConstant) {
      this.leaveTo(target.bits, this.index);
      return;
    }
    this.writeBack();
    this.storeState(pe.pc, target);
    this.leave(target, this.index);
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    if (returningOperations.has(operation)) this.successors.push(this.next);
    const next = constant(64, this.next);
    this.storeState(pe.pc, next);
    this.leave(next, this.index + 1);
    this.ended = true;
  }

  // Registers and flags.

  private slotLocal(slot: number): number {
    let local = this.slotLocals.get(slot);
    if (local === undefined) {
      local = this.allocate(type.i64);
      this.slotLocals.set(slot, local);
    }
    return local;
  }

  protected readSlot(n: Node, isStackPointer: boolean): Node {
    const slot = intOf(n) === zeroRegister && isStackPointer ? stackPointerSlot : intOf(n);
    if (slot === zeroRegister) return constant(64, 0n);
    if (!this.uses.slotsWritten.has(slot)) this.uses.slotsRead.add(slot);
    let value = this.slotValues.get(slot);
    if (!value) {
      value = localValue(64, this.slotLocal(slot), false);
      this.slotValues.set(slot, value);
    }
    return value;
  }

  readFlag(name: FlagName): Value {
    if (!this.uses.flagsWritten) this.uses.flagsRead = true;
    return this.flagValues[flagNames.indexOf(name)] as Node;
  }

  /** Registers and flags take their new values together. */
  private commit(): void {
    const control = this.control;
    if (control && !control.target.isConstant) {
      const local = this.settle(control.target);
      this.control = { ...control, target: localValue(64, local, true) };
    }
    if (this.flagWrites) this.commitFlags(this.flagWrites as Partial<Record<FlagName, Node>>);
    this.flagWrites = undefined;
    this.commitVectorWrites();
    const writes = this.registerWrites.filter(({ n, isStackPointer }) => isStackPointer || intOf(n) !== zeroRegister);
    this.registerWrites = [];
    const values = writes.map(({ value }) =>
      writes.length === 1 || value.isConstant ? value : localValue(64, this.settle(value), true),
    );
    writes.forEach(({ n, isStackPointer }, i) => {
      const slot = intOf(n) === zeroRegister && isStackPointer ? stackPointerSlot : intOf(n);
      const value = values[i] as Node;
      const local = this.slotLocal(slot);
      this.emit(value);
      this.set(local);
      this.slotValues.set(slot, value.isConstant ? value : localValue(64, local, false));
      this.uses.slotsWritten.add(slot);
      this.dirtySlots.add(slot);
    });
  }

  private commitFlags(flags: Partial<Record<FlagName, Node>>): void {
    if (flagNames.some((name) => !flags[name]) && !this.uses.flagsWritten) this.uses.flagsRead = true;
    flagNames.forEach((name, i) => {
      const value = flags[name];
      if (!value) return;
      pin(value, this.w, this);
      this.flagValues[i] = value;
    });
    this.uses.flagsWritten = true;
    this.dirtyFlags = true;
  }

  pc(): Value {
    return constant(64, this.address);
  }

  protected vectorAddress(n: Node): { base: Node; offset: number } {
    return { base: localValue(32, cpuLocal, true), offset: pe.vector + 16 * intOf(n) };
  }

  protected softTlb(unprivileged: boolean): Node {
    return unprivileged ? this.loadState(32, pe.tlbUnprivileged) : localValue(32, this.tlbLocal, true);
  }
}

/** Makes traces of the instructions that `decode` knows; others are UNDEFINED. */
export function makeTranslator(decode: Decoder, company: Company = alone): (source: TraceSource) => Trace {
  const generator = new TraceGenerator(decode, company);
  return (source) => generator.trace(source);
}
