// Files by name: opened, made longer and shorter, given modes and dates (fs/open.c, fs/utimes.c). What is read-only answers EROFS.

import { fail } from '../errno.ts';
import { changed, dateOf, loadContent, resizeContent } from '../files/content.ts';
import { fileOf, install, openFile } from '../files/descriptors.ts';
import { openPipe } from '../files/fifo.ts';
import type { Inode } from '../files/inode.ts';
import { isWritable, O } from '../files/open-file.ts';
import { findPlace, pathOfPlace, type Place } from '../files/paths.ts';
import { isMemory } from '../files/process-memory.ts';
import { syntheticContent } from '../files/synthetic.ts';
import { i64At, viewOf } from '../records.ts';
import { readUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, signed, uint, unsigned } from './call.ts';
import { create } from './names.ts';
import { flagsAt, inodeAt, inodeOfPath, pathAt } from './paths.ts';

/** O_CREAT and O_EXCL decide what becomes of a last name that is a link, or that is nothing. */
function findToOpen(
  call: Call,
  fd: number,
  path: string,
  flags: number,
  mode: number,
): (Place & { readonly inode: Inode }) | number {
  const isExclusive = (flags & O.CREAT) !== 0 && (flags & O.EXCL) !== 0;
  const follows = (flags & O.NOFOLLOW) === 0 && !isExclusive;
  const place = findPlace(call.core, call.process, fd, path, follows);
  if (typeof place === 'number') return place;
  const { inode } = place;
  if (inode) {
    if (isExclusive) return fail('EEXIST');
    if (inode.kind === 'symlink' && (flags & O.PATH) === 0) return fail('ELOOP');
    return { ...place, inode };
  }
  if ((flags & O.CREAT) === 0) return fail('ENOENT');
  if ((flags & O.DIRECTORY) !== 0) return fail('EINVAL');
  const made = create(call, place, 'file', mode);
  return typeof made === 'number' ? made : { ...place, inode: made };
}

/** Why this inode cannot be opened so, or 0. */
function refusal({ core }: Call, inode: Inode, flags: number): number {
  const writes = (flags & O.accessMode) !== 0;
  if ((flags & O.DIRECTORY) !== 0 && inode.kind !== 'directory') return fail('ENOTDIR');
  if ((flags & O.PATH) !== 0) return 0;
  switch (inode.kind) {
    case 'directory':
      return writes || (flags & O.CREAT) !== 0 ? fail('EISDIR') : 0;
    case 'file':
      if (isMemory(inode)) return 0;
      if (writes && inode.synthetic) return fail('EACCES');
      if ((writes || (flags & O.TRUNC) !== 0) && inode.isReadOnly) return fail('EROFS');
      return inode.synthetic || loadContent(core, inode) ? 0 : fail('EACCES');
    case 'character':
    case 'pipe':
      return 0;
    default:
      return fail('ENXIO');
  }
}

/** Flags that F_GETFL shows. */
const keptFlags = O.accessMode | O.APPEND | O.NONBLOCK | O.DIRECTORY | O.NOFOLLOW | O.DIRECT | O.LARGEFILE | O.PATH;

function open(call: Call, fd: number, path: string | number, flags: number, mode: number): Result {
  const { core, process, thread } = call;
  if (typeof path === 'number') return path;
  // O_TMPFILE is O_DIRECTORY and a bit that no other flag has.
  if ((flags & O_TMPFILE) !== 0) return fail('EOPNOTSUPP');
  const found = findToOpen(call, fd, path, flags, mode);
  if (typeof found === 'number') return found;
  const { inode } = found;
  const error = refusal(call, inode, flags);
  if (error !== 0) return error;
  if ((flags & O.TRUNC) !== 0 && inode.kind === 'file' && (flags & O.PATH) === 0 && inode.sizeBytes > 0)
    resizeContent(core, inode, 0);
  const file = openFile(inode, pathOfPlace(core, found), flags & keptFlags);
  if (inode.synthetic && inode.kind === 'file' && !isMemory(inode)) file.content = syntheticContent(core, inode);
  const closesOnExec = (flags & O.CLOEXEC) !== 0;
  if (inode.pipe && (flags & O.PATH) === 0) return openPipe(core, thread, file, closesOnExec);
  return install(process, file, closesOnExec) ?? fail('EMFILE');
}
const O_TMPFILE = 0o20000000;

const access = { X: 1, W: 2, all: 7 } as const;

/** What is permitted: everything can be read, what is not read-only can be written. */
function faccessat(call: Call, flags: number): Result {
  const mode = int(call, 2);
  if ((mode & ~access.all) !== 0) return fail('EINVAL');
  const inode = inodeAt(call, 0, flags);
  if (typeof inode === 'number') return inode;
  if ((mode & access.W) !== 0 && inode.isReadOnly && inode.kind !== 'symlink') return fail('EROFS');
  return (mode & access.X) !== 0 && inode.kind !== 'directory' && (inode.mode & 0o111) === 0 ? fail('EACCES') : 0;
}

