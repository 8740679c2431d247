// Signals: what a program says about them, sends, and waits for (kernel/signal.c).

import { fail } from '../errno.ts';
import { fields, viewOf } from '../records.ts';
import { block, blockToRestart } from '../scheduler.ts';
import { frameBytes, restoreFrame, siginfo, stackOf } from '../sigframe.ts';
import { SI, SIG, SIG_DFL, SIG_IGN, ignoredByDefault, lastSignal, maskOf, unblockable } from '../signal-numbers.ts';
import { signalProcess, signalThread } from '../signals.ts';
import { forceSignal, SS, suspendSignals } from '../delivery.ts';
import { forgetSignals, pendingSet, takeSignalOf } from '../signal-queues.ts';
import type { Process, Signal, Thread } from '../state.ts';
import { readDoubleword, readUser, writeDoubleword, writeUser } from '../user-memory.ts';
import { readTimespec } from './time.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';

/** sigset_t of the kernel. */
const setBytes = 8;
/** struct sigaction: handler, flags, restorer, mask. */
const actionBytes = 32;

function sigaction(call: Call): Result {
  const { core, space, process } = call;
  const number = int(call, 0);
  const [newAt, oldAt] = [unsigned(call, 1), unsigned(call, 2)];
  if (unsigned(call, 3) !== setBytes || number < 1 || number > lastSignal) return fail('EINVAL');
  if (newAt !== 0 && (unblockable & maskOf(number)) !== 0n) return fail('EINVAL');
  const wanted = newAt === 0 ? undefined : readUser(core, space, newAt, actionBytes);
  if (newAt !== 0 && !wanted) return fail('EFAULT');
  const { handler = SIG_DFL, flags = 0n, restorer = 0n, mask = 0n } = process.actions[number] ?? {};
  if (oldAt !== 0) {
    const old = fields(actionBytes).i64(0, handler).i64(8, flags).i64(16, restorer).i64(24, mask);
    if (!writeUser(core, space, oldAt, old.bytes)) return fail('EFAULT');
  }
  if (!wanted) return 0;
  const view = viewOf(wanted);
  const at = (offset: number): bigint => view.getBigUint64(offset, true);
  process.actions[number] = { handler: at(0), flags: at(8), restorer: at(16), mask: at(24) };
  const ignores = at(0) === SIG_IGN || (at(0) === SIG_DFL && ignoredByDefault.has(number));
  if (ignores) forgetSignals(process, new Set([number]));
  return 0;
}

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

function maskAfter(how: number, before: bigint, set: bigint): bigint | undefined {
  switch (how) {
    case SIG_BLOCK:
      return before | set;
    case SIG_UNBLOCK:
      return before & ~set;
    case SIG_SETMASK:
      return set;
    default:
      return undefined;
  }
}

function sigprocmask(call: Call): Result {
  const { core, space, thread } = call;
  const [newAt, oldAt] = [unsigned(call, 1), unsigned(call, 2)];
  if (unsigned(call, 3) !== setBytes) return fail('EINVAL');
  const before = thread.blockedSignals;
  if (newAt !== 0) {
    const set = readDoubleword(core, space, newAt);
    if (set === undefined) return fail('EFAULT');
    const after = maskAfter(int(call, 0), before, set);
    if (after === undefined) return fail('EINVAL');
    thread.blockedSignals = after & ~unblockable;
  }
  return oldAt === 0 || writeDoubleword(core, space, oldAt, before) ? 0 : fail('EFAULT');
}

/** A frame at SP; one that is damaged ends the process. */
function sigreturn({ core, space, thread }: Call): Result {
  const at = core.pe.readRegister('SP_EL0');
  const frame = at % 16n === 0n ? readUser(core, space, Number(at), frameBytes) : undefined;
  const mask = frame && restoreFrame(core, frame);
  if (!frame || mask === undefined) {
    forceSignal(core, thread, { number: SIG.SEGV, code: SI.KERNEL });
    return undefined;
  }
  thread.blockedSignals = mask & ~unblockable;
  thread.alternateStack = stackOf(frame);
  return undefined;
}

const minimumStackBytes = 5120n;

function sigaltstack(call: Call): Result {
  const { core, space, thread } = call;
  const [newAt, oldAt] = [unsigned(call, 0), unsigned(call, 1)];
  const { sp, size, flags } = thread.alternateStack;
  const stackPointer = core.pe.readRegister('SP_EL0');
  const isOnIt = size > 0n && stackPointer > sp && stackPointer - sp <= size;
  const wanted = newAt === 0 ? undefined : readUser(core, space, newAt, 24);
  if (newAt !== 0 && !wanted) return fail('EFAULT');
  if (oldAt !== 0) {
    const old = fields(24)
      .i64(0, sp)
      .u32(8, isOnIt ? SS.ONSTACK : flags)
      .i64(16, size);
    if (!writeUser(core, space, oldAt, old.bytes)) return fail('EFAULT');
  }
  if (!wanted) return 0;
  if (isOnIt) return fail('EPERM');
  const view = viewOf(wanted);
  const mode = view.getUint32(8, true);
  if ((mode & ~(SS.DISABLE | SS.ONSTACK)) !== 0) return fail('EINVAL');
  if ((mode & SS.DISABLE) !== 0) {
    thread.alternateStack = { sp: 0n, size: 0n, flags: SS.DISABLE };
    return 0;
  }
  const wantedBytes = view.getBigUint64(16, true);
  if (wantedBytes < minimumStackBytes) return fail('ENOMEM');
  thread.alternateStack = { sp: view.getBigUint64(0, true), size: wantedBytes, flags: 0 };
  return 0;
}

