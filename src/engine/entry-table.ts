// What the run loop knows of code without asking TypeScript, by physical address: the function that runs it, or how often it is still to be
// stepped. What has no place in the table may be known here all the same.

import type { MemoryViews } from '../memory/memory-views.ts';
import { codeEntry, codeEntryAt, type RuntimeTables } from './runtime-tables.ts';

/** What code is apart from its physical address. */
export interface Code {
  readonly va: bigint;
  readonly el: number;
  readonly strictAlignment: boolean;
  readonly guarded: boolean;
}

export const isSameCode = (a: Code, b: Code): boolean =>
  a.va === b.va && a.el === b.el && a.strictAlignment === b.strictAlignment && a.guarded === b.guarded;

/** As the jump caches have it too. */
const keyOf = ({ va, el }: Pick<Code, 'va' | 'el'>): bigint => va | BigInt(el);

/** Addresses whose count is kept when other code takes their place: as many as the table has entries. */
const mostDisplaced = 1 << 16;

export class EntryTable {
  private readonly views: MemoryViews;
  private readonly tables: RuntimeTables;
  private readonly thresholdAt: (pa: number) => number;
  /** Code, by its physical address, that has been stepped and has lost its place in the table to other code: what was its `code`. */
  private readonly displaced = new Map<number, number>();

  /** `thresholdAt`: times that the code at an address is entered until it is hot. */
  constructor(views: MemoryViews, tables: RuntimeTables, thresholdAt: (pa: number) => number) {
    this.views = views;
    this.tables = tables;
    this.thresholdAt = thresholdAt;
  }

  /** `code`: a function index; or at most 0: less than 0 by the times that the code is stepped until it is hot. */
  put(pa: number, what: Code, code: number): void {
    const { words, signedWords, doublewords } = this.views;
    const at = codeEntryAt(this.tables, pa);
    const place = (at + codeEntry.place) >>> 2;
    const known = signedWords[(at + codeEntry.code) >>> 2] as number;
    const knownPa = (words[place] as number) - ((words[place] as number) & 3);
    if (known <= 0 && knownPa !== 0 && knownPa !== pa) this.displace(knownPa, known);
    doublewords[(at + codeEntry.key) >>> 3] = keyOf(what);
    words[place] = pa | (what.strictAlignment ? codeEntry.strict : 0) | (what.guarded ? codeEntry.guarded : 0);
    signedWords[(at + codeEntry.code) >>> 2] = code;
  }

  private displace(pa: number, code: number): void {
    this.displaced.set(pa, code);
    if (this.displaced.size > mostDisplaced) this.displaced.delete(this.displaced.keys().next().value as number);
  }

  /** The code begins to be stepped anew, where it has its place in the table. */
  restart(pa: number, what: Code): void {
    if (this.codeOf(pa, what) !== undefined) this.put(pa, what, this.coldCode(pa));
  }

  /** What the table has for code, whatever the alignment checking and the guard; undefined where it has other code there. */
  private codeOf(pa: number, what: Pick<Code, 'va' | 'el'>): number | undefined {
    const { words, signedWords, doublewords } = this.views;
    const at = codeEntryAt(this.tables, pa);
    const isThere =
      (words[(at + codeEntry.place) >>> 2] as number) >>> 2 === pa >>> 2 &&
      doublewords[(at + codeEntry.key) >>> 3] === keyOf(what);
    return isThere ? signedWords[(at + codeEntry.code) >>> 2] : undefined;
  }

  /** The `code` of an entry whose code has been stepped once. */
  coldCode(pa: number): number {
    return Math.min(0, 2 - this.thresholdAt(pa));
  }

  /** What is left, as a `code`, until the code is hot; it has its place back, and is not displaced any more. */
  left(pa: number, what: Code): number {
    const left = this.codeOf(pa, what) ?? this.displaced.get(pa) ?? 1 - this.thresholdAt(pa);
    this.displaced.delete(pa);
    return left;
  }

  /** Times that code has been stepped. */
  coldRuns(pa: number, va: bigint, el: number): number {
    const code = this.codeOf(pa, { va, el }) ?? this.displaced.get(pa) ?? 1;
    return code > 0 ? 0 : 1 + code - this.coldCode(pa);
  }
}
