// All that one thread can do, as a tree of paths that grows while it is explored.
//
// What a thread does follows from the values that its reads have and from the choices that it meets; where these come from is not its
// concern. So each path is run once, however often the exploration comes back to it, and the order that the model prescribes on it is
// computed once. A path goes on past reads that are open, to the first instruction that needs their values.

import type { TraceException } from '../engine/trace-state.ts';
import type { Dependencies } from '../engine/trace-values.ts';
import type { Thread, ThreadState } from '../memory-model/program.ts';
import type { Translation } from '../memory-model/translation.ts';
import { assert } from '../report/assert.ts';
import { hasBit, type LocalEvent, type LocalOrder, type OrderingModel } from './local-event.ts';
import { isIdle, type Visit } from './loops.ts';
import type { MemoryParts } from './memory-parts.ts';
import { atStart, type MissingChoice, type RecorderState, ThreadRecorder } from './thread-recorder.ts';

/** Where a path can be taken up again: before an instruction that reads. */
interface Resumption {
  readonly state: ThreadState;
  readonly recorder: RecorderState;
  readonly visits: number;
}

export type PathEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'exception'; readonly exception: TraceException }
  /** An instruction needs the values of these reads, some of which are open. */
  | { readonly kind: 'waiting'; readonly reads: readonly number[] }
  | { readonly kind: 'choice'; readonly choice: MissingChoice }
  /** No more is to be looked for: an idle iteration of a loop, or a path that no execution takes. */
  | { readonly kind: 'idle' }
  /** The bound on loops is reached. */
  | { readonly kind: 'bound' };

export interface ThreadPath {
  readonly events: readonly LocalEvent[];
  readonly order: LocalOrder;
  readonly end: PathEnd;
  /** Where the thread stands. */
  readonly state: ThreadState;
  /** Every later event depends on these reads by control. */
  readonly control: Dependencies;
}

/** A path with what it takes to go on. */
interface Node extends ThreadPath {
  readonly known: ReadonlyMap<number, bigint>;
  readonly choices: readonly boolean[];
  readonly resumptions: readonly Resumption[];
  readonly visits: readonly Visit[];
  /** Where the paths stood of which this is a continuation. */
  readonly stops: readonly bigint[];
  /** By what has become known: `read=value` or a choice; undefined where it contradicts the path. */
  readonly children: Map<string, Node | undefined>;
}

/** A thread that runs this long without needing a value does not end. */
const mostInstructions = 100_000;
const tooLong: PathEnd = { kind: 'bound' };

export class ThreadTree {
  readonly root: ThreadPath;
  readonly #parts: MemoryParts;
  readonly #model: OrderingModel;
  readonly #unroll: number;
  readonly #translation: Translation | undefined;
  /** What the thread has been seen to write after it stood at an instruction. */
  readonly #writesAfter = new Map<bigint, Set<bigint>>();
  /** Something has been added to that. */
  hasNewWrites = false;

