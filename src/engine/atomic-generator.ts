// Exclusives and atomics of up to 8 bytes as instructions of the host, where PEs of several threads use memory at the same time and the
// soft TLB permits both accesses. The monitors are the value (arch/concurrent-access.ts, whose fields of the record these keep).
// What is left to the services: pairs, minima and maxima, marked lines, and whatever faults.

import { pe, softTlbEntry } from '../arch/state-layout.ts';
import type { AtomicOperation, Ordering, Value } from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { constant32, localValue, type Node } from './expression.ts';
import { MemoryGenerator } from './memory-generator.ts';
import { atomicOperations, atomicShift, functionIndex, memoryDescriptor, scratchSlot } from './services.ts';
import { op, threads, type } from './wasm/opcodes.ts';

type Bytes = 1 | 2 | 4 | 8;

/** From the opcode of an operation on 32 bits to that of each size. */
const fromOpcode32: Readonly<Record<Bytes, number>> = { 1: 2, 2: 3, 4: 0, 8: 1 };

const opcodes: Partial<Readonly<Record<AtomicOperation, number>>> = {
  ADD: threads.i32_atomic_rmw_add,
  BIC: threads.i32_atomic_rmw_and,
  ORR: threads.i32_atomic_rmw_or,
  EOR: threads.i32_atomic_rmw_xor,
  SWP: threads.i32_atomic_rmw_xchg,
};

export abstract class AtomicGenerator extends MemoryGenerator {
  /** The text may be longer for it. */
  protected readonly inlinesAtomics: boolean = false;

  private get isInline(): boolean {
    return this.isConcurrent && this.inlinesAtomics;
  }

  /** The low `bytes` bytes of a value, in a local of 64 bits for 8 and of 32 bits otherwise. */
  private operand(value: Value, bytes: Bytes): Node {
    const narrow = bytes === 8 ? value : this.low32(value);
    const exact = bytes < 4 ? this.zeroExtend(narrow, bytes === 1 ? 8 : 16, 32) : narrow;
    return localValue(bytes === 8 ? 64 : 32, this.settle(node(exact)), true);
  }

  private wide(value: Node): Node {
    return node(value.width === 64 ? value : this.zeroExtend(value, 32, 64));
  }

  /** The record's field as an operand of this size. */
  private field(offset: number, bytes: Bytes): Node {
    return this.loadState(bytes === 8 ? 64 : 32, offset);
  }

  /** `fast` has the address on the stack, and leaves the value before on it. */
  private readModifyWrite(
    address: Value,
    bytes: Bytes,
    order: Ordering,
    operation: AtomicOperation | 'CAS',
    operands: readonly (readonly [slot: number, value: Node])[],
    fast: () => void,
  ): Value {
    const va = this.settle(node(address));
    const result = this.allocate(bytes === 8 ? type.i64 : type.i32);
    const descriptor = this.descriptorOf(bytes, order) | (atomicOperations.indexOf(operation) << atomicShift);
    const tags = [softTlbEntry.writeTag, softTlbEntry.readTag] as const;
    this.accessMemory(va, bytes, { ...order, aligned: true }, tags, {
      fast: () => {
        this.arm(fast);
        this.set(result);
      },
      slow: () => {
        for (const [slot, value] of operands) this.storeScratch(slot, value);
        this.callService(functionIndex.atomic, constant32(descriptor));
        this.emit(this.scratchField(scratchSlot.value, bytes));
        this.set(result);
      },
    });
    return localValue(bytes === 8 ? 64 : 32, result, true);
  }

  override atomic(operation: AtomicOperation, address: Value, value: Value, bytes: Bytes, order: Ordering): Value {
    const opcode = opcodes[operation];
    if (!this.isInline || opcode === undefined) return super.atomic(operation, address, value, bytes, order);
    const operand = this.operand(value, bytes);
    const host = operation === 'BIC' ? this.operand(this.not(operand), bytes) : operand;
    return this.readModifyWrite(address, bytes, order, operation, [[scratchSlot.value, operand]], () => {
      this.emit(host);
      this.atomicOperation(opcode + fromOpcode32[bytes], bytes);
    });
  }

