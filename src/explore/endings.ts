// How an execution can end: which write to each observed location can come last in a coherence order that is consistent.

import type { Graph } from './graph.ts';
import { type FetchOrder, undecidedChoice } from './instruction-caches.ts';

/** The graph's copies, by depth. */
export class Endings {
  readonly #pool: Graph[] = [];
  readonly #make: () => Graph;
  readonly #fetches: FetchOrder | undefined;

  constructor(make: () => Graph, fetches?: FetchOrder) {
    this.#make = make;
    this.#fetches = fetches;
  }

  /**
   * Calls `report` with the last writes to the locations (-1: the initial contents) for every way in which they can be last together, and
   * with a graph whose coherence order is total. `isWanted` is asked before the expensive part.
   */
  forEach(
    graph: Graph,
    locations: readonly number[],
    isWanted: (last: readonly number[]) => boolean,
    report: (last: readonly number[], graph: Graph) => void,
  ): void {
    this.#decide(graph, 0, locations, [], isWanted, report);
  }

  /** Whether the coherence order, and what caches do, can be completed; the graph in which it is. */
  complete(graph: Graph, depth = 0): Graph | undefined {
    const writes = undecidedPair(graph);
    const pair = writes ?? undecidedChoice(graph, this.#fetches);
    if (!pair) return graph;
    for (const [a, b] of [pair, [pair[1], pair[0]] as const]) {
      const next = this.#copy(graph, depth);
      const isPossible = writes ? next.addCoherence(a, b) : next.addPrecedence(a, b);
      if (!isPossible || !next.saturate()) continue;
      const found = this.complete(next, depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  /** Calls `report` with every total coherence order. */
  forEachComplete(graph: Graph, report: (graph: Graph) => void, depth = 0): void {
    const pair = undecidedPair(graph);
    if (!pair) {
      report(graph);
      return;
    }
    for (const [a, b] of [pair, [pair[1], pair[0]] as const]) {
      const next = this.#copy(graph, depth);
      if (next.addCoherence(a, b) && next.saturate()) this.forEachComplete(next, report, depth + 1);
    }
  }

  #decide(
    graph: Graph,
    depth: number,
    locations: readonly number[],
    last: readonly number[],
    isWanted: (last: readonly number[]) => boolean,
    report: (last: readonly number[], graph: Graph) => void,
  ): void {
    const location = locations[last.length];
    if (location === undefined) {
      if (!isWanted(last)) return;
      const complete = this.complete(graph, depth);
      if (complete) report(last, complete);
      return;
    }
    const candidates = lastWrites(graph, location);
    if (candidates.length < 2) {
      this.#decide(graph, depth, locations, [...last, candidates[0] ?? -1], isWanted, report);
      return;
    }
    for (const candidate of candidates) {
      const next = this.#copy(graph, depth);
      const isLast = candidates.every((other) => other === candidate || next.addCoherence(other, candidate));
      if (isLast && next.saturate()) this.#decide(next, depth + 1, locations, [...last, candidate], isWanted, report);
    }
  }

  #copy(graph: Graph, depth: number): Graph {
    const copy = (this.#pool[depth] ??= this.#make());
    copy.copyFrom(graph);
    return copy;
  }
}

/** The writes to a location that none is known to come after. */
function lastWrites(graph: Graph, location: number): number[] {
  const writes: number[] = [];
  for (let write = 0; write < graph.count; write += 1)
    if (graph.isWrite(write) && graph.location[write] === location) writes.push(write);
  return writes.filter((write) => !writes.some((other) => graph.isCoherenceBefore(write, other)));
}

function undecidedPair(graph: Graph): readonly [number, number] | undefined {
  for (let a = 0; a < graph.count; a += 1) {
    if (!graph.isWrite(a)) continue;
    for (let b = a + 1; b < graph.count; b += 1) {
      if (!graph.isWrite(b) || graph.location[a] !== graph.location[b]) continue;
      if (!graph.isCoherenceBefore(a, b) && !graph.isCoherenceBefore(b, a)) return [a, b];
    }
  }
  return undefined;
}
