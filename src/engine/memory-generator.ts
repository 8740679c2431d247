// The part of the semantics interface that accesses memory: loads and stores look the soft TLB up inline; what misses, and
// exclusives and atomics, are services.

import {
  addendAfterTag,
  lineMapOffset,
  lineShift,
  pageShift,
  pe,
  softTlbEntries,
  softTlbEntry,
} from '../arch/state-layout.ts';
import type {
  Access,
  AccessBytes,
  AtomicOperation,
  ElementBits,
  Ordering,
  Semantics,
  Value,
} from '../isa/semantics.ts';
import { assert } from '../report/assert.ts';
import { node } from './arithmetic.ts';
import { cpuLocal, scratch } from './emitting.ts';
import { constant, constant32, localValue, type Node, stateLoad } from './expression.ts';
import { FloatGenerator } from './float-generator.ts';
import { atomicOperations, atomicShift, functionIndex, log2Bytes, memoryDescriptor, scratchSlot } from './services.ts';
import { op, simd, threads, type } from './wasm/opcodes.ts';

type Accessing =
  | 'load'
  | 'store'
  | 'loadPair'
  | 'storePair'
  | 'loadElements'
  | 'storeElements'
  | 'loadExclusive'
  | 'loadExclusivePair'
  | 'storeExclusive'
  | 'storeExclusivePair'
  | 'atomic'
  | 'compareAndSwap'
  | 'compareAndSwapPair';

/** How accesses to memory check alignment: known when the code is made, or looked up in the record. */
export type AlignmentCheck = 'strict' | 'relaxed' | 'dynamic';

const loadOpcode: Readonly<Record<AccessBytes, number>> = {
  1: op.i32_load8_u,
  2: op.i32_load16_u,
  4: op.i32_load,
  8: op.i64_load,
  16: simd.v128_load,
};
const storeOpcode32: Readonly<Record<number, number>> = { 1: op.i32_store8, 2: op.i32_store16, 4: op.i32_store };
const storeOpcode64: Readonly<Record<number, number>> = {
  1: op.i64_store8,
  2: op.i64_store16,
  4: op.i64_store32,
  8: op.i64_store,
};

/** Of Load-Acquire and Store-Release: the host's own order what is before and after them at least as much. */
const orderedLoadOpcode: Readonly<Record<number, number>> = {
  1: threads.i32_atomic_load8_u,
  2: threads.i32_atomic_load16_u,
  4: threads.i32_atomic_load,
  8: threads.i64_atomic_load,
};
const orderedStoreOpcode32: Readonly<Record<number, number>> = {
  1: threads.i32_atomic_store8,
  2: threads.i32_atomic_store16,
  4: threads.i32_atomic_store,
};
const orderedStoreOpcode64: Readonly<Record<number, number>> = {
  1: threads.i64_atomic_store8,
  2: threads.i64_atomic_store16,
  4: threads.i64_atomic_store32,
  8: threads.i64_atomic_store,
};
const isOrdered = ({ acquire, acquirePC, release }: Ordering): boolean =>
  acquire === true || acquirePC === true || release === true;

interface ElementChunk {
  readonly at: Value;
  readonly bytes: 8 | 16;
  readonly lanes: readonly number[];
  readonly access: Access;
}

/** So many bytes after an address of 32 bits. */
export interface Place {
  readonly base: Node;
  readonly offset: number;
}

/** What a look-up has found, in locals: the tag, or `noTag`, and the addend. */
export interface RememberedPage {
  readonly tag: number;
  readonly addend: number;
}

export abstract class MemoryGenerator extends FloatGenerator implements Pick<Semantics, Accessing> {
  protected abstract readonly alignment: AlignmentCheck;
  /** PEs of other threads may use memory at the same time: what orders accesses becomes the host's. */
  protected abstract readonly isConcurrent: boolean;
  /** The stepper runs the text, one instruction at a time. */
  protected readonly isStepped: boolean = false;
  /** Completes the record before a service is called. */
  protected abstract synchronise(): void;
  /** The same after an access has missed the soft TLB, before the one service that is called for it. */
  protected prepareAccess(): void {
    this.synchronise();
  }
  protected abstract softTlb(unprivileged: boolean): Place;

