// Emission: how a generator appends to the text of one wasm function, and keeps its locals.

import { pe } from '../arch/state-layout.ts';
import type { Width } from '../isa/semantics.ts';
import { emit, type Locals, localValue, naturalAlignment, type Node, settle, stateLoad } from './expression.ts';
import { codeSignature, importedTable } from './wasm/module.ts';
import { op, simd, threads, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** Parameters of every generated function: the record's address, and the budget (blocks) or instruction word (step functions). */
export const cpuLocal = 0;
export const secondLocal = 1;

/** Byte offset, in the record, of a scratch slot. */
export const scratch = (slot: number): number => pe.scratch + 8 * slot;

/** A node, and where its value was before it was kept. */
interface Kept {
  readonly node: Node;
  readonly local: number;
  readonly stable: boolean;
}

export abstract class Emitting implements Locals {
  w = new Writer();
  localTypes: number[] = [];
  inArm = false;
  /** Blocks that the text is in. */
  protected depth = 0;
  /** What has been kept in locals since the function was begun, and what it was before, so that it can be forgotten. */
  private readonly journal: Kept[] = [];
  /** Of the function in the making: its parameters are its first locals. */
  protected readonly parameters: number = 2;

  allocate(kindOfLocal: number): number {
    this.localTypes.push(kindOfLocal);
    return this.parameters + this.localTypes.length - 1;
  }

  protected emit(n: Node): void {
    emit(n, this.w, this);
  }

  protected settle(n: Node): number {
    return settle(n, this.w, this);
  }

  protected get(local: number): void {
    this.w.byte(op.local_get);
    this.w.u32(local);
  }

  protected set(local: number): void {
    this.w.byte(op.local_set);
    this.w.u32(local);
  }

  protected i32(value: number): void {
    this.w.byte(op.i32_const);
    this.w.s32(value);
  }

  protected memoryOperation(code: number, offset: number): void {
    this.w.byte(code);
    this.w.u32(naturalAlignment(code));
    this.w.u32(offset);
  }

  /** Loads or stores 16 bytes. */
  protected vectorOperation(code: number, offset: number): void {
    this.w.byte(op.simd);
    this.w.u32(code);
    this.w.u32(0);
    this.w.u32(offset);
  }

  /** An access, sequentially consistent, whose address is aligned to its size. */
  protected atomicOperation(code: number, bytes: number): void {
    this.w.byte(op.threads);
    this.w.u32(code);
    this.w.u32(Math.log2(bytes));
    this.w.u32(0);
  }

  /** Orders every access before it before every one after it, for every thread. */
  protected fence(): void {
    this.w.byte(op.threads);
    this.w.u32(threads.atomic_fence);
    this.w.byte(0);
  }

  protected block(kindOfBlock: number, body: () => void): void {
    this.w.byte(kindOfBlock);
    this.w.byte(type.void);
    this.depth += 1;
    body();
    this.depth -= 1;
    this.w.byte(op.end);
  }

  /** What runs where the condition on the stack holds, which it seldom does. */
  protected ifSeldom(body: () => void): void {
    this.w.hintSeldom();
    this.block(op.if, body);
  }

  /** Leaves a block where the condition on the stack holds, which it seldom does. */
  protected branchIfSeldom(label: number): void {
    this.w.hintSeldom();
    this.w.byte(op.br_if);
    this.w.u32(label);
  }

  keep(node: Node, local: number, stable: boolean): void {
    this.journal.push({ node, local: node.local, stable: node.stable });
    node.local = local;
    node.stable = stable;
  }

  /** Code after which the text goes on elsewhere: what it has kept in locals is not there for what follows. */
  protected path(body: () => void): void {
    const mark = this.journal.length;
    body();
    while (this.journal.length > mark) {
      const { node, local, stable } = this.journal.pop() as Kept;
      node.local = local;
      node.stable = stable;
    }
  }

  /** Code that not every path runs. */
  protected arm(body: () => void): void {
    const outer = this.inArm;
    this.inArm = true;
    body();
    this.inArm = outer;
  }

  /** record[offset] = value, in its width. */
  protected storeState(offset: number, value: Node): void {
    this.get(cpuLocal);
    this.emit(value);
    if (value.width === 128) this.vectorOperation(simd.v128_store, offset);
    else this.memoryOperation(value.width === 64 ? op.i64_store : op.i32_store, offset);
  }

  protected loadState(width: Width, offset: number): Node {
    return stateLoad(width === 64 ? op.i64_load : op.i32_load, width, localValue(32, cpuLocal, true), offset);
  }

  /** Calls a function of a table, with what is on the stack. */
  protected callFunction(
    place: number,
    signature: number,
    code: number = op.call_indirect,
    table: number = importedTable,
  ): void {
    this.i32(place);
    this.w.byte(code);
    this.w.u32(signature);
    this.w.u32(table);
  }

  /** Calls a service and leaves the generated code when it says so. */
  protected callService(service: number, descriptor: Node): void {
    this.get(cpuLocal);
    this.emit(descriptor);
    this.callFunction(service, codeSignature);
    this.w.byte(op.local_tee);
    this.w.u32(this.statusLocal);
    this.leaveIfAsked();
  }

  /** Leaves the generated code with the status on the stack, which `statusLocal` has too, unless it is 0. */
  protected leaveIfAsked(): void {
    this.ifSeldom(() => {
      this.get(this.statusLocal);
      this.w.byte(op.return);
    });
  }

  private status = -1;
  /** Whether the text has called a service, or could have. */
  protected get hasStatus(): boolean {
    return this.status >= 0;
  }
  protected get statusLocal(): number {
    if (this.status < 0) this.status = this.allocate(type.i32);
    return this.status;
  }

  protected resetLocals(): void {
    this.localTypes = [];
    this.journal.length = 0;
    this.depth = 0;
    this.status = -1;
  }
}
