// The engine of one worker: it runs instructions of the PEs that the worker hosts, by stepping cold code and by translated traces of
// warm code and regions of hot code, and connects both to the architecture (src/arch) by services.
//
// What the two readings do is the same to the bit, whichever of them runs an instruction: budgets are exact, and a store to
// translated code takes effect before the next instruction. An instruction that has to be the last of a trace, because it
// writes to code, is run by the stepper, alone, before it has written. One that has to be the last of a run, because it has sent a
// message, is found out when it has acted: where it can act twice without a difference the stepper runs it again; where it has no
// result the run is led to the next instruction.

import { emptyJumpCache } from '../arch/derived-state.ts';
import { exit, type Exit } from '../arch/exits.ts';
import { accessFlag, accessKind, elementsMask, elementsShift, type Pe } from '../arch/pe.ts';
import {
  btypeChecked,
  crcTablesOffset,
  lineHoldsCode,
  lineMapOffset,
  lineShift,
  pe as record,
  peStateBase,
  peStateStride,
  secondTlbBase,
  secondTlbBytes,
} from '../arch/state-layout.ts';
import { registerAt } from '../arch/system-registers.ts';
import { crcTables } from '../isa/crc-tables.ts';
import { makeDecoder } from '../isa/decoder.ts';
import type { Row } from '../isa/encoding.ts';
import { row } from '../isa/encoding.ts';
import { instructionSet } from '../isa/instruction-set.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { assert, InternalError } from '../report/assert.ts';
import { atomicResult } from './atomics.ts';
import { type CodeCache, makeCodeCache } from './code-cache.ts';
import { makeCodeTable } from './code-table.ts';
import { firstFloatFunction, floatFunctionNames, floatFunctions } from './float-functions.ts';
import { pointerFunctions } from './pointer-functions.ts';
import { pointerOperations } from '../isa/pointer-authentication/names.ts';
import { runtimeModule } from './runtime.ts';
import { clearTables, runtimeTables } from './runtime-tables.ts';
import {
  atomicOperations,
  atomicShift,
  memoryDescriptor,
  scratchSlot,
  services,
  systemImmediateShift,
  systemOperation,
} from './services.ts';
import { makeStepGenerator } from './step.ts';
import { stepFunctionName } from './step-module.ts';
import { traceIsHot } from './translate.ts';
import { letHostReadHints } from './wasm/branch-hints.ts';
import { encodeModule, type ModuleFunction } from './wasm/module.ts';

/**
 * `step` never translates, `translate` makes traces of whatever runs for the first time, `region` regions: for tests and benchmarks.
 * `tiered` steps code, makes traces of it when it is warm, and regions when it is hot.
 */
export type EngineMode = 'tiered' | 'step' | 'translate' | 'region';

/** Cold entries after which code is translated, and rounds of its trace after which it gets a region. */
const thresholds: Readonly<Record<EngineMode, { readonly hot: number; readonly region: number }>> = {
  step: { hot: Infinity, region: Infinity },
  translate: { hot: 1, region: Infinity },
  region: { hot: 1, region: 0 },
  tiered: { hot: 4000, region: 200_000 },
};

/** With what V8 makes of it, translated code has taken eight times as much: half a GiB. A script of python3.11 needs a few MB. */
const defaultCodeBytes = 64 * 1024 * 1024;

export interface EngineOptions {
  readonly memory: WebAssembly.Memory;
  readonly views: MemoryViews;
  /** Number of the worker: it chooses the decode cache. */
  readonly worker: number;
  readonly mode?: EngineMode;
  /** Cold entries after which code is translated, where the mode steps it first: for tests. */
  readonly hotRuns?: number;
  /** Rounds of a trace after which its code gets a region, where the mode has both: for tests. */
  readonly regionRounds?: number;
  /** Bytes of WebAssembly text that translated code may take before the oldest of it is ended (code-memory.ts). */
  readonly codeBytes?: number;
  /** The compiled module of all step functions (step-module.ts); left out, each is made when it is needed. */
  readonly stepModule?: WebAssembly.Module;
  /** Translated code is named, so that a profile of the host can tell what it is. */
  readonly isProfiled?: boolean;
  /** Given where other workers run PEs of the same machine: hears of every write to a line marked as code. */
  readonly onCodeWritten?: (line: number) => void;
  /** They run at the same time. */
  readonly isConcurrent?: boolean;
  /** YIELD ends a run, with exit.yield. */
  readonly yields?: boolean;
}