  /** Where the function in the making keeps what the last look-up by this tag has found for accesses like the present one, if anywhere. */
  protected rememberedPage(_tag: number): RememberedPage | undefined {
    return undefined;
  }

  load(address: Value, bytes: AccessBytes, access: Access): Value {
    const va = this.settle(node(address));
    const width = bytes === 16 ? 128 : bytes === 8 ? 64 : 32;
    const result = this.allocate(bytes === 16 ? type.v128 : bytes === 8 ? type.i64 : type.i32);
    this.accessMemory(va, bytes, access, [softTlbEntry.readTag], {
      fast: () => {
        if (bytes === 16) this.vectorOperation(simd.v128_load, 0);
        else if (this.isHostOrdered(access)) this.atomicOperation(orderedLoadOpcode[bytes] ?? op.unreachable, bytes);
        else this.memoryOperation(loadOpcode[bytes], 0);
        this.set(result);
      },
      slow: (descriptor) => {
        this.callService(functionIndex.access, constant32(descriptor));
        this.get(cpuLocal);
        const slot = scratch(scratchSlot.value);
        if (bytes === 16) this.vectorOperation(simd.v128_load, slot);
        else this.memoryOperation(bytes === 8 ? op.i64_load : op.i32_load, slot);
        this.set(result);
      },
    });
    return localValue(width, result, true);
  }

  store(address: Value, value: Value, bytes: AccessBytes, access: Access): void {
    const va = this.settle(node(address));
    const data = localValue(value.width, this.settle(node(value)), true);
    this.accessMemory(va, bytes, access, [softTlbEntry.writeTag], {
      fast: () => {
        this.emit(data);
        const [plain, ordered] =
          data.width === 64 ? [storeOpcode64, orderedStoreOpcode64] : [storeOpcode32, orderedStoreOpcode32];
        if (bytes === 16) this.vectorOperation(simd.v128_store, 0);
        else if (this.isHostOrdered(access)) this.atomicOperation(ordered[bytes] ?? op.unreachable, bytes);
        else this.memoryOperation(plain[bytes] ?? op.unreachable, 0);
      },
      slow: (descriptor) => {
        this.storeState(scratch(scratchSlot.value), data);
        this.callService(functionIndex.access, constant32(descriptor | memoryDescriptor.store));
      },
    });
  }

  /** An ordered access is aligned: without FEAT_LSE2 there is no other. */
  private isHostOrdered(access: Access): boolean {
    if (!this.isConcurrent || !isOrdered(access)) return false;
    assert(access.aligned === true, 'an ordered access is aligned');
    return true;
  }

  /** One look-up for both; vectors are accesses of their own. */
  loadPair(address: Value, bytes: 4 | 8 | 16): readonly [Value, Value] {
    if (bytes === 16) {
      const at = localValue(64, this.settle(node(address)), true);
      return [this.load(at, bytes, {}), this.load(this.add(at, this.constant(64, bytes)), bytes, {})];
    }
    const va = this.settle(node(address));
    const results = [0, bytes].map((offset) => ({ offset, local: this.allocate(bytes === 8 ? type.i64 : type.i32) }));
    this.accessMemory(va, (2 * bytes) as AccessBytes, { elementBytes: bytes }, [softTlbEntry.readTag], {
      fast: (physical) => {
        for (const { offset, local } of results) {
          if (offset > 0) this.emit(physical);
          this.memoryOperation(loadOpcode[bytes], offset);
          this.set(local);
        }
      },
      slow: (descriptor) => {
        this.callService(functionIndex.access, constant32(descriptor));
        for (const { offset, local } of results) {
          this.get(cpuLocal);
          this.memoryOperation(loadOpcode[bytes], scratch(scratchSlot.value) + offset);
          this.set(local);
        }
      },
    });
    const [first, second] = results.map(({ local }) => localValue(bytes === 8 ? 64 : 32, local, true));
    return [first as Node, second as Node];
  }

