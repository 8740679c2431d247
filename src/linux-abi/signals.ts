// Signals: sent to a thread or to a process, taken by a thread before it goes on in its program, and then ignored, handled, or the end
// of the process (kernel/signal.c, arch/arm64/kernel/signal.c).

import { POLL, wakeFile } from './files/wake.ts';
import type { Core } from './kernel.ts';
import { emptyRegisters, loadRegisters, saveRegisters, setResult } from './registers.ts';
import { instructionBytes, makeReady } from './scheduler.ts';
import { abandon, prepareRestart } from './waits.ts';
import { buildFrame, frameBytes, frameOffset, frameRecordBytes } from './sigframe.ts';
import {
  firstRealTime,
  ignoredByDefault,
  maskOf,
  SA,
  SIG,
  SIG_DFL,
  SIG_IGN,
  SI,
  synchronousSignals,
  unblockable,
} from './signal-numbers.ts';
import { fail } from './errno.ts';
import { signalPage, sigreturnOffset } from './signal-page.ts';
import type { Process, Registers, Signal, Thread } from './state.ts';
import { concatenate } from './records.ts';
import { writeUser } from './user-memory.ts';

export const SS = { ONSTACK: 1, DISABLE: 2 } as const;
export const noAlternateStack: Thread['alternateStack'] = { sp: 0n, size: 0n, flags: SS.DISABLE };

function isIgnored({ actions }: Process, number: number): boolean {
  const handler = actions[number]?.handler ?? SIG_DFL;
  return handler === SIG_IGN || (handler === SIG_DFL && ignoredByDefault.has(number));
}

const isBlocked = ({ blockedSignals }: Thread, number: number): boolean =>
  (blockedSignals & ~unblockable & maskOf(number)) !== 0n;

function enqueue(pending: Signal[], signal: Signal): void {
  if (signal.number < firstRealTime && pending.some(({ number }) => number === signal.number)) return;
  pending.push(signal);
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
  if (!isRestarted) setResult(thread, fail('EINTR'));
  makeReady(core, thread);
}

/** Sends a signal to a process, for any thread of it that takes it. */
export function signalProcess(core: Core, process: Process, signal: Signal): void {
  if (process.isZombie || process.ending !== undefined) return;
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
  if (isIgnored(thread.process, signal.number) && !isBlocked(thread, signal.number)) return;
  enqueue(thread.pending, signal);
  tellSignalFiles(core, thread.process, signal.number);
  if (!isBlocked(thread, signal.number) || isWaitingFor(thread, signal.number)) interrupt(core, thread);
}

/** A signal that an instruction of the running thread has caused: one that is blocked or ignored ends the process. */
export function forceSignal(core: Core, thread: Thread, signal: Signal): void {
  const { actions } = thread.process;
  const isRefused = isBlocked(thread, signal.number) || actions[signal.number]?.handler === SIG_IGN;
  if (isRefused) {
    actions[signal.number] = undefined;
    thread.blockedSignals &= ~maskOf(signal.number);
  }
  thread.pending.unshift(signal);
}

/** Takes the next signal of a kind off the queues: the thread's own first, an instruction's before others, then by number. */
function takeWhere(thread: Thread, isWanted: (number: number) => boolean): Signal | undefined {
  const queues = [thread.pending, thread.process.pending];
  for (const queue of queues) {
    const open = queue.filter(({ number }) => isWanted(number));
    const first =
      open.find(({ number, code }) => synchronousSignals.has(number) && code > 0) ??
      open.reduce<Signal | undefined>(
        (lowest, signal) => (lowest && lowest.number <= signal.number ? lowest : signal),
        undefined,
      );
    if (!first) continue;
    queue.splice(queue.indexOf(first), 1);
    return first;
  }
  return undefined;
}

const takeSignal = (thread: Thread): Signal | undefined => takeWhere(thread, (number) => !isBlocked(thread, number));

/** One of a set, for sigtimedwait: whether it is blocked or not. */
export const takeSignalOf = (thread: Thread, set: bigint): Signal | undefined =>
  takeWhere(thread, (number) => (set & maskOf(number)) !== 0n);

const hasSignal = (thread: Thread): boolean =>
  [...thread.pending, ...thread.process.pending].some(({ number }) => !isBlocked(thread, number));

export const pendingSet = (thread: Thread): bigint =>
  [...thread.pending, ...thread.process.pending].reduce((set, { number }) => set | maskOf(number), 0n);

const onAlternateStack = ({ alternateStack: { sp, size } }: Thread, at: bigint): boolean => at > sp && at - sp <= size;

