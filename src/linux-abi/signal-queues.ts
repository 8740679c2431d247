// Signals that are pending: those of a thread, and those of its process (kernel/signal.c).

import { firstRealTime, maskOf, synchronousSignals, unblockable } from './signal-numbers.ts';
import type { Process, Signal, Thread } from './state.ts';

export const isBlocked = ({ blockedSignals }: Thread, number: number): boolean =>
  (blockedSignals & ~unblockable & maskOf(number)) !== 0n;

/** A signal below the real-time ones is pending once, except those that a timer holds in readiness. */
export function enqueue(pending: Signal[], signal: Signal): void {
  if (signal.number < firstRealTime && !signal.timer && pending.some(({ number }) => number === signal.number)) return;
  pending.push(signal);
}

/** What is pending of these signals goes. */
export function forgetSignals(process: Process, numbers: ReadonlySet<number>): void {
  for (const queue of [process.pending, ...process.threads.map(({ pending }) => pending)]) {
    const kept = queue.filter(({ number }) => !numbers.has(number));
    queue.splice(0, queue.length, ...kept);
  }
}

function take(queue: Signal[], signal: Signal): Signal {
  queue.splice(queue.indexOf(signal), 1);
  if (signal.timer) signal.timer.lastOverrun = signal.timer.overrun;
  return signal;
}

/** The first of those with the lowest number. */
const lowestOf = (signals: readonly Signal[]): Signal | undefined =>
  signals.reduce<Signal | undefined>(
    (lowest, signal) => (lowest && lowest.number <= signal.number ? lowest : signal),
    undefined,
  );

/** Takes the next signal of a kind off the queues: the thread's own first, an instruction's before others, then by number. */
function takeWhere(thread: Thread, isWanted: (number: number) => boolean): Signal | undefined {
  for (const queue of [thread.pending, thread.process.pending]) {
    const open = queue.filter(({ number }) => isWanted(number));
    const first = open.find(({ number, code }) => synchronousSignals.has(number) && code > 0) ?? lowestOf(open);
    if (first) return take(queue, first);
  }
  return undefined;
}

export const takeSignal = (thread: Thread): Signal | undefined =>
  takeWhere(thread, (number) => !isBlocked(thread, number));

/** One of a set, for sigtimedwait: whether it is blocked or not. */
export const takeSignalOf = (thread: Thread, set: bigint): Signal | undefined =>
  takeWhere(thread, (number) => (set & maskOf(number)) !== 0n);

export const hasSignal = (thread: Thread): boolean =>
  [...thread.pending, ...thread.process.pending].some(({ number }) => !isBlocked(thread, number));

export const pendingSet = (thread: Thread): bigint =>
  [...thread.pending, ...thread.process.pending].reduce((set, { number }) => set | maskOf(number), 0n);
