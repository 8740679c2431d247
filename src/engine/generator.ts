// The generator of wasm: one implementation of the semantics interface under two binding times. What step.ts and translate.ts
// add is where operands, registers and the program counter come from, and what must be written back before a service is called.

import {
  addendAfterTag,
  jumpCacheEntries,
  jumpCacheEntryBytes,
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
  BarrierKind,
  BranchKind,
  FlagName,
  Flags,
  Ordering,
  Semantics,
  Value,
  Width,
} from '../isa/semantics.ts';
import {
  binary,
  type BinaryName,
  binaryNode,
  call,
  constant,
  constant32,
  emit,
  intOf,
  type Locals,
  localValue,
  naturalAlignment,
  type Node,
  select,
  settle,
  stateLoad,
  unary,
} from './expression.ts';
import {
  atomicOperations,
  atomicShift,
  functionIndex,
  log2Bytes,
  memoryDescriptor,
  scratchSlot,
  systemImmediateShift,
  systemOperation,
} from './services.ts';
import { codeSignature } from './wasm/module.ts';
import { op, simd, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** Parameters of every generated function: the record's address, and the budget (blocks) or instruction word (step functions). */
export const cpuLocal = 0;
export const secondLocal = 1;
const parameters = 2;

const scratch = (slot: number): number => pe.scratch + 8 * slot;

/** How accesses to memory check alignment: known when the code is made, or looked up in the record. */
export type AlignmentCheck = 'strict' | 'relaxed' | 'dynamic';

export interface RegisterWrite {
  readonly n: Node;
  readonly value: Node;
  readonly isStackPointer: boolean;
}

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

const node = (value: Value): Node => value as Node;

export abstract class Generator implements Semantics, Locals {
  w = new Writer();
  localTypes: number[] = [];
  inArm = false;
  protected registerWrites: RegisterWrite[] = [];
  protected vectorWrites: { n: Node; value: Node }[] = [];
  protected flagWrites: Partial<Flags> | undefined;

  protected abstract readonly alignment: AlignmentCheck;
  /** A value of a general-purpose register; `n` is the slot 0..31 (31 reads as zero) or 32 (the stack pointer). */
  protected abstract readSlot(n: Node, isStackPointer: boolean): Node;
  /** Completes the record before a service is called. */
  protected abstract synchronise(): void;
  /** Address of the soft TLB, 32 bits. */
  protected abstract softTlb(unprivileged: boolean): Node;
  protected abstract vectorAddress(n: Node): { base: Node; offset: number };

  abstract pc(): Value;
  abstract readFlag(name: FlagName): Value;
  abstract branch(target: Value, kind: BranchKind): void;
  abstract branchIf(condition: Value, target: Value): void;

  allocate(kindOfLocal: number): number {
    this.localTypes.push(kindOfLocal);
    return parameters + this.localTypes.length - 1;
  }

  // Emission.

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

  protected block(kindOfBlock: number, body: () => void): void {
    this.w.byte(kindOfBlock);
    this.w.byte(type.void);
    body();
    this.w.byte(op.end);
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

  /** Calls a service and leaves the generated code when it says so. */
  protected callService(service: number, descriptor: Node): void {
    this.get(cpuLocal);
    this.emit(descriptor);
    this.w.byte(op.call);
    this.w.u32(service);
    this.w.byte(op.local_tee);
    this.w.u32(this.statusLocal);
    this.block(op.if, () => {
      this.get(this.statusLocal);
      this.w.byte(op.return);
    });
  }

  private status = -1;
  protected get statusLocal(): number {
    if (this.status < 0) this.status = this.allocate(type.i32);
    return this.status;
  }

  protected resetLocals(): void {
    this.localTypes = [];
    this.status = -1;
  }

  // Values.

  private op(name: BinaryName, a: Value, b: Value): Node {
    return binary(name, node(a), node(b));
  }

  constant(width: 32 | 64, value: number | bigint): Value {
    return constant(width, BigInt(value));
  }
  add(a: Value, b: Value): Value {
    return this.op('add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.op('sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.op('mul', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.op('and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.op('or', a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.op('xor', a, b);
  }
  not(a: Value): Value {
    return this.op('xor', a, constant(a.width, -1n));
  }
  lsl(a: Value, amount: Value): Value {
    return this.op('lsl', a, amount);
  }
  lsr(a: Value, amount: Value): Value {
    return this.op('lsr', a, amount);
  }
  asr(a: Value, amount: Value): Value {
    return this.op('asr', a, amount);
  }
  ror(a: Value, amount: Value): Value {
    return this.op('ror', a, amount);
  }
  eq(a: Value, b: Value): Value {
    return this.op('eq', a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.op('ne', a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.op('ltU', a, b);
  }
  ltS(a: Value, b: Value): Value {
    return this.op('ltS', a, b);
  }
  select(condition: Value, a: Value, b: Value): Value {
    return select(node(condition), node(a), node(b));
  }

  umulh(a: Value, b: Value): Value {
    return call(functionIndex.umulh, 64, [node(a), node(b)]);
  }
  smulh(a: Value, b: Value): Value {
    return call(functionIndex.smulh, 64, [node(a), node(b)]);
  }

  udiv(a: Value, b: Value): Value {
    const code = a.width === 64 ? op.i64_div_u : op.i32_div_u;
    return this.divide(code, node(a), node(b), this.constant(a.width as 32 | 64, 1));
  }

  sdiv(a: Value, b: Value): Value {
    // wasm traps on the minimum divided by -1, for which dividing by 1 gives the architected quotient.
    const width = a.width as 32 | 64;
    const overflows = this.and(
      this.eq(b, this.constant(width, -1)),
      this.eq(a, this.constant(width, 1n << BigInt(width - 1))),
    );
    const one = this.constant(width, 1);
    const code = width === 64 ? op.i64_div_s : op.i32_div_s;
    return this.divide(code, node(a), node(this.select(overflows, one, b)), one);
  }

  /** a / b, and 0 where b is 0. */
  private divide(code: number, a: Node, b: Node, one: Value): Value {
    const zero = constant(a.width, 0n);
    const byZero = this.eq(b, zero);
    const divisor = node(this.select(byZero, one, b));
    const quotient = binaryNode(code, a.width, a, divisor);
    return this.select(byZero, zero, quotient);
  }

  clz(a: Value): Value {
    return unary(a.width === 64 ? op.i64_clz : op.i32_clz, a.width, node(a));
  }

  rbit(a: Value): Value {
    if (a.width === 64) return call(functionIndex.rbit, 64, [node(a)]);
    const reversed = call(functionIndex.rbit, 64, [node(this.zeroExtend(a, 32, 64))]);
    return this.low32(this.lsr(reversed, this.constant(64, 32)));
  }

  rev(a: Value, containerBits: 16 | 32 | 64): Value {
    const width = a.width as 32 | 64;
    let result = this.swapAdjacent(a, 8, 0x00ff00ff00ff00ffn);
    if (containerBits >= 32) result = this.swapAdjacent(result, 16, 0x0000ffff0000ffffn);
    if (containerBits === 64) result = this.ror(result, this.constant(width, 32));
    return result;
  }

  private swapAdjacent(a: Value, bits: number, mask: bigint): Value {
    const width = a.width as 32 | 64;
    const distance = this.constant(width, bits);
    const low = this.constant(width, mask);
    return this.or(this.lsl(this.and(a, low), distance), this.and(this.lsr(a, distance), low));
  }

  zeroExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value {
    const n = node(a);
    if (n.isConstant) return constant(width, BigInt.asUintN(fromBits, n.bits));
    if (a.width === 32 && width === 64) {
      const low = fromBits === 32 ? a : this.and(a, this.constant(32, 2 ** fromBits - 1));
      return unary(op.i64_extend_i32_u, 64, node(low));
    }
    const same = a.width === 64 && width === 32 ? this.low32(a) : a;
    return fromBits === width ? same : this.and(same, this.constant(width, 2 ** fromBits - 1));
  }

  signExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value {
    const n = node(a);
    if (n.isConstant) return constant(width, BigInt.asIntN(fromBits, n.bits));
    if (width === 32) {
      const low = node(this.low32(a));
      return fromBits === 32 ? low : unary(fromBits === 8 ? op.i32_extend8_s : op.i32_extend16_s, 32, low);
    }
    if (a.width === 32 && fromBits === 32) return unary(op.i64_extend_i32_s, 64, n);
    const wide = a.width === 64 ? n : unary(op.i64_extend_i32_u, 64, n);
    const code = { 8: op.i64_extend8_s, 16: op.i64_extend16_s, 32: op.i64_extend32_s }[fromBits];
    return unary(code, 64, wide);
  }

  low32(a: Value): Value {
    const n = node(a);
    if (a.width === 32) return a;
    return n.isConstant ? constant(32, n.bits) : unary(op.i32_wrap_i64, 32, n);
  }

  crc32(acc: Value, data: Value, bytes: 1 | 2 | 4 | 8, castagnoli: boolean): Value {
    const wide = data.width === 64 ? data : this.zeroExtend(data, 32, 64);
    const selector = constant32(bytes | (castagnoli ? 16 : 0));
    return call(functionIndex.crc32, 32, [node(acc), node(wide), selector]);
  }

  // Registers.

  readX(n: Value, width: 32 | 64): Value {
    const value = this.readSlot(node(n), false);
    return width === 64 ? value : this.low32(value);
  }

  readXSP(n: Value, width: 32 | 64): Value {
    const value = this.readSlot(node(n), true);
    return width === 64 ? value : this.low32(value);
  }

  readBase(n: Value): Value {
    const base = this.readSlot(node(n), true);
    const register = node(n);
    if (register.isConstant && intOf(register) !== 31) return base;
    // CheckSPAlignment: the record holds the mask that SCTLR_ELx.SA asks for at this Exception level.
    const misaligned = this.and(this.low32(base), this.loadState(32, pe.spAlignmentMask));
    const isStackPointer = this.eq(n, constant32(31));
    this.emit(node(this.select(isStackPointer, misaligned, constant32(0))));
    this.block(op.if, () => {
      this.arm(() => {
        this.synchronise();
        this.callService(functionIndex.system, constant32(systemOperation.spAlignment));
      });
    });
    return base;
  }

  writeX(n: Value, value: Value): void {
    this.registerWrites.push({ n: node(n), value: this.extended(value), isStackPointer: false });
  }

  writeXSP(n: Value, value: Value): void {
    this.registerWrites.push({ n: node(n), value: this.extended(value), isStackPointer: true });
  }

  private extended(value: Value): Node {
    const wide = node(value.width === 64 ? value : this.zeroExtend(value, 32, 64));
    wide.uses += 1;
    return wide;
  }

  readV(n: Value, width: Width): Value {
    const { base, offset } = this.vectorAddress(node(n));
    return stateLoad(width === 64 ? op.i64_load : op.i32_load, width, base, offset);
  }

  writeV(n: Value, value: Value): void {
    node(value).uses += 1;
    this.vectorWrites.push({ n: node(n), value: node(value) });
  }

  checkFPEnabled(): void {
    this.emit(this.loadState(32, pe.fpTrapped));
    this.block(op.if, () => {
      this.arm(() => {
        this.synchronise();
        this.callService(functionIndex.system, constant32(systemOperation.fpTrap));
      });
    });
  }

  writeFlags(flags: Partial<Flags>): void {
    for (const value of Object.values(flags)) node(value).uses += 1;
    this.flagWrites = { ...this.flagWrites, ...flags };
  }

  /** Writes V registers; called when the meaning has run to its end. */
  protected commitVectorWrites(): void {
    for (const { n, value } of this.vectorWrites) {
      const { base, offset } = this.vectorAddress(n);
      const store = (part: Node, at: number): void => {
        this.emit(base);
        this.emit(part);
        if (part.width === 128) this.vectorOperation(simd.v128_store, at);
        else this.memoryOperation(op.i64_store, at);
      };
      if (value.width === 128) {
        store(value, offset);
      } else {
        store(node(value.width === 64 ? value : this.zeroExtend(value, 32, 64)), offset);
        store(constant(64, 0n), offset + 8);
      }
    }
    this.vectorWrites = [];
  }

  // Memory.

  load(address: Value, bytes: AccessBytes, access: Access): Value {
    const va = this.settle(node(address));
    const width = bytes === 16 ? 128 : bytes === 8 ? 64 : 32;
    const result = this.allocate(bytes === 16 ? type.v128 : bytes === 8 ? type.i64 : type.i32);
    this.accessMemory(va, bytes, access, softTlbEntry.readTag, {
      fast: () => {
        if (bytes === 16) this.vectorOperation(simd.v128_load, 0);
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
    this.accessMemory(va, bytes, access, softTlbEntry.writeTag, {
      fast: () => {
        this.emit(data);
        if (bytes === 16) this.vectorOperation(simd.v128_store, 0);
        else this.memoryOperation((data.width === 64 ? storeOpcode64 : storeOpcode32)[bytes] ?? op.unreachable, 0);
      },
      slow: (descriptor) => {
        this.storeState(scratch(scratchSlot.value), data);
        this.callService(functionIndex.access, constant32(descriptor | memoryDescriptor.store));
      },
    });
  }

  /**
   * The inline look-up of the soft TLB. `fast` runs with the wasm address on the stack, `slow` with the record complete and the
   * virtual address in scratch 0.
   */
  private accessMemory(
    va: number,
    bytes: AccessBytes,
    access: Access,
    tag: number,
    parts: { readonly fast: () => void; readonly slow: (descriptor: number) => void },
  ): void {
    const address = localValue(64, va, true);
    const low = node(this.low32(address));
    const entryOffset = this.and(
      this.lsr(low, constant32(pageShift - Math.log2(softTlbEntry.bytes))),
      constant32((softTlbEntries - 1) * softTlbEntry.bytes),
    );
    const entry = localValue(
      32,
      this.settle(node(this.add(this.softTlb(access.unprivileged === true), entryOffset))),
      true,
    );
    const physical = this.allocate(type.i32);
    this.block(op.block, () => {
      this.block(op.block, () => {
        this.emit(node(this.ne(this.accessTag(address, bytes, access), stateLoad(op.i64_load, 64, entry, tag))));
        this.w.byte(op.br_if);
        this.w.u32(0);
        const wasmAddress = this.add(low, stateLoad(op.i32_load, 32, entry, tag + addendAfterTag));
        this.emit(node(wasmAddress));
        this.set(physical);
        if (tag === softTlbEntry.writeTag) {
          this.get(physical);
          this.i32(lineShift);
          this.w.byte(op.i32_shr_u);
          this.memoryOperation(op.i32_load8_u, lineMapOffset);
          this.w.byte(op.br_if);
          this.w.u32(0);
        }
        this.get(physical);
        parts.fast();
        this.w.byte(op.br);
        this.w.u32(1);
      });
      this.arm(() => {
        this.synchronise();
        this.storeState(scratch(scratchSlot.address), address);
        parts.slow(memoryDescriptorOf(bytes, access));
      });
    });
  }

  /** What must equal the tag: the page of the first byte, and of the last; or the aligned address where alignment is checked. */
  private accessTag(address: Node, bytes: AccessBytes, access: Access): Value {
    const pageMask = this.constant(64, -(1 << pageShift));
    if (bytes === 1) return this.and(address, pageMask);
    const span = this.constant(64, bytes - 1);
    if (access.aligned === true || this.alignment === 'strict') {
      return this.and(address, this.constant(64, -(1 << pageShift) | (bytes - 1)));
    }
    if (this.alignment === 'relaxed') return this.and(this.add(address, span), pageMask);
    const strict = stateLoad(op.i64_load32_s, 64, localValue(32, cpuLocal, true), pe.strictAlignment);
    const lastByte = this.add(address, this.and(span, this.not(strict)));
    return this.and(lastByte, this.or(pageMask, this.and(span, strict)));
  }

  loadExclusive(address: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([[scratchSlot.address, address]]);
    this.callService(functionIndex.exclusive, constant32(memoryDescriptorOf(bytes, order)));
    return this.scratchResult(scratchSlot.value, bytes);
  }

  loadExclusivePair(address: Value, bytes: 4 | 8, order: Ordering): readonly [Value, Value] {
    this.startService([[scratchSlot.address, address]]);
    const descriptor = memoryDescriptorOf(bytes, order) | memoryDescriptor.pair;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return [this.scratchResult(scratchSlot.value, bytes), this.scratchResult(scratchSlot.valueHigh, bytes)];
  }

  storeExclusive(address: Value, value: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, value],
    ]);
    const descriptor = memoryDescriptorOf(bytes, order) | memoryDescriptor.store;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return this.scratchResult(scratchSlot.status, 4);
  }

  storeExclusivePair(address: Value, first: Value, second: Value, bytes: 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, first],
      [scratchSlot.valueHigh, second],
    ]);
    const descriptor = memoryDescriptorOf(bytes, order) | memoryDescriptor.store | memoryDescriptor.pair;
    this.callService(functionIndex.exclusive, constant32(descriptor));
    return this.scratchResult(scratchSlot.status, 4);
  }

  clearExclusive(): void {
    this.systemService(systemOperation.clearExclusive);
  }

  atomic(operation: AtomicOperation, address: Value, operand: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, operand],
    ]);
    const descriptor = memoryDescriptorOf(bytes, order) | (atomicOperations.indexOf(operation) << atomicShift);
    this.callService(functionIndex.atomic, constant32(descriptor));
    return this.scratchResult(scratchSlot.value, bytes);
  }

  compareAndSwap(address: Value, expected: Value, replacement: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value {
    this.startService([
      [scratchSlot.address, address],
      [scratchSlot.value, replacement],
      [scratchSlot.expected, expected],
    ]);
    const descriptor = memoryDescriptorOf(bytes, order) | (atomicOperations.indexOf('CAS') << atomicShift);
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
      memoryDescriptorOf(bytes, order) | memoryDescriptor.pair | (atomicOperations.indexOf('CAS') << atomicShift);
    this.callService(functionIndex.atomic, constant32(descriptor));
    return [this.scratchResult(scratchSlot.value, bytes), this.scratchResult(scratchSlot.valueHigh, bytes)];
  }

  /** Completes the record and passes values in scratch slots; the values are taken before anything is written back. */
  private startService(values: readonly (readonly [number, Value])[]): void {
    const settled = values.map(([slot, value]) => {
      const wide = node(value.width === 64 ? value : this.zeroExtend(value, 32, 64));
      return [slot, wide.isConstant ? wide : localValue(64, this.settle(wide), true)] as const;
    });
    this.synchronise();
    for (const [slot, value] of settled) this.storeState(scratch(slot), value);
  }

  private scratchResult(slot: number, bytes: number): Value {
    const result = this.loadState(bytes === 8 ? 64 : 32, scratch(slot));
    return localValue(result.width, this.settle(result), true);
  }

  // Exceptions and the system.

  protected systemService(operation: number, immediate?: Value, value?: Value): void {
    const descriptor =
      immediate === undefined
        ? constant32(operation)
        : this.or(this.lsl(immediate, constant32(systemImmediateShift)), constant32(operation));
    this.startService(value === undefined ? [] : [[scratchSlot.system, value]]);
    this.callService(functionIndex.system, node(descriptor));
  }

  undefined(): void {
    this.systemService(systemOperation.undefined);
  }
  svc(imm16: Value): void {
    this.systemService(systemOperation.svc, imm16);
  }
  hvc(imm16: Value): void {
    this.systemService(systemOperation.hvc, imm16);
  }
  smc(imm16: Value): void {
    this.systemService(systemOperation.smc, imm16);
  }
  brk(imm16: Value): void {
    this.systemService(systemOperation.brk, imm16);
  }
  hlt(imm16: Value): void {
    this.systemService(systemOperation.hlt, imm16);
  }
  eret(): void {
    this.systemService(systemOperation.eret);
  }
  readSystemRegister(key: Value): Value {
    this.systemService(systemOperation.readSystemRegister, key);
    return this.scratchResult(scratchSlot.system, 8);
  }
  writeSystemRegister(key: Value, value: Value): void {
    this.systemService(systemOperation.writeSystemRegister, key, value);
  }
  writePstateField(op1: Value, op2: Value, CRm: Value): void {
    const packed = this.or(this.or(this.lsl(op1, constant32(8)), this.lsl(op2, constant32(4))), CRm);
    this.systemService(systemOperation.writePstateField, packed);
  }
  systemInstruction(key: Value, value: Value): void {
    this.systemService(systemOperation.systemInstruction, key, value);
  }
  systemInstructionWithResult(key: Value): Value {
    this.systemService(systemOperation.systemInstructionWithResult, key);
    return this.scratchResult(scratchSlot.system, 8);
  }
  barrier(kindOfBarrier: BarrierKind, CRm: Value): void {
    // Under lockstep a PE's accesses are performed in program order and seen by all at once: a DMB has nothing to add.
    if (kindOfBarrier === 'DSB') this.systemService(systemOperation.dsb, CRm);
  }
  instructionSynchronizationBarrier(): void {
    this.systemService(systemOperation.isb);
  }
  wfi(): void {
    this.systemService(systemOperation.wfi);
  }
  wfe(): void {
    this.systemService(systemOperation.wfe);
  }
  sev(): void {
    this.systemService(systemOperation.sev);
  }
  sevl(): void {
    this.systemService(systemOperation.sevl);
  }
  yield(): void {
    // A hint without effect here: PEs do not share an execution pipeline.
  }

  // Leaving.

  /**
   * Goes on at the virtual address in `target` (an i64 local): by tail call where the jump cache knows the code, with `budget`
   * (an i32 local) instructions left; else returns exit.lookup. `pc` is already in the record.
   */
  protected chain(target: Node, jumpTag: number, budget: number, lookupExit: number): void {
    const index = this.and(this.lsr(this.low32(target), constant32(2)), constant32(jumpCacheEntries - 1));
    const entry = localValue(
      32,
      this.settle(
        node(
          this.add(
            localValue(32, cpuLocal, true),
            this.add(this.mul(index, constant32(jumpCacheEntryBytes)), constant32(pe.jumpCache)),
          ),
        ),
      ),
      true,
    );
    const key = node(this.or(target, this.constant(64, jumpTag)));
    this.emit(node(this.eq(key, stateLoad(op.i64_load, 64, entry, 0))));
    this.block(op.if, () => {
      this.get(cpuLocal);
      this.get(budget);
      this.emit(stateLoad(op.i32_load, 32, entry, 8));
      this.w.byte(op.return_call_indirect);
      this.w.u32(codeSignature);
      this.w.u32(0);
    });
    this.get(cpuLocal);
    this.get(budget);
    this.memoryOperation(op.i32_store, pe.budget);
    this.i32(lookupExit);
    this.w.byte(op.return);
  }
}

function memoryDescriptorOf(bytes: AccessBytes, access: Access): number {
  return (
    (log2Bytes(bytes) << memoryDescriptor.sizeShift) |
    (access.aligned === true ? memoryDescriptor.aligned : 0) |
    (access.unprivileged === true ? memoryDescriptor.unprivileged : 0) |
    (access.acquire === true ? memoryDescriptor.acquire : 0) |
    (access.acquirePC === true ? memoryDescriptor.acquirePC : 0) |
    (access.release === true ? memoryDescriptor.release : 0)
  );
}
