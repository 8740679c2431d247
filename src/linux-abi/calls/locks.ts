// Locks of files as fcntl and flock ask for them (fs/locks.c).

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import type { Lock } from '../files/lock.ts';
import { clearLock, conflicting, setLock } from '../files/locks.ts';
import type { OpenFile } from '../files/inode.ts';
import { isReadable, isWritable } from '../files/open-file.ts';
import { fields, i64At, viewOf } from '../records.ts';
import { blockToRestart } from '../scheduler.ts';
import { readUser, writeUser } from '../user-memory.ts';
import { type Call, int, type Result, unsigned } from './call.ts';

/** Commands of fcntl. */
export const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  GETLK: 5,
  SETLK: 6,
  SETLKW: 7,
  SETOWN: 8,
  GETOWN: 9,
  OFD_GETLK: 36,
  OFD_SETLK: 37,
  OFD_SETLKW: 38,
  DUPFD_CLOEXEC: 1030,
  SETPIPE_SZ: 1031,
  GETPIPE_SZ: 1032,
  ADD_SEALS: 1033,
  GET_SEALS: 1034,
} as const;

const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** struct flock: l_type, l_whence, l_start, l_len, l_pid. */
const flockBytes = 32;

/** The range that a struct flock means; an error where it is none. */
function rangeOf(file: OpenFile, view: DataView): Pick<Lock, 'start' | 'end'> | number {
  const whence = view.getInt16(2, true);
  const base = [0, file.position, file.inode.sizeBytes][whence];
  if (base === undefined) return fail('EINVAL');
  const start = base + i64At(view, 8);
  const length = i64At(view, 16);
  if (start < 0 || start + length < 0) return fail('EINVAL');
  if (length < 0) return { start: start + length, end: start };
  return { start, end: length === 0 ? Infinity : start + length };
}

export function lockRange(call: Call, file: OpenFile, command: number): Result {
  const { core, process, thread, space } = call;
  const at = unsigned(call, 2);
  const bytes = readUser(core, space, at, flockBytes);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const type = view.getInt16(0, true);
  const range = rangeOf(file, view);
  if (typeof range === 'number') return range;
  if (type < F_RDLCK || type > F_UNLCK) return fail('EINVAL');
  const isOfFile = command >= F.OFD_GETLK;
  const wanted: Lock = { family: 'range', owner: isOfFile ? file : process.pid, isWrite: type === F_WRLCK, ...range };
  const other = type === F_UNLCK ? undefined : conflicting(file.inode, wanted);
  if (command === F.GETLK || command === F.OFD_GETLK) {
    const answer = fields(flockBytes);
    answer.bytes.set(bytes);
    if (!other) answer.u16(0, F_UNLCK);
    else
      answer
        .u16(0, other.isWrite ? F_WRLCK : F_RDLCK)
        .u16(2, 0)
        .i64(8, other.start)
        .i64(16, other.end === Infinity ? 0 : other.end - other.start)
        .u32(24, typeof other.owner === 'number' ? other.owner : 0xffff_ffff);
    return writeUser(core, space, at, answer.bytes) ? 0 : fail('EFAULT');
  }
  if (type === F_UNLCK) clearLock(core, file.inode, wanted);
  else if (wanted.isWrite ? !isWritable(file) : !isReadable(file)) return fail('EBADF');
  else if (!other) setLock(core, file.inode, wanted);
  else if (command === F.SETLKW || command === F.OFD_SETLKW) {
    blockToRestart(core, thread, { kind: 'lock', inode: file.inode.number });
    return undefined;
  } else return fail('EAGAIN');
  return 0;
}

const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const;

export function flock(call: Call): Result {
  const { core, process, thread } = call;
  const file = fileOf(process, int(call, 0));
  if (!file) return fail('EBADF');
  const operation = int(call, 1);
  const kind = operation & ~LOCK.NB;
  const wanted: Lock = { family: 'flock', owner: file, isWrite: kind === LOCK.EX, start: 0, end: Infinity };
  if (kind === LOCK.UN) clearLock(core, file.inode, wanted);
  else if (kind !== LOCK.SH && kind !== LOCK.EX) return fail('EINVAL');
  else if (!conflicting(file.inode, wanted)) setLock(core, file.inode, wanted);
  else if ((operation & LOCK.NB) !== 0) return fail('EAGAIN');
  else {
    blockToRestart(core, thread, { kind: 'lock', inode: file.inode.number });
    return undefined;
  }
  return 0;
}
