// Bytes that go from file to file without passing through the program: sendfile, splice, tee, copy_file_range (fs/splice.c,
// fs/read_write.c). A call moves what it can at once, at most one chunk, and says how much.

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import type { OpenFile } from '../files/inode.ts';
import { isReadable, isWritable, O } from '../files/open-file.ts';
import { capacityBytes, peekPipe } from '../files/pipe.ts';
import { isSeekable, readFrom, writeTo } from '../files/stream.ts';
import { chunkBytes } from '../limits.ts';
import { readDoubleword, writeDoubleword } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';
import { signalBrokenPipe, waitFor } from './stream-calls.ts';

const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_all = 15;

/** One end of a transfer: an open file, and where in it. */
interface End {
  readonly file: OpenFile;
  /** Where the offset is that the program has given; 0: the file's own position counts, and moves. */
  readonly offsetAt: number;
  readonly offset: number;
}

/** An end of these arguments, or an error. */
function endOf(call: Call, fdArgument: number, offsetAt: number): End | number {
  const file = fileOf(call.process, int(call, fdArgument));
  if (!file) return fail('EBADF');
  if (offsetAt === 0) return { file, offsetAt, offset: file.position };
  if (file.inode.pipe || !isSeekable(file)) return fail('ESPIPE');
  const offset = readDoubleword(call.core, call.space, offsetAt);
  if (offset === undefined) return fail('EFAULT');
  return BigInt.asIntN(64, offset) < 0n ? fail('EINVAL') : { file, offsetAt, offset: Number(offset) };
}

function advance({ core, space }: Call, { file, offsetAt, offset }: End, bytes: number): void {
  if (offsetAt !== 0) writeDoubleword(core, space, offsetAt, BigInt(offset + bytes));
  else if (isSeekable(file)) file.position += bytes;
}

/** Moves bytes, unless one of the two has to be waited for. */
function transfer(call: Call, from: End, to: End, asked: number, isImpatient: boolean): Result {
  const { core } = call;
  const { pipe } = to.file.inode;
  if (pipe && pipe.readers > 0 && pipe.bytes >= capacityBytes) return waitFor(call, to.file, isImpatient);
  const room = pipe ? capacityBytes - pipe.bytes : chunkBytes;
  const bytes = readFrom(core, from.file, from.offset, Math.min(asked, room, chunkBytes));
  if (bytes === undefined) return waitFor(call, from.file, isImpatient);
  if (typeof bytes === 'number') return bytes;
  if (bytes.length === 0) return 0;
  const written = writeTo(core, to.file, to.offset, bytes);
  if (written === undefined) return waitFor(call, to.file, isImpatient);
  if (written < 0) {
    signalBrokenPipe(call, written);
    return written;
  }
  core.copiedBytes += written;
  advance(call, from, written);
  advance(call, to, written);
  return written;
}

/** The two ends of a call, if they may be read and written, or an error. */
function endsOf(from: End | number, to: End | number): readonly [End, End] | number {
  if (typeof from === 'number') return from;
  if (typeof to === 'number') return to;
  return isReadable(from.file) && isWritable(to.file) ? [from, to] : fail('EBADF');
}

function sendfile(call: Call): Result {
  const ends = endsOf(endOf(call, 1, unsigned(call, 2)), endOf(call, 0, 0));
  if (typeof ends === 'number') return ends;
  const [from, to] = ends;
  const isFile = from.file.inode.kind === 'file' || from.file.inode.character === 'zero';
  if (!isFile || (to.file.flags & O.APPEND) !== 0) return fail('EINVAL');
  return transfer(call, from, to, unsigned(call, 3), false);
}

function splice(call: Call): Result {
  const flags = uint(call, 5);
  if ((flags & ~SPLICE_F_all) !== 0) return fail('EINVAL');
  if (unsigned(call, 4) === 0) return 0;
  const ends = endsOf(endOf(call, 0, unsigned(call, 1)), endOf(call, 2, unsigned(call, 3)));
  if (typeof ends === 'number') return ends;
  const [from, to] = ends;
  const [source, target] = [from.file.inode, to.file.inode];
  if ((!source.pipe && !target.pipe) || (source.pipe && source === target)) return fail('EINVAL');
  if ((to.file.flags & O.APPEND) !== 0 && !target.pipe) return fail('EINVAL');
  return transfer(call, from, to, unsigned(call, 4), (flags & SPLICE_F_NONBLOCK) !== 0);
}

/** What is in one pipe goes into another one, too. */
function tee(call: Call): Result {
  const { core, process } = call;
  const flags = uint(call, 3);
  const isImpatient = (flags & SPLICE_F_NONBLOCK) !== 0;
  if ((flags & ~SPLICE_F_all) !== 0) return fail('EINVAL');
  if (unsigned(call, 2) === 0) return 0;
  const [from, to] = [fileOf(process, int(call, 0)), fileOf(process, int(call, 1))];
  if (!from || !to || !isReadable(from) || !isWritable(to)) return fail('EBADF');
  const [source, target] = [from.inode.pipe, to.inode.pipe];
  if (!source || !target || source === target) return fail('EINVAL');
  if (source.bytes === 0) return source.writers === 0 ? 0 : waitFor(call, from, isImpatient);
  if (target.readers > 0 && target.bytes >= capacityBytes) return waitFor(call, to, isImpatient);
  const asked = Math.min(unsigned(call, 2), capacityBytes - target.bytes);
  const written = writeTo(core, to, 0, peekPipe(source, asked)) ?? waitFor(call, to, isImpatient);
  signalBrokenPipe(call, written);
  return written;
}

function copyFileRange(call: Call): Result {
  if (uint(call, 5) !== 0) return fail('EINVAL');
  const ends = endsOf(endOf(call, 0, unsigned(call, 1)), endOf(call, 2, unsigned(call, 3)));
  if (typeof ends === 'number') return ends;
  const [from, to] = ends;
  const [source, target] = [from.file.inode, to.file.inode];
  if (source.kind === 'directory' || target.kind === 'directory') return fail('EISDIR');
  if (source.kind !== 'file' || target.kind !== 'file') return fail('EINVAL');
  if ((to.file.flags & O.APPEND) !== 0) return fail('EBADF');
  const asked = unsigned(call, 4);
  const overlaps = from.offset < to.offset + asked && to.offset < from.offset + asked;
  if (source === target && overlaps && asked > 0) return fail('EINVAL');
  return transfer(call, from, to, asked, false);
}

export const spliceCalls: Family = { sendfile, splice, tee, copy_file_range: copyFileRange };
