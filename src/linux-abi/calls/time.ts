// Time is simulated time: clocks, sleep, interval timers (kernel/time). The date begins at that of the machine's reset.

import { fail, isError } from '../errno.ts';
import { cpuClockTicks, processTicks, threadTicks } from '../cpu-time.ts';
import type { CpuClock, Timer } from '../files/inode.ts';
import type { Core } from '../kernel.ts';
import { concatenate, fields, i64At, timespec, viewOf } from '../records.ts';
import { block } from '../scheduler.ts';
import { armTimer, clockOf, ticksLeft } from '../timers.ts';
import { readUser, writeUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';

const secondTicks = 1_000_000_000;
const microsecondTicks = 1000;
const clockTicks = 10_000_000;

const CLOCK = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
  MONOTONIC_RAW: 4,
  REALTIME_COARSE: 5,
  MONOTONIC_COARSE: 6,
  BOOTTIME: 7,
  TAI: 11,
} as const;
export const realTime: ReadonlySet<number> = new Set([CLOCK.REALTIME, CLOCK.REALTIME_COARSE, CLOCK.TAI]);
export const sinceReset: ReadonlySet<number> = new Set([
  CLOCK.MONOTONIC,
  CLOCK.MONOTONIC_RAW,
  CLOCK.MONOTONIC_COARSE,
  CLOCK.BOOTTIME,
]);

/** A clock in nanoseconds; undefined where there is none of that number. */
function readClock(call: Call, clock: number): number | undefined {
  const { core } = call;
  if (realTime.has(clock)) return core.platform.startSeconds * secondTicks + core.port.now();
  if (sinceReset.has(clock)) return core.port.now();
  const running = cpuClock(call, clock);
  return running && cpuClockTicks(core, running);
}

/** Clocks of what a thread or process has run: the two of the caller, and ~pid << 3, with bit 2 for a thread and the kind below. */
export function cpuClock({ thread, process, core }: Call, clock: number): CpuClock | undefined {
  if (clock === CLOCK.PROCESS_CPUTIME_ID) return { kind: 'process', id: process.pid };
  if (clock === CLOCK.THREAD_CPUTIME_ID) return { kind: 'thread', id: thread.tid };
  if (clock >= 0) return undefined;
  const id = ~(clock >> 3);
  const kind = (clock & 4) === 0 ? 'process' : 'thread';
  if (id === 0) return { kind, id: kind === 'process' ? process.pid : thread.tid };
  const found: CpuClock = { kind, id };
  return cpuClockTicks(core, found) === undefined ? undefined : found;
}

/** Nanoseconds since 1970 need more than 53 bits. */
const exactly = ({ core }: Call, clock: number, value: number): bigint =>
  realTime.has(clock)
    ? BigInt(core.platform.startSeconds) * BigInt(secondTicks) + BigInt(core.port.now())
    : BigInt(value);

/** A timespec as nanoseconds; an error where it cannot be read or is none. */
export function readTimespec({ core, space }: Pick<Call, 'core' | 'space'>, va: number): number {
  const bytes = readUser(core, space, va, 16);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const [seconds, rest] = [i64At(view, 0), i64At(view, 8)];
  return seconds < 0 || rest < 0 || rest >= secondTicks ? fail('EINVAL') : seconds * secondTicks + rest;
}

/** Simulated time at which a clock shows this. */
export const atClock = (core: Core, isRealTime: boolean, nanoseconds: number): number =>
  isRealTime ? nanoseconds - core.platform.startSeconds * secondTicks : nanoseconds;

function clockGettime(call: Call): Result {
  const clock = int(call, 0);
  const value = readClock(call, clock);
  if (value === undefined) return fail('EINVAL');
  return writeUser(call.core, call.space, unsigned(call, 1), timespec(exactly(call, clock, value)))
    ? 0
    : fail('EFAULT');
}

/** Sleeps until a time; `remainder`: where the rest goes that a signal has left. */
function sleepUntil({ core, thread }: Call, first: number, remainder: number): Result {
  const deadline = thread.callDeadline ?? first;
  if (deadline <= core.port.now()) return 0;
  block(core, thread, { kind: 'sleep', remainder }, deadline);
  return undefined;
}

function nanosleep(call: Call): Result {
  const duration = readTimespec(call, unsigned(call, 0));
  return duration < 0 ? duration : sleepUntil(call, call.core.port.now() + duration, unsigned(call, 1));
}

export const TIMER_ABSTIME = 1;

function clockNanosleep(call: Call): Result {
  const { core } = call;
  const clock = int(call, 0);
  if (!realTime.has(clock) && !sinceReset.has(clock))
    return clock === CLOCK.THREAD_CPUTIME_ID ? fail('EINVAL') : fail('EOPNOTSUPP');
  const time = readTimespec(call, unsigned(call, 2));
  if (time < 0) return time;
  if ((int(call, 1) & TIMER_ABSTIME) === 0) return sleepUntil(call, core.port.now() + time, unsigned(call, 3));
  return sleepUntil(call, atClock(core, realTime.has(clock), time), 0);
}

/** struct timeval. */
const timeval = (nanoseconds: bigint): Uint8Array =>
  fields(16)
    .i64(0, nanoseconds / BigInt(secondTicks))
    .i64(8, (nanoseconds % BigInt(secondTicks)) / BigInt(microsecondTicks)).bytes;

