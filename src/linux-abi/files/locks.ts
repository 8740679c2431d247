// Advisory locks on files (fs/locks.c): of ranges, which a process holds (POSIX) or an open file (OFD), and of whole files by flock, which
// an open file holds. The two kinds do not meet.

import type { Core } from '../kernel.ts';
import { wake } from '../scheduler.ts';
import type { Inode } from './inode.ts';
import type { Lock, LockOwner } from './lock.ts';

const overlaps = (a: Pick<Lock, 'start' | 'end'>, b: Pick<Lock, 'start' | 'end'>): boolean =>
  a.start < b.end && b.start < a.end;

/** A lock of somebody else that this one cannot stand beside. */
export const conflicting = ({ locks = [] }: Inode, wanted: Lock): Lock | undefined =>
  locks.find(
    (lock) =>
      lock.family === wanted.family &&
      lock.owner !== wanted.owner &&
      (lock.isWrite || wanted.isWrite) &&
      overlaps(lock, wanted),
  );

/** Takes a range away from what its owner holds: the ends of a longer lock remain. */
function withoutRange(locks: readonly Lock[], gone: Lock): Lock[] {
  return locks.flatMap((lock) => {
    if (lock.family !== gone.family || lock.owner !== gone.owner || !overlaps(lock, gone)) return [lock];
    const before = lock.start < gone.start ? [{ ...lock, end: gone.start }] : [];
    const after = gone.end < lock.end ? [{ ...lock, start: gone.end }] : [];
    return [...before, ...after];
  });
}

/** Those who wait for a lock of this file look again. */
function wakeLockers(core: Core, inode: Inode): void {
  for (const thread of core.state.threads.values())
    if (thread.wait?.kind === 'lock' && thread.wait.inode === inode.number) wake(core, thread);
}

/** Holds a range from now on, in place of what the owner has held of it. */
export function setLock(core: Core, inode: Inode, lock: Lock): void {
  inode.locks = [...withoutRange(inode.locks ?? [], lock), lock];
  wakeLockers(core, inode);
}

export function clearLock(core: Core, inode: Inode, range: Lock): void {
  if (!inode.locks || inode.locks.length === 0) return;
  inode.locks = withoutRange(inode.locks, range);
  wakeLockers(core, inode);
}

/** What an owner holds of a file goes, of both kinds. */
export function dropLocks(core: Core, inode: Inode, owner: LockOwner): void {
  for (const family of ['range', 'flock'] as const)
    clearLock(core, inode, { family, owner, isWrite: true, start: 0, end: Infinity });
}
