// Reading and writing: fs/read_write.c.

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import type { OpenFile } from '../files/inode.ts';
import { isReadable, isWritable, O } from '../files/open-file.ts';
import { isMemory } from '../files/process-memory.ts';
import { isNonBlocking, isSeekable, readFrom, writeTo } from '../files/stream.ts';
import { chunkBytes, transferBytes } from '../limits.ts';
import { blockToRestart } from '../scheduler.ts';
import { readSome, writeSome } from '../user-memory.ts';
import { signalBrokenPipe, waitFor } from './stream-calls.ts';
import { type Part, vectorAt } from './vectors.ts';
import { type Call, type Family, int, type Result, signed, uint, unsigned } from './call.ts';

/** The struct iovec of readv and its kin. */
const partsOf = (call: Call): Part[] | number => vectorAt(call, unsigned(call, 1), int(call, 2));

const onePart = (call: Call): Part[] => [
  { at: unsigned(call, 1), sizeBytes: Math.min(unsigned(call, 2), transferBytes) },
];

/** Reads into parts in turn, until one is not filled. `offset` undefined: from the file's position, which moves. */
export function read(call: Call, parts: readonly Part[] | number, offset?: number): Result {
  const { core, process, space } = call;
  const file = fileOf(process, int(call, 0));
  if (!file || !isReadable(file)) return fail('EBADF');
  if (typeof parts === 'number') return parts;
  if (offset !== undefined && (!isSeekable(file) || offset < 0)) return offset < 0 ? fail('EINVAL') : fail('ESPIPE');
  let done = 0;
  for (const { at, sizeBytes } of parts) {
    for (let filled = 0; filled < sizeBytes;) {
      const asked = Math.min(sizeBytes - filled, chunkBytes);
      // What a reader takes off a pipe or the console is gone: the memory must be there before.
      const room = isSeekable(file) ? asked : readSome(core, space, at + filled, asked).length;
      if (room === 0) return done > 0 ? done : fail('EFAULT');
      const bytes = readFrom(core, file, offset === undefined ? file.position : offset + done, room);
      if (bytes === undefined) return done > 0 ? done : waitFor(call, file);
      if (typeof bytes === 'number') return done > 0 ? done : bytes;
      const written = writeSome(core, space, at + filled, bytes);
      if (offset === undefined && isSeekable(file)) file.position += written;
      done += written;
      filled += written;
      if (written < bytes.length) return done > 0 ? done : fail('EFAULT');
      if (bytes.length < asked) return done;
    }
  }
  return done;
}

/** `isSilent`: without SIGPIPE. */
export function write(call: Call, parts: readonly Part[] | number, offset?: number, isSilent = false): Result {
  const { core, process, space } = call;
  const file = fileOf(process, int(call, 0));
  if (!file || !isWritable(file)) return fail('EBADF');
  if (typeof parts === 'number') return parts;
  if (offset !== undefined && (!isSeekable(file) || offset < 0)) return offset < 0 ? fail('EINVAL') : fail('ESPIPE');
  let done = 0;
  for (const { at, sizeBytes } of parts) {
    for (let taken = 0; taken < sizeBytes;) {
      const bytes = readSome(core, space, at + taken, Math.min(sizeBytes - taken, chunkBytes));
      if (bytes.length === 0) return done > 0 ? done : fail('EFAULT');
      if ((file.flags & O.APPEND) !== 0 && offset === undefined) file.position = file.inode.sizeBytes;
      const from = offset === undefined ? file.position : offset + done;
      if (isSeekable(file) && !isMemory(file.inode) && from + bytes.length > fileLimitBytes)
        return done > 0 ? done : fail('EFBIG');
      const written = writeTo(core, file, from, bytes);
      if (written === undefined) return done > 0 ? continueLater(call, file, done) : waitFor(call, file);
      if (written < 0) {
        if (done === 0 && !isSilent) signalBrokenPipe(call, written);
        return done > 0 ? done : written;
      }
      if (offset === undefined && isSeekable(file)) file.position += written;
      done += written;
      taken += written;
    }
  }
  return done;
}

