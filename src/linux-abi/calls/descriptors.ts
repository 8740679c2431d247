// Descriptors: duplicated, closed, controlled; pipes (fs/file.c, fs/fcntl.c, fs/pipe.c).

import { fail } from '../errno.ts';
import { dateOf } from '../files/content.ts';
import { close, descriptorOf, fileOf, install, installAt, isPossible, openFile } from '../files/descriptors.ts';
import { deviceOf, makeInode, type OpenFile } from '../files/inode.ts';
import { O } from '../files/open-file.ts';
import { makePipe } from '../files/pipe.ts';
import { openFiles } from '../limits.ts';
import { readString, readWord, writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';
import { F, flock, lockRange } from './locks.ts';

function dup3(call: Call): Result {
  const { core, process } = call;
  const [from, to, flags] = [int(call, 0), int(call, 1), int(call, 2)];
  const file = fileOf(process, from);
  if ((flags & ~O.CLOEXEC) !== 0 || from === to) return fail('EINVAL');
  if (!file || !isPossible(process, to)) return fail('EBADF');
  // The new one counts before the old one goes: they may be of one pipe.
  file.users += 1;
  close(core, process, to);
  installAt(process, to, file, (flags & O.CLOEXEC) !== 0);
  file.users -= 1;
  return to;
}

const FD_CLOEXEC = 1;
const pipeBytes = 1 << 16;
/** Status flags that F_SETFL changes. */
const changeable = O.APPEND | O.NONBLOCK | O.DIRECT;

function fcntl(call: Call): Result {
  const { process } = call;
  const descriptor = descriptorOf(process, int(call, 0));
  if (!descriptor) return fail('EBADF');
  const { file } = descriptor;
  const argument = int(call, 2);
  switch (int(call, 1)) {
    case F.DUPFD:
    case F.DUPFD_CLOEXEC:
      if (argument < 0 || argument >= openFiles) return fail('EINVAL');
      return install(process, file, int(call, 1) === F.DUPFD_CLOEXEC, argument) ?? fail('EMFILE');
    case F.GETFD:
      return descriptor.closesOnExec ? FD_CLOEXEC : 0;
    case F.SETFD:
      descriptor.closesOnExec = (argument & FD_CLOEXEC) !== 0;
      return 0;
    case F.GETFL:
      return file.flags | O.LARGEFILE;
    case F.SETFL:
      file.flags = (file.flags & ~changeable) | (argument & changeable);
      return 0;
    case F.GETLK:
    case F.OFD_GETLK:
    case F.SETLK:
    case F.SETLKW:
    case F.OFD_SETLK:
    case F.OFD_SETLKW:
      return lockRange(call, file, int(call, 1));
    case F.GETOWN:
    case F.SETOWN:
      return 0;
    case F.GETPIPE_SZ:
    case F.SETPIPE_SZ:
      return file.inode.pipe ? pipeBytes : fail('EBADF');
    default:
      return fail('EINVAL');
  }
}

function pipe2(call: Call): Result {
  const { core, process, space } = call;
  const flags = int(call, 1);
  if ((flags & ~(O.CLOEXEC | O.NONBLOCK | O.DIRECT)) !== 0) return fail('EINVAL');
  const inode = makePipe(core);
  const closes = (flags & O.CLOEXEC) !== 0;
  const kept = flags & (O.NONBLOCK | O.DIRECT);
  const [reader, writer] = [0, O.WRONLY].map((mode) => openFile(inode, `pipe:[${inode.number}]`, mode | kept)) as [
    OpenFile,
    OpenFile,
  ];
  const first = install(process, reader, closes);
  const second = first === undefined ? undefined : install(process, writer, closes);
  if (first === undefined || second === undefined) {
    if (first !== undefined) close(core, process, first);
    return fail('EMFILE');
  }
  const pair = new Uint8Array(Int32Array.of(first, second).buffer);
  if (writeUser(core, space, unsigned(call, 0), pair)) return 0;
  close(core, process, first);
  close(core, process, second);
  return fail('EFAULT');
}

const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIOCLEX = 0x5451;
const FIONCLEX = 0x5450;

/** There are no terminals and no devices with calls of their own: ENOTTY, but for what every file has. */
function ioctl(call: Call): Result {
  const { core, process, space } = call;
  const descriptor = descriptorOf(process, int(call, 0));
  if (!descriptor) return fail('EBADF');
  const { file } = descriptor;
  switch (uint(call, 1)) {
    case FIONREAD: {
      const left = (file.inode.pipe ?? file.inode.socket?.incoming.pipe)?.bytes ?? file.inode.sizeBytes - file.position;
      return writeWord(core, space, unsigned(call, 2), left) ? 0 : fail('EFAULT');
    }
    case FIONBIO: {
      const isOn = readWord(core, space, unsigned(call, 2));
      if (isOn === undefined) return fail('EFAULT');
      file.flags = isOn === 0 ? file.flags & ~O.NONBLOCK : file.flags | O.NONBLOCK;
      return 0;
    }
    case FIOCLEX:
    case FIONCLEX:
      descriptor.closesOnExec = uint(call, 1) === FIOCLEX;
      return 0;
    default:
      return fail('ENOTTY');
  }
}

const CLOSE_RANGE_CLOEXEC = 4;

function closeRange(call: Call): Result {
  const { core, process } = call;
  const [first, last, flags] = [uint(call, 0), uint(call, 1), uint(call, 2)];
  if (first > last || (flags & ~(CLOSE_RANGE_CLOEXEC | 2)) !== 0) return fail('EINVAL');
  for (let fd = first; fd <= Math.min(last, process.files.length - 1); fd += 1) {
    const descriptor = process.files[fd];
    if (descriptor && (flags & CLOSE_RANGE_CLOEXEC) !== 0) descriptor.closesOnExec = true;
    else close(core, process, fd);
  }
  return 0;
}

const MFD_CLOEXEC = 1;
const memoryNameBytes = 249;

function memfd(call: Call): Result {
  const { core, process, space } = call;
  const name = readString(core, space, unsigned(call, 0), memoryNameBytes + 1);
  if (name === undefined) return fail('EFAULT');
  if (name === 'too long' || (uint(call, 1) & ~3) !== 0) return fail('EINVAL');
  const inode = makeInode(core.state.fileSystem, {
    kind: 'file',
    device: deviceOf.memory,
    mode: 0o777,
    isReadOnly: false,
    changedAt: dateOf(core),
    data: new Uint8Array(0),
  });
  const file = openFile(inode, `/memfd:${new TextDecoder().decode(name)} (deleted)`, O.RDWR);
  return install(process, file, (uint(call, 1) & MFD_CLOEXEC) !== 0) ?? fail('EMFILE');
}

const ifOpen = (call: Call): Result => (fileOf(call.process, int(call, 0)) ? 0 : fail('EBADF'));

export const descriptorCalls: Family = {
  dup: (call) => {
    const file = fileOf(call.process, int(call, 0));
    return file ? (install(call.process, file, false) ?? fail('EMFILE')) : fail('EBADF');
  },
  dup3,
  close: (call) => (close(call.core, call.process, int(call, 0)) ? 0 : fail('EBADF')),
  close_range: closeRange,
  fcntl,
  flock,
  ioctl,
  pipe2,
  memfd_create: memfd,
  // What has been written is where it belongs.
  fsync: ifOpen,
  fdatasync: ifOpen,
  syncfs: ifOpen,
  sync_file_range: ifOpen,
  fadvise64: ifOpen,
  readahead: ifOpen,
};