  storePair(address: Value, first: Value, second: Value, bytes: 4 | 8 | 16): void {
    if (bytes === 16) {
      const at = localValue(64, this.settle(node(address)), true);
      this.store(at, first, bytes, {});
      this.store(this.add(at, this.constant(64, bytes)), second, bytes, {});
      return;
    }
    const va = this.settle(node(address));
    const data = [first, second].map((value, n) => ({
      offset: n * bytes,
      value: localValue(value.width, this.settle(node(value)), true),
    }));
    const opcode = bytes === 8 ? op.i64_store : op.i32_store;
    this.accessMemory(va, (2 * bytes) as AccessBytes, { elementBytes: bytes }, [softTlbEntry.writeTag], {
      fast: (physical) => {
        for (const { offset, value } of data) {
          if (offset > 0) this.emit(physical);
          this.emit(value);
          this.memoryOperation(opcode, offset);
        }
      },
      slow: (descriptor) => {
        for (const { offset, value } of data) this.storeState(scratch(scratchSlot.value) + offset, value);
        this.callService(functionIndex.access, constant32(descriptor | memoryDescriptor.store));
      },
    });
  }

  loadElements(address: Value, bits: ElementBits, count: number): readonly Value[] {
    return this.chunks(address, bits, count).flatMap(({ at, bytes, lanes, access }) => {
      const chunk = this.load(at, bytes, access);
      const vector = bytes === 16 ? chunk : this.splat(64, chunk);
      return lanes.map((lane) => this.laneOf(vector, bits, lane));
    });
  }

  storeElements(address: Value, bits: ElementBits, words: readonly Value[]): void {
    let next = 0;
    for (const { at, bytes, lanes, access } of this.chunks(address, bits, words.length)) {
      let vector: Value = constant(128, 0n);
      for (const lane of lanes) {
        vector = this.withLane(vector, bits, lane, words[next] as Value);
        next += 1;
      }
      this.store(at, bytes === 16 ? vector : this.laneOf(vector, 64, 0), bytes, access);
    }
  }

  /** Elements are accessed 16 bytes at a time, or 8 at the end: faults and alignment are those of each element all the same. */
  private chunks(address: Value, bits: ElementBits, count: number): ElementChunk[] {
    const total = (count * bits) / 8;
    const access = { elementBytes: (bits / 8) as 1 | 2 | 4 | 8 };
    const first = localValue(64, this.settle(node(address)), true);
    return Array.from({ length: Math.ceil(total / 16) }, (_, n) => {
      const bytes = total - 16 * n < 16 ? 8 : 16;
      const lanes = Array.from({ length: (8 * bytes) / bits }, (_lane, lane) => lane);
      return { at: this.add(first, this.constant(64, 16 * n)), bytes, lanes, access };
    });
  }

  /**
   * The inline look-up of the soft TLB, by one tag or more. `fast` runs with the wasm address on the stack (and gets its local), `slow`
   * with the record complete and the virtual address in scratch 0.
   */
  protected accessMemory(
    va: number,
    bytes: AccessBytes,
    access: Access,
    tags: readonly [tag: number, ...number[]],
    parts: { readonly fast: (physical: Node) => void; readonly slow: (descriptor: number) => void },
  ): void {
    const [tag] = tags;
    const address = localValue(64, va, true);
    const low = node(this.low32(address));
    const isUnprivileged = access.unprivileged === true;
    const remembered = tags.length === 1 && !isUnprivileged ? this.rememberedPage(tag) : undefined;
    const physical = this.allocate(type.i32);
    this.block(op.block, () => {
      this.block(op.block, () => {
        if (remembered) {
          this.lookUpUnlessRemembered(address, bytes, access, tag, remembered);
          this.emit(node(this.add(low, localValue(32, remembered.addend, true))));
        } else {
          const { base, offset } = this.softTlbEntryOf(low, isUnprivileged);
          for (const needed of tags) {
            const found = stateLoad(op.i64_load, 64, base, offset + needed);
            this.emit(node(this.ne(this.accessTag(address, bytes, access), found)));
            this.branchIfSeldom(0);
          }
          this.emit(node(this.add(low, stateLoad(op.i32_load, 32, base, offset + tag + addendAfterTag))));
        }
        this.set(physical);
        if (tag === softTlbEntry.writeTag) {
          this.get(physical);
          this.i32(lineShift);
          this.w.byte(op.i32_shr_u);
          this.memoryOperation(op.i32_load8_u, lineMapOffset);
          this.branchIfSeldom(0);
        }
        this.get(physical);
        parts.fast(localValue(32, physical, true));
        this.w.byte(op.br);
        this.w.u32(1);
      });
      this.arm(() => {
        this.prepareAccess();
        this.storeState(scratch(scratchSlot.address), address);
        parts.slow(this.descriptorOf(bytes, access));
      });
    });
  }

