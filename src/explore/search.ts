// The exploration of a program under a memory model: every consistent execution once.
//
// Threads run ahead of their reads: a read begins open, and its thread goes on until an instruction needs its value (thread-tree.ts).
// Everything that comes after such an instruction in program order and writes is ordered after the read by a control or an address
// dependency, so no write of a consistent execution is missed. When no thread can go on, a read is chosen for which one waits, and its
// sources are tried: the initial contents and the writes that are there, then those to which threads have come meanwhile without
// need of the read, with all that they need (races.ts). So the branches are disjoint, nothing is visited twice, and every
// situation can be completed. Coherence order is constrained as far as it follows (graph.ts), and decided at the end, as far as final
// states differ.
//
// A thread whose loop only waits stands still from then on. The others go on without it, not for an execution, but for what they write.

import { isFetch } from '../memory-model/execution.ts';
import { isFullDSB } from './arm-model.ts';
import { Graph, initialContents, undecided } from './graph.ts';
import { everyLine, type FetchOrder, role } from './instruction-caches.ts';
import { isAccess, isPoint, type LocalEvent, noAddress } from './local-event.ts';
import { instructionAt, type MemoryParts } from './memory-parts.ts';
import { eventAt, type Revisit, TriedRead } from './races.ts';
import { assert } from '../report/assert.ts';
import type { Situation } from './situation.ts';
import type { PathEnd, ThreadPath, ThreadTree } from './thread-tree.ts';

export interface SearchOptions {
  readonly capacity: number;
  readonly hasHazards: boolean;
  /** How fetches are ordered, where code is modified. */
  readonly fetches: FetchOrder | undefined;
  /** The outcome of a compare and swap is chosen before its source, so that what is behind it needs no read. */
  readonly choosesOutcomes: boolean;
  /** Asked now and then: whether to end before all is explored. */
  readonly shouldStop: () => boolean;
  /** Every read of a consistent graph has a source; coherence order may be open still. False where it cannot be completed. */
  readonly onExecution: (situation: Situation) => void;
}

/** Steps of the search between two questions whether to stop: some tens of milliseconds. */
const stepsPerQuestion = 256;

