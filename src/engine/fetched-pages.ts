// Where the pages are that instructions are fetched from: what the soft TLB of a PE has for them. What has been fetched is looked at again
// without a walk of the translation tables, as the architecture allows.

import type { Pe } from '../arch/pe.ts';
import {
  addendAfterTag,
  guardedAfterFetchTag,
  pageShift,
  pe as record,
  softTlbEntries,
  softTlbEntry,
} from '../arch/state-layout.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import type { Code } from './entry-table.ts';

export const pageMask = (1 << pageShift) - 1;
export const pageOf = (va: bigint): bigint => va >> BigInt(pageShift);
const baseOf = (page: bigint): bigint => page << BigInt(pageShift);
const low32 = (va: bigint): number => Number(va & 0xffffffffn);

/** From addresses of the page of `va` to those of its place. */
export const addendTo = (pagePa: number, va: bigint): number => pagePa - low32(baseOf(pageOf(va)));

interface FetchedPage {
  /** Physical address of the page. */
  readonly pa: number;
  /** FEAT_BTI. */
  readonly guarded: boolean;
}

export class FetchedPages {
  private readonly views: MemoryViews;

  constructor(views: MemoryViews) {
    this.views = views;
  }

  /** What the soft TLB has for fetches from a page, by its number. */
  fetched({ base }: Pe, page: bigint): FetchedPage | undefined {
    const { words, doublewords } = this.views;
    const tlb = words[(base + record.tlb) >>> 2] as number;
    const index = Number(page & BigInt(softTlbEntries - 1));
    const at = tlb + index * softTlbEntry.bytes + softTlbEntry.fetchTag;
    const va = baseOf(page);
    if (doublewords[at >>> 3] !== va) return undefined;
    const addend = words[(at + addendAfterTag) >>> 2] as number;
    return { pa: (low32(va) + addend) >>> 0, guarded: words[(at + guardedAfterFetchTag) >>> 2] !== 0 };
  }

  /** The physical addresses of pages, from that of code at `pa` on: -1 where one is not known, or is guarded and the code's is not, or the reverse. */
  from(pe: Pe, pa: number, { va: start, guarded }: Code): (va: bigint) => number {
    const pages = new Map([[pageOf(start), pa - (pa & pageMask)]]);
    return (va) => {
      const page = pageOf(va);
      let found = pages.get(page);
      if (found === undefined) {
        const fetched = this.fetched(pe, page);
        found = fetched?.guarded === guarded ? fetched.pa : -1;
        pages.set(page, found);
      }
      return found;
    };
  }
}
