// The exclusive monitors (Arm ARM, "Synchronization and semaphores"): one local and one global monitor for each PE, held as one
// tag: a PE has at most one marked granule, a 64-byte line, and a Store-Exclusive passes while the line is still the tagged one.
//
// The table is memory, not an actor: it lies in the shared memory beside the line map, whose bit `monitored` sends every store to
// a marked line here; the line before it is marked as well, since a store that begins there may reach into it. IMPLEMENTATION
// DEFINED choices: a Store-Exclusive passes for any address and size in the granule; a PE's own plain stores leave its tag; a
// Store-Exclusive clears it whether it passes or fails.

import type { MemoryViews } from './memory-views.ts';

export interface MonitorLayout {
  /** Byte offset of the table of tags: 32 bits for each PE, the number of the tagged line, 0 in Open Access state. */
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

export interface ExclusiveMonitors {
  /** Load-Exclusive of `pe` at `pa`. */
  mark(pe: number, pa: number): void;
  /** True while the tag of `pe` covers `pa`. */
  isMarked(pe: number, pa: number): boolean;
  /** CLREX, exception return, and the end of a Store-Exclusive. */
  clear(pe: number): void;
  /** A store by `pe` (-1: by no PE) to the line of `pa`. Every other PE's tag of the line is cleared; `cleared` hears of each. */
  stored(pe: number, pa: number, cleared: (pe: number) => void): void;
  /** The tag of `pe`, as plain data. */
  save(pe: number): number;
  restore(pe: number, tag: number): void;
}

export function createExclusiveMonitors(memory: MemoryViews, layout: MonitorLayout): ExclusiveMonitors {
  const { words, bytes } = memory;
  const { lineMapOffset, lineShift, monitored, beforeMonitored, count } = layout;
  const table = layout.tableOffset >>> 2;
  const lineOf = (pa: number): number => pa >>> lineShift;

  function isTagged(line: number): boolean {
    for (let pe = 0; pe < count; pe++) if (words[table + pe] === line) return true;
    return false;
  }

  function unwatch(line: number): void {
    bytes[lineMapOffset + line]! &= ~monitored;
    bytes[lineMapOffset + line - 1]! &= ~beforeMonitored;
  }

  function clear(pe: number): void {
    const line = words[table + pe]!;
    if (line === 0) return;
    words[table + pe] = 0;
    if (!isTagged(line)) unwatch(line);
  }

  function mark(pe: number, line: number): void {
    if (words[table + pe] === line) return;
    clear(pe);
    if (line === 0) return;
    words[table + pe] = line;
    bytes[lineMapOffset + line]! |= monitored;
    bytes[lineMapOffset + line - 1]! |= beforeMonitored;
  }

  return {
    mark: (pe, pa) => mark(pe, lineOf(pa)),
    isMarked: (pe, pa) => words[table + pe] === lineOf(pa),
    clear,
    stored(pe, pa, cleared) {
      const line = lineOf(pa);
      if ((bytes[lineMapOffset + line]! & monitored) === 0) return;
      for (let other = 0; other < count; other++) {
        if (other === pe || words[table + other] !== line) continue;
        words[table + other] = 0;
        cleared(other);
      }
      if (pe < 0 || words[table + pe] !== line) unwatch(line);
    },
    save: (pe) => words[table + pe]!,
    restore: mark,
  };
}
