// Guest registers in the locals of one wasm function: what the generators of traces and of regions share. A register is read and
// written in its local; flags are expressions until somebody needs them. Who derives from this says when the record is completed.

import {
  addendAfterTag,
  btypeChecked,
  pageShift,
  pe,
  softTlbBytes,
  softTlbEntries,
  softTlbEntry,
} from '../arch/state-layout.ts';
import { registerNamed } from '../arch/system-registers.ts';
import type { Decoded } from '../isa/decoder.ts';
import type { BranchKind, FlagName, FlagSource, Value } from '../isa/semantics.ts';
import { cpuLocal, secondLocal } from './emitting.ts';
import { binaryArguments, constant, constant32, intOf, localValue, type Node, pin, stateLoad } from './expression.ts';
import { Generator } from './generator.ts';
import type { AlignmentCheck, Place } from './memory-generator.ts';
import { branchSite } from './runtime-tables.ts';
import { flagKind, functionIndex, systemOperation } from './services.ts';
import { flagsSignature } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';

export const stackPointerSlot = 32;
/** Register 31 is the stack pointer in some places, the zero register in the others. */
const zeroRegister = 31;
const stackAlignment = 16n;
const flagNames = ['N', 'Z', 'C', 'V'] as const;
const flagOffset: Readonly<Record<FlagName, number>> = { N: pe.n, Z: pe.z, C: pe.c, V: pe.v };

const floatControlKeys = new Set(['FPCR', 'FPSR'].map((name) => registerNamed(name)?.key));

