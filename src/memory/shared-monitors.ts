// The exclusive monitors where the PEs of several threads use the memory at the same time. Whether a Store-Exclusive passes is then
// decided by the value (src/arch/concurrent-access.ts); what is left for a table is to tell a PE that sleeps in WFE of a store to
// the line that it has loaded from: a tag is a watch.
//
// A watch may be set while a store is under way that has looked at the line map before: whoever sets one looks at the value
// afterwards, more than once. The line map's bit outlives the last watch of its line, up to the next store.

import type { ExclusiveMonitors, MonitorLayout } from './exclusive-monitors.ts';
import type { MemoryViews } from './memory-views.ts';

export function createSharedMonitors({ words, bytes }: MemoryViews, layout: MonitorLayout): ExclusiveMonitors {
  const { lineMapOffset, lineShift, monitored, beforeMonitored, count } = layout;
  const table = layout.tableOffset >>> 2;
  /** Indices of words: the address of the line, and the bytes, which nobody asks for but save(). */
  const addressOf = (pe: number): number => table + 2 * pe;
  const sizeOf = (pe: number): number => addressOf(pe) + 1;
  const lineAddress = (pa: number): number => ((pa >>> lineShift) << lineShift) >>> 0;

  function mark(pe: number, pa: number, sizeBytes: number): void {
    // The tag first: a store that finds the bit finds the tag too.
    words[sizeOf(pe)] = sizeBytes;
    Atomics.store(words, addressOf(pe), lineAddress(pa));
    if (pa === 0) return;
    const line = pa >>> lineShift;
    Atomics.or(bytes, lineMapOffset + line, monitored);
    Atomics.or(bytes, lineMapOffset + line - 1, beforeMonitored);
  }

  return {
    mark,
    isMarked: (pe, pa, sizeBytes) =>
      Atomics.load(words, addressOf(pe)) === lineAddress(pa) && words[sizeOf(pe)] === sizeBytes,
    clear: (pe) => mark(pe, 0, 0),
    stored: (pe, pa, cleared) => {
      const line = pa >>> lineShift;
      const address = lineAddress(pa);
      if ((Atomics.load(bytes, lineMapOffset + line) & monitored) === 0) return;
      Atomics.and(bytes, lineMapOffset + line, ~monitored);
      Atomics.and(bytes, lineMapOffset + line - 1, ~beforeMonitored);
      let hasOwn = false;
      for (let other = 0; other < count; other += 1) {
        if (other === pe) hasOwn = Atomics.load(words, addressOf(pe)) === address;
        else if (Atomics.compareExchange(words, addressOf(other), address, 0) === address) cleared(other);
      }
      if (hasOwn) mark(pe, address, words[sizeOf(pe)] as number);
    },
    save: (pe) => ({ pa: Atomics.load(words, addressOf(pe)), sizeBytes: words[sizeOf(pe)] as number }),
    restore: (pe, { pa, sizeBytes }) => {
      mark(pe, pa, sizeBytes);
    },
  };
}