/** A file that Node can hold in one piece. */
const fileLimitBytes = 2 ** 31 - 1;

/** A pipe that is full in the middle of a write: the rest is written when there is room, by the same call with what is left. */
function continueLater(call: Call, file: OpenFile, done: number): Result {
  const { core, thread } = call;
  if (isNonBlocking(file)) return done;
  thread.partial = (thread.partial ?? 0) + done;
  blockToRestart(core, thread, { kind: 'file', inode: file.inode.number });
  return undefined;
}

/** What a write that has been begun still has to do, and its result when that is done. */
export function resume(call: Call, parts: Part[] | number, act: (parts: Part[] | number) => Result): Result {
  const { thread } = call;
  const before = thread.partial ?? 0;
  if (before === 0 || typeof parts === 'number') return act(parts);
  let skipped = before;
  const rest = parts.map(({ at, sizeBytes }) => {
    const skip = Math.min(skipped, sizeBytes);
    skipped -= skip;
    return { at: at + skip, sizeBytes: sizeBytes - skip };
  });
  const result = act(rest);
  if (result === undefined) return undefined;
  thread.partial = undefined;
  return result < 0 ? before : before + result;
}

/** preadv and pwritev have the offset in two halves, of which the second is all that a 64-bit program has. */
const offsetOf = (call: Call): number => signed(call, 3);

const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

function lseek(call: Call): Result {
  const file = fileOf(call.process, int(call, 0));
  if (!file) return fail('EBADF');
  // noop_llseek().
  if (file.inode.kind === 'anonymous') return 0;
  if (!isSeekable(file)) return fail('ESPIPE');
  const offset = signed(call, 1);
  const end = file.content?.length ?? file.inode.sizeBytes;
  const position = seekTo(file.position, end, offset, uint(call, 2));
  if (position === undefined) return fail('EINVAL');
  if (position < 0) return position === fail('ENXIO') && offset >= end ? position : fail('EINVAL');
  file.position = position;
  if (file.inode.kind === 'directory') delete file.names;
  return position;
}

/** A file has no holes but the one after its end. */
function seekTo(current: number, end: number, offset: number, whence: number): number | undefined {
  switch (whence) {
    case SEEK.SET:
      return offset;
    case SEEK.CUR:
      return current + offset;
    case SEEK.END:
      return end + offset;
    case SEEK.DATA:
      return offset < end ? offset : fail('ENXIO');
    case SEEK.HOLE:
      return offset < end ? end : fail('ENXIO');
    default:
      return undefined;
  }
}

export const ioCalls: Family = {
  read: (call) => read(call, onePart(call)),
  write: (call) => resume(call, onePart(call), (parts) => write(call, parts)),
  readv: (call) => read(call, partsOf(call)),
  writev: (call) => resume(call, partsOf(call), (parts) => write(call, parts)),
  pread64: (call) => read(call, onePart(call), signed(call, 3)),
  pwrite64: (call) => write(call, onePart(call), signed(call, 3)),
  preadv: (call) => read(call, partsOf(call), offsetOf(call)),
  pwritev: (call) => write(call, partsOf(call), offsetOf(call)),
  preadv2: (call) => read(call, partsOf(call), offsetOf(call) === -1 ? undefined : offsetOf(call)),
  pwritev2: (call) => write(call, partsOf(call), offsetOf(call) === -1 ? undefined : offsetOf(call)),
  lseek,
  vmsplice: (call) => {
    const file = fileOf(call.process, int(call, 0));
    if (!file?.inode.pipe) return fail('EBADF');
    const parts = vectorAt(call, unsigned(call, 1), unsigned(call, 2));
    // What the program gives is copied: its pages stay its own.
    return isWritable(file) ? resume(call, parts, (rest) => write(call, rest)) : read(call, parts);
  },
};
