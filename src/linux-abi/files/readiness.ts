// What an open file is ready for, as poll asks (vfs_poll()).

import type { Core } from '../kernel.ts';
import { pendingSet } from '../signal-queues.ts';
import type { Epoll, EpollItem, OpenFile } from './inode.ts';
import { largestCount } from './event-counter.ts';
import { isReadable, isWritable } from './open-file.ts';
import { isPipeWritable } from './pipe.ts';
import { socketReadiness } from './socket.ts';
import { epollFlags, POLL } from './wake.ts';

const reads = POLL.IN | POLL.RDNORM;
const writes = POLL.OUT | POLL.WRNORM;

/** What is true of an item of what has been asked for. */
export const readyEvents = (core: Core, { file, events }: EpollItem): number =>
  readiness(core, file) & events & ~epollFlags;

const hasReadyItem = (core: Core, { ready }: Epoll): boolean => ready.some((item) => readyEvents(core, item) !== 0);

export function readiness(core: Core, file: OpenFile): number {
  const { pipe, anonymous } = file.inode;
  if (pipe) {
    const forReader = isReadable(file) ? (pipe.bytes > 0 ? reads : 0) | (pipe.writers === 0 ? POLL.HUP : 0) : 0;
    const forWriter = isWritable(file) ? (isPipeWritable(pipe) ? writes : 0) | (pipe.readers === 0 ? POLL.ERR : 0) : 0;
    return forReader | forWriter;
  }
  if (file.inode.socket) return socketReadiness(file.inode);
  switch (anonymous?.kind) {
    case 'event':
      return (anonymous.count > 0n ? reads : 0) | (anonymous.count < largestCount ? writes : 0);
    case 'timer':
      return anonymous.expirations > 0 ? reads : 0;
    case 'signals': {
      const { thread } = core.own;
      return thread && (pendingSet(thread) & anonymous.set) !== 0n ? reads : 0;
    }
    case 'process':
      return core.state.processes.get(anonymous.pid)?.isZombie === false ? 0 : reads;
    case 'epoll':
      return hasReadyItem(core, anonymous.epoll) ? reads : 0;
    default:
      return reads | writes;
  }
}
