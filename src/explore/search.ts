// The exploration of a program under a memory model: every consistent execution once.
//
// Threads run ahead of their reads: a read begins open, and its thread goes on until an instruction needs its value (thread-tree.ts).
// Everything that comes after such an instruction in program order and writes is ordered after the read by a control or an address
// dependency, so no write of a consistent execution is missed. When no thread can go on, one read is chosen, one that a thread waits for
// if there is one, and its sources are tried: each write that is there, the initial contents, and "a write that is not there yet", which
// rules out for good those that are. So the branches are disjoint, and nothing is visited twice or taken back. Coherence order is
// constrained as far as it follows (graph.ts), and decided at the end, as far as final states differ.

import { isFetch } from '../memory-model/execution.ts';
import { isFullDSB } from './arm-model.ts';
import { Graph, initialContents, undecided } from './graph.ts';
import { everyLine, type FetchOrder, role } from './instruction-caches.ts';
import { isAccess, isPoint, type LocalEvent, noAddress } from './local-event.ts';
import { instructionAt, type MemoryParts } from './memory-parts.ts';
import type { ThreadPath, ThreadTree } from './thread-tree.ts';

/** A graph, and where its threads are. */
export interface Situation {
  readonly graph: Graph;
  readonly paths: ThreadPath[];
  /** Numbers in the graph of each thread's events, in their order; -1 for fences and cache maintenance that are nothing to a fetch. */
  readonly numbers: Int32Array[];
}

export interface SearchOptions {
  readonly capacity: number;
  readonly hasHazards: boolean;
  /** How fetches are ordered, where code is modified. */
  readonly fetches: FetchOrder | undefined;
  /** Reads wait for later writes only of threads that are known to do them: the search may have to be run again (ThreadTree.mayWrite). */
  readonly asksForWrites: boolean;
  /** Asked now and then: whether to end before all is explored. */
  readonly shouldStop: () => boolean;
  /** Every read of a consistent graph has a source; coherence order may be open still. False where it cannot be completed. */
  readonly onExecution: (situation: Situation) => void;
}

/** Steps of the search between two questions whether to stop: some tens of milliseconds. */
const stepsPerQuestion = 256;

type Pick =
  | { readonly kind: 'source'; readonly read: number; readonly mayBeLater: boolean }
  | { readonly kind: 'choice'; readonly thread: number }
  | { readonly kind: 'none' | 'complete' };

export class Search {
  readonly #trees: readonly ThreadTree[];
  readonly #parts: MemoryParts;
  readonly #options: SearchOptions;
  readonly #locations = new Map<bigint, number>();
  /** Instructions that are modified. */
  readonly #lines = new Map<bigint, number>();
  /** Values by their numbers, and numbers by values. */
  readonly #values: bigint[] = [];
  readonly #numberOfValue = new Map<bigint, number>();
  /** By location: the numbers of the initial values, and whether they can be read. */
  readonly #initial: number[] = [];
  readonly #hasInitialWrite: boolean[] = [];
  readonly #pool: Situation[] = [];
  #steps = 0;
  isStopped = false;
  /** A loop has been cut at its bound. */
  hasBound = false;

  constructor(trees: readonly ThreadTree[], parts: MemoryParts, options: SearchOptions) {
    this.#trees = trees;
    this.#parts = parts;
    this.#options = options;
  }

  run(): void {
    const situation = this.#situation(0);
    situation.graph.count = 0;
    const isConsistent = this.#trees.every((tree, thread) => this.#advance(situation, thread, tree.root));
    if (isConsistent && situation.graph.saturate()) this.#explore(0);
  }

  location(address: bigint): number | undefined {
    return this.#locations.get(address);
  }

  valueOf(number: number): bigint {
    return this.#values[number]!;
  }

