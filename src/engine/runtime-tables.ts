// Tables that the runtime module and the code cache of a worker share, in the memory below RAM: what has been decoded, and what is known of
// code by its physical address. What they hold are function indices of the worker's own table.

import type { MemoryViews } from '../memory/memory-views.ts';

/** The decode cache: direct-mapped, 8 bytes an entry: instruction word, function index of its step function (0: none). */
const decodeCacheEntries = 1 << 16;
const decodeCacheBytes = decodeCacheEntries * 8;
/** Where the decode cache of worker `n` lies in the shared memory: n times its size after this. */
const decodeCacheBase = 0x0100_0000;

/**
 * The step cache: what the decode cache has found, by physical address: instruction word, function index of its step function. 128 KiB
 * lie between two instructions that share an entry.
 */
export const stepCacheBytes = 1 << 18;
const stepCacheBase = 0x0400_0000;

/** An entry of the entry table: what the run loop needs to know of code at a physical address. */
export const codeEntry = {
  bytes: 16,
  /** 64 bits: virtual address and Exception level, as in the jump cache. */
  key: 0,
  /** Physical address, `strict` where alignment is checked, and `guarded` where the page is. */
  place: 8,
  strict: 1,
  guarded: 2,
  /** Function index; less than 0: times that it is still to be stepped before it is looked at; 0: now. */
  code: 12,
} as const;
const entryTableBytes = 1 << 20;
const entryTableBase = 0x0500_0000;
/** Code at the same offset of many pages is spread: each 256 KiB begins elsewhere in the table. */
export const entryTablePlace = { entries: entryTableBytes / codeEntry.bytes, spread: 0x9e37 } as const;

/**
 * What indirect calls have called: two addresses of 64 bits for each call, the one that it has called last and the one before that was another. Calls
 * that share a place in the table spoil each other's, so that what stands there is a guess.
 */
export const callSite = { bytes: 16, last: 0, other: 8 } as const;
const callSites = 1 << 12;
const callTableBytes = callSites * callSite.bytes;
const callTableBase = 0x0c80_0000;

/** Where the tables of a worker lie in the shared memory; a worker is one of 32. */
export interface RuntimeTables {
  readonly decodeCache: number;
  readonly stepCache: number;
  readonly entryTable: number;
  readonly callTable: number;
}

export const runtimeTables = (worker: number): RuntimeTables => ({
  decodeCache: decodeCacheBase + worker * decodeCacheBytes,
  stepCache: stepCacheBase + worker * stepCacheBytes,
  entryTable: entryTableBase + worker * entryTableBytes,
  callTable: callTableBase + worker * callTableBytes,
});

/** Address of what is known of the indirect call at a virtual address. */
export const callSiteAt = ({ callTable }: RuntimeTables, va: bigint): number => {
  const word = Number((va >> 2n) & 0xffff_ffffn);
  return callTable + ((word ^ (word >>> 12)) & (callSites - 1)) * callSite.bytes;
};

/** Address of the entry of code at a physical address. */
export const codeEntryAt = ({ entryTable }: RuntimeTables, pa: number): number =>
  entryTable +
  (((pa >>> 2) + Math.imul(pa >>> 18, entryTablePlace.spread)) & (entryTablePlace.entries - 1)) * codeEntry.bytes;

/** Forgets what an earlier engine of the worker has left: it names functions of its own table. */
export function clearTables({ bytes }: MemoryViews, tables: RuntimeTables): void {
  const { decodeCache, stepCache, entryTable, callTable } = tables;
  bytes.fill(0, decodeCache, decodeCache + decodeCacheBytes);
  bytes.fill(0, stepCache, stepCache + stepCacheBytes);
  bytes.fill(0, entryTable, entryTable + entryTableBytes);
  bytes.fill(0, callTable, callTable + callTableBytes);
}
