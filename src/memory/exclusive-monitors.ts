// The exclusive monitors (Arm ARM, "Synchronization and semaphores"): one local and one global monitor for each PE, held as one
// tag: a PE has marked at most one granule, a 64-byte line, for an access to some bytes of it, and a Store-Exclusive passes while
// the granule is still marked for an access to the same bytes.
//
// The table is memory, not an actor: it lies in the shared memory beside the line map, whose bit `monitored` sends every store to
// a marked line here; the line before it is marked as well, since a store that begins there may reach into it. IMPLEMENTATION
// DEFINED and CONSTRAINED UNPREDICTABLE choices: a Store-Exclusive to another physical address, or of another size, than the
// Load-Exclusive before it fails (IsExclusiveLocal() may look at the granule alone); a pair of words is as one doubleword; a PE's
// own plain stores leave its tag; a Store-Exclusive clears it whether it passes or fails.

import type { MemoryViews } from './memory-views.ts';

export interface MonitorLayout {
  /** Byte offset of the table of tags, two words for each PE: the physical address, 0 in Open Access state, and the bytes accessed. */
  readonly tableOffset: number;
  readonly lineMapOffset: number;
  readonly lineShift: number;
  /** The line map's bit of a line that some PE has tagged. */
  readonly monitored: number;
  /** The line map's bit of the line before it. */
  readonly beforeMonitored: number;
  /** PEs of the machine. */
  readonly count: number;
}

/** The bytes that a PE has marked; the physical address is 0 in Open Access state. */
export interface ExclusiveTag {
  readonly pa: number;
  readonly sizeBytes: number;
}

export interface ExclusiveMonitors {
  /** Load-Exclusive of `pe` at `pa`, which is aligned to its size. */
  mark(pe: number, pa: number, sizeBytes: number): void;
  /** True while the tag of `pe` is that of a Load-Exclusive of the same bytes. */
  isMarked(pe: number, pa: number, sizeBytes: number): boolean;
  /** CLREX, exception return, and the end of a Store-Exclusive. */
  clear(pe: number): void;
  /** A store by `pe` (-1: by no PE) to the line of `pa`. Every other PE's tag of the line is cleared; `cleared` hears of each. */
  stored(pe: number, pa: number, cleared: (pe: number) => void): void;
  /** The tag of `pe`, as plain data. */
  save(pe: number): ExclusiveTag;
  restore(pe: number, tag: ExclusiveTag): void;
}

export function createExclusiveMonitors(memory: MemoryViews, layout: MonitorLayout): ExclusiveMonitors {
  const { words, bytes } = memory;
  const { lineMapOffset, lineShift, monitored, beforeMonitored, count } = layout;
  const table = layout.tableOffset >>> 2;
  const lineOf = (pa: number): number => pa >>> lineShift;
  /** Indices of words. */
  const addressOf = (pe: number): number => table + 2 * pe;
  const sizeOf = (pe: number): number => addressOf(pe) + 1;
  /** Line 0 is none of RAM. */
  const taggedLine = (pe: number): number => words[addressOf(pe)]! >>> lineShift;

  function isTagged(line: number): boolean {
    for (let pe = 0; pe < count; pe++) if (taggedLine(pe) === line) return true;
    return false;
  }

  function unwatch(line: number): void {
    bytes[lineMapOffset + line]! &= ~monitored;
    bytes[lineMapOffset + line - 1]! &= ~beforeMonitored;
  }

  function open(pe: number): void {
    words[addressOf(pe)] = 0;
    words[sizeOf(pe)] = 0;
  }

  function clear(pe: number): void {
    const line = taggedLine(pe);
    if (line === 0) return;
    open(pe);
    if (!isTagged(line)) unwatch(line);
  }

  function mark(pe: number, pa: number, sizeBytes: number): void {
    const line = lineOf(pa);
    if (taggedLine(pe) !== line) clear(pe);
    if (line === 0) return;
    words[addressOf(pe)] = pa;
    words[sizeOf(pe)] = sizeBytes;
    bytes[lineMapOffset + line]! |= monitored;
    bytes[lineMapOffset + line - 1]! |= beforeMonitored;
  }

  return {
    mark,
    isMarked: (pe, pa, sizeBytes) => words[addressOf(pe)] === pa && words[sizeOf(pe)] === sizeBytes,
    clear,
    stored(pe, pa, cleared) {
      const line = lineOf(pa);
      if ((bytes[lineMapOffset + line]! & monitored) === 0) return;
      for (let other = 0; other < count; other++) {
        if (other === pe || taggedLine(other) !== line) continue;
        open(other);
        cleared(other);
      }
      if (pe < 0 || taggedLine(pe) !== line) unwatch(line);
    },
    save: (pe) => ({ pa: words[addressOf(pe)]!, sizeBytes: words[sizeOf(pe)]! }),
    restore: (pe, { pa, sizeBytes }) => mark(pe, pa, sizeBytes),
  };
}
