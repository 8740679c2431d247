// What a region knows of the record while its text is made, and how it is left: registers and flags that differ from the record, what is
// left of the budget, and the common ends to which all ways lead that are seldom taken.
//
// Where several blocks lead to one, flags that no instruction reads any more are there only for the record: their operands are handed
// on (services.ts, flagKind) in place of four flags, and become flags where the region is left.

import { exit } from '../arch/exits.ts';
import { noTag, pe } from '../arch/state-layout.ts';
import type { FlagName, Value } from '../isa/semantics.ts';
import { assert } from '../report/assert.ts';
import { secondLocal } from './emitting.ts';
import { constant, constant32, localValue, type Node } from './expression.ts';
import { slotBit, slotsOf } from './instruction-summary.ts';
import { endingOperations, type FlagOperands, stackPointerSlot } from './local-registers.ts';
import { LocalVectors, type VectorState } from './local-vectors.ts';
import type { RememberedPage } from './memory-generator.ts';
import type { BlockFacts } from './region-facts.ts';
import type { SharedAccess } from './remembered-pages.ts';
import { flagKind } from './services.ts';
import type { VectorFacts } from './vector-facts.ts';
import { op, type } from './wasm/opcodes.ts';
import type { Writer } from './wasm/writer.ts';

/** An exception that an access takes banks the stack pointer: the record must have it by then. */
const stackPointerBit = slotBit(stackPointerSlot);

/** Blocks around the text: see withEnds(). */
export const textDepth = 2;

/** The flags: expressions, and what they are those of; or as several blocks have left them, operands in locals. */
export interface FlagState {
  readonly values: readonly Node[];
  readonly operands: FlagOperands | undefined;
  readonly areHandedOn: boolean;
}

/** What is known where the text is. */
interface Situation {
  readonly slotValues: Map<number, Node>;
  readonly flags: FlagState;
  readonly dirty: number;
  readonly areFlagsDirty: boolean;
  readonly count: number;
  readonly isFpEnabled: boolean;
  readonly vectors: VectorState;
  readonly isStackAligned: boolean;
}

export abstract class RegionState extends LocalVectors {
  /** Registers that differ from the record here, and instructions since the budget was brought up to date. */
  protected dirty = 0;
  protected areFlagsDirty = false;
  protected count = 0;
  protected hasEnded = false;
  /** The flags here are the operands in `handedOn`. */
  private areHandedOn = false;
  private handedOn: { readonly kind: number; readonly x: number; readonly y: number } = { kind: -1, x: -1, y: -1 };
  /** The next service is that of an access: registers are stored where it leaves the code. */
  private isPrepared = false;
  /** Pages that accesses by one register share, until a service may have changed what the soft TLB tells of them. */
  private remembered: readonly (SharedAccess & RememberedPage)[] = [];
  /** Registers that the region writes. */
  protected abstract written(): number;
  protected vectors!: VectorFacts;

  protected startRegion(shared: readonly SharedAccess[]): void {
    this.startFunction();
    this.remembered = shared.map((access) => ({
      ...access,
      tag: this.allocate(type.i64),
      addend: this.allocate(type.i32),
    }));
    this.handedOn = { kind: this.allocate(type.i32), x: this.allocate(type.i64), y: this.allocate(type.i64) };
  }

  /** Where nothing has been done yet. */
  protected startSituation(): void {
    this.dirty = 0;
    this.areFlagsDirty = false;
    this.count = 0;
    this.isFpEnabled = false;
    this.isStackAligned = false;
    this.areHandedOn = false;
  }

  /** Where blocks meet: what each of them may have left. */
  protected meet({ dirtyIn, flagsDirtyIn }: BlockFacts, dirtyVectors: number): void {
    this.slotValues = new Map();
    this.setVectorState({ words: new Map(), dirty: dirtyVectors });
    this.dirty = dirtyIn;
    this.areFlagsDirty = flagsDirtyIn;
    this.count = 0;
    this.isFpEnabled = false;
    this.isStackAligned = false;
  }

  /** A way of which the text after it knows nothing. */
  protected way(body: () => void): void {
    const before: Situation = {
      slotValues: new Map(this.slotValues),
      flags: this.flagState(),
      dirty: this.dirty,
      areFlagsDirty: this.areFlagsDirty,
      count: this.count,
      isFpEnabled: this.isFpEnabled,
      vectors: this.vectorState(),
      isStackAligned: this.isStackAligned,
    };
    this.path(body);
    this.slotValues = before.slotValues;
    this.setFlagState(before.flags);
    this.dirty = before.dirty;
    this.areFlagsDirty = before.areFlagsDirty;
    this.count = before.count;
    this.isFpEnabled = before.isFpEnabled;
    this.setVectorState(before.vectors);
    this.isStackAligned = before.isStackAligned;
  }

  // Flags.

  protected flagState(): FlagState {
    return { values: [...this.flagValues], operands: this.flagOperands, areHandedOn: this.areHandedOn };
  }
  protected setFlagState({ values, operands, areHandedOn }: FlagState): void {
    this.flagValues = [...values];
    this.flagOperands = operands;
    this.areHandedOn = areHandedOn;
  }

  /** Where blocks meet that have left different flags. */
  protected meetFlags({ flagsReadIn }: BlockFacts): void {
    this.setFlagState({ values: this.flagsInLocals(), operands: undefined, areHandedOn: !flagsReadIn });
  }

  /** On the way to where blocks meet. */
  protected handFlagsOn({ flagsReadIn }: BlockFacts): void {
    if (flagsReadIn) this.flagsToLocals();
    else if (!this.areHandedOn) this.flagsToOperands();
  }

