// PEs on a fake core: memory with a little RAM, an environment that writes down what it is asked for, and the instructions that the
// tests execute, called as an engine would call them.

import { createPe } from '../../src/arch/create-pe.ts';
import { type DvmOperation, type PeEnvironment } from '../../src/arch/environment.ts';
import { exit, type Exit } from '../../src/arch/exits.ts';
import { accessFlag, accessKind, type Pe, type PeOptions } from '../../src/arch/pe.ts';
import {
  lineMapOffset,
  monitorTableOffset,
  pe as record,
  peStateBase,
  peStateStride,
  ramBase,
} from '../../src/arch/state-layout.ts';
import { registerNamed } from '../../src/arch/system-registers.ts';
import { systemInstructions } from '../../src/arch/system-instructions.ts';
import { type MemoryViews, memoryViews } from '../../src/memory/memory-views.ts';

export const ramBytes = 4 << 20;
export const ramEnd = ramBase + ramBytes;
const pages = (ramBase + ramBytes) / 65_536;

let shared: MemoryViews | undefined;

/** One memory for all tests of a file, empty again for each of them. */
function emptyMemory(count: number): MemoryViews {
  if (shared === undefined) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    shared = memoryViews(memory.buffer);
  }
  const clear = (from: number, to: number): unknown => shared?.doublewords.fill(0n, from / 8, to / 8);
  clear(ramBase, ramEnd);
  clear(lineMapOffset + ramBase / 64, lineMapOffset + ramEnd / 64);
  clear(monitorTableOffset, monitorTableOffset + 4096);
  clear(peStateBase, peStateBase + count * peStateStride);
  return shared;
}

export interface BusRequest {
  readonly isWrite: boolean;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly valueLow: number;
  readonly valueHigh: number;
}

/** The fake core of a PE. */
export interface FakeCore extends PeEnvironment {
  ticks: number;
  isDvmComplete: boolean;
  readonly linesWritten: [pa: number, sizeBytes: number][];
  readonly requests: BusRequest[];
  readonly broadcasts: DvmOperation[];
  readonly instructionCacheOperations: [pa: number, isBroadcast: boolean][];
  readonly events: number[];
  readonly timers: Map<string, { deadlineTicks: number; level: boolean }>;
  readonly gicAccesses: [key: number, value: bigint | undefined, el: number, secure: boolean][];
}

export function fakeCore(): FakeCore {
  const core: FakeCore = {
    ticks: 0,
    isDvmComplete: true,
    linesWritten: [],
    requests: [],
    broadcasts: [],
    instructionCacheOperations: [],
    events: [],
    timers: new Map(),
    gicAccesses: [],
    now: () => core.ticks,
    instructions: () => core.ticks,
    codeWritten: (pa, sizeBytes) => {
      core.linesWritten.push([pa, sizeBytes]);
      return false;
    },
    busRequest: (isWrite, pa, sizeBytes, valueLow, valueHigh) =>
      core.requests.push({ isWrite, pa, sizeBytes, valueLow, valueHigh }),
    broadcast: (operation) => core.broadcasts.push(operation),
    dvmComplete: () => core.isDvmComplete,
    instructionCache: (pa, isBroadcast) => core.instructionCacheOperations.push([pa, isBroadcast]),
    event: (target) => core.events.push(target),
    timer: (kind, deadlineTicks, level) => core.timers.set(kind, { deadlineTicks, level }),
    gic: {
      read(key, el, secure) {
        core.gicAccesses.push([key, undefined, el, secure]);
        return 0x3ffn;
      },
      write(key, value, el, secure) {
        core.gicAccesses.push([key, value, el, secure]);
        return true;
      },
    },
  };
  return core;
}

export type MachineOptions = Partial<
  Pick<PeOptions, 'hasEl2' | 'hasEl3' | 'hasGicRegisters' | 'firmware' | 'semihosting' | 'concurrency'>
> & {
  readonly count?: number;
};

/** Where the tests' code is said to be: the instructions themselves are called, not fetched. */
export const codeAddress = BigInt(ramBase) + 0x1000n;

/** SPSR_ELx.M of an exception level, with SP_ELx. */
export const modeOf = (el: number): bigint => (el === 0 ? 0n : BigInt((el << 2) | 1));

export class TestPe {
  readonly pe: Pe;
  readonly core: FakeCore;
  readonly memory: MemoryViews;

  constructor(pe: Pe, core: FakeCore, memory: MemoryViews) {
    this.pe = pe;
    this.core = core;
    this.memory = memory;
  }

  // The record.

