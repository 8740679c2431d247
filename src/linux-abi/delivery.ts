// Signals as a thread takes them before it goes on in its program: ignored, handled, or the end of its process (kernel/signal.c,
// arch/arm64/kernel/signal.c).

import { fail } from './errno.ts';
import { isOrphaned } from './job-control.ts';
import type { Core } from './kernel.ts';
import { concatenate } from './records.ts';
import { emptyRegisters, loadRegisters, saveRegisters } from './registers.ts';
import { instructionBytes } from './scheduler.ts';
import { buildFrame, frameBytes, frameOffset, frameRecordBytes } from './sigframe.ts';
import {
  ignoredByDefault,
  maskOf,
  SA,
  SI,
  SIG,
  SIG_DFL,
  SIG_IGN,
  stopsByDefault,
  synchronousSignals,
  unblockable,
} from './signal-numbers.ts';
import { signalPage, sigreturnOffset } from './signal-page.ts';
import { hasSignal, isBlocked, takeSignal } from './signal-queues.ts';
import { stopProcess } from './signals.ts';
import type { Registers, Signal, Thread } from './state.ts';
import { writeUser } from './user-memory.ts';

export const SS = { ONSTACK: 1, DISABLE: 2 } as const;
export const noAlternateStack: Thread['alternateStack'] = { sp: 0n, size: 0n, flags: SS.DISABLE };

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

/** The signals of the running thread before it returns to its program. The result is the signal that ends its process, if any; one may stop it. */
export function deliverSignals(core: Core, thread: Thread): Signal | undefined {
  for (;;) {
    const signal = takeSignal(thread);
    if (!signal) break;
    const { number } = signal;
    const handler = thread.process.actions[number]?.handler ?? SIG_DFL;
    if (handler === SIG_IGN || (handler === SIG_DFL && ignoredByDefault.has(number))) continue;
    if (handler === SIG_DFL && stopsByDefault.has(number)) {
      if (number !== SIG.STOP && isOrphaned(core, thread.process.group)) continue;
      stopProcess(core, thread.process, number);
      return undefined;
    }
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
