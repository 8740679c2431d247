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
 * What is known of the indirect branches at an address, calls and returns among them: where they have led last (64 bits), where before that, if
 * elsewhere; and of those that have been stepped, `runs` in number, the one target that has more than half, if one has: they are counted one
 * against another in `balance`, after Boyer and Moore. Branches that share a place in the table spoil each other's, so that what stands
 * there is a guess.
 */
export const branchSite = { bytes: 32, last: 0, other: 8, usual: 16, balance: 24, runs: 28 } as const;
const branchSites = 1 << 14;
const branchSiteTableBytes = branchSites * branchSite.bytes;
const branchSiteTableBase = 0x0c80_0000;

/** How often the branches at an address have been taken, as they were stepped, and how often conditional ones have not; a guess, too. */
export const direction = { bytes: 8, taken: 0, notTaken: 4 } as const;
const directionEntries = 1 << 15;
const directionTableBytes = directionEntries * direction.bytes;
const directionTableBase = 0x0d80_0000;

/** Both tables begin elsewhere for code that is so many instructions away. */
export const branchFold = 14;

/** Where the tables of a worker lie in the shared memory; a worker is one of 32. */
export interface RuntimeTables {
  readonly decodeCache: number;
  readonly stepCache: number;
  readonly entryTable: number;
  readonly branchSites: number;
  readonly directions: number;
}

export const runtimeTables = (worker: number): RuntimeTables => ({
  decodeCache: decodeCacheBase + worker * decodeCacheBytes,
  stepCache: stepCacheBase + worker * stepCacheBytes,
  entryTable: entryTableBase + worker * entryTableBytes,
  branchSites: branchSiteTableBase + worker * branchSiteTableBytes,
  directions: directionTableBase + worker * directionTableBytes,
});

/** Of the entry of a branch in a table of so many. */
function branchPlace(va: bigint, entries: number): number {
  const word = Number((va >> 2n) & 0x3fff_ffffn);
  return (word ^ (word >>> branchFold)) & (entries - 1);
}

/** Address of what is known of the indirect branch at a virtual address. */
export const branchSiteAt = (tables: RuntimeTables, va: bigint): number =>
  tables.branchSites + branchPlace(va, branchSites) * branchSite.bytes;

/** Address of what is known of the direction of the branch at a virtual address. */
export const directionAt = (tables: RuntimeTables, va: bigint): number =>
  tables.directions + branchPlace(va, directionEntries) * direction.bytes;

/** How the stepper finds both. */
export const branchTables = {
  sites: { entries: branchSites, bytes: branchSite.bytes },
  directions: { entries: directionEntries, bytes: direction.bytes },
} as const;

/** Address of the entry of code at a physical address. */
export const codeEntryAt = ({ entryTable }: RuntimeTables, pa: number): number =>
  entryTable +
  (((pa >>> 2) + Math.imul(pa >>> 18, entryTablePlace.spread)) & (entryTablePlace.entries - 1)) * codeEntry.bytes;

/** Forgets what an earlier engine of the worker has left: it names functions of its own table. */
export function clearTables({ bytes }: MemoryViews, tables: RuntimeTables): void {
  const { decodeCache, stepCache, entryTable, branchSites: sites, directions } = tables;
  bytes.fill(0, decodeCache, decodeCache + decodeCacheBytes);
  bytes.fill(0, stepCache, stepCache + stepCacheBytes);
  bytes.fill(0, entryTable, entryTable + entryTableBytes);
  bytes.fill(0, sites, sites + branchSiteTableBytes);
  bytes.fill(0, directions, directions + directionTableBytes);
}