  get pc(): bigint {
    return this.memory.doublewords[(this.pe.base + record.pc) / 8]!;
  }
  set pc(value: bigint) {
    this.memory.doublewords[(this.pe.base + record.pc) / 8] = value;
  }
  get sp(): bigint {
    return this.memory.doublewords[(this.pe.base + record.sp) / 8]!;
  }
  set sp(value: bigint) {
    this.memory.doublewords[(this.pe.base + record.sp) / 8] = value;
  }
  /** A 32-bit field of the record. */
  word(offset: number): number {
    return this.memory.words[(this.pe.base + offset) / 4]!;
  }
  setWord(offset: number, value: number): void {
    this.memory.words[(this.pe.base + offset) / 4] = value;
  }
  scratch(slot: number): bigint {
    return this.memory.doublewords[(this.pe.base + record.scratch) / 8 + slot]!;
  }
  setScratch(slot: number, value: bigint): void {
    this.memory.doublewords[(this.pe.base + record.scratch) / 8 + slot] = BigInt.asUintN(64, value);
  }
  get pstate(): number {
    return this.word(record.pstate);
  }
  register(name: string): bigint {
    return this.pe.readRegister(name);
  }
  setRegister(name: string, value: bigint): void {
    this.pe.writeRegister(name, value);
  }

  // States.

  reset(el: 1 | 2 | 3): this {
    this.pe.reset({ el, pc: codeAddress, x0: 0n });
    return this;
  }

  /** Returns to an exception level, in Non-secure state below EL3; DAIF are those of `spsr`. */
  enter(el: 0 | 1 | 2 | 3, spsr = 0n): this {
    if (this.pe.currentEl() === 3) this.setRegister('SCR_EL3', this.register('SCR_EL3') | 1n);
    return this.enterSecure(el, spsr);
  }

  /** Returns to an exception level, in the Security state that SCR_EL3 names. */
  enterSecure(el: 0 | 1 | 2 | 3, spsr = 0n): this {
    const from = this.pe.currentEl();
    this.setRegister(`SPSR_EL${from}`, modeOf(el) | spsr);
    this.setRegister(`ELR_EL${from}`, codeAddress);
    this.pe.eret();
    return this;
  }

  // Instructions. What they leave in the record tells the rest.

  mrs(name: string): bigint | undefined {
    return this.pe.readSystemRegister(keyOf(name)) === exit.none ? this.scratch(0) : undefined;
  }
  msr(name: string, value: bigint): Exit {
    this.setScratch(0, value);
    return this.pe.writeSystemRegister(keyOf(name));
  }
  sys(name: string, operand = 0n): Exit {
    const instruction = systemInstructions.find((row) => row.name === name);
    if (instruction === undefined) throw new Error(`no System instruction ${name}`);
    this.setScratch(0, operand);
    return this.pe.systemInstruction(instruction.key);
  }
  /** A load; undefined where it did not complete. */
  load(va: bigint, sizeBytes: number, flags = 0): bigint | undefined {
    this.setScratch(0, va);
    if (this.pe.accessMemory(accessKind.read, sizeBytes, flags) !== exit.none) return undefined;
    return sizeBytes === 16 ? this.scratch(1) | (this.scratch(2) << 64n) : this.scratch(1);
  }
  store(va: bigint, value: bigint, sizeBytes: number, flags = 0): Exit {
    this.setScratch(0, va);
    this.setScratch(1, value);
    this.setScratch(2, value >> 64n);
    return this.pe.accessMemory(accessKind.write, sizeBytes, flags);
  }
  loadExclusive(va: bigint, sizeBytes = 8): Exit {
    this.setScratch(0, va);
    return this.pe.loadExclusive(sizeBytes, accessFlag.aligned);
  }
  /** The status, 0 or 1; undefined where it did not complete. */
  storeExclusive(va: bigint, value: bigint, sizeBytes = 8): number | undefined {
    this.setScratch(0, va);
    this.setScratch(1, value);
    if (this.pe.storeExclusive(sizeBytes, accessFlag.aligned) !== exit.none) return undefined;
    return Number(this.scratch(3));
  }

  // RAM, by physical address.

  ram64(pa: number): bigint {
    return this.memory.view.getBigUint64(pa, true);
  }
  setRam64(pa: number, value: bigint): void {
    this.memory.view.setBigUint64(pa, value, true);
  }

  /** EC and ISS of a syndrome. */
  syndrome(el: number): { EC: number; ISS: number } {
    const esr = Number(this.register(`ESR_EL${el}`));
    return { EC: esr >>> 26, ISS: esr & 0x1ff_ffff };
  }
}

function keyOf(name: string): number {
  const row = registerNamed(name);
  if (row === undefined) throw new Error(`no system register ${name}`);
  return row.key;
}

/** PEs of one machine, at reset at their highest exception level. */
export function machine(options: MachineOptions = {}): TestPe[] {
  const count = options.count ?? 1;
  const memory = emptyMemory(count);
  const hasEl2 = options.hasEl2 ?? true;
  const hasEl3 = options.hasEl3 ?? true;
  return Array.from({ length: count }, (_, index) => {
    const core = fakeCore();
    const pe = createPe({
      ...options,
      index,
      count,
      memory,
      ramBytes,
      environment: core,
      hasEl2,
      hasEl3,
      mpidr: 0x8000_0000n | BigInt(index),
    });
    return new TestPe(pe, core, memory).reset(hasEl3 ? 3 : hasEl2 ? 2 : 1);
  });
}

export const onePe = (options: MachineOptions = {}): TestPe => machine(options)[0]!;
