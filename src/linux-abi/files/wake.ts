// What happens to a file is told to those who wait for it: threads in a call of its own, threads that wait for several files, and epoll
// descriptors that watch it (wake_up_poll(), ep_poll_callback()).

import type { Core } from '../kernel.ts';
import { wake } from '../scheduler.ts';
import type { EpollItem, Inode } from './inode.ts';

/** include/uapi/asm-generic/poll.h. */
export const POLL = {
  IN: 1,
  PRI: 2,
  OUT: 4,
  ERR: 8,
  HUP: 0x10,
  NVAL: 0x20,
  RDNORM: 0x40,
  WRNORM: 0x100,
  RDHUP: 0x2000,
} as const;
/** Flags of an item that are no events: EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET. */
export const epollFlags = 0xf000_0000;

/** `events`: what the file may be ready for from now on; 0 stands for anything. */
export function wakeFile(core: Core, inode: Inode, events: number): void {
  for (const thread of core.state.threads.values()) {
    const { wait } = thread;
    if (wait?.kind === 'file' && wait.inode === inode.number) wake(core, thread);
    else if (wait?.kind === 'poll' && wait.inodes.includes(inode.number)) wake(core, thread);
  }
  for (const item of inode.watchers ?? []) notify(core, item, events);
}

/** Something has happened to a file that is watched: it is among the ready ones until somebody has looked. */
function notify(core: Core, item: EpollItem, events: number): void {
  // After EPOLLONESHOT has been used up, nothing is asked for.
  if ((item.events & ~epollFlags) === 0) return;
  if (events !== 0 && (item.events & events) === 0) return;
  if (item.owner.anonymous?.kind !== 'epoll') return;
  const { ready } = item.owner.anonymous.epoll;
  if (!ready.includes(item)) ready.push(item);
  wakeFile(core, item.owner, POLL.IN | POLL.RDNORM);
}

/** An item is among the ready ones from the start where its file is ready. */
export const markReady = notify;
