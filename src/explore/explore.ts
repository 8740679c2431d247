// All final states of a program that a memory model allows.

import type { Execution, Model } from '../memory-model/execution.ts';
import type { CacheType, FinalState, Program } from '../memory-model/program.ts';
import { UserError } from '../report/user-error.ts';
import { arm } from './arm-model.ts';
import { Endings } from './endings.ts';
import { Graph, GraphFull } from './graph.ts';
import type { OrderingModel } from './local-event.ts';
import { MemoryParts, type Part, PartsChanged } from './memory-parts.ts';
import { Search } from './search.ts';
import type { Situation } from './situation.ts';
import { sc, tso } from './strong-models.ts';
import { exceptionOf } from './refused-exceptions.ts';
import { hasTranslationOrder } from './arm-translation.ts';
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
  hasTranslation: false,
  outcomes: 'chosen',
  distinguishesSources: 'everywhere',
  fetches: 'any',
  order: (events) => events.map(() => new Uint32Array((events.length + 31) >>> 5)),
};

const isOrdering = (model: OrderingModel | Model): model is OrderingModel => 'order' in model;

const incoherentCaches: CacheType = { DIC: false, IDC: false };

/** Events for which a graph has room at first. */
const firstCapacity = 32;

const isTranslated = ({ threads }: Program): boolean => threads.some(({ translation }) => translation !== undefined);

export function explore(program: Program, model: OrderingModel | Model, options: ExploreOptions = {}): Exploration {
  if (model.hasTranslation === false && isTranslated(program))
    throw new UserError(
      `translation is not modelled under ${model.name}, only under arm and cat models that ask for "walk"`,
    );
  const ordering = isOrdering(model) ? model : coherenceOnly;
  const parts = new MemoryParts(program.memory);
  const treesOf = (): ThreadTree[] =>
    program.threads.map((thread) => new ThreadTree(thread, parts, ordering, program.unroll));
  let trees: ThreadTree[] | undefined;
  for (let capacity = firstCapacity; ;) {
    try {
      trees ??= treesOf();
      return new Run(program, model, options, parts, trees, capacity).explore();
    } catch (error) {
      if (error instanceof GraphFull) capacity *= 2;
      else if (error instanceof PartsChanged) trees = undefined;
      else throw error;
    }
  }
}

/** One exploration from the beginning to the end. */
class Run {
  readonly #program: Program;
  readonly #model: OrderingModel | Model;
  readonly #parts: MemoryParts;
  readonly #options: ExploreOptions;
  readonly #search: Search;
  readonly #endings: Endings;
  readonly #found = new Map<string, Outcome>();
  readonly #isTranslated: boolean;
  readonly #scratchGraphs: Graph[] = [];
  #executions = 0;