  /** The entry of the soft TLB for an address. */
  protected softTlbEntryOf(low: Node, isUnprivileged: boolean): Place {
    const index = this.and(
      this.lsr(low, constant32(pageShift - Math.log2(softTlbEntry.bytes))),
      constant32((softTlbEntries - 1) * softTlbEntry.bytes),
    );
    const { base, offset } = this.softTlb(isUnprivileged);
    return { base: localValue(32, this.settle(node(this.add(base, index))), true), offset };
  }

  /** Makes the remembered page that of an access, inside the block which is left where the soft TLB does not permit it. */
  private lookUpUnlessRemembered(
    address: Node,
    bytes: AccessBytes,
    access: Access,
    tag: number,
    remembered: RememberedPage,
  ): void {
    const page = localValue(64, remembered.tag, true);
    const isOther = (tag: Value): Value => this.ne(tag, page);
    if (bytes === (access.elementBytes ?? bytes)) {
      // One that is not aligned is looked up: it may reach into the next page.
      this.emit(node(isOther(this.and(address, this.constant(64, -(1 << pageShift) | (bytes - 1))))));
    } else {
      const first = this.and(address, this.constant(64, -(1 << pageShift)));
      this.emit(node(this.or(isOther(first), isOther(this.accessTag(address, bytes, access)))));
    }
    this.ifSeldom(() => {
      this.arm(() => {
        const { base, offset } = this.softTlbEntryOf(node(this.low32(address)), false);
        const found = stateLoad(op.i64_load, 64, base, offset + tag);
        this.emit(node(this.ne(this.accessTag(address, bytes, access), found)));
        this.branchIfSeldom(1);
        this.emit(stateLoad(op.i32_load, 32, base, offset + tag + addendAfterTag));
        this.set(remembered.addend);
        this.emit(node(this.and(address, this.constant(64, -(1 << pageShift)))));
        this.set(remembered.tag);
      });
    });
  }

  /** What must equal the tag: the page of the first byte, and of the last; or the last element's address where alignment is checked. */
  private accessTag(address: Node, bytes: AccessBytes, access: Access): Value {
    const pageMask = this.constant(64, -(1 << pageShift));
    if (bytes === 1) return this.and(address, pageMask);
    const elementBytes = access.elementBytes ?? bytes;
    const inElement = this.constant(64, elementBytes - 1);
    const lastElement = this.add(address, this.constant(64, bytes - elementBytes));
    if (access.aligned === true || this.alignment === 'strict') {
      return this.and(lastElement, this.constant(64, -(1 << pageShift) | (elementBytes - 1)));
    }
    if (this.alignment === 'relaxed') return this.and(this.add(address, this.constant(64, bytes - 1)), pageMask);
    const strict = stateLoad(op.i64_load32_s, 64, localValue(32, cpuLocal, true), pe.strictAlignment);
    const lastByte = this.add(lastElement, this.and(inElement, this.not(strict)));
    return this.and(lastByte, this.or(pageMask, this.and(inElement, strict)));
  }

  loadExclusive(address: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([[scratchSlot.address, address]]);
    this.callService(functionIndex.exclusive, constant32(this.descriptorOf(bytes, order)));
    return this.scratchResult(scratchSlot.value, bytes);
  }

