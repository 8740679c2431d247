// Which accesses of a region share what the soft TLB has told: those by one base register, of one kind. While they stay in a page, as
// those of a loop over an array or of a function to its frame mostly do, one comparison of locals takes the place of a look-up.

import type { Dominance } from './dominators.ts';
import type { Block } from './flow-graph.ts';

/** So many at most: each has two locals, and after every service all are forgotten. */
const mostPages = 4;
/** Where a region has more instructions, the host has no registers for those locals: measured, a look-up costs less. */
const mostInstructions = 50;
/** A loop is taken to run so many times. */
const rounds = 8;
const mostLoops = 4;

export interface SharedAccess {
  /** Slot of the base register. */
  readonly base: number;
  /** Offset of the tag of the soft TLB's part. */
  readonly part: number;
}

/** The kinds of accesses that are worth it, those that run most often first. */
export function sharedAccesses(
  blocks: readonly Block[],
  { order, children, loopHeaders }: Dominance,
): readonly SharedAccess[] {
  const instructions = order.reduce((sum, n) => sum + (blocks[n]?.summaries.length ?? 0), 0);
  if (instructions > mostInstructions) return [];
  const found = new Map<string, SharedAccess & { count: number }>();
  const loops = new Map<number, number>();
  for (const n of order) {
    const around = (loops.get(n) ?? 0) + (loopHeaders.has(n) ? 1 : 0);
    for (const child of children.get(n) ?? []) loops.set(child, around);
    for (const { base, tags } of blocks[n]?.summaries ?? []) {
      if (base < 0) continue;
      for (const part of tags) {
        const key = `${base} ${part}`;
        const before = found.get(key)?.count ?? 0;
        found.set(key, { base, part, count: before + rounds ** Math.min(around, mostLoops) });
      }
    }
  }
  return [...found.values()]
    .filter(({ count }) => count >= rounds)
    .sort((a, b) => b.count - a.count)
    .slice(0, mostPages);
}
