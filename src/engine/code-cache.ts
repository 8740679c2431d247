// Translated code of one worker: which trace stands for which address, when an address is hot enough to be translated, and what a
// store to translated code makes invalid.
//
// A trace is found by physical address, virtual address, Exception level and alignment checking; the jump cache of a PE holds what it
// found last. The traces of one batch share a module; a store to a line of any of them ends the batch. Its places in the table
// then hold the `stale` function, so that jump caches lead back here.

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
import { makeTranslator, type Trace } from './translate.ts';
import type { ModuleFunction } from './wasm/module.ts';

/**
 * Traces in one module. A module costs about 0.7 ms whatever it holds; a trace that nobody enters costs 0.1 ms, since V8 compiles
 * functions when they are first called. Measured with 16, 32, 64 and 128.
 */
const batchTraces = 64;

const pageMask = (1 << pageShift) - 1;

interface Entry {
  readonly va: bigint;
  readonly el: number;
  readonly strictAlignment: boolean;
  /** Times that the code was entered cold. */
  count: number;
  /** Function index of the trace, or 0. */
  functionIndex: number;
}

interface Batch {
  readonly entries: readonly { readonly pa: number; readonly entry: Entry }[];
  readonly lines: ReadonlySet<number>;
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
  /** Other workers translate too: a line stays marked, since it may hold the source of their code. */
  readonly isLineMapShared: boolean;
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
  const translate = makeTranslator(options.decode);
  const entries = new Map<number, Entry[]>();
  const batchesOfLine = new Map<number, Set<Batch>>();
  let traces = 0;
  let modules = 0;
  let invalidations = 0;

  function entryAt(pa: number, va: bigint, el: number, strictAlignment: boolean): Entry {
    let candidates = entries.get(pa);
    if (!candidates) {
      candidates = [];
      entries.set(pa, candidates);
    }
    let entry = candidates.find((e) => e.va === va && e.el === el && e.strictAlignment === strictAlignment);
    if (!entry) {
      entry = { va, el, strictAlignment, count: 0, functionIndex: 0 };
      candidates.push(entry);
    }
    return entry;
  }

  /** Translates the hot code at `pa` together with what it leads to inside its page, the nearest first. */
  function translateBatch(pa: number, first: Entry): void {
    const pagePa = pa - (pa & pageMask);
    const members: { pa: number; entry: Entry; trace: Trace }[] = [];
    const queue = [{ pa, entry: first }];
    const seen = new Set([pa]);
    const lines = new Set<number>();
    for (let next = queue.shift(); next && members.length < batchTraces; next = queue.shift()) {
      const { va, el, strictAlignment } = next.entry;
      const fetch = (at: bigint): number => words[(pagePa + (Number(at & 0xffffffffn) & pageMask)) >>> 2] as number;
      const trace = translate({ start: va, fetch, el, strictAlignment });
      members.push({ ...next, trace });
      for (const at of trace.addresses) lines.add((pagePa + (Number(at & 0xffffffffn) & pageMask)) >>> lineShift);
      for (const target of trace.successors) {
        if (target >> BigInt(pageShift) !== va >> BigInt(pageShift)) continue;
        const targetPa = pagePa + (Number(target & 0xffffffffn) & pageMask);
        if (seen.has(targetPa) || (targetPa & 3) !== 0) continue;
        seen.add(targetPa);
        const entry = entryAt(targetPa, target, el, strictAlignment);
        if (entry.functionIndex === 0) queue.push({ pa: targetPa, entry });
      }
    }
    const functions = options.instantiate(members.map(({ trace }) => trace.function));
    members.forEach(({ entry }, i) => {
      entry.functionIndex = options.addToTable(functions[i] as CallableFunction);
    });
    traces += members.length;
    modules += 1;
    const batch = { entries: members.map((m) => ({ pa: m.pa, entry: m.entry })), lines };
    for (const line of lines) {
      const sharing = batchesOfLine.get(line);
      if (sharing) sharing.add(batch);
      else batchesOfLine.set(line, new Set([batch]));
      // A store that begins in the line before may reach into this one.
      for (const at of [line - 1, line])
        bytes[lineMapOffset + at] = (bytes[lineMapOffset + at] as number) | lineHoldsCode;
    }
  }

  function end(batch: Batch): void {
    invalidations += 1;
    for (const { pa, entry } of batch.entries) {
      options.replaceInTable(entry.functionIndex, options.stale);
      entry.functionIndex = 0;
      entry.count = 0;
      const rest = entries.get(pa)?.filter((e) => e !== entry) ?? [];
      if (rest.length === 0) entries.delete(pa);
      else entries.set(pa, rest);
    }
    for (const line of batch.lines) {
      const sharing = batchesOfLine.get(line);
      sharing?.delete(batch);
      if (sharing?.size === 0) batchesOfLine.delete(line);
    }
    if (options.isLineMapShared) return;
    for (const line of batch.lines) {
      for (const at of [line - 1, line]) {
        if (batchesOfLine.has(at) || batchesOfLine.has(at + 1)) continue;
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
      const entry = entryAt(pa, pc, el, strictAlignment);
      if (entry.functionIndex === 0) {
        entry.count += 1;
        if (entry.count < options.hotThreshold) return options.stepBlock;
        translateBatch(pa, entry);
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
        for (const batch of [...(batchesOfLine.get(line) ?? [])]) {
          end(batch);
          found = true;
        }
      }
      return found;
    },
    endAll: () => {
      for (const batch of new Set([...batchesOfLine.values()].flatMap((sharing) => [...sharing]))) end(batch);
    },
    counters: () => ({ traces, modules, invalidations }),
  };
}
