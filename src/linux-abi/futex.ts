// Futexes (kernel/futex): threads that wait for a word of memory, by a key that is the same for all who share it, and the robust lists
// by which a thread that ends lets go of what it has locked.

import type { Core } from './kernel.ts';
import { mappingAt } from './mappings.ts';
import { resolve } from './faults.ts';
import { readDoubleword, readWord, updateWord, writeWord } from './user-memory.ts';
import { wake } from './scheduler.ts';
import type { AddressSpace, FutexWait, Thread } from './state.ts';

export const anyBit = 0xffff_ffff;

/** The key of a word: its frame where the mapping is shared, else its address in this space. Undefined where it cannot be read. */
export function futexKey(core: Core, space: AddressSpace, va: number): string | undefined {
  const pa = resolve(core, space, va, 'read');
  if (typeof pa !== 'number') return undefined;
  return mappingAt(space, va)?.isShared === true ? `pa ${pa}` : `${space.asid}:${va}`;
}

export const futexWait = ({ wait }: Thread): FutexWait | undefined => (wait?.kind === 'futex' ? wait : undefined);
/** Waits for a lock with priority inheritance, or to be moved to one. */
export const isOfLock = (wait: Thread['wait']): boolean =>
  wait?.kind === 'futex' && (wait.lockAt !== undefined || wait.requeueTo !== undefined);
export const waitersOf = ({ state: { futexes } }: Core, key: string): readonly Thread[] => futexes.get(key) ?? [];

export function addWaiter({ state: { futexes } }: Core, thread: Thread): void {
  for (const key of futexWait(thread)?.keys ?? []) {
    const waiters = futexes.get(key);
    if (waiters) waiters.push(thread);
    else futexes.set(key, [thread]);
  }
}

/** A thread does not wait any more: it is woken, its time is over, or a signal has come. */
export function removeWaiter({ state: { futexes } }: Core, thread: Thread): void {
  for (const key of futexWait(thread)?.keys ?? []) {
    const waiters = futexes.get(key);
    if (!waiters) continue;
    const at = waiters.indexOf(thread);
    if (at >= 0) waiters.splice(at, 1);
    if (waiters.length === 0) futexes.delete(key);
  }
}

/** Ends a wait for a word: the result is 0, or, of futex_waitv, which of the words it was. */
export function wakeWaiter(core: Core, thread: Thread, key: string): void {
  const wait = futexWait(thread);
  removeWaiter(core, thread);
  wake(core, thread, wait?.isVector === true ? wait.keys.indexOf(key) : 0);
}

/** Wakes up to `count` waiters that have one of these bits; how many. */
export function wakeKey(core: Core, key: string, count: number, bitset = anyBit): number {
  const woken = waitersOf(core, key)
    .filter((thread) => ((futexWait(thread)?.bitset ?? 0) & bitset) !== 0)
    .slice(0, Math.max(count, 0));
  for (const thread of woken) wakeWaiter(core, thread, key);
  return woken.length;
}

export function wakeFutex(core: Core, space: AddressSpace, va: number, count: number): void {
  const key = futexKey(core, space, va);
  if (key !== undefined) wakeKey(core, key, count);
}

/** Moves up to `count` waiters to another word; how many. */
export function requeue(core: Core, from: string, to: string, count: number): number {
  const waiters = waitersOf(core, from).slice(0, Math.max(count, 0));
  if (from === to) return waiters.length;
  for (const thread of waiters) {
    const wait = futexWait(thread);
    if (!wait) continue;
    removeWaiter(core, thread);
    thread.wait = { ...wait, keys: wait.keys.map((key) => (key === from ? to : key)) };
    addWaiter(core, thread);
  }
  return waiters.length;
}

export const FUTEX_WAITERS = 0x8000_0000;
export const FUTEX_OWNER_DIED = 0x4000_0000;
export const FUTEX_TID_MASK = 0x3fff_ffff;

/**
 * A lock with priority inheritance passes to who has waited longest: all threads have one priority. False where nobody waits for it.
 * `died`: FUTEX_OWNER_DIED, where its owner has not let go of it.
 */
export function passLock(core: Core, key: string, died: number): boolean {
  const [next, ...rest] = waitersOf(core, key);
  const va = next && futexWait(next)?.lockAt;
  if (!next || va === undefined) return false;
  const word = (next.tid | (rest.length > 0 ? FUTEX_WAITERS : 0) | died) >>> 0;
  writeWord(core, next.process.space, va, word);
  wakeWaiter(core, next, key);
  return true;
}

/** ROBUST_LIST_LIMIT. */
const robustLimit = 2048;

/** Marks a lock of a thread that has ended, and wakes one who waits for it. */
function ownerDied(core: Core, thread: Thread, va: number): void {
  const { space } = thread.process;
  const isOwn = (word: number): boolean => (word & FUTEX_TID_MASK) === thread.tid;
  const found = readWord(core, space, va);
  if (found === undefined || !isOwn(found)) return;
  const key = futexKey(core, space, va);
  if (key !== undefined && passLock(core, key, FUTEX_OWNER_DIED)) return;
  // Others may say meanwhile that they wait.
  const word = updateWord(core, space, va, (held) =>
    isOwn(held) ? (held & FUTEX_WAITERS) | FUTEX_OWNER_DIED : undefined,
  );
  if (word !== undefined && (word & FUTEX_WAITERS) !== 0) wakeFutex(core, space, va, 1);
}

/** exit_robust_list(). */
export function releaseRobustList(core: Core, thread: Thread): void {
  const { robustList: head, process } = thread;
  if (head === 0) return;
  const pointerAt = (va: number): number | undefined => {
    const value = readDoubleword(core, process.space, va);
    return value === undefined ? undefined : Number(value & ~1n);
  };
  const offset = readDoubleword(core, process.space, head + 8);
  const pending = pointerAt(head + 16);
  if (offset === undefined || pending === undefined) return;
  const distance = Number(BigInt.asIntN(64, offset));
  let entry = pointerAt(head);
  for (let n = 0; n < robustLimit && entry !== undefined && entry !== head; n += 1) {
    const next = pointerAt(entry);
    if (entry !== pending) ownerDied(core, thread, entry + distance);
    entry = next;
  }
  if (pending !== 0) ownerDied(core, thread, pending + distance);
}

/** exit_pi_state_list(): locks with priority inheritance that a thread still holds pass to others. */
export function releaseLocks(core: Core, thread: Thread): void {
  for (const [key, [first]] of [...core.state.futexes]) {
    const va = first && futexWait(first)?.lockAt;
    if (!first || va === undefined) continue;
    const word = readWord(core, first.process.space, va);
    if (word !== undefined && (word & FUTEX_TID_MASK) === thread.tid) passLock(core, key, FUTEX_OWNER_DIED);
  }
}
