// Timers that send signals: timer_create and its kin (kernel/time/posix-timers.c, posix-cpu-timers.c).

import { fail } from '../errno.ts';
import type { CpuClock, PosixTimer, Timer } from '../files/inode.ts';
import { posixTimers } from '../limits.ts';
import { viewOf } from '../records.ts';
import { lastSignal, SIG } from '../signal-numbers.ts';
import { armTimer, disarmTimer, makeTimer } from '../timers.ts';
import { readUser, writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';
import { cpuClock, expiryOf, itimerspec, readItimerspec, realTime, sinceReset, TIMER_ABSTIME } from './time.ts';

const SIGEV = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;
const sigeventBytes = 64;

type Notification = Pick<PosixTimer, 'signal' | 'value'> & { readonly tid?: number };

/** What a struct sigevent asks for, or an error. Without one it is SIGALRM with the number of the timer. */
function notificationAt(call: Call, va: number, id: number): Notification | number {
  if (va === 0) return { signal: SIG.ALRM, value: BigInt(id) };
  const bytes = readUser(call.core, call.space, va, sigeventBytes);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const value = view.getBigUint64(0, true);
  const [signal, notify, tid] = [view.getInt32(8, true), view.getInt32(12, true), view.getInt32(16, true)];
  if (notify === SIGEV.NONE) return { signal: 0, value };
  if (signal < 1 || signal > lastSignal) return fail('EINVAL');
  if (notify === SIGEV.SIGNAL || notify === SIGEV.THREAD) return { signal, value };
  if (notify !== SIGEV.THREAD_ID) return fail('EINVAL');
  return call.process.threads.some((thread) => thread.tid === tid) ? { signal, value, tid } : fail('EINVAL');
}

function create(call: Call): Result {
  const { core, process, space } = call;
  const clock = int(call, 0);
  const isOfTime = realTime.has(clock) || sinceReset.has(clock);
  const running: CpuClock | undefined = isOfTime ? undefined : cpuClock(call, clock);
  if (!isOfTime && !running) return fail('EINVAL');
  // Timers hold a signal each: RLIMIT_SIGPENDING.
  if (process.timers.size >= posixTimers) return fail('EAGAIN');
  const id = process.nextTimer;
  const notification = notificationAt(call, unsigned(call, 1), id);
  if (typeof notification === 'number') return notification;
  if (!writeWord(core, space, unsigned(call, 2), id)) return fail('EFAULT');
  process.nextTimer += 1;
  const timer: PosixTimer = { id, ...notification, isRealTime: realTime.has(clock), overrun: 0, lastOverrun: 0 };
  process.timers.set(id, makeTimer({ kind: 'posix', pid: process.pid, timer }, running));
  return 0;
}

interface Found {
  readonly timer: Timer;
  readonly posix: PosixTimer;
}

function found(call: Call): Found | undefined {
  const timer = call.process.timers.get(int(call, 0));
  return timer?.target.kind === 'posix' ? { timer, posix: timer.target.timer } : undefined;
}

function settime(call: Call): Result {
  const { core, space } = call;
  const wanted = readItimerspec(call, unsigned(call, 2));
  if (typeof wanted === 'number') return wanted;
  const one = found(call);
  if (!one) return fail('EINVAL');
  const old = itimerspec(core, one.timer);
  const isAbsolute = (int(call, 1) & TIMER_ABSTIME) !== 0;
  one.posix.overrun = 0;
  one.posix.lastOverrun = 0;
  const expiry = expiryOf(core, one.timer, wanted.value, isAbsolute, one.posix.isRealTime);
  armTimer(core, one.timer, expiry, wanted.value === 0 ? 0 : wanted.interval);
  const oldAt = unsigned(call, 3);
  return oldAt === 0 || writeUser(core, space, oldAt, old) ? 0 : fail('EFAULT');
}

function gettime(call: Call): Result {
  const one = found(call);
  if (!one) return fail('EINVAL');
  return writeUser(call.core, call.space, unsigned(call, 1), itimerspec(call.core, one.timer)) ? 0 : fail('EFAULT');
}

/** DELAYTIMER_MAX. */
const overrunLimit = 0x7fff_ffff;

export const timerCalls: Family = {
  timer_create: create,
  timer_settime: settime,
  timer_gettime: gettime,
  timer_getoverrun: (call) => {
    const one = found(call);
    return one ? Math.min(one.posix.lastOverrun, overrunLimit) : fail('EINVAL');
  },
  timer_delete: (call) => {
    const one = found(call);
    if (!one) return fail('EINVAL');
    disarmTimer(call.core, one.timer);
    call.process.timers.delete(one.posix.id);
    return 0;
  },
};