/** After these translated code ends: they take an exception, synchronise the context, or are calls that change registers. */
export const endingOperations: ReadonlySet<number> = new Set([
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
export const returningOperations: ReadonlySet<number> = new Set([
  systemOperation.svc,
  systemOperation.hvc,
  systemOperation.smc,
  systemOperation.isb,
]);

/** The slot of a register in the record: the zero register's has no local. */
const slotOfRegister = (n: Node, isStackPointer: boolean): number =>
  intOf(n) === zeroRegister && isStackPointer ? stackPointerSlot : intOf(n);

/** An operation that gives the four flags (services.ts, flagKind), and its operands. */
export interface FlagOperands extends FlagSource {
  readonly kind: number;
  readonly x: Node;
  readonly y: Node;
}

export interface ControlTransfer {
  readonly target: Node;
  /** Undefined where the branch is always taken. */
  readonly condition: Node | undefined;
  readonly kind: BranchKind;
}

/** Fields that every engine knows, and operands as constants. */
function splitFields({ row, fields }: Decoded): {
  readonly known: Record<string, number>;
  readonly operands: Record<string, Node>;
} {
  const known: Record<string, number> = {};
  const operands: Record<string, Node> = {};
  for (const field of row.fields) {
    const value = fields[field.name] ?? 0;
    if (field.known) known[field.name] = value;
    else operands[field.name] = constant32(value);
  }
  return { known, operands };
}

/** Who else runs. */
export interface Company {
  /** Other threads run PEs at the same time. */
  readonly isConcurrent: boolean;
  /** YIELD gives the thread to another PE. */
  readonly yields: boolean;
}

export abstract class LocalRegisters extends Generator {
  protected alignment: AlignmentCheck = 'relaxed';
  protected override readonly inlinesHostFloat = true;
  protected override readonly inlinesAtomics = true;
  protected readonly isConcurrent: boolean;
  protected readonly yields: boolean;
  /** Address of the present instruction. */
  protected address = 0n;
  protected control: ControlTransfer | undefined;
  /** What the present instruction has set BTYPE to. */
  protected branchTypeSet: Node | undefined;
  protected isGuarded = false;
  /** Of the code. */
  protected el = 0;
  /** Address of the record of the only PE that runs the code, if it is known. */
  protected record: number | undefined;
  /** Of the base register of the present instruction, or -1. */
  protected baseSlot = -1;

  protected slotLocals = new Map<number, number>();
  /** What is known of the registers that have a value here, by slot: a constant, or the local. */
  protected slotValues = new Map<number, Node>();
  protected flagLocals: number[] = [];
  protected flagValues: Node[] = [];
  /** The operation whose the flags are, where one alone gives them. */
  protected flagOperands: FlagOperands | undefined;
  /** CheckFPEnabled64 has passed on the way here. */
  protected isFpEnabled = false;
  /** CheckSPAlignment() would find nothing here. */
  protected isStackAligned = false;
  /** The present instruction moves the stack pointer by a multiple of its alignment. */
  private keepsStackAligned = false;

  constructor({ isConcurrent, yields }: Company) {
    super();
    this.isConcurrent = isConcurrent;
    this.yields = yields;
  }

  /** A register is read, or has got a new value. */
  protected abstract noteRead(slot: number): void;
  protected abstract noteWrite(slot: number): void;
  protected abstract noteFlagRead(): void;
  protected abstract noteFlagWrite(): void;

  protected startFunction(): void {
    this.resetLocals();
    this.slotLocals = new Map();
    this.slotValues = new Map();
    this.isFpEnabled = false;
    this.isStackAligned = false;
    this.flagLocals = flagNames.map(() => this.allocate(type.i32));
    this.flagValues = this.flagsInLocals();
    this.flagOperands = undefined;
  }

  protected flagsInLocals(): Node[] {
    return this.flagLocals.map((local) => localValue(32, local, false));
  }

  /** One instruction's meaning and its writes; a control transfer that it asks for is left in `control`. */
  protected perform(decoded: Decoded): void {
    const { known, operands } = splitFields(decoded);
    this.control = undefined;
    const Rn = decoded.fields.Rn ?? -1;
    this.baseSlot = Rn === zeroRegister ? stackPointerSlot : Rn;
    this.branchTypeSet = undefined;
    decoded.row.meaning(this, known, operands);
    this.commit();
  }

  override checkFPEnabled(): void {
    if (this.isFpEnabled) return;
    super.checkFPEnabled();
    this.isFpEnabled = true;
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.isFpEnabled = false;
    this.isStackAligned = false;
  }

  protected override checkStackAlignment(base: Node, n: Node): void {
    if (this.isStackAligned) return;
    super.checkStackAlignment(base, n);
    if (!this.inArm) this.isStackAligned = true;
  }

  override writeXSP(n: Value, value: Value): void {
    super.writeXSP(n, value);
    if (intOf(n as Node) !== zeroRegister) return;
    const [from, by] = binaryArguments(value as Node, op.i64_add) ?? binaryArguments(value as Node, op.i64_sub) ?? [];
    this.keepsStackAligned =
      from !== undefined &&
      from === this.slotValues.get(stackPointerSlot) &&
      by?.isConstant === true &&
      by.bits % stackAlignment === 0n;
  }

  override writeSystemRegister(key: Value, value: Value): void {
    super.writeSystemRegister(key, value);
    if (floatControlKeys.has(intOf(key as Node))) this.renewFloatControl();
  }

  protected hasSetBType(): boolean {
    return this.branchTypeSet !== undefined;
  }

  override setBType(btype: Value): void {
    this.branchTypeSet = btype as Node;
    super.setBType(btype);
  }

  inGuardedPage(): Value {
    return constant32(this.isGuarded ? 1 : 0);
  }

  branch(target: Value, kind: BranchKind): void {
    this.control = { target: target as Node, condition: undefined, kind };
  }

  branchIf(condition: Value, target: Value): void {
    const c = condition as Node;
    if (c.isConstant && intOf(c) === 0) return;
    this.control = { target: target as Node, condition: c.isConstant ? undefined : c, kind: 'direct' };
  }

  /**
   * At the entry of a function, before anything is changed: PSTATE.BTYPE is not 0 after an indirect branch, and the first instruction must be
   * a target of it (pe.checkBranchTarget). In a page that is not guarded every instruction is.
   */
  protected admitBranch(start: bigint): void {
    this.get(cpuLocal);
    this.memoryOperation(op.i32_load, pe.btype);
    this.ifSeldom(() => {
      this.arm(() => {
        if (this.isGuarded) {
          this.storeState(pe.pc, constant(64, start));
          this.storeState(pe.budget, localValue(32, secondLocal, true));
          this.callService(functionIndex.system, constant32(systemOperation.branchTarget));
          return;
        }
        const btype = this.loadState(32, pe.btype);
        const wasChecked = this.and(btype, constant32(btypeChecked));
        const checked = this.or(btype, constant32(btypeChecked));
        this.storeState(pe.btype, this.select(wasChecked, constant32(0), checked) as Node);
      });
    });
  }

  /** Notes at `site` (runtime-tables.ts, branchSite) where an indirect call leads. */
  protected noteCalled(site: number, target: Node): void {
    this.i32(site);
    this.memoryOperation(op.i64_load, branchSite.last);
    this.emit(target);
    this.w.byte(op.i64_ne);
    this.ifSeldom(() => {
      this.i32(site);
      this.i32(site);
      this.memoryOperation(op.i64_load, branchSite.last);
      this.memoryOperation(op.i64_store, branchSite.other);
      this.i32(site);
      this.emit(target);
      this.memoryOperation(op.i64_store, branchSite.last);
    });
  }

  pc(): Value {
    return constant(64, this.address);
  }

  protected slotLocal(slot: number): number {
    let local = this.slotLocals.get(slot);
    if (local === undefined) {
      local = this.allocate(type.i64);
      this.slotLocals.set(slot, local);
    }
    return local;
  }

  protected readSlot(n: Node, isStackPointer: boolean): Node {
    const slot = slotOfRegister(n, isStackPointer);
    if (slot === zeroRegister) return constant(64, 0n);
    this.noteRead(slot);
    let value = this.slotValues.get(slot);
    if (!value) {
      value = localValue(64, this.slotLocal(slot), false);
      this.slotValues.set(slot, value);
    }
    return value;
  }

  readFlag(name: FlagName): Value {
    this.noteFlagRead();
    return this.flagValues[flagNames.indexOf(name)] as Node;
  }

  flagSource(): FlagSource | undefined {
    this.noteFlagRead();
    return this.flagOperands;
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
    this.flagWriteSource = undefined;
    this.commitVectorWrites();
    const writes = this.registerWrites.filter(({ n, isStackPointer }) => isStackPointer || intOf(n) !== zeroRegister);
    this.registerWrites = [];
    const values = writes.map(({ value }) =>
      writes.length === 1 || value.isConstant ? value : localValue(64, this.settle(value), true),
    );
    writes.forEach(({ n, isStackPointer }, i) => {
      const slot = slotOfRegister(n, isStackPointer);
      const value = values[i] as Node;
      const local = this.slotLocal(slot);
      this.emit(value);
      this.set(local);
      this.slotValues.set(slot, value.isConstant ? value : localValue(64, local, false));
      this.noteWrite(slot);
      if (slot !== stackPointerSlot) return;
      if (!this.keepsStackAligned) this.isStackAligned = false;
      this.keepsStackAligned = false;
    });
  }

  private commitFlags(flags: Partial<Record<FlagName, Node>>): void {
    if (flagNames.some((name) => !flags[name])) this.noteFlagRead();
    flagNames.forEach((name, i) => {
      const value = flags[name];
      if (!value) return;
      pin(value, this.w, this);
      this.flagValues[i] = value;
    });
    this.flagOperands = this.flagWriteSource && this.operandsOf(this.flagWriteSource);
    this.noteFlagWrite();
  }

  private operandsOf({ operation, x, y }: FlagSource): FlagOperands {
    const operands = { x: x as Node, y: y as Node };
    for (const operand of [operands.x, operands.y]) pin(operand, this.w, this);
    const kind = operation === 'subtraction' ? flagKind.subtraction : flagKind.addition;
    return { operation, ...operands, kind: kind | (x.width === 64 ? flagKind.wide : 0) };
  }

  /** record[x] = local, for each of the slots. */
  protected storeSlots(slots: Iterable<number>): void {
    for (const slot of [...slots].sort((a, b) => a - b)) {
      this.get(cpuLocal);
      this.get(this.slotLocal(slot));
      this.memoryOperation(op.i64_store, pe.x + 8 * slot);
    }
  }

  protected loadSlot(slot: number): void {
    this.get(cpuLocal);
    this.memoryOperation(op.i64_load, pe.x + 8 * slot);
    this.set(this.slotLocal(slot));
  }

  protected storeFlags(): void {
    flagNames.forEach((name, i) => {
      this.storeState(flagOffset[name], this.flagValues[i] as Node);
    });
  }

  /** The same where it is seldom needed: by one call, if one operation has given them. */
  protected storeFlagsSeldom(): void {
    const operands = this.flagOperands;
    if (operands) this.callStoreFlags(constant32(operands.kind), this.widened(operands.x), this.widened(operands.y));
    else this.storeFlags();
  }

  protected callStoreFlags(...operands: readonly [kind: Node, x: Node, y: Node]): void {
    this.get(cpuLocal);
    for (const operand of operands) this.emit(operand);
    this.callFunction(functionIndex.storeFlags, flagsSignature);
  }

  protected widened(operand: Node): Node {
    return operand.width === 64 ? operand : (this.zeroExtend(operand, 32, 64) as Node);
  }

  protected loadFlags(): void {
    flagNames.forEach((name, i) => {
      this.get(cpuLocal);
      this.memoryOperation(op.i32_load, flagOffset[name]);
      this.set(this.flagLocals[i] as number);
    });
  }

  protected vectorAddress(n: Node): Place {
    return { base: localValue(32, cpuLocal, true), offset: pe.vector + 16 * intOf(n) };
  }

  /**
   * Two conditions, of which one holds where the soft TLB does not say that the page of an address is fetched from where it was, `addend`
   * after its virtual address, when the code was made, and is guarded as it was.
   */
  protected fetchedElsewhere(va: bigint, addend: number): readonly [Node, Node] {
    const page = va >> BigInt(pageShift);
    const entry = Number(page & BigInt(softTlbEntries - 1)) * softTlbEntry.bytes + softTlbEntry.fetchTag;
    const guarded = this.isGuarded ? 1n << 32n : 0n;
    const { base, offset } = this.softTlb(false);
    const isNot = (at: number, value: bigint): Node =>
      this.ne(stateLoad(op.i64_load, 64, base, offset + at), constant(64, value)) as Node;
    return [
      isNot(entry, page << BigInt(pageShift)),
      isNot(entry + addendAfterTag, guarded | BigInt.asUintN(32, BigInt(addend))),
    ];
  }

  /** At the entry of a function: the host has a constant where the record is known, and saves sums and a register. */
  protected fixRecord(): void {
    if (this.record === undefined) return;
    this.i32(this.record);
    this.set(cpuLocal);
  }

  /** Each Exception level has its own in the record. */
  protected softTlb(unprivileged: boolean): Place {
    if (unprivileged) return { base: this.loadState(32, pe.tlbUnprivileged), offset: 0 };
    const offset = pe.softTlb + this.el * softTlbBytes;
    if (this.record === undefined) return { base: localValue(32, cpuLocal, true), offset };
    return { base: constant32(0), offset: this.record + offset };
  }
}
