// One PE that may run anything: a small address space, exception handlers at every Exception level that lead on, a bus that answers, and
// time that is instructions. What it has done can be compared with another machine's, to the bit.
//
// The machine is the core's part of actors/core without its peers: interrupts are looked for between runs of the engine, timers expire
// at their deadlines, and whatever the PE sends is logged.

import { createPe } from '../../src/arch/create-pe.ts';
import type { PeEnvironment, TimerKind } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import type { InterruptKind, Pe, SavedPe } from '../../src/arch/pe.ts';
import { pageShift, pe as record, ramBase, touchedPageOffset } from '../../src/arch/state-layout.ts';
import { type Engine, type EngineMode, makeEngine } from '../../src/engine/engine.ts';
import { encodeStepModule } from '../../src/engine/step-module.ts';
import { memoryViews } from '../../src/memory/memory-views.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { assert } from '../../src/report/assert.ts';

/** Virtual addresses. The code is there twice: writable at EL0, which makes it PXN, and for EL1 alone. */
export const layout = {
  codeEl0: 0x40_0000,
  codeEl1: 0x44_0000,
  codeBytes: 0x4000,
  /** The same memory once more, as data that everyone may write. */
  codeAlias: 0x48_0000,
  /** Four pages that everyone may write, one that nobody may, one for EL1, one of EL0's that EL1 alone may write. Then nothing. */
  data: 0x50_0000,
  dataBytes: 0x7000,
  handlers: 0x60_0000,
  /** For EL1: the table that has the descriptors of code and data. */
  tables: 0x68_0000,
  /** Those of the data there. */
  dataDescriptors: 0x68_0000 + 8 * 0x100,
  device: 0x70_0000,
} as const;

const ramBytes = 0x20_0000;
const pageBytes = 1 << pageShift;
const ramPages = ramBytes / pageBytes;
const [tablesPa, handlersPa, codePa, dataPa] = [0, 0x1_0000, 0x2_0000, 0x3_0000].map((at) => ramBase + at) as [
  number,
  number,
  number,
  number,
];
const devicePa = 0x0900_0000;

/**
 * Handler pages: 0 stays where it is, n returns from ELn to the instruction after the one that has caused the exception; where that is not in
 * the code, to the start (TPIDR_EL1).
 */
export type Handler = 'stay' | 'return';
const vectorBytes = 0x80;

export interface Levels {
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
}

/** Everything that a run begins with. */
export interface Start {
  readonly levels: Levels;
  readonly handler: Handler;
  /** The PSTATE that the highest Exception level returns to. */
  readonly spsr: bigint;
  readonly pc: bigint;
  readonly x: readonly bigint[];
  /** SP_EL0 and SP_EL1. */
  readonly sp: readonly [bigint, bigint];
  readonly vectors: BigUint64Array;
  readonly registers: Readonly<Record<string, bigint>>;
  readonly lines: readonly InterruptKind[];
  /** An IRQ comes every so many instructions; 0: never. */
  readonly interruptEvery: number;
  readonly dataSeed: bigint;
}

export interface Program {
  readonly start: Start;
  /** Instructions from the start of the code on. */
  readonly words: readonly number[];
  /** The rest of the code pages leads to the start. */
  readonly restarts?: boolean;
}

/** Of an engine that goes from the stepper to traces and to regions: soon, so that a short program sees every change. */
const tiers = { hotRuns: 3, regionRounds: 8 } as const;

/** What can be seen of a machine. */
export interface Outcome {
  readonly record: Buffer;
  readonly log: readonly string[];
  readonly exceptionsTaken: readonly number[];
  readonly monitor: SavedPe['monitor'];
  readonly ticks: number;
}

export interface FuzzMachine {
  readonly pe: Pe;
  load(program: Program): void;
  /** Runs so many instructions, in pieces of at most the next chunk. */
  run(instructions: number, nextChunk: () => number): void;
  outcome(): Outcome;
  /** RAM, and which of its pages are marked as perhaps written. */
  readonly ram: Uint8Array;
  isTouched(page: number): boolean;
  /** Forgets all translated code; the engine's tables grow with what it has ever translated. */
  renewEngine(): void;
}

let stepModule: WebAssembly.Module | undefined;