export interface EngineCounters {
  /** Instructions run by the stepper; the others ran translated. */
  readonly stepped: number;
  readonly traces: number;
  readonly regions: number;
  readonly modules: number;
  readonly invalidations: number;
  /** Traces and regions that were ended for want of memory. */
  readonly evictions: number;
  /** What translated code takes now, by the measure of `codeBytes`. */
  readonly codeBytes: number;
}

export interface Engine {
  /** Makes a PE known; its record must be in the engine's memory. */
  attach(pe: Pe): void;
  /**
   * Runs at most `budget` instructions. Returns exit.budget when they are used up; otherwise why it stopped, with what is left in
   * the record's `budget`. After exit.redirect the core looks for interrupts and runs on.
   */
  run(pe: Pe, budget: number): Exit;
  /** Asked for by a service in a run: it ends after the present instruction, with exit.budget if with nothing else. */
  readonly pause: () => void;
  /** What is left of the budget of the present run, before the present instruction. */
  readonly budgetLeft: (pe: Pe) => number;
  /** A store is about to change this part of RAM, whose line is marked in the line map; true when traces have been ended. */
  readonly codeWritten: (pa: number, sizeBytes: number) => boolean;
  /** Another worker's PE has written to these lines of code; undefined: to more than is known. */
  readonly linesWrittenElsewhere: (lines: readonly number[] | undefined) => void;
  counters(): EngineCounters;
}

/**
 * Translated code runs so many instructions at a time, about a millisecond: where V8 has optimised a function meanwhile, it is the next call
 * that finds the better code, and a loop in it would otherwise go on for the whole budget.
 */
const sliceInstructions = 1 << 20;

/** An instruction word that no row claims. */
const undefinedRow: Row = row({
  name: 'UNDEFINED',
  pattern: '00000000000000000000000000000000',
  encoding: 'UNDEFINED',
  meaning: (s) => {
    s.undefined();
  },
});

/** Reading a register of the GIC CPU interface sends messages, and has a result. */
const isGicRegister = (key: number): boolean => registerAt(key)?.storage === 'gic';

/** The instruction is not over after these. */
const goesOn: ReadonlySet<number> = new Set([
  systemOperation.readSystemRegister,
  systemOperation.exceptionLink,
  systemOperation.branchTarget,
]);
/** CRn of the TLB maintenance instructions. */
const tlbiCRn = 8;

const stateWord = (cpu: number, offset: number): number => (cpu + offset) >>> 2;
const scratchWord = (cpu: number, slot: number): number => (cpu + record.scratch + 8 * slot) >>> 2;

/** One instruction's worth of time has passed although it did not run to its end: it took an exception, or it waits. */
const costsOne: ReadonlySet<number> = new Set([
  exit.redirect,
  exit.waitForInterrupt,
  exit.waitForEvent,
  exit.stopped,
  exit.yield,
]);

/** PC is at an instruction that has perhaps begun, and is performed from its beginning the next time. */
const performsAgain: ReadonlySet<number> = new Set([exit.bus, exit.barrier, exit.step, traceIsHot]);

