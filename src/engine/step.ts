// The *step* reading: one wasm function for each row and combination of known fields. Operand fields are taken from the instruction
// word at run time, registers are read and written in the PE's record.
//
// A step function receives the record's address and the instruction word. It returns exit.none (the stepper then moves PC on),
// `stepBranched` when it has set PC, or the exit of a service; after exit.last the instruction has gone on to its end.

import { exit } from '../arch/exits.ts';
import { guardedAfterFetchTag, pe, softTlbEntry } from '../arch/state-layout.ts';
import type { Row } from '../isa/encoding.ts';
import type { BranchKind, FlagName, Value } from '../isa/semantics.ts';
import { binary, constant, constant32, localValue, type Node, stateLoad } from './expression.ts';
import { cpuLocal, secondLocal } from './emitting.ts';
import { Generator } from './generator.ts';
import type { Place } from './memory-generator.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** PC has been set; the run goes on. Beyond the codes of arch/exits.ts. */
export const stepBranched = 64;

const flagOffset: Readonly<Record<FlagName, number>> = { N: pe.n, Z: pe.z, C: pe.c, V: pe.v };

class StepGenerator extends Generator {
  protected readonly alignment = 'dynamic';
  /** The same functions serve machines whose PEs take turns. */
  protected readonly isConcurrent = true;
  protected override readonly isStepped = true;
  protected readonly yields = true;
  private branched = false;

  function(row: Row, known: Readonly<Record<string, number>>): ModuleFunction {
    this.w = new Writer(512);
    this.resetLocals();
    this.branched = false;
    const word = localValue(32, secondLocal, true);
    const operands: Record<string, Node> = {};
    for (const { name, lsb, width, known: isKnown } of row.fields) {
      if (isKnown) continue;
      operands[name] = binary('and', binary('lsr', word, constant32(lsb)), constant32(2 ** width - 1));
    }
    row.meaning(this, known, operands);
    if (!this.hasBranched()) {
      this.commit();
      if (this.hasStatus) this.get(this.statusLocal);
      else this.i32(exit.none);
    }
    return { signature: codeSignature, locals: this.localTypes, body: this.w };
  }

  /** True when the meaning has set PC. */
  private hasBranched(): boolean {
    return this.branched;
  }

  /** Registers take their new values together: all of them are computed before the first is written. */
  private commit(): void {
    const flags = Object.entries(this.flagWrites ?? {}) as [FlagName, Node][];
    const single = this.registerWrites.length + flags.length + this.vectorWrites.length <= 1;
    const taken = (value: Node): Node =>
      single || value.isConstant ? value : localValue(value.width, this.settle(value), true);
    const registers = this.registerWrites.map((write) => ({ ...write, value: taken(write.value) }));
    const settledFlags = flags.map(([name, value]) => [name, taken(value)] as const);
    this.commitVectorWrites();
    for (const { n, value, isStackPointer } of registers) {
      this.emit(this.slotAddress(n, isStackPointer));
      this.emit(value);
      this.memoryOperation(op.i64_store, pe.x);
      if (!isStackPointer) this.storeState(pe.xzr, constant(64, 0n));
    }
    for (const [name, value] of settledFlags) this.storeState(flagOffset[name], value);
    this.registerWrites = [];
    this.flagWrites = undefined;
  }

  private slotAddress(n: Node, isStackPointer: boolean): Node {
    // The slot after the zero register's is the stack pointer's.
    const slot = isStackPointer ? binary('add', n, binary('eq', n, constant32(31))) : n;
    return binary('add', localValue(32, cpuLocal, true), binary('lsl', slot, constant32(3)));
  }

  protected readSlot(n: Node, isStackPointer: boolean): Node {
    return stateLoad(op.i64_load, 64, this.slotAddress(n, isStackPointer), pe.x);
  }

  protected vectorAddress(n: Node): { base: Node; offset: number } {
    return {
      base: binary('add', localValue(32, cpuLocal, true), binary('lsl', n, constant32(4))),
      offset: pe.vector,
    };
  }

  protected synchronise(): void {
    // The record is always complete.
  }

  protected override leaveIfAsked(): void {
    this.ifSeldom(() => {
      this.get(this.statusLocal);
      this.i32(exit.last);
      this.w.byte(op.i32_ne);
      this.block(op.if, () => {
        this.get(this.statusLocal);
        this.w.byte(op.return);
      });
    });
  }

  protected softTlb(unprivileged: boolean): Place {
    return { base: this.loadState(32, unprivileged ? pe.tlbUnprivileged : pe.tlb), offset: 0 };
  }

  pc(): Value {
    return this.loadState(64, pe.pc);
  }

  readFlag(name: FlagName): Value {
    return this.loadState(32, flagOffset[name]);
  }

  inGuardedPage(): Value {
    // The stepper has just fetched from there.
    const { base, offset } = this.softTlbEntryOf(this.low32(this.pc()) as Node, false);
    return stateLoad(op.i32_load, 32, base, offset + softTlbEntry.fetchTag + guardedAfterFetchTag);
  }

  branch(target: Value, _kind: BranchKind): void {
    const settled = localValue(64, this.settle(target as Node), true);
    this.commit();
    this.storeState(pe.pc, settled);
    this.i32(stepBranched);
    this.branched = true;
  }

  branchIf(condition: Value, target: Value): void {
    const next = this.add(this.pc(), this.constant(64, 4));
    this.branch(this.select(condition, target, next), 'direct');
  }
}

/** Makes step functions. */
export function makeStepGenerator(): (row: Row, known: Readonly<Record<string, number>>) => ModuleFunction {
  const generator = new StepGenerator();
  return (row, known) => generator.function(row, known);
}
