// Translated code of one worker: which trace stands for which address, when an address is hot enough to be translated, and what a
// store to translated code makes invalid.
//
// A trace is found by physical address, virtual address, Exception level and alignment checking; the jump cache of a PE holds what it
// found last. The traces of one batch share a module; a store to a line ends those traces that were made from it: their places
// in the table then hold the `stale` function, so that jump caches lead back here.

import type { Pe } from '../arch/pe.ts';
import {
  jumpCacheEntries,
  jumpCacheEntryBytes,
  lineHoldsCode,
  lineMapOffset,
  lineShift,
  pageShift,
  pe as record,
} from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { type Company, makeTranslator, type Trace } from './translate.ts';
import { guestCodeName } from './profile-names.ts';
import type { ModuleFunction } from './wasm/module.ts';

/**
 * Traces in one module. A module costs about 0.7 ms whatever it holds; a trace that nobody enters costs 0.1 ms, since V8 compiles
 * functions when they are first called. Measured with 16, 32, 64 and 128.
 */
const batchTraces = 64;
/** The first modules are smaller: most of what short programs translate they never enter, and the translator itself is cold. */
const firstBatchTraces = 4;
/** As many hot entries wait for a module as this fraction, a power of two, of the traces there are. */
const patienceShift = 6;
/** Code that is entered so many times as often as hot code does not wait. */
const mostPatience = 32;

const pageMask = (1 << pageShift) - 1;

interface Entry {
  readonly va: bigint;
  readonly el: number;
  readonly strictAlignment: boolean;
  readonly guarded: boolean;
  /** Times that the code was entered cold. */
  count: number;
  /** Function index of the trace, or 0. */
  functionIndex: number;
}

/** A trace that can run, and the lines that it was made from. */
interface LiveTrace {
  readonly pa: number;
  readonly entry: Entry;
  readonly lines: ReadonlySet<number>;
}

interface Member {
  readonly live: LiveTrace;
  readonly trace: Trace;
}

export interface CodeCacheOptions {
  readonly views: MemoryViews;
  readonly decode: Decoder;
  readonly instantiate: (functions: readonly ModuleFunction[]) => CallableFunction[];
  readonly addToTable: (f: CallableFunction) => number;
  readonly replaceInTable: (index: number, f: CallableFunction) => void;
  readonly stale: CallableFunction;
  /** Function index of the stepper that stops after a branch. */
  readonly stepBlock: number;
  /** Cold entries after which code is translated. */
  readonly hotThreshold: number;
  /** Traces are named for a profile. */
  readonly isProfiled: boolean;
  /** Other workers translate too: a line stays marked, since it may hold the source of their code. */
  readonly isLineMapShared: boolean;
  readonly company: Company;
}

export interface CodeCache {
  /** Function index of what runs the code at PC; 0 after an exception has been taken. */
  resolve(pe: Pe): number;
  /** Ends what was translated from these bytes; false when nothing was. */
  lineWritten(pa: number, sizeBytes: number): boolean;
  /** Ends everything that was translated. */
  endAll(): void;
  counters(): { traces: number; modules: number; invalidations: number };
}

