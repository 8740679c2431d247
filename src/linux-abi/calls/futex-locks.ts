// Futexes with priority inheritance (kernel/futex/pi.c, requeue.c): the word holds who owns the lock, and the kernel passes it on. All
// threads have one priority, so that who has waited longest is next.

import { isError, fail } from '../errno.ts';
import {
  addWaiter,
  anyBit,
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
  futexKey,
  futexWait,
  passLock,
  removeWaiter,
  waitersOf,
  wakeWaiter,
} from '../futex.ts';
import { block } from '../scheduler.ts';
import type { Thread } from '../state.ts';
import { readWord, updateWord, writeWord } from '../user-memory.ts';
import { type Call, int, type Result, uint, unsigned } from './call.ts';

/** Takes a lock for a thread, or says why it cannot: EAGAIN where another has it, which is told that somebody waits. */
function claim({ core, space }: Call, thread: Thread, va: number, key: string): number {
  const waiters = waitersOf(core, key);
  // A word that others wait for as for a plain one is no such lock.
  const isPlain = waiters.some((other) => futexWait(other)?.lockAt === undefined);
  let result = 0;
  // The owner may let go of it meanwhile, and others take it, without a call.
  const found = updateWord(core, space, va, (word) => {
    const owner = word & FUTEX_TID_MASK;
    result = 0;
    if (owner === thread.tid) result = fail('EDEADLK');
    else if (isPlain) result = fail('EINVAL');
    else if (owner !== 0 && !core.state.threads.has(owner)) result = fail('ESRCH');
    if (result !== 0) return undefined;
    if (owner === 0) return thread.tid | (word & FUTEX_OWNER_DIED) | (waiters.length > 0 ? FUTEX_WAITERS : 0);
    result = fail('EAGAIN');
    return word | FUTEX_WAITERS;
  });
  return found === undefined ? fail('EFAULT') : result;
}

/** FUTEX_LOCK_PI and FUTEX_LOCK_PI2. */
export function lock(call: Call, deadline: number): Result {
  const { core, thread, space } = call;
  if (isError(deadline)) return deadline;
  const va = unsigned(call, 0);
  const key = futexKey(core, space, va);
  if (key === undefined) return fail('EFAULT');
  const result = claim(call, thread, va, key);
  if (result !== fail('EAGAIN')) return result;
  if (deadline <= core.port.now()) return fail('ETIMEDOUT');
  block(core, thread, { kind: 'futex', keys: [key], bitset: anyBit, lockAt: va }, deadline);
  addWaiter(core, thread);
  return undefined;
}

export function tryLock(call: Call): Result {
  const { core, thread, space } = call;
  const va = unsigned(call, 0);
  const key = futexKey(core, space, va);
  return key === undefined ? fail('EFAULT') : claim(call, thread, va, key);
}

export function unlock(call: Call): Result {
  const { core, thread, space } = call;
  const va = unsigned(call, 0);
  const word = readWord(core, space, va);
  const key = futexKey(core, space, va);
  if (word === undefined || key === undefined) return fail('EFAULT');
  if ((word & FUTEX_TID_MASK) !== thread.tid) return fail('EPERM');
  if (passLock(core, key, 0)) return 0;
  if (waitersOf(core, key).length > 0) return fail('EINVAL');
  return writeWord(core, space, va, 0) ? 0 : fail('EFAULT');
}

/** FUTEX_WAIT_REQUEUE_PI: waits for a plain word until FUTEX_CMP_REQUEUE_PI has it wait for the lock, and returns as its owner. */
export function waitRequeue(call: Call, deadline: number): Result {
  const { core, thread, space } = call;
  if (isError(deadline)) return deadline;
  const [va, lockAt] = [unsigned(call, 0), unsigned(call, 4)];
  if (va === lockAt || lockAt % 4 !== 0) return fail('EINVAL');
  const [key, target] = [futexKey(core, space, va), futexKey(core, space, lockAt)];
  const word = readWord(core, space, va);
  if (key === undefined || target === undefined || word === undefined) return fail('EFAULT');
  if (word !== uint(call, 2)) return fail('EAGAIN');
  if (deadline <= core.port.now()) return fail('ETIMEDOUT');
  block(core, thread, { kind: 'futex', keys: [key], bitset: anyBit, requeueTo: target }, deadline);
  addWaiter(core, thread);
  return undefined;
}

/** FUTEX_CMP_REQUEUE_PI: the first waiter gets the lock if it is free; the others wait for it from now on. */
export function requeueToLock(call: Call): Result {
  const { core, space } = call;
  const [va, lockAt] = [unsigned(call, 0), unsigned(call, 4)];
  const [wakes, moves] = [int(call, 2), int(call, 3)];
  if (moves < 0 || wakes !== 1 || va === lockAt || lockAt % 4 !== 0) return fail('EINVAL');
  const [key, target] = [futexKey(core, space, va), futexKey(core, space, lockAt)];
  const word = readWord(core, space, va);
  if (key === undefined || target === undefined || word === undefined) return fail('EFAULT');
  if (word !== uint(call, 5)) return fail('EAGAIN');
  const waiters = waitersOf(core, key).slice(0, wakes + moves);
  if (waiters.some((thread) => futexWait(thread)?.requeueTo !== target)) return fail('EINVAL');
  for (const thread of waiters) {
    const result = claim(call, thread, lockAt, target);
    if (result === 0) {
      wakeWaiter(core, thread, key);
      continue;
    }
    if (result !== fail('EAGAIN')) return result;
    removeWaiter(core, thread);
    thread.wait = { kind: 'futex', keys: [target], bitset: anyBit, lockAt };
    addWaiter(core, thread);
  }
  return waiters.length;
}
