// All that one thread can do, as a tree of paths that grows while it is explored.
//
// What a thread does follows from the values that its reads have and from the choices that it meets; where these come from is not its
// concern. So each path is run once, however often the exploration comes back to it, and the order that the model prescribes on it is
// computed once. A path goes on past reads that are open, to the first instruction that needs their values.

import type { TraceException } from '../engine/trace-state.ts';
import { union } from '../engine/trace-values.ts';
import type { Thread, ThreadState } from '../memory-model/program.ts';
import type { Translation } from '../memory-model/translation.ts';
import { assert } from '../report/assert.ts';
import type { MissingChoice } from './choices.ts';
import type { LocalEvent, LocalOrder, OrderingModel } from './local-event.ts';
import { isIdle, type Visit } from './loops.ts';
import type { MemoryParts } from './memory-parts.ts';
import { atStart, decisionsOf, type RecorderState, ThreadRecorder } from './thread-recorder.ts';

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
  /** For each event, the reads whose values decided that the thread came to it, and where it accesses memory. */
  readonly needed: readonly (readonly number[])[];
  /** For each event, the reads of compares and swaps before it whose outcomes may be guessed. */
  readonly compared: readonly (readonly number[])[];
  /** Choices that were made, also by values, and where. */
  readonly choices: readonly boolean[];
  readonly choicePlaces: readonly number[];
  readonly end: PathEnd;
  /** Where the thread stands. */
  readonly state: ThreadState;
}

/** A path with what it takes to go on. */
interface Node extends ThreadPath {
  readonly known: ReadonlyMap<number, bigint>;
  readonly resumptions: readonly Resumption[];
  readonly visits: readonly Visit[];
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
      needed: [],
      compared: [],
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

  #child(node: Node, key: string, run: () => Node | undefined): Node | undefined {
    if (node.children.has(key)) return node.children.get(key);
    const child = run();
    node.children.set(key, child);
    return child;
  }

  #run(
    from: Resumption,
    base: Pick<Node, 'events' | 'needed' | 'compared' | 'known' | 'choices' | 'resumptions' | 'visits'>,
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
      if (recorder.choices.isContradicted) return undefined;
      const end = endOf(outcome, recorder);
      const hasRead = events.slice(before.recorder.events).some(({ kind }) => kind === 'R');
      if (hasRead || end?.kind === 'choice') resumptions.push(before);
      visits.push({ pc: before.state.pc, state: before.state, recorder: before.recorder });
      const stop = end ?? this.#loop(state, visits, recorder) ?? (n === mostInstructions ? tooLong : undefined);
      if (stop?.kind === 'idle' || stop?.kind === 'bound') {
        // What such a thread has done until here counts for nothing.
        const { choices, known } = base;
        const unused = { events, order: [], needed: [], compared: [], choices, choicePlaces: [], end: stop, state };
        return { ...unused, known, resumptions, visits, children: new Map() };
      }
      if (stop) {
        const order = this.#model.order(events);
        const { known } = base;
        const { outcomes } = this.#model;
        const needed = withNeeded(base.needed.slice(0, from.recorder.events), events, outcomes === 'needed');
        const compared =
          outcomes !== 'guessed'
            ? events.map(() => [])
            : withCompared(base.compared.slice(0, from.recorder.events), events);
        const { made: choices, places: choicePlaces } = recorder.choices;
        const path = { events, order, needed, compared, choices, choicePlaces, end: stop, state };
        return { ...path, known, resumptions, visits, children: new Map() };
      }
      recorder.nextInstruction();
    }
  }

  /** Why the thread, which has come to `state` from the last visit, is not to be followed further. */
  #loop(state: ThreadState, visits: readonly Visit[], recorder: ThreadRecorder): PathEnd | undefined {
    const from = visits.at(-1)!;
    if (state.pc > from.pc) return undefined;
    const at = visits.findLastIndex(({ pc }) => pc === state.pc);
    const last = visits[at];
    if (last === undefined) return undefined;
    const before = visits.findLast(({ pc }, n) => n < at && pc === state.pc);
    const now = recorder.state();
    if (isIdle(before, last, { state, recorder: now }, recorder.events)) return { kind: 'idle' };
    // A loop that decides by known values alone ends by itself.
    const decisions = decisionsOf(now);
    if (decisionsOf(last.recorder) === decisions) return undefined;
    const repeats = visits.filter(({ pc, recorder: then }) => pc === state.pc && decisionsOf(then) < decisions).length;
    return repeats > this.#unroll ? { kind: 'bound' } : undefined;
  }
}

/** By control, by its own address, and by the addresses before it: what comes after an address has to wait for the exceptions there. */
function withNeeded(
  known: readonly (readonly number[])[],
  events: readonly LocalEvent[],
  needsOutcomes: boolean,
): readonly (readonly number[])[] {
  const needed = [...known];
  for (let n = known.length; n < events.length; n += 1) {
    const { addr, ctrl } = events[n]!;
    const before = events[n - 1];
    // Fetches decide what is done, and walks where.
    const implicit = before?.kind === 'R' && before.annotations.has('NExp') ? [n - 1] : [];
    const comparedWith = needsOutcomes ? before?.comparedWith : undefined;
    const compared = comparedWith ? [...comparedWith, n - 1] : [];
    const all = [needed[n - 1] ?? [], ctrl.deps, ctrl.picks, addr.deps, addr.picks, compared, implicit];
    needed.push(all.reduce(union));
  }
  return needed;
}

function withCompared(
  known: readonly (readonly number[])[],
  events: readonly LocalEvent[],
): readonly (readonly number[])[] {
  const compared = [...known];
  for (let n = known.length; n < events.length; n += 1) {
    const before = compared[n - 1] ?? [];
    compared.push(events[n - 1]?.comparedWith ? [...before, n - 1] : before);
  }
  return compared;
}

function endOf(outcome: ReturnType<ThreadState['step']>, recorder: ThreadRecorder): PathEnd | undefined {
  if (outcome.kind === 'next') return undefined;
  if (outcome.kind === 'end') return { kind: 'ended' };
  if (outcome.kind === 'dropped') return { kind: 'idle' };
  const { missing } = recorder.choices;
  if (missing) return { kind: 'choice', choice: missing };
  const { exception } = outcome;
  if (exception.exception !== 'open value') return { kind: 'exception', exception };
  return { kind: 'waiting', reads: recorder.readsOf(exception.value) };
}
