// What must be known of a region's SIMD&FP registers before its code is made: which it loads, and which may be dirty where.

import type { Dominance } from './dominators.ts';
import { type Block, successorsOf } from './flow-graph.ts';

/** Sets of registers, a bit each. */
export interface VectorFacts {
  readonly loaded: number;
  readonly written: number;
  /** What may differ from the record when a block begins, by block. */
  readonly dirtyIn: ReadonlyMap<number, number>;
}

export function vectorFacts(blocks: readonly Block[], { order }: Dominance): VectorFacts {
  const summariesOf = (n: number): Block['summaries'] => (blocks[n] as Block).summaries;
  const writesOf = (n: number): number => summariesOf(n).reduce((set, { vectorWrites }) => set | vectorWrites, 0);
  const readsOf = (n: number): number => summariesOf(n).reduce((set, { vectorReads }) => set | vectorReads, 0);
  const written = order.reduce((set, n) => set | writesOf(n), 0);
  // Where the region is left in the middle every register that it writes is stored.
  const loaded = order.reduce((set, n) => set | readsOf(n), written);
  const dirtyIn = new Map<number, number>(order.map((n) => [n, 0]));
  for (let hasChanged = written !== 0; hasChanged;) {
    hasChanged = false;
    for (const n of order) {
      const dirtyOut = (dirtyIn.get(n) as number) | writesOf(n);
      for (const successor of successorsOf(blocks[n] as Block)) {
        const before = dirtyIn.get(successor) as number;
        if ((before | dirtyOut) === before) continue;
        dirtyIn.set(successor, before | dirtyOut);
        hasChanged = true;
      }
    }
  }
  return { loaded, written, dirtyIn };
}
