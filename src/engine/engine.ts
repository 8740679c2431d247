// The engine of one worker: it runs instructions of the PEs that the worker hosts, by stepping cold code and by translated traces of
// warm code and regions of hot code, and connects both to the architecture (src/arch) by services.
//
// What the two readings do is the same to the bit, whichever of them runs an instruction: budgets are exact, and a store to
// translated code takes effect before the next instruction. An instruction that has to be the last of a trace, because it
// writes to code, is run by the stepper, alone, before it has written. One that has to be the last of a run, because it has sent a
// message, is found out when it has acted: the stepper ends the run with it; where translated code has acted, the stepper runs it again
// if it can act twice without a difference, and if it has no result the run is led to the next instruction.

import { emptyJumpCache } from '../arch/derived-state.ts';
import { exit, type Exit } from '../arch/exits.ts';
import type { Pe } from '../arch/pe.ts';
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
import { crcTables } from '../isa/crc-tables.ts';
import { makeDecoder } from '../isa/decoder.ts';
import type { Row } from '../isa/encoding.ts';
import { row } from '../isa/encoding.ts';
import { instructionSet } from '../isa/instruction-set.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { type Candidate, type CodeCache, type CodeInstance, makeCodeCache } from './code-cache.ts';
import { makeCodeTable } from './code-table.ts';
import { firstFloatFunction, floatFunctionNames, floatFunctions } from './float-functions.ts';
import { memoryServices, type ServiceCompany } from './memory-services.ts';
import { pointerFunctions } from './pointer-functions.ts';
import { pointerOperations } from '../isa/pointer-authentication/names.ts';
import { runtimeModule } from './runtime.ts';
import { clearTables, runtimeTables } from './runtime-tables.ts';
import { services } from './services.ts';
import { makeStepGenerator } from './step.ts';
import { stepFunctionName } from './step-module.ts';
import { systemService } from './system-service.ts';
import { traceIsHot } from './trace-ends.ts';
import { setUpHostCompiler } from './wasm/host-compiler.ts';
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
  tiered: { hot: 4000, region: 100_000 },
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

const stateWord = (cpu: number, offset: number): number => (cpu + offset) >>> 2;

/** One instruction's worth of time has passed although it did not run to its end: it took an exception, or it waits. */
const costsOne = (code: number): boolean =>
  code === exit.redirect ||
  code === exit.waitForInterrupt ||
  code === exit.waitForEvent ||
  code === exit.stopped ||
  code === exit.yield;

/** PC is at an instruction that has perhaps begun, and is performed from its beginning the next time. */
const performsAgain = (code: number): boolean =>
  code === exit.bus || code === exit.barrier || code === exit.step || code === traceIsHot;

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
  setUpHostCompiler();
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

  let attached = 0;
  const peOf = (cpu: number): Pe => pes[(cpu - peStateBase) / peStateStride] as Pe;

  /** True where what a service has done must come before any other instruction. */
  const mustStop = (): boolean => pauseAsked && !isAlone;
  const company: ServiceCompany = {
    peOf,
    isConcurrent,
    yields,
    isOnlyPe: () => attached === 1,
    mustStop,
    isAlone: () => isAlone,
    fence: (cpu) => fence(cpu),
  };
  const hostServices = { ...memoryServices(views, company), system: systemService(views, company) };

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
      const f = stepExports[stepFunctionName(r, known)] ?? instantiate([generateStep(r, known)]).functions[0];
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
  const runtime = new WebAssembly.Instance(new WebAssembly.Module(runtimeModule(worker, hotRuns)), {
    h: runtimeImports,
  }).exports;
  const codeTable = makeCodeTable(table, runtime.stale as CallableFunction, () => {
    pes.forEach(({ base }) => {
      emptyJumpCache(words, base);
    });
  });
  const runLoop = runtime.run as (cpu: number) => Exit | typeof traceIsHot;
  const step = runtime.step as (cpu: number, budget: number) => Exit;
  const stepBlock = runtime.stepBlock as (cpu: number, budget: number) => Exit;
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

  /** Compiles functions that call the services into callable ones; `links` stand in the module's own table at first. */
  function instantiate(texts: readonly ModuleFunction[], links: readonly ModuleFunction[] = []): CodeInstance {
    const named = texts.map((text, i) => ({ ...text, exportName: `f${i}` }));
    const compiled = new WebAssembly.Module(encodeModule(named, [], links));
    const { exports } = new WebAssembly.Instance(compiled, { h: generatedImports });
    return {
      functions: texts.map((_, i) => exports[`f${i}`] as CallableFunction),
      links: exports.table as WebAssembly.Table | undefined,
    };
  }

  const arithmeticExports = stepModule
    ? [...floatFunctionNames, ...pointerOperations].map((name) => stepExports[name] as CallableFunction)
    : instantiate([...floatFunctions(), ...pointerFunctions()]).functions;
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
    isOnlyPe: () => attached === 1,
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
    if (!performsAgain(code)) return;
    const at = stateWord(cpu, record.btype);
    signedWords[at] = (signedWords[at] as number) & ~btypeChecked;
  }

  /** Between two runs BTYPE is what the architecture has: 0 where the branch's target is over. */
  function endBranch(cpu: number): void {
    const at = stateWord(cpu, record.btype);
    if (((signedWords[at] as number) & btypeChecked) !== 0) signedWords[at] = 0;
  }

  /** By PE: what is observed while it runs, since a region is to be made of it. */
  const candidates: (Candidate | undefined)[] = [];

  /** Steps a block at a time until enough has been seen for a region, which is then made, or something else stops it. */
  function runObserved(pe: Pe, candidate: Candidate): Exit {
    const at = stateWord(pe.base, record.budget);
    const pc = (pe.base + record.pc) >>> 3;
    while (!candidate.code.isComplete) {
      const start = doublewords[pc] as bigint;
      const before = signedWords[at] as number;
      const code = stepBlock(pe.base, before);
      const instructions = before - (signedWords[at] as number);
      stepped += instructions;
      candidate.code.note(start, instructions);
      if (code !== exit.lookup) return code;
    }
    candidates[pe.index] = undefined;
    codeCache.promote(pe, candidate);
    return exit.lookup;
  }

  /** Returns exit.lookup where it only has to go on in another way. */
  function runTranslated(pe: Pe): Exit {
    const candidate = candidates[pe.index];
    const isObserved = candidate && words[stateWord(pe.base, record.jumpTag)] === candidate.live.entry.el;
    const code = isObserved ? runObserved(pe, candidate) : runLoop(pe.base);
    prepareAgain(pe.base, code);
    if (code !== traceIsHot) return code;
    candidates[pe.index] = codeCache.wantsRegion(pe) ?? candidate;
    return exit.lookup;
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
      attached += 1;
      // What has been translated may be for the only PE that there was.
      if (attached > 1) codeCache.endAll();
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
        const ran = mode === 'step' ? runStepped(pe, left()) : runTranslated(pe);
        signedWords[at] = left() + kept;
        keptBack = 0;
        if (ran === exit.lookup || (ran === exit.budget && kept > 0 && !isPauseAsked())) continue;
        let code: Exit = ran;
        // A trace that does not fit into the rest of the budget is stepped.
        if (code === exit.budget && left() > 0 && !isPauseAsked()) code = runStepped(pe, left());
        if (code === exit.step) {
          code = runAlone(pe);
          if (code === exit.budget && !isPauseAsked()) continue;
        }
        if (costsOne(code)) signedWords[at] = left() - 1;
        endBranch(cpu);
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
