// All final states of a program that a memory model allows.

import type { Execution, Model } from '../memory-model/execution.ts';
import type { FinalState, Program } from '../memory-model/program.ts';
import { arm } from './arm-model.ts';
import { Endings } from './endings.ts';
import { Graph, GraphFull } from './graph.ts';
import type { OrderingModel } from './local-event.ts';
import { MemoryParts, PartsChanged } from './memory-parts.ts';
import { Search, type Situation } from './search.ts';
import { sc, tso } from './strong-models.ts';
import { ThreadTree } from './thread-tree.ts';
import { executionOf } from './witness.ts';

/** The models that are built in, by the name that the command line gives them. */
export const builtInModels: Readonly<Record<'arm' | 'tso' | 'sc', OrderingModel>> = { arm, tso, sc };

export interface ExploreOptions {
  /** Asked now and then: whether to end with what has been found. */
  readonly shouldStop?: () => boolean;
  /** Give an execution with each state. */
  readonly witnesses?: boolean;
  /** Sees every execution that keeps the coherence of each location, with its final state, in place of a model that judges it. */
  readonly onCandidate?: (state: FinalState, execution: () => Execution) => void;
}

export interface Outcome {
  readonly state: FinalState;
  /** Where they were asked for. */
  readonly witness?: Execution;
}

export interface Exploration {
  /** Different from each other, in the order in which they were found. */
  readonly outcomes: readonly Outcome[];
  /** False where it was stopped before its end. */
  readonly isComplete: boolean;
  /** A loop was cut at the program's bound: there may be more states. */
  readonly hasBound: boolean;
  /** Executions that were looked at: consistent as to the sources of their reads. */
  readonly executions: number;
}

/** Coherence on each location, and nothing else: what a model that only judges whole executions is explored with. */
const coherenceOnly: OrderingModel = {
  name: 'coherence',
  hasHazards: false,
  order: (events) => events.map(() => new Uint32Array((events.length + 31) >>> 5)),
};

const isOrdering = (model: OrderingModel | Model): model is OrderingModel => 'order' in model;

/** Events for which a graph has room at first. */
const firstCapacity = 32;

export function explore(program: Program, model: OrderingModel | Model, options: ExploreOptions = {}): Exploration {
  const parts = new MemoryParts(program.memory);
  for (let capacity = firstCapacity; ;) {
    try {
      return exploreWith(program, model, options, parts, capacity);
    } catch (error) {
      if (error instanceof GraphFull) capacity *= 2;
      else if (!(error instanceof PartsChanged)) throw error;
    }
  }
}

function exploreWith(
  program: Program,
  model: OrderingModel | Model,
  options: ExploreOptions,
  parts: MemoryParts,
  capacity: number,
): Exploration {
  const ordering = isOrdering(model) ? model : coherenceOnly;
  const found = new Map<string, Outcome>();
  const endings = new Endings(() => new Graph(capacity, ordering.hasHazards));
  let executions = 0;
  const trees = program.threads.map((thread) => new ThreadTree(thread, parts, ordering, program.unroll));

  const finalState = ({ paths }: Situation, valueAt: (address: bigint) => bigint): FinalState =>
    program.observed.map((observable) => {
      if (observable.kind === 'register') return paths[observable.thread]!.state.register(observable.name).bits;
      let value = 0n;
      for (let at = 0; at < observable.bytes;) {
        const address = observable.address + BigInt(at);
        const partBytes = parts.partBytesAt(address) || 1;
        const offset = Number(address % BigInt(partBytes));
        const part = valueAt(address - BigInt(offset)) >> BigInt(8 * offset);
        const bytes = Math.min(partBytes - offset, observable.bytes - at);
        value |= BigInt.asUintN(8 * bytes, part) << BigInt(8 * at);
        at += bytes;
      }
      return value;
    });

  const locationsOf = (): number[] => {
    const locations = new Set<number>();
    for (const observable of program.observed) {
      if (observable.kind !== 'memory') continue;
      for (let at = 0; at < observable.bytes; at += 1) {
        const address = observable.address + BigInt(at);
        const partBytes = parts.partBytesAt(address) || 1;
        const location = search.location(address - (address % BigInt(partBytes)));
        if (location !== undefined) locations.add(location);
      }
    }
    return [...locations];
  };

  const note = (situation: Situation, graph: Graph, state: FinalState): void => {
    const key = state.join();
    if (found.has(key)) return;
    const witness = options.witnesses ? { witness: executionOf({ ...situation, graph }, parts, search) } : {};
    found.set(key, { state, ...witness });
  };

  const onExecution = (situation: Situation): void => {
    executions += 1;
    const locations = locationsOf();
    const stateOf = (last: readonly number[]): FinalState =>
      finalState(situation, (address) => {
        const n = locations.indexOf(search.location(address) ?? -1);
        const write = n < 0 ? -1 : last[n]!;
        if (write >= 0) return search.valueOf(situation.graph.value[write]!);
        return parts.initial({ address, bytes: parts.partBytesAt(address) || 1 });
      });
    if (isOrdering(model)) {
      endings.forEach(
        situation.graph,
        locations,
        (last) => !found.has(stateOf(last).join()),
        (last, graph) => note(situation, graph, stateOf(last)),
      );
      return;
    }
    endings.forEachComplete(situation.graph, (graph) => {
      const last = locations.map((location) => lastWrite(graph, location));
      if (options.onCandidate) {
        options.onCandidate(stateOf(last), () => executionOf({ ...situation, graph }, parts, search));
        return;
      }
      if (found.has(stateOf(last).join())) return;
      if (model.judge(executionOf({ ...situation, graph }, parts, search)).isAllowed)
        note(situation, graph, stateOf(last));
    });
  };

  const search = new Search(trees, parts, {
    capacity,
    hasHazards: ordering.hasHazards,
    shouldStop: options.shouldStop ?? (() => false),
    onExecution,
  });
  search.run();
  return { outcomes: [...found.values()], isComplete: !search.isStopped, hasBound: search.hasBound, executions };
}

/** The write to a location that comes last in a total coherence order, or -1. */
function lastWrite(graph: Graph, location: number): number {
  for (let write = 0; write < graph.count; write += 1) {
    if (!graph.isWrite(write) || graph.location[write] !== location) continue;
    let isLast = true;
    for (let other = 0; other < graph.count; other += 1) if (graph.isCoherenceBefore(write, other)) isLast = false;
    if (isLast) return write;
  }
  return -1;
}