  loadExclusivePair(address: Value, bytes: 4 | 8, order: Ordering): readonly [Value, Value] {
    this.startService([[scratchSlot.address, address]]);
    const descriptor = this.descriptorOf(bytes, order) | memoryDescriptor.pair;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return [this.scratchResult(scratchSlot.value, bytes), this.scratchResult(scratchSlot.valueHigh, bytes)];
  }

  storeExclusive(address: Value, value: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, value],
    ]);
    const descriptor = this.descriptorOf(bytes, order) | memoryDescriptor.store;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return this.scratchResult(scratchSlot.status, 4);
  }

  storeExclusivePair(address: Value, first: Value, second: Value, bytes: 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, first],
      [scratchSlot.valueHigh, second],
    ]);
    const descriptor = this.descriptorOf(bytes, order) | memoryDescriptor.store | memoryDescriptor.pair;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return this.scratchResult(scratchSlot.status, 4);
  }

  atomic(operation: AtomicOperation, address: Value, operand: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, operand],
    ]);
    const descriptor = this.descriptorOf(bytes, order) | (atomicOperations.indexOf(operation) << atomicShift);
    this.callService(functionIndex.atomic, constant32(descriptor));
    return this.scratchResult(scratchSlot.value, bytes);
  }

  compareAndSwap(address: Value, expected: Value, replacement: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, replacement],
      [scratchSlot.expected, expected],
    ]);
    const descriptor = this.descriptorOf(bytes, order) | (atomicOperations.indexOf('CAS') << atomicShift);
    this.callService(functionIndex.atomic, constant32(descriptor));
    return this.scratchResult(scratchSlot.value, bytes);
  }

  compareAndSwapPair(
    address: Value,
    expected: readonly [Value, Value],
    replacement: readonly [Value, Value],
    bytes: 4 | 8,
    order: Ordering,
  ): readonly [Value, Value] {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, replacement[0]],
      [scratchSlot.valueHigh, replacement[1]],
      [scratchSlot.expected, expected[0]],
      [scratchSlot.expectedHigh, expected[1]],
    ]);
    const descriptor =
      this.descriptorOf(bytes, order) | memoryDescriptor.pair | (atomicOperations.indexOf('CAS') << atomicShift);
    this.callService(functionIndex.atomic, constant32(descriptor));
    return [this.scratchResult(scratchSlot.value, bytes), this.scratchResult(scratchSlot.valueHigh, bytes)];
  }

  /** The descriptor of a service, as services.ts has it. */
  protected descriptorOf(bytes: AccessBytes, access: Access): number {
    return (
      (log2Bytes(bytes) << memoryDescriptor.sizeShift) |
      (access.aligned === true ? memoryDescriptor.aligned : 0) |
      (access.unprivileged === true ? memoryDescriptor.unprivileged : 0) |
      (access.acquire === true ? memoryDescriptor.acquire : 0) |
      (access.acquirePC === true ? memoryDescriptor.acquirePC : 0) |
      (access.release === true ? memoryDescriptor.release : 0) |
      (this.isStepped ? memoryDescriptor.stepped : 0) |
      (Math.log2(bytes / (access.elementBytes ?? bytes)) << memoryDescriptor.elementsShift)
    );
  }

  /** Completes the record and passes values in scratch slots; the values are taken before anything is written back. */
  protected startService(values: readonly (readonly [number, Value])[]): void {
    const settled = values.map(([slot, value]) => {
      const wide = node(value.width === 64 ? value : this.zeroExtend(value, 32, 64));
      return [slot, wide.isConstant ? wide : localValue(64, this.settle(wide), true)] as const;
    });
    this.synchronise();
    for (const [slot, value] of settled) this.storeState(scratch(slot), value);
  }

  protected scratchResult(slot: number, bytes: number): Value {
    const result = this.loadState(bytes === 8 ? 64 : 32, scratch(slot));
    return localValue(result.width, this.settle(result), true);
  }
}