  constructor(thread: Thread, parts: MemoryParts, model: OrderingModel, unroll: number) {
    this.#parts = parts;
    this.#model = model;
    this.#unroll = unroll;
    this.#translation = thread.translation;
    const start: Resumption = { state: thread.start(), recorder: atStart, visits: 0 };
    const root = this.#run(start, {
      events: [],
      known: new Map(),
      choices: [],
      resumptions: [],
      visits: [],
      stops: [],
    });
    assert(root !== undefined, 'a thread contradicts nothing before it reads');
    this.root = root;
  }

  /** The path on which a read has this value; undefined where it cannot have it. */
  withValue(path: ThreadPath, read: number, value: bigint): ThreadPath | undefined {
    const node = path as Node;
    return this.#child(node, `${read}=${value}`, () => {
      const resumption = node.resumptions.findLast(({ recorder }) => recorder.events <= read);
      assert(resumption !== undefined, 'a read has an instruction');
      return this.#run(resumption, { ...node, known: new Map(node.known).set(read, value) });
    });
  }

  /** The path on which the missing choice has been made. */
  withChoice(path: ThreadPath, choice: boolean): ThreadPath | undefined {
    const node = path as Node;
    return this.#child(node, String(choice), () =>
      this.#run(node.resumptions.at(-1)!, { ...node, choices: [...node.choices, choice] }),
    );
  }

  /**
   * Whether the thread has been seen to write to a location after it stood where this path ends, on any path, or has not been seen to go
   * on from there at all. An exploration that asks has to begin again when it has seen new writes: `hasNewWrites`.
   */
  mayWrite({ state }: ThreadPath, address: bigint): boolean {
    return this.#writesAfter.get(state.pc)?.has(address) ?? true;
  }

  #child(node: Node, key: string, run: () => Node | undefined): Node | undefined {
    if (node.children.has(key)) return node.children.get(key);
    const child = run();
    node.children.set(key, child);
    for (const stop of node.stops) if (!this.#writesAfter.has(stop)) this.#writesAfter.set(stop, new Set());
    for (const { kind, address } of child?.events.slice(node.events.length) ?? [])
      if (kind === 'W') for (const stop of child!.stops) this.#noteWrite(stop, address);
    return child;
  }

  #noteWrite(stop: bigint, address: bigint): void {
    const known = this.#writesAfter.get(stop) ?? new Set();
    if (known.has(address)) return;
    this.#writesAfter.set(stop, known.add(address));
    this.hasNewWrites = true;
  }

  /**
   * Whether it can bring anything to guess the outcome of the compare and swap at which a path ends before its read has a source: only a
   * write that is not ordered after that read may be what the read waits for.
   */
  canGuess(path: ThreadPath): boolean {
    const { end, events } = path;
    if (end.kind !== 'choice' || end.choice.kind !== 'compare and swap') return false;
    if (this.#model.ordersReadsBeforeWrites) return false;
    const first = events.length - 1;
    const read = events.findLastIndex(({ access }, n) => n <= first && access !== events[first]!.access) + 1;
    return this.#mayWriteAfterChoice(path, read, events.length);
  }

  #mayWriteAfterChoice(path: ThreadPath, read: number, from: number): boolean {
    return [true, false].some((choice) => {
      const next = this.withChoice(path, choice);
      return next !== undefined && this.#mayWriteUnordered(next, read, from);
    });
  }

  #mayWriteUnordered(path: ThreadPath, read: number, from: number): boolean {
    const { events, order, end, control } = path;
    const isAfter = (n: number): boolean => n === read || hasBit(order[n]!, read);
    if (events.some(({ kind }, n) => n >= from && kind === 'W' && !isAfter(n))) return true;
    if (end.kind !== 'waiting' && end.kind !== 'choice') return false;
    const { annotations } = events[read]!;
    if (annotations.has('A') || annotations.has('Q')) return false;
    if (control.deps.includes(read) || control.picks.includes(read)) return false;
    return end.kind === 'choice' ? this.#mayWriteAfterChoice(path, read, from) : !end.reads.some(isAfter);
  }

  #run(
    from: Resumption,
    base: Pick<Node, 'events' | 'known' | 'choices' | 'resumptions' | 'visits' | 'stops'>,
  ): Node | undefined {
    const state = from.state.clone();
    const events = base.events.slice(0, from.recorder.events);
    const recorder = new ThreadRecorder(
      this.#parts,
      events,
      from.recorder,
      base.known,
      base.choices,
      this.#model.distinguishesSources,
      this.#translation,
    );
    const visits = base.visits.slice(0, from.visits);
    const resumptions = base.resumptions.filter(({ recorder: at }) => at.instructions < from.recorder.instructions);
    for (let n = 0; ; n += 1) {
      const before: Resumption = { state: state.clone(), recorder: recorder.state(), visits: visits.length };
      const outcome = state.step(recorder, recorder);
      if (recorder.isContradicted) return undefined;
      const end = endOf(outcome, recorder);
      const hasRead = events.slice(before.recorder.events).some(({ kind }) => kind === 'R');
      if (hasRead || end?.kind === 'choice') resumptions.push(before);
      visits.push({ pc: before.state.pc, state: before.state, recorder: before.recorder });
      const stop = end ?? this.#loop(state, visits, recorder) ?? (n === mostInstructions ? tooLong : undefined);
      if (stop) {
        const order = this.#model.order(events);
        const { known, stops } = base;
        const { choices, control } = recorder;
        const path = { events, order, end: stop, state, control };
        return { ...path, known, choices, resumptions, visits, stops: withStop(stops, state.pc), children: new Map() };
      }
      recorder.nextInstruction();
    }
  }

  /** Why the thread, which has come to `state` from the last visit, is not to be followed further. */
  #loop(state: ThreadState, visits: readonly Visit[], recorder: ThreadRecorder): PathEnd | undefined {
    const from = visits.at(-1)!;
    if (state.pc > from.pc) return undefined;
    const same = visits.filter(({ pc }) => pc === state.pc);
    if (isIdle(same, state, recorder.events)) return { kind: 'idle' };
    // A loop that decides by known values alone ends by itself.
    const now = recorder.state();
    const repeats = same.filter(({ recorder: then }) => then.decisions < now.decisions).length;
    return repeats > this.#unroll ? { kind: 'bound' } : undefined;
  }
}

const withStop = (stops: readonly bigint[], pc: bigint): readonly bigint[] =>
  stops.includes(pc) ? stops : [...stops, pc];

function endOf(outcome: ReturnType<ThreadState['step']>, recorder: ThreadRecorder): PathEnd | undefined {
  if (outcome.kind === 'next') return undefined;
  if (outcome.kind === 'end') return { kind: 'ended' };
  if (outcome.kind === 'dropped') return { kind: 'idle' };
  if (recorder.missingChoice) return { kind: 'choice', choice: recorder.missingChoice };
  const { exception } = outcome;
  if (exception.exception !== 'open value') return { kind: 'exception', exception };
  return { kind: 'waiting', reads: recorder.readsOf(exception.value) };
}