export function makeCodeCache(options: CodeCacheOptions): CodeCache {
  const { words, signedWords, doublewords, bytes } = options.views;
  const translate = makeTranslator(options.decode, options.company);
  const entries = new Map<number, Entry[]>();
  const tracesOfLine = new Map<number, Set<LiveTrace>>();
  /** Hot code that waits for a module, by its entry. */
  const waiting = new Map<Entry, number>();
  let traces = 0;
  let modules = 0;
  let invalidations = 0;

  function entryAt(pa: number, va: bigint, el: number, strictAlignment: boolean, guarded: boolean): Entry {
    let candidates = entries.get(pa);
    if (!candidates) {
      candidates = [];
      entries.set(pa, candidates);
    }
    let entry = candidates.find(
      (e) => e.va === va && e.el === el && e.strictAlignment === strictAlignment && e.guarded === guarded,
    );
    if (!entry) {
      entry = { va, el, strictAlignment, guarded, count: 0, functionIndex: 0 };
      candidates.push(entry);
    }
    return entry;
  }

  /** The traces of the hot code at `pa` and of what it leads to inside its page, the nearest first. */
  function tracesFrom(pa: number, first: Entry, isTaken: (entry: Entry) => boolean): Member[] {
    const pagePa = pa - (pa & pageMask);
    const members: Member[] = [];
    const batch = Math.min(batchTraces, firstBatchTraces + traces);
    const queue = [{ pa, entry: first }];
    const seen = new Set([pa]);
    for (let next = queue.shift(); next && members.length < batch; next = queue.shift()) {
      const { va, el, strictAlignment, guarded } = next.entry;
      const fetch = (at: bigint): number => words[(pagePa + (Number(at & 0xffffffffn) & pageMask)) >>> 2] as number;
      const trace = translate({ start: va, fetch, el, strictAlignment, guarded });
      const lines = new Set(
        trace.addresses.map((at) => (pagePa + (Number(at & 0xffffffffn) & pageMask)) >>> lineShift),
      );
      members.push({ live: { ...next, lines }, trace });
      for (const target of trace.successors) {
        if (target >> BigInt(pageShift) !== va >> BigInt(pageShift)) continue;
        const targetPa = pagePa + (Number(target & 0xffffffffn) & pageMask);
        if (seen.has(targetPa) || (targetPa & 3) !== 0) continue;
        seen.add(targetPa);
        const entry = entryAt(targetPa, target, el, strictAlignment, guarded);
        if (entry.functionIndex === 0 && !isTaken(entry)) queue.push({ pa: targetPa, entry });
      }
    }
    return members;
  }

  /**
   * Whether the entry's code is worth a module now. What an instance costs grows with the table and with the instances there are: the
   * more has been translated, the more waits for the next module, but for code that is entered again and again.
   */
  function isDue(entry: Entry): boolean {
    return waiting.size > traces >>> patienceShift || entry.count > (options.hotThreshold - 1) * mostPatience;
  }

  /** Translates all code that waits. */
  function translateWaiting(): void {
    const members: Member[] = [];
    const taken = new Set<Entry>();
    for (const [entry, pa] of waiting) {
      if (taken.has(entry)) continue;
      for (const member of tracesFrom(pa, entry, (other) => taken.has(other))) {
        taken.add(member.live.entry);
        members.push(member);
      }
    }
    waiting.clear();
    const functions = options.instantiate(
      members.map(({ live, trace }) =>
        options.isProfiled ? { ...trace.function, name: guestCodeName(live.entry) } : trace.function,
      ),
    );
    members.forEach(({ live }, i) => {
      live.entry.functionIndex = options.addToTable(functions[i] as CallableFunction);
      for (const line of live.lines) {
        const sharing = tracesOfLine.get(line);
        if (sharing) sharing.add(live);
        else tracesOfLine.set(line, new Set([live]));
        // A store that begins in the line before may reach into this one.
        for (const at of [line - 1, line]) Atomics.or(bytes, lineMapOffset + at, lineHoldsCode);
      }
    });
    traces += members.length;
    modules += 1;
  }

  function end(live: LiveTrace): void {
    const { pa, entry, lines } = live;
    invalidations += 1;
    options.replaceInTable(entry.functionIndex, options.stale);
    entry.functionIndex = 0;
    const rest = entries.get(pa)?.filter((e) => e !== entry) ?? [];
    if (rest.length === 0) entries.delete(pa);
    else entries.set(pa, rest);
    for (const line of lines) {
      const sharing = tracesOfLine.get(line);
      sharing?.delete(live);
      if (sharing?.size === 0) tracesOfLine.delete(line);
    }
    if (options.isLineMapShared) return;
    for (const line of lines) {
      for (const at of [line - 1, line]) {
        if (tracesOfLine.has(at) || tracesOfLine.has(at + 1)) continue;
        bytes[lineMapOffset + at] = (bytes[lineMapOffset + at] as number) & ~lineHoldsCode;
      }
    }
  }

  return {
    resolve: (pe) => {
      const pa = pe.translateFetch();
      if (pa < 0) return 0;
      const { base } = pe;
      const pc = doublewords[(base + record.pc) >>> 3] as bigint;
      const el = ((words[(base + record.pstate) >>> 2] as number) >>> 2) & 3;
      const strictAlignment = words[(base + record.strictAlignment) >>> 2] !== 0;
      const entry = entryAt(pa, pc, el, strictAlignment, pe.isFetchGuarded);
      if (entry.functionIndex === 0) {
        entry.count += 1;
        if (entry.count < options.hotThreshold) return options.stepBlock;
        waiting.set(entry, pa);
        if (!isDue(entry)) return options.stepBlock;
        translateWaiting();
      }
      const slot =
        base + record.jumpCache + ((Number(pc & 0xffffffffn) >>> 2) & (jumpCacheEntries - 1)) * jumpCacheEntryBytes;
      doublewords[slot >>> 3] = pc | BigInt(el);
      signedWords[(slot + 8) >>> 2] = entry.functionIndex;
      return entry.functionIndex;
    },
    lineWritten: (pa, sizeBytes) => {
      let found = false;
      for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line += 1) {
        for (const live of [...(tracesOfLine.get(line) ?? [])]) {
          end(live);
          found = true;
        }
      }
      return found;
    },
    endAll: () => {
      for (const live of new Set([...tracesOfLine.values()].flatMap((sharing) => [...sharing]))) end(live);
    },
    counters: () => ({ traces, modules, invalidations }),
  };
}