const isSignal = (number: number): boolean => number >= 0 && number <= lastSignal;

/** Processes that kill(2) means by its first argument. */
function targetsOf({ core, process }: Call, pid: number): Process[] {
  const all = [...core.state.processes.values()];
  if (pid > 0) return all.filter((candidate) => candidate.pid === pid);
  if (pid === -1) return all.filter((candidate) => candidate.pid !== core.state.firstPid && candidate !== process);
  const group = pid === 0 ? process.group : -pid;
  return all.filter((candidate) => candidate.group === group);
}

function kill(call: Call): Result {
  const { core, process } = call;
  const number = int(call, 1);
  if (!isSignal(number)) return fail('EINVAL');
  const targets = targetsOf(call, int(call, 0));
  if (targets.length === 0) return fail('ESRCH');
  if (number > 0)
    for (const target of targets) signalProcess(core, target, { number, code: SI.USER, pid: process.pid });
  return 0;
}

function sendTo(call: Call, group: number | undefined, tid: number, signal: Signal): Result {
  if (!isSignal(signal.number) || tid <= 0 || (group !== undefined && group <= 0)) return fail('EINVAL');
  const thread: Thread | undefined = call.core.state.threads.get(tid);
  if (!thread || (group !== undefined && thread.process.pid !== group)) return fail('ESRCH');
  if (signal.number > 0) signalThread(call.core, thread, signal);
  return 0;
}

/** siginfo that a program has written itself, for a process: only to itself may it say what it likes. */
export function readSiginfo(call: Call, at: number, number: number, target: number): Signal | number {
  const bytes = readUser(call.core, call.space, at, 128);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const code = view.getInt32(8, true);
  if ((code >= 0 || code === SI.TKILL) && target !== call.process.pid) return fail('EPERM');
  return { number, code, pid: view.getInt32(16, true), value: view.getBigUint64(24, true) };
}

function sigqueue(call: Call): Result {
  const number = int(call, 1);
  if (!isSignal(number)) return fail('EINVAL');
  const signal = readSiginfo(call, unsigned(call, 2), number, int(call, 0));
  if (typeof signal === 'number') return signal;
  const target = call.core.state.processes.get(int(call, 0));
  if (!target) return fail('ESRCH');
  if (number > 0) signalProcess(call.core, target, signal);
  return 0;
}

function sigsuspend(call: Call): Result {
  const { core, space, thread } = call;
  const set = readDoubleword(core, space, unsigned(call, 0));
  if (unsigned(call, 1) !== setBytes) return fail('EINVAL');
  if (set === undefined) return fail('EFAULT');
  if (!suspendSignals(core, thread, set)) block(core, thread, { kind: 'pause' });
  return undefined;
}

function sigtimedwait(call: Call): Result {
  const { core, space, thread } = call;
  const set = readDoubleword(core, space, unsigned(call, 0));
  const [infoAt, timeAt] = [unsigned(call, 1), unsigned(call, 2)];
  if (unsigned(call, 3) !== setBytes) return fail('EINVAL');
  if (set === undefined) return fail('EFAULT');
  const time = timeAt === 0 ? Infinity : readTimespec(call, timeAt);
  if (time < 0) return time;
  const taken = takeSignalOf(thread, set & ~unblockable);
  const deadline = thread.callDeadline ?? core.port.now() + time;
  thread.callDeadline = undefined;
  if (taken) {
    return infoAt === 0 || writeUser(core, space, infoAt, siginfo(taken)) ? taken.number : fail('EFAULT');
  }
  if (deadline <= core.port.now()) return fail('EAGAIN');
  thread.callDeadline = deadline;
  blockToRestart(core, thread, { kind: 'signal', set: set & ~unblockable }, deadline);
  return undefined;
}

export const signalCalls: Family = {
  rt_sigaction: sigaction,
  rt_sigprocmask: sigprocmask,
  rt_sigreturn: sigreturn,
  rt_sigpending: (call) =>
    writeDoubleword(call.core, call.space, unsigned(call, 0), pendingSet(call.thread) & call.thread.blockedSignals)
      ? 0
      : fail('EFAULT'),
  rt_sigsuspend: sigsuspend,
  rt_sigtimedwait: sigtimedwait,
  rt_sigqueueinfo: sigqueue,
  rt_tgsigqueueinfo: (call) => {
    const signal = readSiginfo(call, unsigned(call, 3), int(call, 2), int(call, 0));
    return typeof signal === 'number' ? signal : sendTo(call, int(call, 0), int(call, 1), signal);
  },
  sigaltstack,
  kill,
  tkill: (call) =>
    sendTo(call, undefined, int(call, 0), { number: int(call, 1), code: SI.TKILL, pid: call.process.pid }),
  tgkill: (call) =>
    sendTo(call, int(call, 0), int(call, 1), { number: int(call, 2), code: SI.TKILL, pid: call.process.pid }),
};
