// futex(2) and futex_waitv(2): the operations of kernel/futex/syscalls.c.

import { fail, isError } from '../errno.ts';
import { addWaiter, anyBit, futexKey, isOfLock, requeue, waitersOf, wakeKey } from '../futex.ts';
import { u64At, viewOf } from '../records.ts';
import { block } from '../scheduler.ts';
import { readUser, readWord, updateWord, writeDoubleword } from '../user-memory.ts';
import { lock, requeueToLock, tryLock, unlock, waitRequeue } from './futex-locks.ts';
import { atClock, readTimespec } from './time.ts';
import { type Call, type Family, type Result, int, uint, unsigned } from './call.ts';

const FUTEX = {
  WAIT: 0,
  WAKE: 1,
  REQUEUE: 3,
  CMP_REQUEUE: 4,
  WAKE_OP: 5,
  LOCK_PI: 6,
  UNLOCK_PI: 7,
  TRYLOCK_PI: 8,
  WAIT_BITSET: 9,
  WAKE_BITSET: 10,
  WAIT_REQUEUE_PI: 11,
  CMP_REQUEUE_PI: 12,
  LOCK_PI2: 13,
  command: 0x7f,
  CLOCK_REALTIME: 0x100,
} as const;

/** When a wait gives up; an error where its time is none. */
function deadlineOf(call: Call, command: number, isRealTime: boolean): number {
  if (call.thread.callDeadline !== undefined) return call.thread.callDeadline;
  const at = unsigned(call, 3);
  if (at === 0) return Infinity;
  const time = readTimespec(call, at);
  if (time < 0) return time;
  return command === FUTEX.WAIT ? call.core.port.now() + time : atClock(call.core, isRealTime, time);
}

function wait(call: Call, command: number, isRealTime: boolean, bitset: number): Result {
  const { core, thread, space } = call;
  const va = unsigned(call, 0);
  if (bitset === 0) return fail('EINVAL');
  const deadline = deadlineOf(call, command, isRealTime);
  if (isError(deadline)) return deadline;
  const key = futexKey(core, space, va);
  const word = readWord(core, space, va);
  if (key === undefined || word === undefined) return fail('EFAULT');
  if (word !== uint(call, 2)) return fail('EAGAIN');
  if (deadline <= core.port.now()) return fail('ETIMEDOUT');
  block(core, thread, { kind: 'futex', keys: [key], bitset }, deadline);
  addWaiter(core, thread);
  return undefined;
}

function wakeOnly(call: Call, bitset: number): Result {
  if (bitset === 0) return fail('EINVAL');
  const { core } = call;
  const key = futexKey(core, call.space, unsigned(call, 0));
  if (key === undefined) return fail('EFAULT');
  // Who waits for a lock, or to be moved to one, is not woken so.
  if (waitersOf(core, key).some(({ wait: waiting }) => isOfLock(waiting))) return fail('EINVAL');
  return wakeKey(core, key, int(call, 2), bitset);
}

function wakeAndRequeue(call: Call, compares: boolean): Result {
  const { core, space } = call;
  const from = futexKey(core, space, unsigned(call, 0));
  const to = futexKey(core, space, unsigned(call, 4));
  const [wakes, moves] = [int(call, 2), int(call, 3)];
  if (wakes < 0 || moves < 0) return fail('EINVAL');
  if (from === undefined || to === undefined) return fail('EFAULT');
  if (compares && readWord(core, space, unsigned(call, 0)) !== uint(call, 5)) return fail('EAGAIN');
  if ([...waitersOf(core, from), ...waitersOf(core, to)].some(({ wait: waiting }) => isOfLock(waiting)))
    return fail('EINVAL');
  const woken = wakeKey(core, from, wakes);
  const moved = requeue(core, from, to, moves);
  return compares ? woken + moved : woken;
}

/** FUTEX_OP: what is done to the second word, and the comparison of its old value. */
function operate(operation: number, old: number, argument: number): number | undefined {
  switch (operation) {
    case 0:
      return argument;
    case 1:
      return old + argument;
    case 2:
      return old | argument;
    case 3:
      return old & ~argument;
    case 4:
      return old ^ argument;
    default:
      return undefined;
  }
}

function holds(comparison: number, old: number, argument: number): boolean | undefined {
  const signed = old | 0;
  const results = [
    signed === argument,
    signed !== argument,
    signed < argument,
    signed <= argument,
    signed > argument,
    signed >= argument,
  ];
  return results[comparison];
}

const signExtend12 = (value: number): number => (value << 20) >> 20;

function wakeOp(call: Call): Result {
  const { core, space } = call;
  const [va, va2] = [unsigned(call, 0), unsigned(call, 4)];
  const [key, key2] = [futexKey(core, space, va), futexKey(core, space, va2)];
  if (key === undefined || key2 === undefined) return fail('EFAULT');
  const encoded = uint(call, 5);
  const argument = signExtend12((encoded >>> 12) & 0xfff);
  const isShift = encoded >>> 31 !== 0;
  const changed = (old: number): number | undefined =>
    operate((encoded >>> 28) & 7, old, isShift ? 1 << (argument & 31) : argument);
  const wakes = (old: number): boolean | undefined => holds((encoded >>> 24) & 15, old, signExtend12(encoded & 0xfff));
  if (changed(0) === undefined || wakes(0) === undefined) return fail('ENOSYS');
  const old = updateWord(core, space, va2, changed);
  if (old === undefined) return fail('EFAULT');
  const woken = wakeKey(core, key, int(call, 2));
  return woken + (wakes(old) === true ? wakeKey(core, key2, int(call, 3)) : 0);
}