/** Level 2 and 3 tables for addresses below 1 GiB (T0SZ 34), 4 KiB granule. */
function writeTables(doublewords: BigUint64Array): void {
  let nextTable = tablesPa + pageBytes;
  const map = (va: number, pa: number, pages: number, low: number, high: number): void => {
    for (let n = 0; n < pages; n += 1) {
      const page = va + n * pageBytes;
      const level2 = (tablesPa >>> 3) + (page >>> 21);
      if (doublewords[level2] === 0n) {
        doublewords[level2] = BigInt(nextTable | 3);
        nextTable += pageBytes;
      }
      const table = Number(doublewords[level2]! & 0xffff_f000n);
      doublewords[(table >>> 3) + ((page >>> 12) & 511)] =
        BigInt(pa + n * pageBytes) | BigInt(low) | (BigInt(high) << 32n);
    }
  };
  // A page descriptor: AF, inner shareable, AttrIndx 0; AP[2:1] are bits 7 and 6.
  const page = 0x703;
  const [el1Only, readWrite, readOnly, el0ReadOnly] = [0, 0x40, 0xc0, 0x80];
  const [PXN, UXN] = [1 << 21, 1 << 22];
  const codePages = layout.codeBytes / pageBytes;
  map(layout.codeEl0, codePa, codePages, page | readWrite, PXN);
  map(layout.codeEl1, codePa, codePages, page | el1Only, UXN);
  map(layout.codeAlias, codePa, codePages, page | readWrite, PXN | UXN);
  map(layout.data, dataPa, 4, page | readWrite, PXN | UXN);
  map(layout.data + 4 * pageBytes, dataPa + 4 * pageBytes, 1, page | readOnly, PXN | UXN);
  map(layout.data + 5 * pageBytes, dataPa + 5 * pageBytes, 1, page | el1Only, PXN | UXN);
  map(layout.data + 6 * pageBytes, dataPa + 6 * pageBytes, 1, page | el0ReadOnly, PXN | UXN);
  map(layout.handlers, handlersPa, 4, page | el0ReadOnly, 0);
  map(layout.tables, tablesPa + pageBytes, 1, page | el1Only, PXN | UXN);
  map(layout.device, devicePa, 1, page | readWrite | 4, PXN | UXN);
}

/** X29 is the handlers', and so are the flags, which the return restores. The code of both levels is in [0x400000, 0x404000) but for bit 18. */
const returning = (el: number): string => `
  mrs   x29, elr_el${el}
  lsr   x29, x29, #14
  and   x29, x29, #0xffffffffffffffef
  cmp   x29, #0x100
  mrs   x29, elr_el${el}
  add   x29, x29, #4
  b.eq  return
  mrs   x29, tpidr_el1
return: msr elr_el${el}, x29
  eret`;

function writeHandlers(bytes: Uint8Array): void {
  for (let el = 0; el <= 3; el += 1) {
    const handler = assemble(el === 0 ? 'stay: b stay' : returning(el), { base: 0, names: registerNames });
    for (let vector = 0; vector < 16; vector += 1) {
      bytes.set(handler.bytes, handlersPa + el * pageBytes + vector * vectorBytes);
    }
  }
}