  private flagsToLocals(): void {
    assert(!this.areHandedOn, 'flags that are read are there');
    this.flagValues.forEach((value, i) => {
      const local = this.flagLocals[i] as number;
      if (value.local === local) return;
      this.emit(value);
      this.set(local);
    });
  }

  private flagsToOperands(): void {
    const operands = this.areFlagsDirty ? this.flagOperands : undefined;
    if (this.areFlagsDirty && !operands) this.storeFlags();
    this.i32(operands?.kind ?? flagKind.inRecord);
    this.set(this.handedOn.kind);
    if (!operands) return;
    this.emit(this.widened(operands.x));
    this.set(this.handedOn.x);
    this.emit(this.widened(operands.y));
    this.set(this.handedOn.y);
  }

  protected override storeFlags(): void {
    const { kind, x, y } = this.handedOn;
    if (this.areHandedOn)
      this.callStoreFlags(localValue(32, kind, true), localValue(64, x, true), localValue(64, y, true));
    else super.storeFlags();
  }

  protected override storeFlagsSeldom(): void {
    if (this.areHandedOn) this.storeFlags();
    else super.storeFlagsSeldom();
  }

  override readFlag(name: FlagName): Value {
    assert(!this.areHandedOn, 'flags that are read are there');
    return super.readFlag(name);
  }

  protected noteFlagWrite(): void {
    this.areFlagsDirty = true;
    this.areHandedOn = false;
  }
  protected noteFlagRead(): void {
    // The facts have it.
  }
  protected noteRead(): void {
    // The facts have it.
  }
  protected noteWrite(slot: number): void {
    this.dirty |= slotBit(slot);
  }

  // The budget.

  protected remaining(): Node {
    return this.sub(localValue(32, secondLocal, true), constant32(this.count)) as Node;
  }

  protected payBudget(): void {
    if (this.count === 0) return;
    this.emit(this.remaining());
    this.set(secondLocal);
    this.count = 0;
  }

  /** Goes on where the budget covers so many more instructions; else leaves for the stepper. */
  protected checkBudget(need: number, address: Node): void {
    this.get(secondLocal);
    this.i32(this.count + need);
    this.w.byte(op.i32_lt_s);
    this.ifSeldom(() => {
      this.path(() => {
        this.completeSeldom(address);
        this.storeState(pe.budget, this.remaining());
        this.i32(exit.budget);
        this.set(this.statusLocal);
        this.branchToEnd('return');
      });
    });
  }

  // Ends. The text is in two blocks: behind the inner one the record gets its registers and the status is returned, behind the outer one
  // the record gets its registers and the run goes on at its PC.

  protected withEnds(text: Writer): void {
    this.block(op.block, () => {
      this.block(op.block, () => {
        this.w.append(text);
        this.w.byte(op.unreachable);
      });
      this.storeWritten();
      this.get(this.statusLocal);
      this.w.byte(op.return);
    });
    this.storeWritten();
    this.chain(localValue(32, secondLocal, true));
  }
  private storeWritten(): void {
    this.storeSlots(slotsOf(this.written() & ~stackPointerBit));
    this.storeVectors(this.vectors.written);
  }
  private branchToEnd(end: 'return' | 'chain'): void {
    this.w.byte(op.br);
    this.w.u32(this.depth - textDepth + (end === 'chain' ? 1 : 0));
  }
  /** Completes the record but for the budget, and for registers that the common ends store. */
  private completeSeldom(address: Node): void {
    this.storeSlots(slotsOf(this.dirty & stackPointerBit));
    if (this.areFlagsDirty) this.storeFlagsSeldom();
    this.storeState(pe.pc, address);
  }

  /** Leaves for an address by a way that is seldom taken. */
  protected leaveSeldom(target: Node): void {
    this.path(() => {
      this.completeSeldom(target);
      this.emit(this.remaining());
      this.set(secondLocal);
      this.branchToEnd('chain');
    });
  }

  protected leave(target: Node): void {
    this.storeRegisters();
    if (this.areFlagsDirty) this.storeFlags();
    this.storeState(pe.pc, target);
    this.chain(this.remaining());
  }

  /** Completes the record but for flags, PC and budget. */
  private storeRegisters(): void {
    this.storeSlots(slotsOf(this.dirty));
    this.storeVectors();
  }

  // Services.

  protected synchronise(): void {
    this.storeRegisters();
    if (this.areFlagsDirty) this.storeFlagsSeldom();
    this.storeState(pe.pc, constant(64, this.address));
    this.storeState(pe.budget, this.remaining());
  }

  protected override prepareAccess(): void {
    this.isPrepared = true;
    this.completeSeldom(constant(64, this.address));
    this.storeState(pe.budget, this.remaining());
  }

  protected override leaveIfAsked(): void {
    if (this.isPrepared) this.branchIfSeldom(this.depth - textDepth);
    else super.leaveIfAsked();
    this.isPrepared = false;
    this.forgetPages();
  }

  protected override rememberedPage(tag: number): RememberedPage | undefined {
    return this.remembered.find(({ base, part }) => base === this.baseSlot && part === tag);
  }

  protected forgetPages(): void {
    for (const { tag } of this.remembered) {
      this.emit(constant(64, BigInt(noTag)));
      this.set(tag);
    }
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.dirty = 0;
    this.cleanVectors();
    this.areFlagsDirty = false;
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    this.address += 4n;
    this.count += 1;
    this.leave(constant(64, this.address));
    this.hasEnded = true;
  }
}