  constructor(
    program: Program,
    model: OrderingModel | Model,
    options: ExploreOptions,
    parts: MemoryParts,
    trees: readonly ThreadTree[],
    capacity: number,
  ) {
    this.#program = program;
    this.#isTranslated = isTranslated(program);
    this.#model = model;
    this.#parts = parts;
    this.#options = options;
    const { hasHazards, outcomes, fetches: kind } = isOrdering(model) ? model : coherenceOnly;
    const byCaches = kind === 'by caches' ? (program.cacheType ?? incoherentCaches) : kind;
    const fetches = parts.hasModifiedCode || program.hasControlStacks ? byCaches : undefined;
    this.#endings = new Endings(() => new Graph(capacity, hasHazards, fetches), fetches);
    this.#search = new Search(trees, parts, {
      capacity,
      hasHazards,
      fetches,
      choosesOutcomes: outcomes === 'chosen',
      shouldStop: options.shouldStop ?? (() => false),
      onExecution: (situation) => this.#onExecution(situation),
    });
  }

  explore(): Exploration {
    this.#search.run();
    return {
      outcomes: [...this.#found.values()],
      isComplete: !this.#search.isStopped,
      hasBound: this.#search.hasBound,
      executions: this.#executions,
    };
  }

  #onExecution(situation: Situation): void {
    this.#executions += 1;
    const locations = this.#observedLocations();
    const stateOf = (last: readonly number[]): FinalState => this.#finalState(situation, locations, last);
    const isNew = (last: readonly number[]): boolean => !this.#found.has(stateOf(last).join());
    const model = this.#model;
    const refusal = exceptionOf(this.#program, situation);
    if (isOrdering(model) && this.#isTranslated) {
      this.#onTranslated(situation, locations, refusal);
      return;
    }
    if (isOrdering(model)) {
      if (refusal) throw refusal;
      this.#endings.forEach(situation.graph, locations, isNew, (last, graph) => {
        this.#note({ ...situation, graph }, stateOf(last));
      });
      return;
    }
    if (!hasAllValues(situation.graph)) return;
    this.#endings.forEachComplete(situation.graph, (graph) => {
      const last = locations.map((location) => lastWrite(graph, location));
      const complete = { ...situation, graph };
      const execution = (): Execution => executionOf(complete, this.#parts, this.#search);
      if (this.#options.onCandidate) this.#options.onCandidate(stateOf(last), execution);
      else if ((refusal !== undefined || isNew(last)) && model.judge(execution()).isAllowed) {
        if (refusal) throw refusal;
        this.#note(complete, stateOf(last));
      }
    });
  }

  /** An execution with translation is judged when it is complete. */
  #onTranslated(situation: Situation, locations: readonly number[], refusal: UserError | undefined): void {
    this.#endings.forEachComplete(situation.graph, (graph) => {
      const state = this.#finalState(situation, locations, locations.map((location) => lastWrite(graph, location))); // prettier-ignore
      if (refusal === undefined && this.#found.has(state.join())) return;
      const judged = this.#scratch(graph, 0);
      const copyOf = (from: Graph, depth: number): Graph => this.#scratch(from, depth + 1);
      if (!hasTranslationOrder({ ...situation, graph: judged }, copyOf)) return;
      if (refusal) throw refusal;
      this.#note({ ...situation, graph }, state);
    });
  }

  /** A copy of a graph, in memory that is used again and again. */
  #scratch(graph: Graph, depth: number): Graph {
    const copy = (this.#scratchGraphs[depth] ??= new Graph(graph.capacity, true));
    copy.copyFrom(graph);
    return copy;
  }

  #note(situation: Situation, state: FinalState): void {
    const witness = this.#options.witnesses ? { witness: executionOf(situation, this.#parts, this.#search) } : {};
    this.#found.set(state.join(), { state, ...witness });
  }

  /** The part of memory that holds a byte. */
  #partOf(address: bigint): Part {
    const bytes = this.#parts.partBytesAt(address) || 1;
    return { address: address - (address % BigInt(bytes)), bytes };
  }

  /** Locations that the program has accessed and that are looked at, once each. */
  #observedLocations(): number[] {
    const locations = new Set<number>();
    for (const observable of this.#program.observed) {
      if (observable.kind !== 'memory') continue;
      for (let at = 0; at < observable.bytes; at += 1) {
        const location = this.#search.location(this.#partOf(observable.address + BigInt(at)).address);
        if (location !== undefined) locations.add(location);
      }
    }
    return [...locations];
  }

  /** `last` are the writes that come last to the locations, or -1. */
  #finalState(situation: Situation, locations: readonly number[], last: readonly number[]): FinalState {
    const valueOf = (part: Part): bigint => {
      const write = last[locations.indexOf(this.#search.location(part.address) ?? -1)] ?? -1;
      return write >= 0 ? this.#search.valueOf(situation.graph.value[write]!) : this.#parts.initial(part);
    };
    return this.#program.observed.map((observable) => {
      if (observable.kind === 'register')
        return situation.paths[observable.thread]!.state.register(observable.name).bits;
      if (observable.kind === 'exceptions')
        return observable.numberOf(situation.paths.map(({ events }) => events.flatMap(({ taken }) => taken ?? [])));
      let value = 0n;
      for (let at = 0; at < observable.bytes;) {
        const address = observable.address + BigInt(at);
        const part = this.#partOf(address);
        const offset = Number(address - part.address);
        const bytes = Math.min(part.bytes - offset, observable.bytes - at);
        value |= BigInt.asUintN(8 * bytes, valueOf(part) >> BigInt(8 * offset)) << BigInt(8 * at);
        at += bytes;
      }
      return value;
    });
  }
}

/**
 * Whether every value comes from somewhere. Under coherence alone reads may read from each other in a ring, so that no value is the first:
 * such executions out of thin air are none (the orderings that prune forbid them by their data dependencies).
 */
function hasAllValues(graph: Graph): boolean {
  for (let event = 0; event < graph.count; event += 1) if (graph.value[event]! < 0) return false;
  return true;
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
