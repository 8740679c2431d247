// Futexes (kernel/futex): threads that wait for a word of memory, by a key that is the same for all who share it, and the robust lists
// by which a thread that ends lets go of what it has locked.

import type { Core } from './kernel.ts';
import { mappingAt } from './mappings.ts';
import { resolve } from './faults.ts';
import { readDoubleword, readWord, writeWord } from './user-memory.ts';
import { wake } from './scheduler.ts';
import type { AddressSpace, Thread } from './state.ts';

export const anyBit = 0xffff_ffff;

/** The key of a word: its frame where the mapping is shared, else its address in this space. Undefined where it cannot be read. */
export function futexKey(core: Core, space: AddressSpace, va: number): string | undefined {
  const pa = resolve(core, space, va, 'read');
  if (typeof pa !== 'number') return undefined;
  return mappingAt(space, va)?.isShared === true ? `pa ${pa}` : `${space.asid}:${va}`;
}

export function addWaiter({ state: { futexes } }: Core, key: string, thread: Thread): void {
  const waiters = futexes.get(key);
  if (waiters) waiters.push(thread);
  else futexes.set(key, [thread]);
}

/** A thread does not wait any more: its time is over, or a signal has come. */
export function removeWaiter({ state: { futexes } }: Core, thread: Thread): void {
  if (thread.wait?.kind !== 'futex') return;
  const { key } = thread.wait;
  const waiters = futexes.get(key);
  if (!waiters) return;
  const at = waiters.indexOf(thread);
  if (at >= 0) waiters.splice(at, 1);
  if (waiters.length === 0) futexes.delete(key);
}

/** Wakes up to `count` waiters that have one of these bits; how many. */
export function wakeKey(core: Core, key: string, count: number, bitset = anyBit): number {
  const waiters = core.state.futexes.get(key) ?? [];
  const woken = waiters
    .filter(({ wait }) => wait?.kind === 'futex' && (wait.bitset & bitset) !== 0)
    .slice(0, Math.max(count, 0));
  for (const thread of woken) {
    removeWaiter(core, thread);
    wake(core, thread, 0);
  }
  return woken.length;
}

export function wakeFutex(core: Core, space: AddressSpace, va: number, count: number): void {
  const key = futexKey(core, space, va);
  if (key !== undefined) wakeKey(core, key, count);
}

/** Moves up to `count` waiters to another word; how many. */
export function requeue(core: Core, from: string, to: string, count: number): number {
  const waiters = (core.state.futexes.get(from) ?? []).slice(0, Math.max(count, 0));
  if (from === to) return waiters.length;
  for (const thread of waiters) {
    const bitset = thread.wait?.kind === 'futex' ? thread.wait.bitset : anyBit;
    removeWaiter(core, thread);
    thread.wait = { kind: 'futex', key: to, bitset };
    addWaiter(core, to, thread);
  }
  return waiters.length;
}

const FUTEX_WAITERS = 0x8000_0000;
const FUTEX_OWNER_DIED = 0x4000_0000;
const FUTEX_TID_MASK = 0x3fff_ffff;
/** ROBUST_LIST_LIMIT. */
const robustLimit = 2048;

/** Marks a lock of a thread that has ended, and wakes one who waits for it. */
function ownerDied(core: Core, thread: Thread, va: number): void {
  const { space } = thread.process;
  const word = readWord(core, space, va);
  if (word === undefined || (word & FUTEX_TID_MASK) !== thread.tid) return;
  writeWord(core, space, va, ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if ((word & FUTEX_WAITERS) !== 0) wakeFutex(core, space, va, 1);
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