  /** The situation at a depth of the search; its memory is used again and again. */
  #situation(depth: number): Situation {
    return (this.#pool[depth] ??= {
      graph: new Graph(this.#options.capacity, this.#options.hasHazards, this.#options.fetches),
      paths: [],
      numbers: this.#trees.map(() => new Int32Array(2 * this.#options.capacity)),
    });
  }

  #branch(depth: number): Situation {
    const from = this.#situation(depth);
    const to = this.#situation(depth + 1);
    to.graph.copyFrom(from.graph);
    from.paths.forEach((path, thread) => {
      to.paths[thread] = path;
      const length = path.events.length;
      to.numbers[thread]!.set(from.numbers[thread]!.subarray(0, length));
    });
    return to;
  }

  #explore(depth: number): void {
    this.#steps += 1;
    if (this.#steps % stepsPerQuestion === 0 && this.#options.shouldStop()) this.isStopped = true;
    if (this.isStopped) return;
    const situation = this.#situation(depth);
    const pick = this.#pick(situation);
    switch (pick.kind) {
      case 'none':
        return;
      case 'complete':
        this.#options.onExecution(situation);
        return;
      case 'choice':
        this.#exploreChoice(depth, pick.thread, true);
        this.#exploreChoice(depth, pick.thread, false);
        return;
      case 'source':
        this.#exploreSources(depth, pick.read, pick.mayBeLater);
    }
  }

  #exploreChoice(depth: number, thread: number, choice: boolean): void {
    const next = this.#branch(depth);
    const path = this.#trees[thread]!.withChoice(next.paths[thread]!, choice);
    if (path && this.#advance(next, thread, path) && next.graph.saturate()) this.#explore(depth + 1);
  }

  #exploreSources(depth: number, read: number, mayBeLater: boolean): void {
    const { graph } = this.#situation(depth);
    for (const source of this.#sources(graph, read)) {
      const next = this.#branch(depth);
      if (next.graph.setSource(read, source) && this.#readValue(next, read) && next.graph.saturate())
        this.#explore(depth + 1);
    }
    if (!mayBeLater) return;
    this.#branch(depth).graph.readLater(read);
    this.#explore(depth + 1);
  }

  /** From where an open read may read, as far as it is there. */
  #sources(graph: Graph, read: number): number[] {
    const location = graph.location[read]!;
    const isImplicit = graph.isImplicit(read);
    // Without translation hardware has the initial contents of a descriptor for itself, and does not see what threads write there.
    const isApart = !this.#hasInitialWrite[location];
    const sources = graph.isLater(read) || (isApart && !isImplicit) ? [] : [initialContents];
    for (let write = 0; write < graph.count; write += 1) {
      if (!graph.isWrite(write) || graph.location[write] !== location || graph.isExcluded(read, write)) continue;
      if (isApart && graph.isImplicit(write) !== isImplicit) continue;
      // A read may be ordered before the write of its own thread from which it reads: it is forwarded.
      const isInternal = graph.thread[write] === graph.thread[read] && !isImplicit && !graph.isImplicit(write);
      const isPast = isInternal ? graph.local[write]! < graph.local[read]! : !graph.isOrderedBefore(read, write);
      if (isPast) sources.push(write);
    }
    return sources;
  }

  /** What to decide next. */
  #pick(situation: Situation): Pick {
    const { graph, paths } = situation;
    const choosing = paths.findIndex(({ end }) => end.kind === 'choice' && end.choice.kind !== 'compare and swap');
    if (choosing >= 0) return { kind: 'choice', thread: choosing };
    const waiting = paths.flatMap(({ end }, thread) =>
      end.kind === 'waiting' || end.kind === 'choice' ? [thread] : [],
    );
    if (waiting.length === 0) {
      for (let read = 0; read < graph.count; read += 1)
        if (graph.isRead(read) && graph.source[read] === undecided) return { kind: 'source', read, mayBeLater: false };
      return { kind: 'complete' };
    }
    for (const thread of waiting) {
      const read = this.#openReads(situation, thread).find(
        (event) => !graph.isLater(event) || this.#sources(graph, event).length > 0,
      );
      if (read === undefined) continue;
      return { kind: 'source', read, mayBeLater: this.#mayBeLater(situation, waiting, read) };
    }
    // All that threads wait for is to come later: only a compare and swap whose outcome is guessed can bring it.
    const guessing = paths.findIndex((path, thread) => this.#trees[thread]!.canGuess(path));
    return guessing >= 0 ? { kind: 'choice', thread: guessing } : { kind: 'none' };
  }

  /** Whether a thread that has not ended may write to the location of a read. */
  #mayBeLater({ graph, paths }: Situation, waiting: readonly number[], read: number): boolean {
    const { address } = paths[graph.thread[read]!]!.events[graph.local[read]!]!;
    return waiting.some(
      (thread) =>
        thread !== graph.thread[read] &&
        (!this.#options.asksForWrites || this.#trees[thread]!.mayWrite(paths[thread]!, address)),
    );
  }

  /** The reads without a source that keep a thread from going on, be it through the writes of others. */
  #openReads({ graph, paths, numbers }: Situation, thread: number): number[] {
    const found = new Set<number>();
    const open: number[] = [];
    const visit = (owner: number, local: number): void => {
      const event = numbers[owner]![local]!;
      if (found.has(event)) return;
      found.add(event);
      if (graph.value[event]! >= 0) return;
      const source = graph.source[event]!;
      if (source === undecided) open.push(event);
      else if (source >= 0) {
        const from = graph.thread[source]!;
        const { data, rmw } = paths[from]!.events[graph.local[source]!]!;
        for (const on of [...data.deps, ...data.picks, ...(rmw ? [rmw.read] : [])]) visit(from, on);
      }
    };
    const { end } = paths[thread]!;
    const reads = end.kind === 'waiting' ? end.reads : end.kind === 'choice' ? end.choice.reads : [];
    for (const local of reads) visit(thread, local);
    return open;
  }

  /** Takes a thread on to a path that continues the one it is on; false where that contradicts something. */
  #advance(situation: Situation, thread: number, path: ThreadPath): boolean {
    if (path.end.kind === 'bound') this.hasBound = true;
    if (path.end.kind === 'bound' || path.end.kind === 'idle') return false;
    const { graph, paths, numbers } = situation;
    const before = paths[thread];
    const known = before?.events.length ?? 0;
    paths[thread] = path;
    const mine = numbers[thread]!;
    const valued: number[] = [];
    for (let local = 0; local < path.events.length; local += 1) {
      const event = path.events[local]!;
      if (!isAccess(event)) {
        if (local >= known) mine[local] = isPoint(event) ? this.#appendPoint(graph, path, thread, local) : -1;
        this.#appendMaintenance(graph, path, mine, thread, local);
        if (mine[local]! < 0) continue;
      } else if (local >= known) this.#append(graph, path, mine, thread, local);
      else if (event.kind === 'W' && event.value !== undefined && graph.value[mine[local]!]! < 0) {
        graph.value[mine[local]!] = this.#numberValue(event.value);
        valued.push(mine[local]!);
      }
      if (path.order[local] !== before?.order[local] && !this.#order(graph, path, mine, local)) return false;
      if (local >= known && event.kind === 'W' && !graph.addWrite(mine[local]!)) return false;
    }
    for (const write of valued)
      for (let read = 0; read < graph.count; read += 1)
        if (graph.isRead(read) && graph.source[read] === write && !this.#readValue(situation, read)) return false;
    return true;
  }

  /** TLBI, or a fault of the MMU. */
  #appendPoint(graph: Graph, { events }: ThreadPath, thread: number, local: number): number {
    return graph.append(events[local]!, { thread, local, location: -1, value: 0, first: -1 });
  }

  /** Cache maintenance of code that is modified, once its address is known, and the DSB that completes it. */
  #appendMaintenance(graph: Graph, path: ThreadPath, mine: Int32Array, thread: number, local: number): void {
    if (typeof this.#options.fetches !== 'object') return;
    const event = path.events[local]!;
    const nothing = { thread, local, location: -1, value: -1, first: -1 };
    if (event.kind === 'C' && mine[local]! < 0) {
      const isClean = event.annotations.has('DC.CVAU');
      const isForAll = event.annotations.has('IC.IALLU') || event.annotations.has('IC.IALLUIS');
      if (!isForAll && (event.address === noAddress || !this.#parts.isModified(event.address))) return;
      mine[local] = graph.append(event, {
        ...nothing,
        role: isClean ? role.dataClean : role.instructionInvalidate,
        line: isForAll ? everyLine : this.#lineOf(event.address),
      });
    } else if (isFullDSB(event)) {
      const open = path.events.flatMap((_, n) => {
        const ic = n < local ? mine[n]! : -1;
        return ic >= 0 && graph.role[ic] === role.instructionInvalidate && graph.completion[ic]! < 0 ? [ic] : [];
      });
      if (open.length === 0) return;
      if (mine[local]! < 0) mine[local] = graph.append(event, { ...nothing, role: role.completion });
      for (const ic of open) graph.completion[ic] = mine[local]!;
    }
  }

  #lineOf(address: bigint): number {
    const line = instructionAt(address);
    if (!this.#lines.has(line)) this.#lines.set(line, this.#lines.size);
    return this.#lines.get(line)!;
  }

  #roleOf(event: LocalEvent): { readonly role?: number; readonly line?: number } {
    if (event.isUnordered) return { role: role.unordered };
    if (this.#options.fetches === undefined || !event.annotations.has('Instr')) return {};
    return { role: isFetch(event) ? role.fetch : role.none, line: this.#lineOf(event.address) };
  }

  #append(graph: Graph, path: ThreadPath, mine: Int32Array, thread: number, local: number): void {
    const event = path.events[local]!;
    let location = this.#locations.get(event.address);
    if (location === undefined) {
      location = this.#locations.size;
      this.#locations.set(event.address, location);
      this.#initial[location] = this.#numberValue(this.#parts.initial(event));
      this.#hasInitialWrite[location] = this.#parts.hasInitialWrite(event.address);
    }
    const value = event.kind === 'W' && event.value !== undefined ? this.#numberValue(event.value) : -1;
    const isPart = local > 0 && path.events[local - 1]!.access === event.access;
    const first = isPart ? graph.firstPart(mine[local - 1]!) : -1;
    mine[local] = graph.append(event, { thread, local, location, value, first, ...this.#roleOf(event) });
    if (event.rmw?.isAtomic) graph.pair(mine[event.rmw.read]!, mine[local]);
  }

  #order(graph: Graph, path: ThreadPath, mine: Int32Array, local: number): boolean {
    const row = path.order[local]!;
    for (let n = 0; n < row.length; n += 1)
      for (let bits = row[n]!; bits !== 0; bits &= bits - 1) {
        const before = mine[32 * n + 31 - Math.clz32(bits & -bits)]!;
        if (before >= 0 && !graph.addOrder(before, mine[local]!)) return false;
      }
    return true;
  }

  /** The value of a read that has a source, where the source has one; false where its thread cannot have read it. */
  #readValue(situation: Situation, read: number): boolean {
    const { graph, paths } = situation;
    const source = graph.source[read]!;
    const value = source === initialContents ? this.#initial[graph.location[read]!]! : graph.value[source]!;
    if (value < 0) return true;
    graph.value[read] = value;
    const thread = graph.thread[read]!;
    const path = paths[thread]!;
    const local = graph.local[read]!;
    const expected = path.events[local]!.value;
    if (expected !== undefined) return expected === this.#values[value];
    const next = this.#trees[thread]!.withValue(path, local, this.#values[value]!);
    return next !== undefined && this.#advance(situation, thread, next);
  }

  #numberValue(value: bigint): number {
    const known = this.#numberOfValue.get(value);
    if (known !== undefined) return known;
    const number = this.#values.push(value) - 1;
    this.#numberOfValue.set(value, number);
    return number;
  }
}