function gettimeofday(call: Call): Result {
  const { core, space } = call;
  const at = unsigned(call, 0);
  if (at !== 0 && !writeUser(core, space, at, timeval(exactly(call, CLOCK.REALTIME, 0)))) return fail('EFAULT');
  const zone = unsigned(call, 1);
  return zone === 0 || writeUser(core, space, zone, new Uint8Array(8)) ? 0 : fail('EFAULT');
}

function times({ core, process, space, x }: Call): Result {
  const ticks = (value: number): number => Math.floor(value / clockTicks);
  const record = fields(32)
    .i64(0, ticks(processTicks(core, process)))
    .i64(16, ticks(process.childrenTicks));
  if (x[0] !== 0n && !writeUser(core, space, Number(x[0]), record.bytes)) return fail('EFAULT');
  return ticks(core.port.now());
}

const RUSAGE = { SELF: 0, CHILDREN: -1, THREAD: 1 } as const;

/** struct rusage: all of the time is the user's. */
export function rusage(ticks: number): Uint8Array {
  const record = fields(144);
  record.bytes.set(timeval(BigInt(ticks)));
  return record.bytes;
}

function getrusage(call: Call): Result {
  const { core, process, thread, space } = call;
  const ticks = {
    [RUSAGE.SELF]: processTicks(core, process),
    [RUSAGE.CHILDREN]: process.childrenTicks,
    [RUSAGE.THREAD]: threadTicks(core, thread),
  }[int(call, 0)];
  if (ticks === undefined) return fail('EINVAL');
  return writeUser(core, space, unsigned(call, 1), rusage(ticks)) ? 0 : fail('EFAULT');
}

/** struct itimerval, in ticks. */
const itimerval = (interval: number, value: number): Uint8Array => {
  const record = fields(32);
  record.bytes.set(timeval(BigInt(interval)));
  record.bytes.set(timeval(BigInt(value)), 16);
  return record.bytes;
};

/** struct itimerspec: what a timer is set to. */
export interface TimerSetting {
  readonly interval: number;
  readonly value: number;
}

/** A struct itimerspec in ticks, or an error. */
export function readItimerspec(call: Pick<Call, 'core' | 'space'>, va: number): TimerSetting | number {
  const [interval, value] = [readTimespec(call, va), readTimespec(call, va + 16)];
  if (isError(interval)) return interval;
  return isError(value) ? value : { interval, value };
}

/** What the clock of a timer shows when it expires that is set so; 0 stops it. */
export function expiryOf(core: Core, timer: Timer, value: number, isAbsolute: boolean, isRealTime: boolean): number {
  if (value === 0) return Infinity;
  return isAbsolute ? atClock(core, isRealTime, value) : clockOf(core, timer) + value;
}

/** The time that a timer has left, and its interval. */
export function itimerspec(core: Core, timer: Timer): Uint8Array {
  return concatenate([timespec(BigInt(timer.interval)), timespec(BigInt(ticksLeft(core, timer)))]);
}

/** The timer of setitimer with this number: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF. */
const intervalTimer = (call: Call): Timer | undefined => call.process.intervalTimers[int(call, 0)];

const settingOf = (core: Core, timer: Timer): Uint8Array => itimerval(timer.interval, ticksLeft(core, timer));

function getitimer(call: Call): Result {
  const { core, space } = call;
  const timer = intervalTimer(call);
  if (!timer) return fail('EINVAL');
  return writeUser(core, space, unsigned(call, 1), settingOf(core, timer)) ? 0 : fail('EFAULT');
}

const mostMicroseconds = 999_999;

/** A struct itimerval in ticks, or an error; no address stands for one that stops the timer. */
function readItimerval({ core, space }: Call, va: number): TimerSetting | number {
  if (va === 0) return { interval: 0, value: 0 };
  const bytes = readUser(core, space, va, 32);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const isTime = (at: number): boolean =>
    i64At(view, at) >= 0 && i64At(view, at + 8) >= 0 && i64At(view, at + 8) <= mostMicroseconds;
  if (!isTime(0) || !isTime(16)) return fail('EINVAL');
  const at = (offset: number): number => i64At(view, offset) * secondTicks + i64At(view, offset + 8) * microsecondTicks;
  return { interval: at(0), value: at(16) };
}

function setitimer(call: Call): Result {
  const { core, space } = call;
  const wanted = readItimerval(call, unsigned(call, 1));
  if (typeof wanted === 'number') return wanted;
  const timer = intervalTimer(call);
  if (!timer) return fail('EINVAL');
  const old = settingOf(core, timer);
  const { value, interval } = wanted;
  armTimer(core, timer, value === 0 ? Infinity : clockOf(core, timer) + value, interval);
  const oldAt = unsigned(call, 2);
  return oldAt === 0 || writeUser(core, space, oldAt, old) ? 0 : fail('EFAULT');
}

export const timeCalls: Family = {
  clock_gettime: clockGettime,
  clock_getres: (call) => {
    if (readClock(call, int(call, 0)) === undefined) return fail('EINVAL');
    const at = unsigned(call, 1);
    return at === 0 || writeUser(call.core, call.space, at, timespec(1n)) ? 0 : fail('EFAULT');
  },
  clock_settime: () => fail('EPERM'),
  settimeofday: () => fail('EPERM'),
  nanosleep,
  clock_nanosleep: clockNanosleep,
  gettimeofday,
  times,
  getrusage,
  getitimer,
  setitimer,
};
