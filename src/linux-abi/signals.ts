// Signals as they are sent, to a thread or to a process, and what of them happens at once: waits end, stopped processes go on
// (kernel/signal.c).

import { fail } from './errno.ts';
import { POLL, wakeFile } from './files/wake.ts';
import type { Core } from './kernel.ts';
import { setResult } from './registers.ts';
import { makeReady, wake } from './scheduler.ts';
import { CLD, ignoredByDefault, maskOf, SA, SIG, SIG_DFL, SIG_IGN, stopsByDefault } from './signal-numbers.ts';
import { enqueue, forgetSignals, isBlocked } from './signal-queues.ts';
import type { Process, Signal, Thread } from './state.ts';
import { abandon, prepareRestart } from './waits.ts';

function isIgnored({ actions }: Process, number: number): boolean {
  const handler = actions[number]?.handler ?? SIG_DFL;
  return handler === SIG_IGN || (handler === SIG_DFL && ignoredByDefault.has(number));
}

/** Descriptors of signalfd can be read now. */
function tellSignalFiles(core: Core, { files }: Process, number: number): void {
  for (const descriptor of files) {
    const inode = descriptor?.file.inode;
    if (inode?.anonymous?.kind === 'signals' && (inode.anonymous.set & maskOf(number)) !== 0n)
      wakeFile(core, inode, POLL.IN);
  }
}

/** A thread that waits, or another core that runs it, hears that there is a signal. */
export function interrupt(core: Core, thread: Thread): void {
  if (thread.state === 'running') {
    if (thread.core !== core.index) core.toRing.add(thread.core);
    return;
  }
  if (thread.state !== 'blocked' || thread.wait?.kind === 'vfork') return;
  const isRestarted = prepareRestart(thread);
  abandon(core, thread);
  if (!isRestarted) {
    setResult(thread, fail('EINTR'));
    thread.callDeadline = undefined;
  }
  makeReady(core, thread);
}

/** SIGCONT and the stopping signals undo each other when they are sent; SIGKILL lets a stopped process go on to its end. */
function prepare(core: Core, process: Process, number: number): void {
  if (stopsByDefault.has(number)) forgetSignals(process, new Set([SIG.CONT]));
  if (number === SIG.CONT) forgetSignals(process, stopsByDefault);
  if ((number !== SIG.CONT && number !== SIG.KILL) || process.stop === undefined) return;
  process.stop = undefined;
  for (const thread of process.threads) if (thread.state === 'stopped') makeReady(core, thread);
  if (number === SIG.KILL) return;
  process.unreported = 'continued';
  tellParent(core, process, CLD.CONTINUED, SIG.CONT);
}

/** Every thread stops when it is next in the kernel. */
export function stopProcess(core: Core, process: Process, number: number): void {
  process.stop = number;
  process.unreported = 'stopped';
  for (const thread of process.threads)
    if (thread.state === 'running' && thread.core !== core.index) core.toRing.add(thread.core);
  tellParent(core, process, CLD.STOPPED, number);
}

/** SIGCHLD, and whoever waits for children looks again. `status`: an exit code, or a signal. */
export function tellParent(core: Core, { pid, parent }: Process, code: number, status: number): void {
  if (!parent) return;
  const isOfStop = code === CLD.STOPPED || code === CLD.CONTINUED;
  const isUnwanted = isOfStop && ((parent.actions[SIG.CHLD]?.flags ?? 0n) & SA.NOCLDSTOP) !== 0n;
  if (!isUnwanted) signalProcess(core, parent, { number: SIG.CHLD, code, pid, status });
  for (const thread of [...parent.threads]) if (thread.wait?.kind === 'child') wake(core, thread);
}

/** Sends a signal to a process, for any thread of it that takes it. */
export function signalProcess(core: Core, process: Process, signal: Signal): void {
  if (process.isZombie || process.ending !== undefined) return;
  prepare(core, process, signal.number);
  const waiting = process.threads.find((thread) => isWaitingFor(thread, signal.number));
  if (isIgnored(process, signal.number) && !process.threads.every((t) => isBlocked(t, signal.number)) && !waiting)
    return;
  enqueue(process.pending, signal);
  tellSignalFiles(core, process, signal.number);
  const taker =
    waiting ?? process.threads.find((thread) => thread.state !== 'dead' && !isBlocked(thread, signal.number));
  if (taker) interrupt(core, taker);
}

/** sigtimedwait takes what is blocked. */
const isWaitingFor = ({ wait }: Thread, number: number): boolean =>
  wait?.kind === 'signal' && (wait.set & maskOf(number)) !== 0n;

export function signalThread(core: Core, thread: Thread, signal: Signal): void {
  if (thread.state === 'dead') return;
  prepare(core, thread.process, signal.number);
  if (isIgnored(thread.process, signal.number) && !isBlocked(thread, signal.number)) return;
  enqueue(thread.pending, signal);
  tellSignalFiles(core, thread.process, signal.number);
  if (!isBlocked(thread, signal.number) || isWaitingFor(thread, signal.number)) interrupt(core, thread);
}
