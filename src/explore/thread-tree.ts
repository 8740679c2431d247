// All that one thread can do, as a tree of paths that grows while it is explored.
//
// What a thread does follows from the values that its reads have and from the choices that it meets; where these come from is not its
// concern. So each path is run once, however often the exploration comes back to it, and the order that the model prescribes on it is
// computed once. A path goes on past reads that are open, to the first instruction that needs their values.

import type { TraceException } from '../engine/trace-state.ts';
import { independent } from '../engine/trace-values.ts';
import type { Thread, ThreadState } from '../memory-model/program.ts';
import { assert } from '../report/assert.ts';
import type { LocalEvent, LocalOrder, OrderingModel } from './local-event.ts';
import { isIdle, type Visit } from './loops.ts';
import type { MemoryParts } from './memory-parts.ts';
import { type MissingChoice, type RecorderState, ThreadRecorder } from './thread-recorder.ts';

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
  /** No more is to be looked for: an idle iteration of a loop. */
  | { readonly kind: 'idle' }
  /** The bound on loops is reached. */
  | { readonly kind: 'bound' };

export interface ThreadPath {
  readonly events: readonly LocalEvent[];
  readonly order: LocalOrder;
  readonly end: PathEnd;
  /** Where the thread stands. */
  readonly state: ThreadState;
}

/** A path with what it takes to go on. */
interface Node extends ThreadPath {
  readonly known: ReadonlyMap<number, bigint>;
  readonly choices: readonly boolean[];
  readonly resumptions: readonly Resumption[];
  readonly visits: readonly Visit[];
  /** By what has become known: `read=value` or a choice; undefined where it contradicts the path. */
  readonly children: Map<string, Node | undefined>;
}

const atStart: RecorderState = {
  events: 0,
  accesses: 0,
  instructions: 0,
  choices: 0,
  decisions: 0,
  monitor: undefined,
  control: independent,
};

/** A thread that runs this long without needing a value does not end. */
const mostInstructions = 100_000;
const tooLong: PathEnd = { kind: 'bound' };

export class ThreadTree {
  readonly root: ThreadPath;
  readonly #parts: MemoryParts;
  readonly #model: OrderingModel;
  readonly #unroll: number;

  constructor(thread: Thread, parts: MemoryParts, model: OrderingModel, unroll: number) {
    this.#parts = parts;
    this.#model = model;
    this.#unroll = unroll;
    const start: Resumption = { state: thread.start(), recorder: atStart, visits: 0 };
    const root = this.#run(start, { events: [], known: new Map(), choices: [], resumptions: [], visits: [] });
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
    if (!node.children.has(key)) node.children.set(key, run());
    return node.children.get(key);
  }

  #run(
    from: Resumption,
    base: Pick<Node, 'events' | 'known' | 'choices' | 'resumptions' | 'visits'>,
  ): Node | undefined {
    const state = from.state.clone();
    const events = base.events.slice(0, from.recorder.events);
    const recorder = new ThreadRecorder(this.#parts, events, from.recorder, base.known, base.choices);
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
        const { known } = base;
        const order = this.#model.order(events);
        const { choices } = recorder;
        return { events, order, end: stop, state, known, choices, resumptions, visits, children: new Map() };
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

function endOf(outcome: ReturnType<ThreadState['step']>, recorder: ThreadRecorder): PathEnd | undefined {
  if (outcome.kind === 'next') return undefined;
  if (outcome.kind === 'end') return { kind: 'ended' };
  if (recorder.missingChoice) return { kind: 'choice', choice: recorder.missingChoice };
  const { exception } = outcome;
  if (exception.exception !== 'open value') return { kind: 'exception', exception };
  return { kind: 'waiting', reads: [...new Set([...exception.value.deps, ...exception.value.picks])] };
}
