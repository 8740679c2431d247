// epoll_create1, epoll_ctl, epoll_pwait and epoll_pwait2 (fs/eventpoll.c).

import { fail } from '../errno.ts';
import { makeAnonymous } from '../files/anonymous-file.ts';
import { fileOf } from '../files/descriptors.ts';
import {
  addItem,
  depthAbove,
  depthBelow,
  epollOf,
  lookAgain,
  nestingLimit,
  reaches,
  removeItem,
  takeEvents,
} from '../files/epoll.ts';
import type { OpenFile } from '../files/inode.ts';
import { O } from '../files/open-file.ts';
import { POLL } from '../files/wake.ts';
import { concatenate, fields, viewOf } from '../records.ts';
import { taskBytes } from '../limits.ts';
import { readUser, writeUser } from '../user-memory.ts';
import { deadlineOf, maskAt, waitForChange } from './poll.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';

const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
const EPOLLEXCLUSIVE = 0x1000_0000;
/** struct epoll_event, which is packed on x86 only. */
const eventBytes = 16;

function create(call: Call): Result {
  const flags = int(call, 0);
  if ((flags & ~O.CLOEXEC) !== 0) return fail('EINVAL');
  return makeAnonymous(call, '[eventpoll]', { kind: 'epoll', epoll: { items: [], ready: [] } }, O.RDWR, flags);
}

/** Regular files, directories and memory devices cannot be waited for. */
const canBeWatched = ({ inode: { kind, character } }: OpenFile): boolean =>
  kind !== 'file' && kind !== 'directory' && character !== 'null' && character !== 'zero' && character !== 'full';

function control(call: Call): Result {
  const { core, process, space } = call;
  const [operation, fd] = [int(call, 1), int(call, 2)];
  const bytes = operation === EPOLL_CTL.DEL ? undefined : readUser(core, space, unsigned(call, 3), eventBytes);
  if (operation !== EPOLL_CTL.DEL && !bytes) return fail('EFAULT');
  const owner = fileOf(process, int(call, 0))?.inode;
  const file = fileOf(process, fd);
  if (!owner || !file) return fail('EBADF');
  if (!canBeWatched(file)) return fail('EPERM');
  const epoll = epollOf(owner);
  if (!epoll || file.inode === owner) return fail('EINVAL');
  const view = bytes && viewOf(bytes);
  const asked = view?.getUint32(0, true) ?? 0;
  const isExclusive = (asked & EPOLLEXCLUSIVE) !== 0;
  if (isExclusive && (operation === EPOLL_CTL.MOD || epollOf(file.inode))) return fail('EINVAL');
  if (operation === EPOLL_CTL.ADD && epollOf(file.inode)) {
    const depth = depthAbove(owner) + 1 + depthBelow(file.inode);
    if (reaches(file.inode, owner) || depth > nestingLimit) return fail('ELOOP');
  }
  const present = epoll.items.find((item) => item.fd === fd && item.file === file);
  const events = (asked | POLL.ERR | POLL.HUP) >>> 0;
  const data = view?.getBigUint64(8, true) ?? 0n;
  switch (operation) {
    case EPOLL_CTL.ADD:
      if (present) return fail('EEXIST');
      addItem(core, { owner, fd, file, events, data });
      return 0;
    case EPOLL_CTL.MOD:
      if (!present) return fail('ENOENT');
      Object.assign(present, { events, data });
      lookAgain(core, present);
      return 0;
    case EPOLL_CTL.DEL:
      if (!present) return fail('ENOENT');
      removeItem(present);
      return 0;
    default:
      return fail('EINVAL');
  }
}

/** `deadline`: when the call gives up, or an error. */
function wait(call: Call, deadline: number): Result {
  const { core, process, space } = call;
  const limit = int(call, 2);
  const at = unsigned(call, 1);
  const mask = maskAt(call, unsigned(call, 4), unsigned(call, 5));
  if (typeof mask === 'number') return mask;
  if (limit <= 0 || limit > Math.floor(0x7fff_ffff / eventBytes)) return fail('EINVAL');
  if (at + limit * eventBytes > taskBytes) return fail('EFAULT');
  const inode = fileOf(process, int(call, 0))?.inode;
  if (!inode) return fail('EBADF');
  const epoll = epollOf(inode);
  if (!epoll) return fail('EINVAL');
  const events = takeEvents(core, epoll, limit);
  if (events.length === 0 && deadline > core.port.now()) return waitForChange(call, [inode.number], deadline, mask);
  const records = events.map(({ events: happened, data }) => fields(eventBytes).u32(0, happened).i64(8, data).bytes);
  return writeUser(core, space, at, concatenate(records)) ? events.length : fail('EFAULT');
}

const millisecondTicks = 1_000_000;

/** In milliseconds; what is negative is for ever. */
function pwait(call: Call): Result {
  const { core, thread } = call;
  const time = int(call, 3);
  const first = time < 0 ? Infinity : core.port.now() + time * millisecondTicks;
  return wait(call, thread.callDeadline ?? first);
}

function pwait2(call: Call): Result {
  const deadline = deadlineOf(call, unsigned(call, 3));
  return deadline < 0 ? deadline : wait(call, deadline);
}

export const epollCalls: Family = {
  epoll_create1: create,
  epoll_ctl: control,
  epoll_pwait: pwait,
  epoll_pwait2: pwait2,
};
