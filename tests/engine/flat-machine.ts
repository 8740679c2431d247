// PEs at EL1 with the MMU off, and their engine, without a core: a test says which of them runs, and for how many instructions.

import { createPe } from '../../src/arch/create-pe.ts';
import type { DvmOperation, PeEnvironment } from '../../src/arch/environment.ts';
import { type Exit } from '../../src/arch/exits.ts';
import type { Pe } from '../../src/arch/pe.ts';
import {
  lineMapOffset,
  lineShift,
  monitorTableOffset,
  pe as record,
  peStateBase,
  peStateStride,
  ramBase,
} from '../../src/arch/state-layout.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { type Engine, type EngineMode, makeEngine } from '../../src/engine/engine.ts';
import { encodeStepModule } from '../../src/engine/step-module.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { type MemoryViews, memoryViews } from '../../src/memory/memory-views.ts';

const ramBytes = 1 << 20;
const pages = (ramBase + ramBytes) / 65_536;

/** Compiled once: making step functions one by one for each machine takes longer than the tests. */
const stepModule = new WebAssembly.Module(encodeStepModule());

let shared: { memory: WebAssembly.Memory; views: MemoryViews } | undefined;

function emptyMemory(count: number): { memory: WebAssembly.Memory; views: MemoryViews } {
  if (!shared) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
    shared = { memory, views: memoryViews(memory.buffer) };
  }
  const { bytes } = shared.views;
  bytes.fill(0, ramBase, ramBase + ramBytes);
  bytes.fill(0, lineMapOffset + (ramBase >>> lineShift), lineMapOffset + ((ramBase + ramBytes) >>> lineShift));
  bytes.fill(0, monitorTableOffset, monitorTableOffset + 4096);
  bytes.fill(0, peStateBase, peStateBase + count * peStateStride);
  return shared;
}

/** For programs that need Normal memory, and SIMD&FP: EL1 turns its MMU on, which uses X2; the table belongs on a page of its own. */
export const normalMemory = {
  start: `
        mov     x2, #3 << 20
        msr     cpacr_el1, x2
        mov     x2, #0xff               // Normal memory
        msr     mair_el1, x2
        mov     x2, #25                 // one level 1 table
        msr     tcr_el1, x2
        adr     x2, table
        msr     ttbr0_el1, x2
        mrs     x2, sctlr_el1
        orr     x2, x2, #1
        msr     sctlr_el1, x2
        isb
`,
  table: `
table:  .quad   0
        .quad   0x40000701              // a block of 1 GiB at the address of RAM
`,
} as const;

export interface FlatMachine {
  readonly engine: Engine;
  readonly pes: readonly Pe[];
  readonly views: MemoryViews;
  readonly address: (label: string) => number;
  /** Runs at most `budget` instructions of a PE, in one call of the engine: why it stopped, and what is left. */
  runOnce(pe: number, budget: number): { readonly code: Exit; readonly left: number };
  /** Runs exactly so many instructions. */
  run(pe: number, count: number): void;
  /** Registers, flags and PC of a PE, its SIMD&FP registers, FPCR and FPSR. */
  state(pe: number): string;
  /** The bytes of RAM up to a label. */
  ram(upTo: string): string;
}

export interface FlatOptions {
  readonly pes?: number;
  /** So many of them are known to the engine: the test attaches the others. */
  readonly attached?: number;
  readonly hotRuns?: number;
  readonly regionRounds?: number;
  readonly codeBytes?: number;
  /** Hears of writes to code, as where there are other workers. */
  readonly onCodeWritten?: (line: number) => void;
  /** As where other threads run PEs at the same time. */
  readonly isConcurrent?: boolean;
  /** YIELD ends a run. */
  readonly yields?: boolean;
  /** What becomes of DVM operations: without a word nobody hears of them. */
  readonly dvm?: {
    broadcast(from: number, operation: DvmOperation): void;
    isComplete(from: number): boolean;
  };
}

export function flatMachine(mode: EngineMode, program: string, options: FlatOptions = {}): FlatMachine {
  const { pes: count = 1, attached = count, isConcurrent = false, yields = false } = options;
  const { onCodeWritten, dvm, hotRuns, regionRounds, codeBytes } = options;
  const { memory, views } = emptyMemory(count);
  const engine = makeEngine({
    memory,
    views,
    worker: 0,
    mode,
    stepModule,
    isConcurrent,
    yields,
    ...(hotRuns === undefined ? {} : { hotRuns }),
    ...(regionRounds === undefined ? {} : { regionRounds }),
    ...(codeBytes === undefined ? {} : { codeBytes }),
    ...(onCodeWritten ? { onCodeWritten } : {}),
  });
  const { bytes, symbols } = assemble(program, { base: ramBase, names: registerNames });
  views.bytes.set(bytes, ramBase);
  /** Nothing answers outside RAM. */
  const environmentOf = (index: number): PeEnvironment => ({
    now: () => 0,
    instructions: () => 0,
    codeWritten: engine.codeWritten,
    busRequest: () => pes[index]?.busResponse(false, 0, 0),
    broadcast: (operation) => dvm?.broadcast(index, operation),
    dvmComplete: () => dvm?.isComplete(index) ?? true,
    instructionCache: () => undefined,
    event: engine.pause,
    timer: () => undefined,
    gic: { read: () => undefined, write: () => false },
  });
  const pes: readonly Pe[] = Array.from({ length: count }, (_, index) => {
    const pe = createPe({
      index,
      count,
      memory: views,
      ramBytes,
      environment: environmentOf(index),
      hasEl2: false,
      hasEl3: false,
      mpidr: BigInt(0x8000_0000 + index),
      ...(isConcurrent ? { concurrency: { awaitOthers: () => undefined } } : {}),
    });
    if (index < attached) engine.attach(pe);
    pe.reset({ el: 1, pc: BigInt(ramBase), x0: BigInt(index) });
    return pe;
  });
  const address = (label: string): number => Number(symbols.get(label));
  const runOnce = (n: number, budget: number): { code: Exit; left: number } => {
    const pe = pes[n] as Pe;
    const code = engine.run(pe, budget);
    return { code, left: engine.budgetLeft(pe) };
  };
  return {
    engine,
    pes,
    views,
    address,
    runOnce,
    run: (n, instructions) => {
      for (let left = instructions; left > 0;) ({ left } = runOnce(n, left));
    },
    state: (n) => {
      const pe = pes[n] as Pe;
      const bytes = (from: number, to: number): string =>
        Buffer.from(views.bytes.slice(pe.base + from, pe.base + to)).toString('hex');
      const control = ['FPCR', 'FPSR'].map((name) => pe.readRegister(name).toString(16));
      return [bytes(record.x, record.budget), bytes(record.vector, record.systemRegisters), ...control].join(' ');
    },
    ram: (upTo) => Buffer.from(views.bytes.slice(ramBase, address(upTo))).toString('hex'),
  };
}

/** The state after each of these numbers of instructions; tiered, what runs soon has traces, and regions. */
export function statesAfter(mode: EngineMode, program: string, budgets: readonly number[]): string[] {
  const machine = flatMachine(mode, program, mode === 'tiered' ? { hotRuns: 4, regionRounds: 10 } : {});
  return budgets.map((budget) => {
    machine.run(0, budget);
    return machine.state(0);
  });
}
