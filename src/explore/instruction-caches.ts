// Instruction fetches and cache maintenance between threads (Arm DDI 0487, B2.3, "Instruction-observed-by" and "IC-ordered-before"; what
// CTR_EL0.{DIC, IDC} say). What a thread prescribes by itself is in arm-model.ts.
//
// A fetch reads from a write that is ordered before it, but a write that comes later in coherence order is nothing to it, unless one of
// these says so:
// - An IC that a DSB completes and a fetch from its line take effect one before the other. Which one is a choice. After the IC, a fetch that
//   does not see a write says that the IC was before the write had reached the point of unification: before the DC CVAU that took it
//   there, or, where IDC is 1, before the write.
// - A DC CVAU and a write to its line take effect one before the other: a choice again.
// - A fetch before the IC, and all fetches of its thread before that fetch, come before all that the DSB of the IC holds back.
// - Where DIC is 1, fetches that come before a fetch come before the writes that it does not see; with IDC, so does that fetch.

import type { CacheType } from '../memory-model/program.ts';

/** What is asked of a graph (graph.ts). */
export interface Graph {
  readonly count: number;
  readonly thread: Int32Array;
  readonly instruction: Int32Array;
  readonly location: Int32Array;
  /** The write that a read reads from; -1 is the initial contents, and less that nothing is decided. */
  readonly source: Int32Array;
  /** What an event is to instruction caches, and on which line. */
  readonly role: Int32Array;
  readonly line: Int32Array;
  /** The DSB that completes an IC, or -1. */
  readonly completion: Int32Array;
  isWrite(event: number): boolean;
  isOrderedBefore(a: number, b: number): boolean;
  isCoherenceBefore(a: number, b: number): boolean;
  /** a is ordered before b; false where that cannot be. */
  addOrder(a: number, b: number): boolean;
  /** The one of a choice that has been made. */
  precedes(a: number, b: number): boolean;
  addPrecedence(a: number, b: number): boolean;
}

/** As loads, as caches allow, or without any order. */
export type FetchOrder = 'coherent' | 'any' | CacheType;

/** What an event is to instruction caches; `unordered`: an access to a Guarded Control Stack, whose location has no order either. */
export const role = { none: 0, fetch: 1, dataClean: 2, instructionInvalidate: 3, completion: 4, unordered: 5 } as const;

/** The line of an IC that is for all of a cache. */
export const everyLine = -2;

export type Saturation = 'contradiction' | 'new order' | 'nothing new';

const isOnLine = (graph: Graph, maintenance: number, event: number): boolean =>
  graph.line[maintenance] === everyLine || graph.line[maintenance] === graph.line[event];

function eventsOf(graph: Graph, wanted: number): number[] {
  const found: number[] = [];
  for (let event = 0; event < graph.count; event += 1) if (graph.role[event] === wanted) found.push(event);
  return found;
}

/** Writes to the location of a fetch that are coherence-after what it has read. */
function unseenWrites(graph: Graph, fetch: number): number[] {
  const source = graph.source[fetch]!;
  const writes: number[] = [];
  for (let write = 0; source >= -1 && write < graph.count; write += 1) {
    if (!graph.isWrite(write) || graph.location[write] !== graph.location[fetch]) continue;
    if (source === -1 || graph.isCoherenceBefore(source, write)) writes.push(write);
  }
  return writes;
}

/** Pairs of which one takes effect before the other, if that is anything to a fetch. */
function* choices(graph: Graph, { DIC, IDC }: CacheType): Generator<readonly [number, number]> {
  const invalidates = eventsOf(graph, role.instructionInvalidate).filter((ic) => graph.completion[ic]! >= 0);
  for (const ic of invalidates)
    for (const fetch of eventsOf(graph, role.fetch)) if (isOnLine(graph, ic, fetch)) yield [ic, fetch];
  if (DIC || IDC || invalidates.length === 0) return;
  for (const clean of eventsOf(graph, role.dataClean))
    for (let write = 0; write < graph.count; write += 1)
      if (graph.isWrite(write) && isOnLine(graph, clean, write)) yield [write, clean];
}

/** A pair whose order is open. */
export function undecidedChoice(graph: Graph, fetches: FetchOrder | undefined): readonly [number, number] | undefined {
  if (typeof fetches !== 'object') return undefined;
  for (const [a, b] of choices(graph, fetches)) if (!graph.precedes(a, b) && !graph.precedes(b, a)) return [a, b];
  return undefined;
}

/** What follows from the choices so far, and which ones follow from ordered-before. */
export function saturateFetches(graph: Graph, fetches: FetchOrder): Saturation {
  if (typeof fetches !== 'object') return 'nothing new';
  let isNew = false;
  /** a is ordered before b; false where that cannot be. */
  const order = (a: number, b: number): boolean => {
    if (graph.isOrderedBefore(a, b)) return true;
    isNew = true;
    return graph.addOrder(a, b);
  };
  for (const [a, b] of choices(graph, fetches)) {
    if (graph.precedes(a, b) || graph.precedes(b, a)) continue;
    if (graph.isOrderedBefore(a, b)) graph.addPrecedence(a, b);
    else if (graph.isOrderedBefore(b, a)) graph.addPrecedence(b, a);
    else continue;
    isNew = true;
  }
  const all = eventsOf(graph, role.fetch);
  const invalidates = eventsOf(graph, role.instructionInvalidate);
  for (const fetch of all) {
    const earlier = all.filter(
      (other) => graph.thread[other] === graph.thread[fetch] && graph.instruction[other]! < graph.instruction[fetch]!,
    );
    for (const ic of invalidates) {
      if (!graph.precedes(fetch, ic)) continue;
      if (!earlier.every((other) => order(other, graph.completion[ic]!))) return 'contradiction';
    }
    for (const write of unseenWrites(graph, fetch)) {
      if (!unseen(graph, fetches, fetch, write, earlier, order)) return 'contradiction';
    }
  }
  return isNew ? 'new order' : 'nothing new';
}

/** A fetch does not see a write that is coherence-after what it reads. */
function unseen(
  graph: Graph,
  { DIC, IDC }: CacheType,
  fetch: number,
  write: number,
  earlier: readonly number[],
  order: (a: number, b: number) => boolean,
): boolean {
  if (DIC) return (!IDC || order(fetch, write)) && earlier.every((other) => order(other, write));
  for (const ic of eventsOf(graph, role.instructionInvalidate)) {
    if (!graph.precedes(ic, fetch)) continue;
    if (IDC) {
      if (!order(ic, write)) return false;
      continue;
    }
    for (const clean of eventsOf(graph, role.dataClean))
      if (graph.precedes(write, clean) && !order(ic, clean)) return false;
  }
  return true;
}
