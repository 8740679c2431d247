// Sequential consistency by its definition (Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs",
// 1979): every interleaving of the threads' instructions over one memory, one after the other. The slow twin of the explorer.
//
// An instruction that leaves memory alone commutes with all those of other threads and is done at once. What has been reached before, in
// another way, is not followed again. A store exclusive may always fail, and succeeds only where the thread has marked those bytes and no
// other thread has written there since (Arm DDI 0487, "Synchronization and semaphores").

import type { Program, ThreadState } from '../../src/memory-model/program.ts';
import { assert } from '../../src/report/assert.ts';
import { type Accessed, windowMemory } from '../engine/trace-machine.ts';
import { silentHooks } from '../memory-model/silent-hooks.ts';

interface Range {
  readonly address: bigint;
  readonly bytes: number;
}

interface Running {
  readonly state: ThreadState;
  readonly hasEnded: boolean;
  /** What its load exclusive has marked, until it stores there, or another thread does. */
  readonly monitor: Range | undefined;
  /** All that it has learnt from memory, which alone decides where it is. */
  readonly history: string;
}

/** The final states; instructions must access memory once at most. */
export function interleavings(program: Program): Set<string> {
  const areas = program.memory.filter(({ isCode }) => isCode !== true);
  const first = areas.reduce((least, { address }) => (address < least ? address : least), 1n << 60n);
  const end = areas.reduce((most, { address, bytes }) => {
    const past = address + BigInt(bytes.length);
    return past > most ? past : most;
  }, 0n);
  const initial = new Uint8Array(Number(end - first));
  for (const { address, bytes } of areas) initial.set(bytes, Number(address - first));
  const found = new Set<string>();
  const reached = new Set<string>();

  const read = (memory: Uint8Array, { address, bytes }: Range): bigint => {
    let value = 0n;
    for (let n = bytes - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(memory[Number(address - first) + n]!);
    return value;
  };
  /** One instruction; a store exclusive, which `asks` for what it has marked, succeeds or fails as it is told. */
  const step = (state: ThreadState, before: Uint8Array, succeeds: boolean) => {
    const next = state.clone();
    const memory = before.slice();
    const window = windowMemory(first, memory);
    let asks: Range | undefined;
    const outcome = next.step(
      {
        ...window,
        storeExclusive: (access, values) => {
          asks = rangeOf(access);
          return succeeds ? (window.store(access, values[0]!) ?? true) : false;
        },
      },
      silentHooks,
    );
    assert(outcome.kind === 'next' || outcome.kind === 'end', 'no exception is interleaved');
    assert(window.accesses.length < 2, 'one access at most');
    return {
      next,
      memory,
      asks,
      accessed: window.accesses[0],
      hasEnded: outcome.kind === 'end',
    };
  };
  /** On to the next instruction that accesses memory, or to the end. */
  const settled = (running: Running, memory: Uint8Array): Running => {
    for (let { state } = running; ;) {
      const { next, asks, accessed, hasEnded } = step(state, memory, false);
      if (hasEnded) return { ...running, state, hasEnded };
      if (asks !== undefined || accessed !== undefined) return { ...running, state };
      state = next;
    }
  };
  const explore = (threads: readonly Running[], before: Uint8Array): void => {
    const key = JSON.stringify([
      threads.map(({ history, monitor }) => [history, monitor !== undefined]),
      areas.map(({ address, bytes }) => read(before, { address, bytes: bytes.length }).toString(16)),
    ]);
    if (reached.has(key)) return;
    reached.add(key);
    const follow = (thread: number, succeeds: boolean): void => {
      const { state, monitor, history } = threads[thread]!;
      const { next, memory, asks, accessed } = step(state, before, succeeds);
      const range = accessed && rangeOf(accessed);
      const old = range && read(before, range);
      const written = accessed && writes(accessed, old!) ? range : undefined;
      const learnt = asks ? String(succeeds) : accessed?.kind === 'store' ? '' : old!.toString(16);
      const own: Running = {
        state: next,
        hasEnded: false,
        monitor: asks ? undefined : accessed?.kind === 'load exclusive' ? range : monitor,
        history: `${history} ${learnt}`,
      };
      const others = threads.map((other) =>
        overlap(other.monitor, written) ? { ...other, monitor: undefined } : other,
      );
      explore(others.with(thread, settled(own, memory)), memory);
      if (asks && !succeeds && monitor?.address === asks.address && monitor.bytes === asks.bytes) follow(thread, true);
    };
    const running = threads.flatMap(({ hasEnded }, thread) => (hasEnded ? [] : [thread]));
    for (const thread of running) follow(thread, false);
    if (running.length > 0) return;
    const values = program.observed.map((observable) => {
      if (observable.kind === 'exceptions') return observable.numberOf(threads.map(() => []));
      return observable.kind === 'register'
        ? threads[observable.thread]!.state.register(observable.name).bits
        : read(before, observable);
    });
    found.add(values.map((value) => value.toString(16)).join(' '));
  };
  const start = program.threads.map((thread) =>
    settled({ state: thread.start(), hasEnded: false, monitor: undefined, history: '' }, initial),
  );
  explore(start, initial);
  return found;
}

const rangeOf = ({ address, bytes }: Pick<Accessed, 'address' | 'bytes'>): Range => ({ address: address.bits, bytes });

/** A compare and swap that finds something else than it expects does not write. */
const writes = ({ kind, values }: Accessed, old: bigint): boolean =>
  kind === 'compare and swap' ? values[0]!.bits === old : kind === 'store' || kind === 'atomic';

const overlap = (a: Range | undefined, b: Range | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.address < b.address + BigInt(b.bytes) &&
  b.address < a.address + BigInt(a.bytes);