type Pick =
  /** The thread that waits for the read: its own, or one that has read what depends on it. */
  | { readonly kind: 'source'; readonly read: number; readonly waiting: number }
  | { readonly kind: 'choice'; readonly thread: number }
  | { readonly kind: 'halted' | 'complete' };

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
  /** Reads whose sources are being tried, in the order of the search. */
  readonly #tried: TriedRead[] = [];
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
    const canEnd = isConsistent && !situation.isHalted.includes(true);
    if (canEnd && situation.graph.saturate()) this.#explore(0);
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
      isHalted: this.#trees.map(() => false),
    });
  }

  #branch(depth: number): Situation {
    const from = this.#situation(depth);
    const to = this.#situation(depth + 1);
    to.graph.copyFrom(from.graph);
    from.paths.forEach((path, thread) => {
      to.paths[thread] = path;
      to.isHalted[thread] = from.isHalted[thread]!;
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
      case 'halted':
        return;
      case 'complete':
        this.#options.onExecution(situation);
        return;
      case 'choice':
        this.#exploreChoices(depth, pick.thread);
        return;
      case 'source':
        this.#exploreSources(depth, pick.read, pick.waiting);
    }
  }

  #exploreChoices(depth: number, thread: number): void {
    let isHalted = false;
    for (const choice of [true, false]) {
      const next = this.#branch(depth);
      if (!this.#choose(next, thread, choice) || !next.graph.saturate()) continue;
      if (next.isHalted[thread]) isHalted = true;
      else this.#explore(depth + 1);
    }
    if (isHalted) this.#exploreHalted(depth, [thread]);
  }

  #choose(situation: Situation, thread: number, choice: boolean): boolean {
    const path = this.#trees[thread]!.withChoice(situation.paths[thread]!, choice);
    return path !== undefined && this.#advance(situation, thread, path);
  }

  #exploreSources(depth: number, read: number, waiting: number): void {
    const base = this.#situation(depth);
    const thread = base.graph.thread[read]!;
    const tried = new TriedRead(base, read);
    this.#tried.push(tried);
    const seen = { isFollowed: false, isHalted: false };
    const explore = (situation: Situation, at: number): void => {
      if (situation.isHalted[thread] && !base.isHalted[thread]) seen.isHalted = true;
      else this.#explore(at);
    };
    for (const source of this.#sources(base.graph, read)) {
      const next = this.#branch(depth);
      if (!this.#read(next, read, source) || !next.graph.saturate()) continue;
      seen.isFollowed = true;
      explore(next, depth + 1);
    }
    let isHaltedFollowed = !base.paths.some(({ end }) => isUnfinished(end));
    // Revisits are added while others are followed.
    for (let n = 0; !this.isStopped;) {
      if (!isHaltedFollowed && (seen.isHalted || !seen.isFollowed)) {
        isHaltedFollowed = true;
        this.#exploreHalted(depth, seen.isHalted ? [waiting, thread] : [waiting]);
      } else if (n < tried.revisits.length) {
        this.#branch(depth);
        this.#followRevisit(depth + 1, tried, tried.revisits[n]!, explore);
        n += 1;
      } else break;
    }
    this.#tried.pop();
  }

  /** What the other threads do when some go no further. */
  #exploreHalted(depth: number, threads: readonly number[]): void {
    const { isHalted } = this.#branch(depth);
    for (const thread of threads) isHalted[thread] = true;
    this.#explore(depth + 1);
  }

  /** Lets happen what a write needs, and then the read read from it. */
  #followRevisit(
    depth: number,
    tried: TriedRead,
    revisit: Revisit,
    explore: (situation: Situation, depth: number) => void,
    hasGuess = false,
  ): void {
    const situation = this.#situation(depth);
    const { graph } = situation;
    for (let hasChanged = true; hasChanged;) {
      hasChanged = false;
      for (const { read, from } of revisit.sources) {
        const event = eventAt(situation, read);
        const source = from ? eventAt(situation, from) : initialContents;
        if (event === undefined || source === undefined || graph.source[event] !== undecided) continue;
        if (!this.#read(situation, event, source)) return;
        hasChanged = true;
      }
      for (const [thread, last] of revisit.until) {
        const { end, events } = situation.paths[thread]!;
        if (end.kind !== 'choice' || eventAt(situation, last) !== undefined) continue;
        const choice = revisit.choices.get(thread)!.get(end.choice.place);
        if (choice === undefined) {
          for (const outcome of [true, false]) {
            const next = this.#branch(depth);
            if (this.#choose(next, thread, outcome)) this.#followRevisit(depth + 1, tried, revisit, explore, true);
          }
          return;
        }
        // That of a compare and swap comes with its source, unless what it is compared with is not known yet.
        const isCompared = end.choice.kind === 'compare and swap' && !this.#options.choosesOutcomes;
        if (isCompared && graph.source[situation.numbers[thread]![events.length - 1]!] === undecided) continue;
        if (!this.#choose(situation, thread, choice)) return;
        hasChanged = true;
      }
    }
    const write = eventAt(situation, revisit.write);
    if (write === undefined) {
      assert(hasGuess || situation.isHalted.includes(true), 'what a write needs leads to it');
      return;
    }
    if (this.#isApart(graph, tried.read, write)) return;
    if (this.#read(situation, tried.read, write) && graph.saturate()) explore(situation, depth);
  }

  /** The read reads from there; false where it cannot. */
  #read(situation: Situation, read: number, source: number): boolean {
    return situation.graph.setSource(read, source) && this.#readValue(situation, read);
  }

  /** From where an open read may read, as far as it is there. */
  #sources(graph: Graph, read: number): number[] {
    const location = graph.location[read]!;
    const isImplicit = graph.isImplicit(read);
    const sources = this.#hasInitialWrite[location] || isImplicit ? [initialContents] : [];
    for (let write = 0; write < graph.count; write += 1) {
      if (!graph.isWrite(write) || graph.location[write] !== location || this.#isApart(graph, read, write)) continue;
      // A read may be ordered before the write of its own thread from which it reads: it is forwarded.
      const isInternal = graph.thread[write] === graph.thread[read] && !isImplicit && !graph.isImplicit(write);
      const isPast = isInternal ? graph.local[write]! < graph.local[read]! : !graph.isOrderedBefore(read, write);
      if (isPast) sources.push(write);
    }
    return sources;
  }

  /** Without translation hardware has the initial contents of a descriptor for itself, and does not see what threads write there. */
  #isApart(graph: Graph, read: number, write: number): boolean {
    return !this.#hasInitialWrite[graph.location[read]!] && graph.isImplicit(write) !== graph.isImplicit(read);
  }

  /** What to decide next. */
  #pick(situation: Situation): Pick {
    const { graph, paths, isHalted } = situation;
    const isChoosing = ({ end }: ThreadPath, thread: number): boolean =>
      end.kind === 'choice' &&
      !isHalted[thread] &&
      (end.choice.kind !== 'compare and swap' || this.#options.choosesOutcomes);
    const choosing = paths.findIndex(isChoosing);
    if (choosing >= 0) return { kind: 'choice', thread: choosing };
    for (let thread = 0; thread < paths.length; thread += 1) {
      if (isHalted[thread] || !isUnfinished(paths[thread]!.end)) continue;
      const read = this.#openReads(situation, thread)[0];
      if (read !== undefined) return { kind: 'source', read, waiting: thread };
    }
    if (isHalted.includes(true) || paths.some(({ end }) => isUnfinished(end))) return { kind: 'halted' };
    for (let read = 0; read < graph.count; read += 1)
      if (graph.isRead(read) && graph.source[read] === undecided)
        return { kind: 'source', read, waiting: graph.thread[read]! };
    return { kind: 'complete' };
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
    if (path.end.kind === 'bound' || path.end.kind === 'idle') {
      situation.isHalted[thread] = true;
      return true;
    }
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
      } else if (local >= known) {
        this.#append(graph, path, mine, thread, local);
        if (event.kind === 'W') for (const tried of this.#tried) tried.note(situation, { thread, local });
      } else if (event.kind === 'W' && event.value !== undefined && graph.value[mine[local]!]! < 0) {
        graph.value[mine[local]!] = this.#numberValue(event.value);
        valued.push(mine[local]!);
      }
      if (path.order[local] !== before?.order[local] && !this.#order(graph, path, mine, local)) return false;
      // What follows from a write holds for its whole access, so that all of its parts have to be there.
      const isLastPart = path.events[local + 1]?.access !== event.access;
      if (local < known || event.kind !== 'W' || !isLastPart) continue;
      for (let part = graph.firstPart(mine[local]!); part <= mine[local]!; part += 1)
        if (!graph.addWrite(part)) return false;
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

const isUnfinished = (end: PathEnd): boolean => end.kind === 'waiting' || end.kind === 'choice';
