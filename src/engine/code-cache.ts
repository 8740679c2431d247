// Translated code of one worker: which trace stands for which address, when an address is hot enough to be translated, and what a
// store to translated code makes invalid.
//
// A trace is found by physical address, virtual address, Exception level and alignment checking; the jump cache of a PE holds what it
// found last. The traces of one batch share a module; a store to a line ends those traces that were made from it: their places
// in the table then hold the `stale` function, so that jump caches lead back here.

import type { Pe } from '../arch/pe.ts';
import { lineShift, pageShift, pe as record } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { NotedBranches } from './branch-notes.ts';
import { CodeLines } from './code-lines.ts';
import { CodeMemory, type CodeModule } from './code-memory.ts';
import type { CodeTable } from './code-table.ts';
import { EarlyWrites, worthwhileRounds } from './early-writes.ts';
import { type Code, EntryTable, isSameCode } from './entry-table.ts';
import { addendTo, FetchedPages, pageMask, pageOf } from './fetched-pages.ts';
import type { Entry, LiveTrace, Member, ModuleParts } from './live-trace.ts';
import type { Company } from './local-registers.ts';
import { ObservedCode } from './observed-code.ts';
import { RegionPatience } from './region-patience.ts';
import { makeRegionTranslator } from './region.ts';
import { RoundCounters } from './round-counters.ts';
import { branchSite, branchSiteAt, type RuntimeTables } from './runtime-tables.ts';
import { CodeLinks, type Link, type LinkTarget, makeDirect, ModuleLinks } from './trace-links.ts';
import { makeTranslator } from './translate.ts';
import { guestCodeName } from './profile-names.ts';
import type { ModuleFunction } from './wasm/module.ts';

/**
 * Traces in one module. A module costs about 0.1 ms whatever it holds; a trace that nobody enters costs 0.1 ms, since V8 compiles
 * functions when they are first called. Measured with 16, 32, 64 and 128.
 */
const batchTraces = 64;
/** The first modules are smaller: most of what short programs translate they never enter, and the translator itself is cold. */
const firstBatchTraces = 4;
/** As many hot entries wait for a module as this fraction, a power of two, of the traces there are. */
const patienceShift = 6;
/** So many wait at most. */
const mostWaiting = 32;
/** Code that hot code leads to is translated with it where it has been stepped this fraction, a power of two, of the times that make it hot. */
const warmShift = 3;
/** Indirect branches of a region are followed to code in so many pages before and after its first one. */
const nearPages = 3;
/** There, to code that has run so many rounds. */
const warmRounds = 16;
/** Guest instructions in a region, and in one that is made without knowing what runs in it. */
const maxInstructions = 400;
const maxColdInstructions = 100;

/** Whether a direct call could lead from one address to another. */
const isInReach = (from: bigint, to: bigint): boolean =>
  (to & 3n) === 0n && BigInt.asIntN(28, to - from) === BigInt.asIntN(64, to - from);

/** A trace that is to become a region, and what has run since it has asked for that. */
export interface Candidate {
  readonly live: LiveTrace;
  readonly code: ObservedCode;
}

/** A module of translated code that has been made. */
export interface CodeInstance {
  readonly functions: readonly CallableFunction[];
  /** Where the functions that its links lead to stand. */
  readonly links: WebAssembly.Table | undefined;
}

export interface CodeCacheOptions {
  readonly views: MemoryViews;
  readonly tables: RuntimeTables;
  readonly decode: Decoder;
  readonly instantiate: (functions: readonly ModuleFunction[], links: readonly ModuleFunction[]) => CodeInstance;
  readonly table: CodeTable;
  /** Of text that translated code may take; beyond it the oldest is ended. */
  readonly codeBytes: number;
  /** Function index of the stepper that stops after a branch. */
  readonly stepBlock: number;
  /** Cold entries after which code is translated. */
  readonly hotThreshold: number;
  /** Traces are named for a profile. */
  readonly isProfiled: boolean;
  /** Rounds of a trace after which a region is made; 0: at once, and of all code that there is; Infinity: never. */
  readonly regionThreshold: number;
  /** Number of the worker: it chooses the words that count rounds. */
  readonly worker: number;
  /** Other workers translate too: a line stays marked, since it may hold the source of their code. */
  readonly isLineMapShared: boolean;
  readonly company: Company;
  /** Code may have the place of the record of the PE for which it is made: no other runs it. */
  readonly isOnlyPe: () => boolean;
}

