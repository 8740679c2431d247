// Who runs where: one queue for all cores, first come, first served. A thread that has its core for itself is not disturbed; where others
// wait, each has a time slice. An idle core sleeps until it is rung, or until the time for which a thread of its own sleeps.

import type { Core } from './kernel.ts';
import { sliceTicks } from './limits.ts';
import type { CoreState, Thread, Wait } from './state.ts';
import { saveRegisters, setResult } from './registers.ts';

export const instructionBytes = 4n;

export const mayRunOn = ({ affinity }: Thread, core: number): boolean =>
  affinity === undefined || affinity.includes(core);

/** Puts a thread where cores look for work, and tells one of them, or all that would keep their core for themselves. */
export function makeReady(core: Core, thread: Thread): void {
  const { state, toRing } = core;
  thread.state = 'ready';
  state.queue.push(thread);
  const isFreeFor = ({ isIdle, isRung, index }: CoreState): boolean => isIdle && !isRung && mayRunOn(thread, index);
  const last = state.cores[thread.core] as CoreState;
  const idle = isFreeFor(last) ? last : state.cores.find(isFreeFor);
  if (idle) {
    if (idle.index === core.index) return;
    idle.isRung = true;
    toRing.add(idle.index);
    return;
  }
  for (const other of state.cores)
    if (!other.isIdle && !other.isRung && other.sliceEnd === Infinity && mayRunOn(thread, other.index)) {
      if (other.index === core.index) continue;
      other.isRung = true;
      toRing.add(other.index);
    }
}

/** Ends a wait; the thread goes on with this result of its call, or with the call itself. */
export function wake(core: Core, thread: Thread, result?: number): void {
  core.state.sleepers.delete(thread);
  thread.wait = undefined;
  thread.deadline = Infinity;
  if (result !== undefined) {
    setResult(thread, result);
    thread.callDeadline = undefined;
  }
  makeReady(core, thread);
}

/** The running thread waits. Its registers must be saved before anybody can wake it. */
export function block(core: Core, thread: Thread, wait: Wait, deadline = Infinity): void {
  thread.state = 'blocked';
  thread.wait = wait;
  thread.deadline = deadline;
  thread.order = core.state.nextOrder;
  core.state.nextOrder += 1;
  if (deadline !== Infinity) core.state.sleepers.add(thread);
  giveUpCore(core);
}

/** The running thread waits until it is woken, and then makes its call again. */
export function blockToRestart(
  core: Core,
  thread: Thread,
  wait: Extract<Wait, { kind: 'child' | 'poll' | 'file' | 'lock' | 'signal' }>,
  deadline = Infinity,
): void {
  block(core, thread, wait, deadline);
  thread.registers.pc -= instructionBytes;
}

/** Takes the running thread off this core. */
export function giveUpCore(core: Core): void {
  const { own, port } = core;
  const { thread } = own;
  if (!thread) return;
  saveRegisters(core, thread.registers);
  thread.ranTicks += port.now() - own.runningSince;
  own.thread = undefined;
}

/** The next thread that may run here, off the queue. */
export function takeNext({ state: { queue }, index }: Core): Thread | undefined {
  const at = queue.findIndex((thread) => mayRunOn(thread, index));
  return at < 0 ? undefined : queue.splice(at, 1)[0];
}

export const hasWaiting = ({ state: { queue }, index }: Core): boolean =>
  queue.some((thread) => mayRunOn(thread, index));

/** When the running thread's slice is over, whether others wait or not. */
const endOfSlice = ({ runningSince }: CoreState, { sliceEndTicks, ranTicks }: Thread): number =>
  runningSince + sliceEndTicks - ranTicks;

/** A thread that has run to the end of its slice has a new one when it comes to a core again; one that has waited, or yielded, what is left. */
export function renewSlice(thread: Thread): void {
  if (thread.ranTicks >= thread.sliceEndTicks) thread.sliceEndTicks = thread.ranTicks + sliceTicks;
}

/**
 * At an entry: the running thread's time is over, and somebody waits for it. This comes right after a call that has woken somebody, too: one
 * that gives up its core nowhere but with a lock held does not keep the others out for ever.
 */
export function endSlice(core: Core): void {
  const { own, port } = core;
  const { thread } = own;
  if (!thread || port.now() < endOfSlice(own, thread) || !hasWaiting(core)) return;
  giveUpCore(core);
  makeReady(core, thread);
}

/** The slice counts where others wait. */
export function beginSlice(core: Core): void {
  const { own } = core;
  own.sliceEnd = own.thread && hasWaiting(core) ? endOfSlice(own, own.thread) : Infinity;
}

/** Sleepers whose time has come, in the order in which they have begun to wait. */
export function dueSleepers({ state: { sleepers }, port }: Core): Thread[] {
  const now = port.now();
  return [...sleepers]
    .filter(({ deadline }) => deadline <= now)
    .sort((a, b) => a.deadline - b.deadline || a.order - b.order);
}

/** When this core has to be entered again: for its slice, or for threads that sleep on it. */
export function nextDeadline({ state: { sleepers }, own }: Core): number {
  let next = own.sliceEnd;
  for (const { deadline, core } of sleepers) if (core === own.index) next = Math.min(next, deadline);
  return next;
}