/** A call that has been interrupted runs again without a handler, or after one with SA_RESTART if it is of that kind; else it has failed with EINTR. */
function endRestart(core: Core, thread: Thread, action: 'none' | 'handler' | 'SA_RESTART'): void {
  const { restart } = thread;
  thread.restart = undefined;
  if (!restart || action === 'none' || (action === 'SA_RESTART' && restart.afterHandler)) return;
  core.pe.writeRegister('ELR_EL1', restart.pc);
  core.pe.writeX(0, BigInt.asUintN(64, BigInt(thread.partial ?? fail('EINTR'))));
  thread.partial = undefined;
  thread.callDeadline = undefined;
}

/**
 * Signals are blocked as a call asks for the time that it waits. True where one is pending that is not blocked then: the call ends by its
 * handler, or runs again where there is none.
 */
export function suspendSignals(core: Core, thread: Thread, mask: bigint): boolean {
  thread.suspendedSignals ??= thread.blockedSignals;
  thread.blockedSignals = mask & ~unblockable;
  if (!hasSignal(thread)) return false;
  const pc = core.pe.readRegister('ELR_EL1');
  thread.restart = { pc, afterHandler: false };
  core.pe.writeRegister('ELR_EL1', pc - instructionBytes);
  return true;
}

/** Enters a handler; false where there is no room for its frame. */
function enterHandler(core: Core, thread: Thread, signal: Signal, syndrome: bigint): boolean {
  const { process } = thread;
  const action = process.actions[signal.number];
  if (!action) return false;
  const registers: Registers = emptyRegisters();
  saveRegisters(core, registers);
  const { alternateStack } = thread;
  const usesAlternate =
    (action.flags & SA.ONSTACK) !== 0n && alternateStack.size > 0n && !onAlternateStack(thread, registers.sp);
  const top = usesAlternate ? alternateStack.sp + alternateStack.size : registers.sp;
  const recordAt = (top & ~15n) - BigInt(frameRecordBytes);
  const frameAt = recordAt - BigInt(frameBytes);
  const mask = thread.suspendedSignals ?? thread.blockedSignals;
  thread.suspendedSignals = undefined;
  const frame = buildFrame(thread, signal, mask, registers, syndrome);
  const frameRecord = new Uint8Array(BigUint64Array.of(registers.x[29] as bigint, registers.x[30] as bigint).buffer);
  if (frameAt < 0n || !writeUser(core, process.space, Number(frameAt), concatenate([frame, frameRecord]))) return false;

  thread.blockedSignals |= action.mask | ((action.flags & SA.NODEFER) === 0n ? maskOf(signal.number) : 0n);
  thread.blockedSignals &= ~unblockable;
  if ((action.flags & SA.RESETHAND) !== 0n) process.actions[signal.number] = undefined;
  registers.x[0] = BigInt(signal.number);
  registers.x[1] = frameAt + BigInt(frameOffset.info);
  registers.x[2] = frameAt + BigInt(frameOffset.ucontext);
  registers.x[29] = recordAt;
  registers.x[30] = (action.flags & SA.RESTORER) !== 0n ? action.restorer : BigInt(signalPage + sigreturnOffset);
  registers.sp = frameAt;
  registers.pc = action.handler;
  loadRegisters(core, registers);
  return true;
}

/** The signals of the running thread before it returns to its program. The result is the signal that ends its process, if any. */
export function deliverSignals(core: Core, thread: Thread): Signal | undefined {
  for (;;) {
    const signal = takeSignal(thread);
    if (!signal) break;
    const { number } = signal;
    const handler = thread.process.actions[number]?.handler ?? SIG_DFL;
    if (handler === SIG_IGN || (handler === SIG_DFL && ignoredByDefault.has(number))) continue;
    if (handler === SIG_DFL || number === SIG.KILL) return signal;
    const restarts = ((thread.process.actions[number]?.flags ?? 0n) & SA.RESTART) !== 0n;
    endRestart(core, thread, restarts ? 'SA_RESTART' : 'handler');
    const syndrome =
      synchronousSignals.has(number) && signal.code > 0 && signal.code !== SI.KERNEL ? core.system.read('ESR_EL1') : 0n;
    if (!enterHandler(core, thread, signal, syndrome)) return { number: SIG.SEGV, code: SI.KERNEL };
  }
  endRestart(core, thread, 'none');
  if (thread.suspendedSignals !== undefined) {
    thread.blockedSignals = thread.suspendedSignals;
    thread.suspendedSignals = undefined;
  }
  return undefined;
}