export interface CodeCache {
  /** Function index of what runs the code at PC; 0 after an exception has been taken. */
  resolve(pe: Pe): number;
  /** Ends what was translated from these bytes; false when nothing was. */
  lineWritten(pa: number, sizeBytes: number): boolean;
  /** Ends everything that was translated. */
  endAll(): void;
  /** The trace at PC has run often: what must be observed before a region is made of it, if it is time for that. */
  wantsRegion(pe: Pe): Candidate | undefined;
  /** Makes a region in place of a trace, if all is as it was. */
  promote(pe: Pe, candidate: Candidate): void;
  counters(): {
    traces: number;
    regions: number;
    modules: number;
    invalidations: number;
    evictions: number;
    codeBytes: number;
  };
}

export function makeCodeCache(options: CodeCacheOptions): CodeCache {
  const { words, doublewords } = options.views;
  const translate = makeTranslator(options.decode, options.company);
  const entries = new Map<number, Entry[]>();
  const codeLines = new CodeLines<LiveTrace>(options.views, options.isLineMapShared);
  const earlyWrites = new EarlyWrites();
  const counters = new RoundCounters(options.views, options.worker, options.regionThreshold);
  const entryTable = new EntryTable(options.views, options.tables, thresholdAt);
  /** Hot code that waits for a module, by its entry. */
  const waiting = new Map<Entry, number>();
  const pages = new FetchedPages(options.views);
  const usualWays = new NotedBranches(options.views, options.tables);
  const translateRegion = makeRegionTranslator(options.decode, options.company);
  let traces = 0;
  let regions = 0;
  const patience = new RegionPatience();
  let modules = 0;
  let invalidations = 0;
  let evictions = 0;
  const memory = new CodeMemory<LiveTrace>(options.codeBytes);
  const codeLinks = new CodeLinks();
  const partsOf = new WeakMap<CodeModule<LiveTrace>, ModuleParts>();
  const moduleOf = new WeakMap<LiveTrace, CodeModule<LiveTrace>>();

  const knownAt = (pa: number, code: Code): Entry | undefined => entries.get(pa)?.find((e) => isSameCode(e, code));

  function entryAt(pa: number, code: Code): Entry {
    const known = knownAt(pa, code);
    if (known) return known;
    const entry = { ...code, functionIndex: 0, live: undefined };
    const others = entries.get(pa);
    if (others) others.push(entry);
    else entries.set(pa, [entry]);
    return entry;
  }

  /** Cold entries after which the code at `pa` is translated. */
  function thresholdAt(pa: number): number {
    const { hotThreshold } = options;
    return hotThreshold > 1 ? hotThreshold << earlyWrites.backOff(pa) : hotThreshold;
  }

  /** Whether what is written over has been worth its translation is noted for the time when it is hot again. */
  function noteWritten(line: number, { pa, counter, isRegion }: LiveTrace): void {
    // A region takes so long to make that it is always too early.
    const isWorthwhile = !isRegion && counters.rounds(counter) >= worthwhileRounds;
    for (const at of new Set([line, pa >>> lineShift])) earlyWrites.note(at, isWorthwhile);
  }

  /** The traces of the hot code at `pa` and of what it leads to inside its page, the nearest first. */
  function tracesFrom(
    pe: Pe,
    pa: number,
    first: Entry,
    links: ModuleLinks,
    isTaken: (entry: Entry) => boolean,
  ): Member[] {
    const pagePa = pa - (pa & pageMask);
    const members: Member[] = [];
    const batch = Math.min(batchTraces, firstBatchTraces + traces);
    const queue = [{ pa, entry: first }];
    const seen = new Set([pa]);
    for (let next = queue.shift(); next && members.length < batch; next = queue.shift()) {
      const { va, el, strictAlignment, guarded } = next.entry;
      const pagePaOf = pages.from(pe, pa, next.entry);
      const paOf = (at: bigint): number => pagePaOf(at) + (Number(at & 0xffffffffn) & pageMask);
      const fetch = (at: bigint): number => words[paOf(at) >>> 2] as number;
      const addendOf = (at: bigint): number | undefined => (pagePaOf(at) < 0 ? undefined : addendTo(pagePaOf(at), at));
      const linkTo = (at: bigint): number =>
        links.placeOf({ pa: paOf(at), code: { va: at, el, strictAlignment, guarded } });
      const counter = counters.take();
      const counting = counter < 0 || !counters.areCounting ? {} : { counter: counters.placeOf(counter) };
      const trace = translate({
        start: va,
        fetch,
        addendOf,
        el,
        strictAlignment,
        guarded,
        linkTo,
        usualWays,
        ...recordOf(pe),
        ...counting,
      });
      const lines = new Set(trace.addresses.map((at) => paOf(at) >>> lineShift));
      members.push({ live: { ...next, lines, counter, asked: 0, isRegion: false }, trace });
      for (const [target, noted] of trace.successors) {
        if (pageOf(target) !== pageOf(va)) continue;
        const targetPa = pagePa + (Number(target & 0xffffffffn) & pageMask);
        if (seen.has(targetPa) || (targetPa & 3) !== 0) continue;
        seen.add(targetPa);
        const hot = thresholdAt(targetPa);
        const warm = earlyWrites.backOff(targetPa) > 0 ? hot : hot >>> warmShift;
        const runs = Math.max(noted, entryTable.coldRuns(targetPa, target, el));
        if (options.hotThreshold > 1 && runs < Math.max(warm, 1)) continue;
        const entry = entryAt(targetPa, { va: target, el, strictAlignment, guarded });
        if (entry.functionIndex === 0 && !isTaken(entry)) queue.push({ pa: targetPa, entry });
      }
    }
    return members;
  }

  /**
   * Whether it is time for a module, for hot code that may be waiting already. What has been translated tells how much there will be: the
   * more of it, the more waits for the next module, and is stepped meanwhile; but not when it has become hot once more, since a program that
   * stays in a few blocks has no others for which they could wait.
   */
  function isDue(entry: Entry): boolean {
    if (options.hotThreshold === 1 || waiting.has(entry)) return true;
    return waiting.size >= Math.min(traces >>> patienceShift, mostWaiting);
  }

  /** From here on they run, and a store to one of their lines ends them. */
  function enter(lives: readonly LiveTrace[], texts: readonly ModuleFunction[], links: readonly Link[]): void {
    const textBytes = texts.reduce((sum, { body }) => sum + body.length, 0);
    const module = memory.add(lives, textBytes);
    partsOf.set(module, { links, counters: lives.map(({ counter }) => counter) });
    for (const live of lives) {
      moduleOf.set(live, module);
      watch(live);
    }
    modules += 1;
  }

  /** What runs the code that a link leads to. */
  function functionOf({ pa, code }: LinkTarget): CallableFunction | undefined {
    const index = knownAt(pa, code)?.functionIndex ?? 0;
    return index > 0 ? options.table.at(index) : undefined;
  }

  function watch(live: LiveTrace): void {
    live.entry.live = live;
    codeLines.watch(live);
  }

  function unwatch(live: LiveTrace): void {
    live.entry.live = undefined;
    counters.end(live.counter);
    codeLines.unwatch(live);
    const module = moduleOf.get(live);
    if (!module) return;
    memory.remove(module, live);
    const parts = partsOf.get(module);
    if (!parts || module.members.size > 0) return;
    codeLinks.remove(parts.links);
    // A trace that is running now may still come to one of them; they are taken again by `resolve` alone, when none runs.
    for (const counter of parts.counters) counters.giveBack(counter);
  }

  /** Whether what was translated has run so many rounds. */
  function hasRun(live: LiveTrace, rounds: number): boolean {
    if (options.regionThreshold === 0) return true;
    if (live.counter < 0 || live.asked > 0) return true;
    return counters.rounds(live.counter) >= rounds;
  }

  const isLive = (pa: number, va: bigint, el: number, rounds: number): boolean =>
    entries.get(pa)?.some((e) => e.va === va && e.el === el && e.live && hasRun(e.live, rounds)) === true;

  /** Whether a region may hold the code at an address: where that has been written over too early, only after a while. */
  const isWorthARegion = (pa: number, va: bigint, el: number): boolean =>
    earlyWrites.backOff(pa) === 0 || isLive(pa, va, el, worthwhileRounds);

  /** Whether indirect branches of a region may lead to an address: a few thousand of them may not have shown it. */
  const isWarm = (pa: number, va: bigint, el: number): boolean =>
    isWorthARegion(pa, va, el) && (isLive(pa, va, el, warmRounds) || entryTable.coldRuns(pa, va, el) > warmRounds);

  /** Whether a trace that asks to become a region has to ask again later. */
  function mustAskAgain(live: LiveTrace): boolean {
    live.asked += 1;
    return live.asked < patience.asks;
  }

  const recordOf = ({ base }: Pe): { readonly record?: number } => (options.isOnlyPe() ? { record: base } : {});

  /** The region from the code at `pa` on, in place of its trace if there is one. */
  function makeRegion(pe: Pe, pa: number, entry: Entry, observed?: ObservedCode): void {
    const { va: start, el, strictAlignment, guarded } = entry;
    const pagePaOf = pages.from(pe, pa, entry);
    const paOf = (va: bigint): number => pagePaOf(va) + (Number(va & 0xffffffffn) & pageMask);
    const isMapped = (va: bigint): boolean => pagePaOf(va) >= 0;
    const { function: text, addresses } = translateRegion({
      start,
      el,
      strictAlignment,
      guarded,
      ...recordOf(pe),
      maxInstructions: options.regionThreshold === 0 ? maxColdInstructions : maxInstructions,
      fetch: (va) => words[paOf(va) >>> 2] as number,
      isMapped,
      hasRun: (va) => {
        if (!isMapped(va)) return false;
        return !observed || (observed.runsOf(va) > 0 && isWorthARegion(paOf(va), va, el));
      },
      indirectTargets: () => indirectTargets(entry, pagePaOf),
      callSiteAt: siteAt,
      calledFrom: (va) =>
        [branchSite.last, branchSite.other]
          .map((offset) => doublewords[(siteAt(va) + offset) >>> 3] as bigint)
          .filter((target) => isInReach(start, target) && isMapped(target) && isWorthARegion(paOf(target), target, el)),
      addendOf: (va) => addendTo(pagePaOf(va), va),
    });
    const named = options.isProfiled ? { ...text, name: guestCodeName(entry) } : text;
    const { functions } = options.instantiate([named], []);
    const f = functions[0] as CallableFunction;
    if (entry.functionIndex === 0) entry.functionIndex = options.table.add(f);
    else options.table.replace(entry.functionIndex, f);
    if (entry.live) unwatch(entry.live);
    entryTable.put(pa, entry, entry.functionIndex);
    codeLinks.lead({ pa, code: entry }, f);
    const lines = new Set(addresses.map((va) => paOf(va) >>> lineShift));
    enter([{ pa, entry, lines, counter: -1, asked: 0, isRegion: true }], [text], []);
    regions += 1;
    patience.noteRegion();
  }

  /** Code of the level of a region that has run often, in the pages around its first one that are where that one is. */
  function indirectTargets({ va: start, el }: Entry, pagePaOf: (va: bigint) => number): bigint[] {
    const first = start >> BigInt(pageShift);
    const targets: bigint[] = [];
    for (let n = -nearPages; n <= nearPages; n += 1) {
      const va = (first + BigInt(n)) << BigInt(pageShift);
      const pagePa = pagePaOf(va);
      if (pagePa < 0 || pagePa !== pagePaOf(start) + n * (1 << pageShift)) continue;
      for (let offset = 0; offset <= pageMask; offset += 4) {
        const target = va + BigInt(offset);
        if (isWarm(pagePa + offset, target, el)) targets.push(target);
      }
    }
    return targets;
  }

  const siteAt = (va: bigint): number => branchSiteAt(options.tables, va);

  /** Exits lead straight to the traces of their module that look, as they are entered, whether they have ended. */
  function linkDirectly(members: readonly Member[], links: ModuleLinks): void {
    if (!counters.areCounting) return;
    const looking = new Map(members.flatMap(({ live }, n) => (live.counter < 0 ? [] : [[live.entry, n] as const])));
    const functions = links.targets.map(({ pa, code }) => looking.get(knownAt(pa, code) as Entry));
    for (const { trace } of members) makeDirect(trace.function.body, (place) => functions[place]);
  }

  /** Translates all code that waits. */
  function translateWaiting(pe: Pe): void {
    const members: Member[] = [];
    const taken = new Set<Entry>();
    const moduleLinks = new ModuleLinks();
    for (const [entry, pa] of waiting) {
      if (taken.has(entry)) continue;
      for (const member of tracesFrom(pe, pa, entry, moduleLinks, (other) => taken.has(other))) {
        taken.add(member.live.entry);
        members.push(member);
      }
    }
    waiting.clear();
    linkDirectly(members, moduleLinks);
    const texts = members.map(({ live, trace }) =>
      options.isProfiled ? { ...trace.function, name: guestCodeName(live.entry) } : trace.function,
    );
    const { functions, links } = options.instantiate(texts, moduleLinks.unlinked());
    const lives = members.map(({ live }) => live);
    lives.forEach(({ pa, entry }, i) => {
      const f = functions[i] as CallableFunction;
      entry.functionIndex = options.table.add(f);
      entryTable.put(pa, entry, entry.functionIndex);
      codeLinks.lead({ pa, code: entry }, f);
    });
    enter(lives, texts, links ? codeLinks.add(moduleLinks.targets, links, functionOf) : []);
    traces += members.length;
  }

  function end(live: LiveTrace): void {
    const { pa, entry } = live;
    options.table.remove(entry.functionIndex);
    entry.functionIndex = 0;
    codeLinks.lead({ pa, code: entry }, undefined);
    entryTable.restart(pa, entry);
    const rest = entries.get(pa)?.filter((e) => e !== entry) ?? [];
    if (rest.length === 0) entries.delete(pa);
    else entries.set(pa, rest);
    unwatch(live);
    codeLines.unmark(live.lines);
  }

  /** Where the memory of translated code is full: ends the oldest, which must get hot to come back. */
  function makeRoom(): void {
    if (!memory.isFull) return;
    for (const live of memory.oldest()) {
      evictions += 1;
      end(live);
    }
  }

  /** The code at PC. */
  function codeAtPc({ base }: Pe, guarded: boolean): Code {
    const va = doublewords[(base + record.pc) >>> 3] as bigint;
    const el = ((words[(base + record.pstate) >>> 2] as number) >>> 2) & 3;
    const strictAlignment = words[(base + record.strictAlignment) >>> 2] !== 0;
    return { va, el, strictAlignment, guarded };
  }

  /** What the run loop has to know of code that it does not know, or does not want to step any more: the `code` of its entry. */
  function lookAt(pe: Pe, pa: number, code: Code): number {
    const known = knownAt(pa, code)?.functionIndex ?? 0;
    if (known > 0) return known;
    const left = entryTable.left(pa, code);
    if (left < 0) return left + 1;
    const entry = entryAt(pa, code);
    if (options.regionThreshold === 0) {
      makeRegion(pe, pa, entry);
    } else {
      const isLast = isDue(entry);
      waiting.set(entry, pa);
      if (isLast) translateWaiting(pe);
    }
    return entry.functionIndex > 0 ? entry.functionIndex : entryTable.coldCode(pa);
  }

  return {
    resolve: (pe) => {
      const pa = pe.translateFetch();
      if (pa < 0) return 0;
      makeRoom();
      const code = codeAtPc(pe, pe.isFetchGuarded());
      const functionIndex = lookAt(pe, pa, code);
      entryTable.put(pa, code, functionIndex);
      return functionIndex > 0 ? functionIndex : options.stepBlock;
    },
    lineWritten: (pa, sizeBytes) => {
      let found = false;
      for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line += 1) {
        for (const live of codeLines.watchersOf(line)) {
          invalidations += 1;
          noteWritten(line, live);
          end(live);
          found = true;
        }
      }
      return found;
    },
    endAll: () => {
      for (const live of codeLines.everyWatcher()) {
        invalidations += 1;
        end(live);
      }
    },
    wantsRegion: (pe) => {
      // What runs has been fetched, as far as the architecture can tell: the tables are not looked at again.
      const pc = doublewords[(pe.base + record.pc) >>> 3] as bigint;
      const fetched = pages.fetched(pe, pageOf(pc));
      if (!fetched) return undefined;
      const pa = fetched.pa + (Number(pc & 0xffffffffn) & pageMask);
      const live = entryAt(pa, codeAtPc(pe, fetched.guarded)).live;
      if (!live || live.isRegion || mustAskAgain(live)) return undefined;
      return { live, code: new ObservedCode(options.regionThreshold) };
    },
    promote: (pe, { live, code }) => {
      const { pa, entry } = live;
      const fetched = pages.fetched(pe, pageOf(entry.va));
      if (entry.live !== live || fetched?.pa !== pa - (pa & pageMask)) return;
      if (!patience.admits(code)) {
        live.asked = 0;
        return;
      }
      makeRoom();
      if (entry.live === live) makeRegion(pe, pa, entry, code);
    },
    counters: () => ({ traces, regions, modules, invalidations, evictions, codeBytes: memory.sizeBytes }),
  };
}