function truncate(call: Call, inode: Inode | number | undefined): Result {
  const sizeBytes = signed(call, 1);
  if (typeof inode === 'number') return inode;
  if (!inode || sizeBytes < 0) return fail('EINVAL');
  if (inode.kind === 'directory') return fail('EISDIR');
  if (inode.kind !== 'file' || inode.synthetic) return fail('EINVAL');
  if (inode.isReadOnly) return fail('EROFS');
  if (sizeBytes > fileLimitBytes) return fail('EFBIG');
  resizeContent(call.core, inode, sizeBytes);
  return 0;
}
const fileLimitBytes = 2 ** 31 - 1;

function ftruncate(call: Call): Result {
  const file = fileOf(call.process, int(call, 0));
  if (!file) return fail('EBADF');
  return isWritable(file) ? truncate(call, file.inode) : fail('EINVAL');
}

const FALLOC_FL_KEEP_SIZE = 1;

function fallocate(call: Call): Result {
  const file = fileOf(call.process, int(call, 0));
  const [mode, offset, length] = [int(call, 1), signed(call, 2), signed(call, 3)];
  if (!file || !isWritable(file)) return fail('EBADF');
  if (offset < 0 || length <= 0) return fail('EINVAL');
  if ((mode & ~FALLOC_FL_KEEP_SIZE) !== 0) return fail('EOPNOTSUPP');
  if (file.inode.kind !== 'file') return fail('ENODEV');
  if (offset + length > fileLimitBytes) return fail('EFBIG');
  if (mode === 0 && offset + length > file.inode.sizeBytes) resizeContent(call.core, file.inode, offset + length);
  return 0;
}

function setMode(call: Call, inode: Inode | number | undefined, mode: number): Result {
  if (inode === undefined) return fail('EBADF');
  if (typeof inode === 'number') return inode;
  if (inode.isReadOnly) return fail('EROFS');
  inode.mode = mode & 0o7777;
  changed(call.core, inode);
  return 0;
}

const user = 1000;
const unchanged = 0xffff_ffff;
/** Everything is user 1000's, and stays so. */
function setOwner(inode: Inode | number | undefined, ...ids: readonly number[]): Result {
  if (inode === undefined) return fail('EBADF');
  if (typeof inode === 'number') return inode;
  if (inode.isReadOnly) return fail('EROFS');
  return ids.every((id) => id === user || id === unchanged) ? 0 : fail('EPERM');
}

const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;
const nanoseconds = 1_000_000_000n;

/** The date of one of two timespecs: undefined where it is not to change, or an error. */
function readDate(call: Call, at: number): bigint | number | undefined {
  const bytes = readUser(call.core, call.space, at, 16);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  const rest = i64At(view, 8);
  if (rest === UTIME_NOW) return dateOf(call.core);
  if (rest === UTIME_OMIT) return undefined;
  if (rest < 0 || rest >= Number(nanoseconds)) return fail('EINVAL');
  return view.getBigInt64(0, true) * nanoseconds + BigInt(rest);
}

/** One date is kept for each file, that of its change: the second of the two. */
function utimensat(call: Call): Result {
  const inode =
    unsigned(call, 1) === 0
      ? (fileOf(call.process, int(call, 0))?.inode ?? fail('EBADF'))
      : inodeAt(call, 0, flagsAt(call, 3));
  if (typeof inode === 'number') return inode;
  if (inode.isReadOnly) return fail('EROFS');
  const at = unsigned(call, 2);
  const date = at === 0 ? dateOf(call.core) : readDate(call, at + 16);
  if (typeof date === 'number') return date;
  if (date !== undefined) inode.changedAt = date;
  return 0;
}

const inodeOfDescriptor = (call: Call): Inode | undefined => fileOf(call.process, int(call, 0))?.inode;

export const fileCalls: Family = {
  openat: (call) => open(call, int(call, 0), pathAt(call, 1), uint(call, 2), uint(call, 3)),
  faccessat: (call) => faccessat(call, 0),
  faccessat2: (call) => faccessat(call, flagsAt(call, 3)),
  truncate: (call) => truncate(call, inodeOfPath(call, 0)),
  ftruncate,
  fallocate,
  fchmod: (call) => setMode(call, inodeOfDescriptor(call), uint(call, 1)),
  fchmodat: (call) => setMode(call, inodeAt(call, 0, 0), uint(call, 2)),
  fchown: (call) => setOwner(inodeOfDescriptor(call), uint(call, 1), uint(call, 2)),
  fchownat: (call) => setOwner(inodeAt(call, 0, flagsAt(call, 4)), uint(call, 2), uint(call, 3)),
  utimensat,
};