/** struct futex_waitv: value, address, flags. */
const vectorBytes = 24;
const vectorLimit = 128;
const FUTEX2 = { size32: 2, private: 0x80 } as const;
const CLOCK_MONOTONIC = 1;

/** Waits for one of several words. */
function waitVector(call: Call): Result {
  const { core, thread, space } = call;
  const [count, flags, timeAt, clock] = [uint(call, 1), uint(call, 2), unsigned(call, 3), int(call, 4)];
  if (flags !== 0 || count === 0 || count > vectorLimit || unsigned(call, 0) === 0) return fail('EINVAL');
  if (timeAt !== 0 && clock !== 0 && clock !== CLOCK_MONOTONIC) return fail('EINVAL');
  const time = timeAt === 0 ? Infinity : readTimespec(call, timeAt);
  if (isError(time)) return time;
  const bytes = readUser(core, space, unsigned(call, 0), count * vectorBytes);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const words = Array.from({ length: count }, (_, n) => ({
    value: view.getBigUint64(n * vectorBytes, true),
    va: u64At(view, n * vectorBytes + 8),
    flags: view.getUint32(n * vectorBytes + 16, true),
    reserved: view.getUint32(n * vectorBytes + 20, true),
  }));
  const isWrong = words.some(
    (word) => (word.flags & ~FUTEX2.private) !== FUTEX2.size32 || word.reserved !== 0 || word.va % 4 !== 0,
  );
  if (isWrong) return fail('EINVAL');
  const keys = words.map(({ va }) => futexKey(core, space, va));
  const isRefused = keys.includes(undefined);
  if (isRefused) return fail('EFAULT');
  if (words.some(({ va, value }) => BigInt(readWord(core, space, va) ?? 0) !== (value & 0xffff_ffffn)))
    return fail('EAGAIN');
  const deadline = thread.callDeadline ?? (time === Infinity ? time : atClock(core, clock === 0, time));
  if (deadline <= core.port.now()) return fail('ETIMEDOUT');
  const held = keys.filter((key) => key !== undefined);
  block(core, thread, { kind: 'futex', keys: held, bitset: anyBit, isVector: true }, deadline);
  addWaiter(core, thread);
  return undefined;
}

/** Commands that have a clock to choose. */
const takesClock: ReadonlySet<number> = new Set([FUTEX.WAIT, FUTEX.WAIT_BITSET, FUTEX.WAIT_REQUEUE_PI, FUTEX.LOCK_PI2]);

function futex(call: Call): Result {
  const operation = uint(call, 1);
  const command = operation & FUTEX.command;
  const isRealTime = (operation & FUTEX.CLOCK_REALTIME) !== 0;
  if (unsigned(call, 0) % 4 !== 0) return fail('EINVAL');
  if (isRealTime && !takesClock.has(command)) return fail('ENOSYS');
  switch (command) {
    case FUTEX.WAIT:
      return wait(call, command, isRealTime, anyBit);
    case FUTEX.WAIT_BITSET:
      return wait(call, command, isRealTime, uint(call, 5));
    case FUTEX.WAKE:
      return wakeOnly(call, anyBit);
    case FUTEX.WAKE_BITSET:
      return wakeOnly(call, uint(call, 5));
    case FUTEX.REQUEUE:
      return wakeAndRequeue(call, false);
    case FUTEX.CMP_REQUEUE:
      return wakeAndRequeue(call, true);
    case FUTEX.WAKE_OP:
      return wakeOp(call);
    case FUTEX.LOCK_PI:
      return lock(call, deadlineOf(call, command, true));
    case FUTEX.LOCK_PI2:
      return lock(call, deadlineOf(call, command, isRealTime));
    case FUTEX.TRYLOCK_PI:
      return tryLock(call);
    case FUTEX.UNLOCK_PI:
      return unlock(call);
    case FUTEX.WAIT_REQUEUE_PI:
      return waitRequeue(call, deadlineOf(call, command, isRealTime));
    case FUTEX.CMP_REQUEUE_PI:
      return requeueToLock(call);
    default:
      return fail('ENOSYS');
  }
}

/** struct robust_list_head. */
const robustHeadBytes = 24;

export const futexCalls: Family = {
  futex,
  futex_waitv: waitVector,
  set_robust_list: (call) => {
    if (unsigned(call, 1) !== robustHeadBytes) return fail('EINVAL');
    call.thread.robustList = unsigned(call, 0);
    return 0;
  },
  get_robust_list: (call) => {
    const { core, space } = call;
    const tid = int(call, 0);
    const thread = tid === 0 ? call.thread : core.state.threads.get(tid);
    if (!thread) return fail('ESRCH');
    if (thread.process !== call.process) return fail('EPERM');
    const isWritten =
      writeDoubleword(core, space, unsigned(call, 1), BigInt(thread.robustList)) &&
      writeDoubleword(core, space, unsigned(call, 2), BigInt(robustHeadBytes));
    return isWritten ? 0 : fail('EFAULT');
  },
};
