// Where an exploration stands: the events of all threads so far, and where each of them goes on.

import type { Graph } from './graph.ts';
import type { ThreadPath } from './thread-tree.ts';

/** A graph, and where its threads are. */
export interface Situation {
  readonly graph: Graph;
  readonly paths: ThreadPath[];
  /** Numbers in the graph of each thread's events, in their order; -1 for fences and cache maintenance that are nothing to a fetch. */
  readonly numbers: Int32Array[];
  /** Threads that are not followed further: no execution comes of it. */
  readonly isHalted: boolean[];
}