export function fuzzMachine(mode: EngineMode, levels: Levels): FuzzMachine {
  const memory = new WebAssembly.Memory({
    initial: (ramBase + ramBytes) / 65536,
    maximum: (ramBase + ramBytes) / 65536,
    shared: true,
  });
  const views = memoryViews(memory.buffer);
  const { bytes, words, doublewords } = views;
  stepModule ??= new WebAssembly.Module(encodeStepModule());
  const newEngine = (): Engine =>
    makeEngine({ memory, views, worker: 0, mode, stepModule: stepModule!, ...(mode === 'tiered' ? tiers : {}) });
  let engine = newEngine();

  const ram = bytes.subarray(ramBase, ramBase + ramBytes);
  writeTables(doublewords);
  writeHandlers(bytes);
  const pristine = ram.slice();

  let log: string[] = [];
  let takenBefore: readonly number[] = [0, 0, 0, 0];
  let deadlines = new Map<TimerKind, number>();
  let broadcastsOpen = false;
  let ticks = 0;
  let running = false;
  let runBudget = 0;
  let nextInterrupt = Infinity;
  let interruptEvery = 0;
  let answer: (() => void) | undefined;
  const gicRegisters = new Map<number, bigint>();

  const budgetLeft = (): number => engine.budgetLeft(pe);
  const now = (): number => (running ? ticks + runBudget - budgetLeft() : ticks);
  const note = (...what: readonly (string | number | bigint | boolean)[]): void => {
    log.push(`${now()}: ${what.join(' ')}`);
  };
  /** A run ends with the instruction that has sent something or set a timer. */
  const sent = (...what: readonly (string | number | bigint | boolean)[]): void => {
    note(...what);
    engine.pause();
  };

  const environment: PeEnvironment = {
    now,
    // Nothing but instructions takes time here.
    instructions: now,
    codeWritten: (pa, sizeBytes) => engine.codeWritten(pa, sizeBytes),
    busRequest: (isWrite, pa, sizeBytes, valueLow, valueHigh) => {
      sent('bus', isWrite, pa, sizeBytes, valueLow, valueHigh);
      const value = Math.imul(pa + log.length, 0x9e37_79b1) >>> 0;
      const isOkay = Math.floor(pa / pageBytes) === devicePa / pageBytes;
      answer = () => pe.busResponse(isOkay, value, value ^ 0x5a5a);
    },
    broadcast: ({ code, vaLow, vaHigh, asid, context }) => {
      sent('broadcast', code, vaLow, vaHigh, asid, context);
      broadcastsOpen = true;
    },
    dvmComplete: () => !broadcastsOpen,
    instructionCache: (pa, isBroadcast) => sent('instructionCache', pa, isBroadcast),
    event: (target) => sent('event', target),
    timer: (kind, deadlineTicks, level) => {
      sent('timer', kind, deadlineTicks, level);
      deadlines.set(kind, deadlineTicks);
    },
    gic: {
      read: (key, el, secure) => {
        sent('ICC read', key, el, secure);
        return gicRegisters.get(key) ?? 0n;
      },
      write: (key, value, el, secure) => {
        sent('ICC write', key, value, el, secure);
        gicRegisters.set(key, value);
        return true;
      },
    },
  };
  const pe = createPe({
    index: 0,
    count: 1,
    memory: views,
    ramBytes,
    environment,
    ...levels,
    mpidr: 0x8000_0000n,
    // Firmware that changes registers, as PSCI does.
    firmware: {
      conduit: levels.hasEl2 ? 'smc' : 'hvc',
      call: (self, immediate) => {
        note('firmware', immediate, self.readX(0));
        for (let n = 0; n < 4; n += 1) self.writeX(n, BigInt.asUintN(64, self.readX(n) * 3n + BigInt(n)));
        return exit.none;
      },
    },
  });
  engine.attach(pe);

  const isTouched = (page: number): boolean => bytes[touchedPageOffset + ramBase / pageBytes + page] !== 0;

  function restoreRam(): void {
    for (let page = 0; page < ramPages; page += 1) {
      if (!isTouched(page)) continue;
      engine.codeWritten(ramBase + page * pageBytes, pageBytes);
      ram.set(pristine.subarray(page * pageBytes, (page + 1) * pageBytes), page * pageBytes);
      bytes[touchedPageOffset + ramBase / pageBytes + page] = 0;
    }
  }
  const touch = (pa: number): void => {
    bytes[touchedPageOffset + (pa >>> pageShift)] = 1;
  };

  function load({ start, words: code, restarts }: Program): void {
    restoreRam();
    broadcastsOpen = false;
    answer = undefined;
    gicRegisters.clear();
    ticks = 0;
    interruptEvery = start.interruptEvery;
    nextInterrupt = interruptEvery === 0 ? Infinity : interruptEvery;

    engine.codeWritten(codePa, layout.codeBytes);
    const first = Number(start.pc & BigInt(layout.codeBytes - 1)) / 4;
    if (restarts === true) {
      for (let n = 0; n < layout.codeBytes / 4; n += 1)
        words[codePa / 4 + n] = 0x1400_0000 | ((first - n) & 0x3ff_ffff);
    }
    words.set(code, codePa / 4 + first);
    for (let at = codePa; at < codePa + layout.codeBytes; at += pageBytes) touch(at);
    let value = start.dataSeed | 1n;
    for (let at = dataPa / 8; at < (dataPa + layout.dataBytes) / 8; at += 1) {
      value = BigInt.asUintN(64, value * 0x5851_f42d_4c95_7f2dn + 0x1405_7b7e_f767_814fn);
      doublewords[at] = value;
    }
    for (let at = dataPa; at < dataPa + layout.dataBytes; at += pageBytes) touch(at);

    const highest = levels.hasEl3 ? 3 : levels.hasEl2 ? 2 : 1;
    for (const kind of ['serror', 'fiq', 'irq', 'vserror', 'vfiq', 'virq'] as const) pe.setLine(kind, false);
    pe.reset({ el: highest, pc: BigInt(ramBase), x0: 0n });
    const page = start.handler === 'stay' ? 0 : 1;
    const set = (name: string, to: number | bigint): void => pe.writeRegister(name, BigInt(to));
    set('VBAR_EL1', layout.handlers + page * pageBytes);
    if (levels.hasEl2) set('VBAR_EL2', handlersPa + 2 * page * pageBytes);
    if (levels.hasEl3) set('VBAR_EL3', handlersPa + 3 * page * pageBytes);
    set('TPIDR_EL1', start.pc);
    set('TTBR0_EL1', tablesPa);
    // Attribute 0 is Normal Write-Back, attribute 1 Device-nGnRE.
    set('MAIR_EL1', 0x04ff);
    for (const [name, to] of Object.entries(start.registers)) set(name, to);
    set('SP_EL0', start.sp[0]);
    if (highest > 1) set('SP_EL1', start.sp[1]);
    else doublewords[(pe.base + record.sp) >>> 3] = start.sp[1];
    set(`ELR_EL${highest}`, start.pc);
    set(`SPSR_EL${highest}`, start.spsr);
    pe.eret();
    doublewords.set(start.x, (pe.base + record.x) >>> 3);
    doublewords.set(start.vectors, (pe.base + record.vector) >>> 3);
    for (const kind of start.lines) pe.setLine(kind, true);
    takenBefore = [...pe.exceptionsTaken];
    // The reset may have told of timers that an earlier program has left.
    log = [];
    deadlines = new Map();
  }

  function takeInterrupts(): void {
    for (let kind = pe.pendingInterrupt(); kind !== undefined; kind = pe.pendingInterrupt()) {
      note('taken', kind);
      pe.takeInterrupt(kind);
      pe.setLine(kind, false);
    }
  }

  function expireTimers(): void {
    for (const [kind, deadline] of deadlines) {
      if (deadline > ticks) continue;
      deadlines.delete(kind);
      pe.timerExpired(kind);
    }
  }

  function run(instructions: number, nextChunk: () => number): void {
    const end = ticks + instructions;
    let idleRuns = 0;
    while (ticks < end) {
      if (ticks >= nextInterrupt) {
        nextInterrupt += interruptEvery;
        pe.setLine('irq', true);
      }
      takeInterrupts();
      const until = Math.min(end, nextInterrupt, ...[...deadlines.values()].filter((at) => at > ticks));
      runBudget = Math.min(until - ticks, nextChunk());
      running = true;
      const code = engine.run(pe, runBudget);
      const used = runBudget - budgetLeft();
      running = false;
      assert(used >= 0 && used <= runBudget, `${used} instructions of ${runBudget}`);
      ticks += used;
      // A wait that ends, an answer: the only runs without an instruction. An access of 16 bytes has at most 16 answers before it.
      idleRuns = used === 0 ? idleRuns + 1 : 0;
      assert(idleRuns <= 64, `no progress at exit ${code}`);
      expireTimers();
      if (code === exit.bus) {
        assert(answer !== undefined, 'a request has been sent');
        answer();
        answer = undefined;
      }
      if (code === exit.barrier) broadcastsOpen = false;
      assert(code !== exit.stopped && code !== exit.lookup && code !== exit.step && code !== exit.none, `exit ${code}`);
    }
  }

  return {
    pe,
    load,
    run,
    ram,
    isTouched,
    outcome: () => {
      const copy = Buffer.from(bytes.slice(pe.base, pe.base + record.jumpCache));
      // Where the engines pass values, and what is left of the last chunk: not the machine's state.
      copy.fill(0, record.scratch, record.scratch + 64);
      copy.fill(0, record.budget, record.budget + 4);
      return {
        record: copy,
        log: [...log],
        exceptionsTaken: pe.exceptionsTaken.map((count, el) => count - takenBefore[el]!),
        monitor: pe.save().monitor,
        ticks,
      };
    },
    renewEngine: () => {
      engine.linesWrittenElsewhere(undefined);
      engine = newEngine();
      engine.attach(pe);
    },
  };
}