  override compareAndSwap(address: Value, expected: Value, replacement: Value, bytes: Bytes, order: Ordering): Value {
    if (!this.isInline) return super.compareAndSwap(address, expected, replacement, bytes, order);
    const [before, after] = [this.operand(expected, bytes), this.operand(replacement, bytes)];
    const operands = [
      [scratchSlot.value, after],
      [scratchSlot.expected, before],
    ] as const;
    return this.readModifyWrite(address, bytes, order, 'CAS', operands, () => {
      this.emit(before);
      this.emit(after);
      this.atomicOperation(threads.i32_atomic_rmw_cmpxchg + fromOpcode32[bytes], bytes);
    });
  }

  override loadExclusive(address: Value, bytes: Bytes, order: Ordering): Value {
    if (!this.isInline) return super.loadExclusive(address, bytes, order);
    const va = this.settle(node(address));
    const result = this.allocate(bytes === 8 ? type.i64 : type.i32);
    const value = localValue(bytes === 8 ? 64 : 32, result, true);
    this.accessMemory(va, bytes, { ...order, aligned: true }, [softTlbEntry.readTag], {
      fast: (physical) => {
        this.atomicOperation(threads.i32_atomic_load + fromOpcode32[bytes], bytes);
        this.set(result);
        this.arm(() => {
          this.storeState(pe.exclusiveAddress, physical);
          this.storeState(pe.exclusiveBytes, constant32(bytes));
          this.storeState(pe.exclusiveValue, this.wide(value));
        });
      },
      slow: () => {
        this.callService(functionIndex.exclusive, constant32(this.descriptorOf(bytes, order)));
        this.emit(this.scratchField(scratchSlot.value, bytes));
        this.set(result);
      },
    });
    return value;
  }

  override storeExclusive(address: Value, value: Value, bytes: Bytes, order: Ordering): Value {
    if (!this.isInline) return super.storeExclusive(address, value, bytes, order);
    const va = this.settle(node(address));
    const data = this.operand(value, bytes);
    const status = this.allocate(type.i32);
    this.accessMemory(va, bytes, { ...order, aligned: true }, [softTlbEntry.writeTag], {
      fast: (physical) => {
        this.w.byte(op.drop);
        this.i32(1);
        this.set(status);
        this.arm(() => {
          const isSame = this.eq(this.field(pe.exclusiveAddress, 4), physical);
          this.emit(node(this.and(isSame, this.eq(this.field(pe.exclusiveBytes, 4), constant32(bytes)))));
          this.block(op.if, () => {
            this.emit(physical);
            this.emit(this.field(pe.exclusiveValue, bytes));
            this.emit(data);
            this.atomicOperation(threads.i32_atomic_rmw_cmpxchg + fromOpcode32[bytes], bytes);
            this.emit(this.field(pe.exclusiveValue, bytes));
            this.w.byte(bytes === 8 ? op.i64_ne : op.i32_ne);
            this.set(status);
          });
          this.storeState(pe.exclusiveAddress, constant32(0));
        });
      },
      slow: () => {
        this.storeScratch(scratchSlot.value, data);
        const descriptor = this.descriptorOf(bytes, order) | memoryDescriptor.store;
        this.callService(functionIndex.exclusive, constant32(descriptor));
        this.emit(this.scratchField(scratchSlot.status, 4));
        this.set(status);
      },
    });
    return localValue(32, status, true);
  }

  private storeScratch(slot: number, value: Node): void {
    this.storeState(pe.scratch + 8 * slot, this.wide(value));
  }

  private scratchField(slot: number, bytes: Bytes): Node {
    return this.field(pe.scratch + 8 * slot, bytes);
  }
}