export function makeEngine({
  memory,
  views,
  worker,
  mode = 'tiered',
  hotRuns = thresholds[mode].hot,
  regionRounds = thresholds[mode].region,
  codeBytes = defaultCodeBytes,
  stepModule,
  isProfiled = false,
  onCodeWritten,
  isConcurrent = false,
  yields = false,
}: EngineOptions): Engine {
  const { words, signedWords, doublewords } = views;
  letHostReadHints();
  const pes: Pe[] = [];
  const decode = makeDecoder(instructionSet);
  const generateStep = makeStepGenerator();
  const stepFunctions = new Map<Row, Map<string, number>>();
  // What runs code by its function index is the runtime module alone. The table grows, and V8 keeps a copy of it for every instance that
  // imports it: those of translated code, of which there are thousands, have a small one that is made once.
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  let stepped = 0;
  let pauseAsked = false;
  /** The stepper runs a single instruction, while this much of the budget is kept back. */
  let isAlone = false;
  let keptBack = 0;

  const tables = runtimeTables(worker);
  clearTables(views, tables);
  signedWords.set(crcTables, crcTablesOffset / 4);
  // And what it knew of translations was of its own PEs.
  const secondTlb = secondTlbBase + worker * secondTlbBytes;
  views.bytes.fill(0, secondTlb, secondTlb + secondTlbBytes);

  const peOf = (cpu: number): Pe => pes[(cpu - peStateBase) / peStateStride] as Pe;

  const flagsOf = (descriptor: number): number =>
    (descriptor & memoryDescriptor.aligned ? accessFlag.aligned : 0) |
    (descriptor & memoryDescriptor.unprivileged ? accessFlag.unprivileged : 0) |
    (((descriptor >>> memoryDescriptor.elementsShift) & elementsMask) << elementsShift);
  const bytesOf = (descriptor: number): number =>
    1 << ((descriptor >>> memoryDescriptor.sizeShift) & memoryDescriptor.sizeMask);

  /** True where what a service has done must come before any other instruction. */
  const mustStop = (): boolean => pauseAsked && !isAlone;
  /** The same for what has changed memory: while other PEs run, it cannot be done twice, and a message waits for the end of the run. */
  const mustStoreAgain = (): boolean => mustStop() && !isConcurrent;

  function memoryService(cpu: number, descriptor: number): Exit {
    const isStore = (descriptor & memoryDescriptor.store) !== 0;
    const kind = isStore ? accessKind.write : accessKind.read;
    const code = peOf(cpu).accessMemory(kind, bytesOf(descriptor), flagsOf(descriptor));
    // Plain stores may run twice: the second time the stepper runs the rest of the instruction too.
    return code === exit.none && isStore && mustStoreAgain() ? exit.step : code;
  }

  /** Pairs of words travel as one doubleword; the generated code sees one slot each. */
  function exclusiveService(cpu: number, descriptor: number): Exit {
    const isPair = (descriptor & memoryDescriptor.pair) !== 0;
    const bytes = bytesOf(descriptor) * (isPair ? 2 : 1);
    // A pair is aligned to the size of both.
    const flags = accessFlag.aligned;
    const value = scratchWord(cpu, scratchSlot.value);
    const high = scratchWord(cpu, scratchSlot.valueHigh);
    if (descriptor & memoryDescriptor.store) {
      if (isPair && bytes === 8) words[value + 1] = words[high] as number;
      const stored = peOf(cpu).storeExclusive(bytes, flags);
      if (stored !== exit.none || !mustStoreAgain()) return stored;
      // Marked again, the granule lets the store pass a second time.
      return peOf(cpu).loadExclusive(bytes, flags) === exit.none ? exit.step : stored;
    }
    const code = peOf(cpu).loadExclusive(bytes, flags);
    if (isPair && bytes === 8) {
      words[high] = words[value + 1] as number;
      words[high + 1] = 0;
    }
    return code;
  }

  function atomicService(cpu: number, descriptor: number): Exit {
    const pe = peOf(cpu);
    const isPair = (descriptor & memoryDescriptor.pair) !== 0;
    const elementBytes = bytesOf(descriptor);
    const bytes = elementBytes * (isPair ? 2 : 1);
    const flags = accessFlag.aligned | accessFlag.atomic;
    const slot = (n: number): number => (cpu + record.scratch + 8 * n) >>> 3;
    const [low, high] = [slot(scratchSlot.value), slot(scratchSlot.valueHigh)];
    const operation = atomicOperations[descriptor >>> atomicShift];
    assert(operation !== undefined, 'an atomic operation of the table');
    const pack = (first: bigint, second: bigint): bigint => {
      const shift = BigInt(8 * elementBytes);
      return isPair ? BigInt.asUintN(Number(shift), first) | (second << shift) : first;
    };
    const at = (n: number): bigint => doublewords[n] as bigint;
    const operand = pack(at(low), at(high));
    const expected = pack(at(slot(scratchSlot.expected)), at(slot(scratchSlot.expectedHigh)));
    const put = (n: number, value: bigint): void => {
      doublewords[n] = BigInt.asUintN(64, value);
      doublewords[n + 1] = value >> 64n;
    };
    const found = (): bigint => BigInt.asUintN(8 * bytes, bytes === 16 ? at(low) | (at(high) << 64n) : at(low));
    const read = pe.accessMemory(accessKind.read, bytes, flags);
    if (read !== exit.none) return read;
    let before = found();
    for (let isDone = false; !isDone;) {
      const after = atomicResult(operation, before, operand, expected, bytes);
      put(low, after);
      if (isConcurrent) put(slot(scratchSlot.expected), before);
      const written = isConcurrent ? pe.compareAndSwap(bytes, flags) : pe.accessMemory(accessKind.write, bytes, flags);
      if (written !== exit.none) return written;
      // Another PE may have come between.
      isDone = !isConcurrent || found() === before;
      if (!isDone) before = found();
    }
    if (mustStoreAgain()) {
      put(low, before);
      pe.accessMemory(accessKind.write, bytes, flags);
      return exit.step;
    }
    const elementBits = 8 * elementBytes;
    doublewords[low] = BigInt.asUintN(elementBits, before);
    doublewords[high] = before >> BigInt(elementBits);
    return exit.none;
  }

  function systemService(cpu: number, descriptor: number): Exit {
    const immediate = descriptor >>> systemImmediateShift;
    const operation = descriptor & ((1 << systemImmediateShift) - 1);
    const isRead = goesOn.has(operation);
    if (operation === systemOperation.readSystemRegister && !isAlone && isGicRegister(immediate)) return exit.step;
    const code = performSystemOperation(cpu, operation, immediate);
    return code === exit.none && !isRead && mustStop() ? redirectToNext(cpu) : code;
  }

  function performSystemOperation(cpu: number, operation: number, immediate: number): Exit {
    const pe = peOf(cpu);
    switch (operation) {
      case systemOperation.undefined:
        return pe.undefinedInstruction();
      case systemOperation.svc:
        return pe.svc(immediate);
      case systemOperation.hvc:
        return pe.hvc(immediate);
      case systemOperation.smc:
        return pe.smc(immediate);
      case systemOperation.brk:
        return pe.brk(immediate);
      case systemOperation.hlt:
        return pe.hlt(immediate);
      case systemOperation.eret:
        return pe.eret();
      case systemOperation.readSystemRegister:
        return pe.readSystemRegister(immediate);
      case systemOperation.writeSystemRegister:
        return pe.writeSystemRegister(immediate);
      case systemOperation.writePstateField:
        return pe.msrImmediate(immediate >>> 8, (immediate >>> 4) & 15, immediate & 15);
      case systemOperation.systemInstruction: {
        const code = pe.systemInstruction(immediate);
        // After a TLBI the next instruction is fetched anew, so that a trace and the stepper agree on where it comes from.
        return code === exit.none && ((immediate >>> 7) & 15) === tlbiCRn ? redirectToNext(cpu) : code;
      }
      case systemOperation.systemInstructionWithResult:
        return pe.systemInstructionWithResult(immediate);
      case systemOperation.dsb:
        if (isConcurrent) fence(cpu);
        return pe.dsb();
      case systemOperation.isb:
        return pe.isb();
      case systemOperation.wfi:
        return pe.wfi();
      case systemOperation.wfe:
        return pe.wfe();
      case systemOperation.sev:
        return pe.sev();
      case systemOperation.sevl:
        return pe.sevl();
      case systemOperation.clearExclusive:
        return pe.clrex();
      case systemOperation.yield:
        if (!yields) return exit.none;
        redirectToNext(cpu);
        return exit.yield;
      case systemOperation.exceptionLink:
        return pe.exceptionLink();
      case systemOperation.eretTo:
        return pe.eretTo();
      case systemOperation.branchTarget:
        return pe.checkBranchTarget();
      case systemOperation.pointerTrap:
        return pe.pointerTrap();
      case systemOperation.fpTrap:
        return pe.fpAccessTrap();
      case systemOperation.spAlignment:
        return pe.spAlignment();
      default:
        throw new InternalError(`system operation ${operation}`);
    }
  }

  function redirectToNext(cpu: number): Exit {
    const pc = (cpu + record.pc) >>> 3;
    doublewords[pc] = (doublewords[pc] as bigint) + 4n;
    return exit.redirect;
  }

  /** What TypeScript does in memory is plain: where other PEs run, fences around it order what an instruction has to. */
  const fenced =
    (service: (cpu: number, descriptor: number) => Exit) =>
    (cpu: number, descriptor: number): Exit => {
      if ((descriptor & memoryDescriptor.ordered) === 0) return service(cpu, descriptor);
      fence(cpu);
      const code = service(cpu, descriptor);
      fence(cpu);
      return code;
    };
  const accesses = { access: memoryService, exclusive: exclusiveService, atomic: atomicService };
  const orderedAccesses = {
    access: fenced(memoryService),
    exclusive: fenced(exclusiveService),
    atomic: fenced(atomicService),
  };
  const hostServices = { ...(isConcurrent ? orderedAccesses : accesses), system: systemService };

  /** Function index of the step function of a row for known field values. */
  function stepFunction(r: Row, fields: Readonly<Record<string, number>>): number {
    const known: Record<string, number> = {};
    for (const field of r.fields) if (field.known) known[field.name] = fields[field.name] ?? 0;
    const key = Object.values(known).join();
    let ofRow = stepFunctions.get(r);
    if (!ofRow) {
      ofRow = new Map();
      stepFunctions.set(r, ofRow);
    }
    let index = ofRow.get(key);
    if (index === undefined) {
      const f = stepExports[stepFunctionName(r, known)] ?? instantiate([generateStep(r, known)])[0];
      index = codeTable.add(f as CallableFunction);
      ofRow.set(key, index);
    }
    return index;
  }

  function stepFunctionOf(word: number): number {
    const decoded = decode(word);
    return decoded ? stepFunction(decoded.row, decoded.fields) : stepFunction(undefinedRow, {});
  }

  const runtimeImports = {
    memory,
    table,
    decode: (_cpu: number, word: number): number => stepFunctionOf(word >>> 0),
    fetchMiss: (cpu: number): number => (peOf(cpu).translateFetch() < 0 ? 1 : 0),
    branchTarget: (cpu: number): number => peOf(cpu).checkBranchTarget(),
    resolve: (cpu: number): number => codeCache.resolve(peOf(cpu)),
    ...hostServices,
  };
  const runtime = new WebAssembly.Instance(new WebAssembly.Module(runtimeModule(worker)), { h: runtimeImports })
    .exports;
  const codeTable = makeCodeTable(table, runtime.stale as CallableFunction, () => {
    pes.forEach(({ base }) => {
      emptyJumpCache(words, base);
    });
  });
  const runLoop = runtime.run as (cpu: number) => Exit | typeof traceIsHot;
  const step = runtime.step as (cpu: number, budget: number) => Exit;
  const fence = runtime.fence as (cpu: number) => number;
  /** What generated code calls: the services, and the exact functions of arithmetic. */
  const functions = new WebAssembly.Table({
    element: 'anyfunc',
    initial: firstFloatFunction + floatFunctionNames.length + pointerOperations.length,
  });
  services.forEach(({ name }, place) => {
    functions.set(place, runtime[name] as CallableFunction);
  });
  const generatedImports = { memory, table: functions };

  const stepExports = stepModule ? new WebAssembly.Instance(stepModule, { h: generatedImports }).exports : {};

  /** Compiles functions that call the services into callable ones. */
  function instantiate(texts: readonly ModuleFunction[]): CallableFunction[] {
    const named = texts.map((text, i) => ({ ...text, exportName: `f${i}` }));
    const compiled = new WebAssembly.Module(encodeModule(named));
    const { exports } = new WebAssembly.Instance(compiled, { h: generatedImports });
    return texts.map((_, i) => exports[`f${i}`] as CallableFunction);
  }

  const arithmeticExports = stepModule
    ? [...floatFunctionNames, ...pointerOperations].map((name) => stepExports[name] as CallableFunction)
    : instantiate([...floatFunctions(), ...pointerFunctions()]);
  arithmeticExports.forEach((f, n) => {
    functions.set(firstFloatFunction + n, f);
  });

  // An entry of the step cache that has never been filled is that of the word 0.
  table.set(0, table.get(stepFunctionOf(0)));

  const codeCache: CodeCache = makeCodeCache({
    views,
    tables,
    decode,
    instantiate,
    table: codeTable,
    codeBytes,
    stepBlock: codeTable.add(runtime.stepBlock as CallableFunction),
    hotThreshold: hotRuns,
    regionThreshold: regionRounds,
    worker,
    isProfiled,
    isLineMapShared: onCodeWritten !== undefined,
    company: { isConcurrent, yields },
  });

  function runStepped(pe: Pe, budget: number): Exit {
    const cpu = pe.base;
    const code = step(cpu, budget);
    stepped += budget - (signedWords[stateWord(cpu, record.budget)] as number);
    prepareAgain(cpu, code);
    return code;
  }

  /** An instruction that is performed again is a branch's target as much as the first time. */
  function prepareAgain(cpu: number, code: number): void {
    if (!performsAgain.has(code)) return;
    const at = stateWord(cpu, record.btype);
    signedWords[at] = (signedWords[at] as number) & ~btypeChecked;
  }

  function runTranslated(cpu: number): Exit | typeof traceIsHot {
    const code = runLoop(cpu);
    prepareAgain(cpu, code);
    return code;
  }

  const isPauseAsked = (): boolean => pauseAsked;

  /** Steps one instruction, out of what is left of the run's budget. */
  function runAlone(pe: Pe): Exit {
    const at = stateWord(pe.base, record.budget);
    keptBack = (signedWords[at] as number) - 1;
    isAlone = true;
    const code = runStepped(pe, 1);
    isAlone = false;
    signedWords[at] = (signedWords[at] as number) + keptBack;
    keptBack = 0;
    return code;
  }

  return {
    pause: () => {
      pauseAsked = true;
    },
    budgetLeft: (pe) => (signedWords[stateWord(pe.base, record.budget)] as number) + keptBack,
    attach: (pe) => {
      pes[pe.index] = pe;
      pe.useSecondTlb(secondTlb);
    },
    run: (pe, budget) => {
      const cpu = pe.base;
      const at = stateWord(cpu, record.budget);
      const left = (): number => signedWords[at] as number;
      signedWords[at] = budget;
      pauseAsked = false;
      for (;;) {
        const kept = mode === 'step' ? 0 : Math.max(0, left() - sliceInstructions);
        keptBack = kept;
        signedWords[at] = left() - kept;
        const ran = mode === 'step' ? runStepped(pe, left()) : runTranslated(cpu);
        signedWords[at] = left() + kept;
        keptBack = 0;
        if (ran === traceIsHot) {
          codeCache.promote(pe);
          continue;
        }
        if (ran === exit.budget && kept > 0) continue;
        let code: Exit = ran;
        // A trace that does not fit into the rest of the budget is stepped.
        if (code === exit.budget && left() > 0) code = runStepped(pe, left());
        if (code === exit.step) {
          // A pair of stores may reach two traces, one after the other.
          do code = runAlone(pe);
          while (code === exit.step);
          if (code === exit.budget && !isPauseAsked()) continue;
        }
        if (costsOne.has(code)) signedWords[at] = left() - 1;
        return code;
      }
    },
    codeWritten: (pa, sizeBytes) => {
      const hasEnded = codeCache.lineWritten(pa, sizeBytes);
      if (!onCodeWritten) return hasEnded;
      for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line += 1) {
        // A line may be marked for an exclusive monitor only.
        if (((views.bytes[lineMapOffset + line] as number) & lineHoldsCode) !== 0) onCodeWritten(line);
      }
      return hasEnded;
    },
    linesWrittenElsewhere: (lines) => {
      if (lines === undefined) codeCache.endAll();
      else for (const line of lines) codeCache.lineWritten(line << lineShift, 1);
    },
    counters: () => ({ stepped, ...codeCache.counters() }),
  };
}
