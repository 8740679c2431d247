// Sockets: pairs of connected stream sockets of AF_UNIX; no other family is supported, and no socket has an address (net/socket.c).

import { fail } from '../errno.ts';
import { close, fileOf, install, openFile } from '../files/descriptors.ts';
import type { OpenFile } from '../files/inode.ts';
import { O } from '../files/open-file.ts';
import { makeSocketPair, shutSocket } from '../files/socket.ts';
import { fields, u64At, viewOf } from '../records.ts';
import { uid } from '../sigframe.ts';
import { readUser, readWord, writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, type Handler, int, type Result, uint, unsigned } from './call.ts';
import { read, resume, write } from './io.ts';
import { type Part, vectorAt } from './vectors.ts';

const AF_UNIX = 1;
const SOCK = { STREAM: 1, type: 0xf, flags: O.NONBLOCK | O.CLOEXEC } as const;

function socketpair(call: Call): Result {
  const { core, process, space } = call;
  const [family, type, protocol] = [int(call, 0), int(call, 1), int(call, 2)];
  if (family !== AF_UNIX) return fail('EAFNOSUPPORT');
  if ((type & ~(SOCK.type | SOCK.flags)) !== 0) return fail('EINVAL');
  if (protocol !== 0 && protocol !== AF_UNIX) return fail('EPROTONOSUPPORT');
  // Datagrams and sequences of packets are not there.
  if ((type & SOCK.type) !== SOCK.STREAM) return fail('ESOCKTNOSUPPORT');
  const fds: number[] = [];
  for (const inode of makeSocketPair(core)) {
    const file = openFile(inode, `socket:[${inode.number}]`, O.RDWR | (type & O.NONBLOCK));
    const fd = install(process, file, (type & O.CLOEXEC) !== 0);
    if (fd !== undefined) fds.push(fd);
  }
  const isWritten =
    fds.length === 2 && writeUser(core, space, unsigned(call, 3), new Uint8Array(Int32Array.from(fds).buffer));
  if (isWritten) return 0;
  for (const fd of fds) close(core, process, fd);
  return fail(fds.length === 2 ? 'EFAULT' : 'EMFILE');
}

/** The file of the first argument, if it is a socket, or an error. */
function socketOf(call: Call): OpenFile | number {
  const file = fileOf(call.process, int(call, 0));
  if (!file) return fail('EBADF');
  return file.inode.socket ? file : fail('ENOTSOCK');
}

/** A call of a socket. */
const ofSocket =
  (act: (call: Call, file: OpenFile) => Result): Handler =>
  (call) => {
    const file = socketOf(call);
    return typeof file === 'number' ? file : act(call, file);
  };

const MSG = { DONTWAIT: 0x40, NOSIGNAL: 0x4000, CMSG_CLOEXEC: 0x4000_0000 } as const;
const sendFlags = MSG.DONTWAIT | MSG.NOSIGNAL;
const receiveFlags = MSG.DONTWAIT | MSG.NOSIGNAL | MSG.CMSG_CLOEXEC;

/** MSG_PEEK, MSG_WAITALL and the others say EOPNOTSUPP. MSG_DONTWAIT holds for one call. */
function withFlags(file: OpenFile, flags: number, act: () => Result): Result {
  const before = file.flags;
  if ((flags & MSG.DONTWAIT) !== 0) file.flags |= O.NONBLOCK;
  const result = act();
  file.flags = before;
  return result;
}

function send(call: Call, file: OpenFile, parts: Part[] | number, flags: number): Result {
  if ((flags & ~sendFlags) !== 0) return fail('EOPNOTSUPP');
  const isSilent = (flags & MSG.NOSIGNAL) !== 0;
  return withFlags(file, flags, () => resume(call, parts, (rest) => write(call, rest, undefined, isSilent)));
}

function receive(call: Call, file: OpenFile, parts: Part[] | number, flags: number): Result {
  if ((flags & ~receiveFlags) !== 0) return fail('EOPNOTSUPP');
  return withFlags(file, flags, () => read(call, parts));
}

const partOf = (call: Call): Part[] => [{ at: unsigned(call, 1), sizeBytes: Math.min(unsigned(call, 2), 0x7fff_f000) }];

/** struct msghdr. */
const messageBytes = 56;
interface Message {
  readonly parts: Part[] | number;
  readonly nameBytes: number;
  readonly controlBytes: number;
}

function messageAt(call: Call): Message | number {
  const bytes = readUser(call.core, call.space, unsigned(call, 1), messageBytes);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  return {
    parts: vectorAt(call, u64At(view, 16), u64At(view, 24)),
    nameBytes: u64At(view, 0) === 0 ? 0 : view.getUint32(8, true),
    controlBytes: u64At(view, 32) === 0 ? 0 : u64At(view, 40),
  };
}

const sendmsg = ofSocket((call, file) => {
  const message = messageAt(call);
  if (typeof message === 'number') return message;
  if (message.nameBytes > 0) return fail('EISCONN');
  // Descriptors and credentials are not passed.
  return message.controlBytes > 0 ? fail('EOPNOTSUPP') : send(call, file, message.parts, uint(call, 2));
});

const recvmsg = ofSocket((call, file) => {
  const { core, space } = call;
  const message = messageAt(call);
  if (typeof message === 'number') return message;
  const result = receive(call, file, message.parts, uint(call, 2));
  if (result === undefined || result < 0) return result;
  // No name, no control data, no flags.
  const at = unsigned(call, 1);
  const isWritten = writeWord(core, space, at + 8, 0) && writeUser(core, space, at + 40, new Uint8Array(12));
  return isWritten ? result : fail('EFAULT');
});

/** An address without a name: the family alone, as long as there is room for it. */
function tellName(call: Call): Result {
  const { core, space } = call;
  const lengthAt = unsigned(call, 2);
  const room = readWord(core, space, lengthAt);
  if (room === undefined) return fail('EFAULT');
  if ((room | 0) < 0) return fail('EINVAL');
  const name = new Uint8Array(Uint16Array.of(AF_UNIX).buffer).subarray(0, room);
  return writeUser(core, space, unsigned(call, 1), name) && writeWord(core, space, lengthAt, 2) ? 0 : fail('EFAULT');
}

const SOL_SOCKET = 1;
const SO = {
  TYPE: 3,
  ERROR: 4,
  SNDBUF: 7,
  RCVBUF: 8,
  PASSCRED: 16,
  PEERCRED: 17,
  ACCEPTCONN: 30,
  PROTOCOL: 38,
  DOMAIN: 39,
} as const;
const bufferBytes = 212_992;
const options: ReadonlyMap<number, number> = new Map([
  [SO.TYPE, SOCK.STREAM],
  [SO.ERROR, 0],
  [SO.SNDBUF, bufferBytes],
  [SO.RCVBUF, bufferBytes],
  [SO.PASSCRED, 0],
  [SO.ACCEPTCONN, 0],
  [SO.PROTOCOL, 0],
  [SO.DOMAIN, AF_UNIX],
]);

function getOption(call: Call): Result {
  const { core, process, space } = call;
  const [level, name, lengthAt] = [int(call, 1), int(call, 2), unsigned(call, 4)];
  if (level !== SOL_SOCKET) return fail('EOPNOTSUPP');
  const room = readWord(core, space, lengthAt);
  if (room === undefined) return fail('EFAULT');
  if ((room | 0) < 0) return fail('EINVAL');
  const value = options.get(name);
  if (value === undefined && name !== SO.PEERCRED) return fail('ENOPROTOOPT');
  const record = value === undefined ? fields(12).u32(0, process.pid).u32(4, uid).u32(8, uid) : fields(4).u32(0, value);
  const told = record.bytes.subarray(0, room);
  const isWritten = writeUser(core, space, unsigned(call, 3), told) && writeWord(core, space, lengthAt, told.length);
  return isWritten ? 0 : fail('EFAULT');
}

export const socketCalls: Family = {
  socket: () => fail('EAFNOSUPPORT'),
  socketpair,
  bind: ofSocket(() => fail('EINVAL')),
  listen: ofSocket(() => fail('EINVAL')),
  accept: ofSocket(() => fail('EINVAL')),
  accept4: ofSocket(() => fail('EINVAL')),
  connect: ofSocket(() => fail('EISCONN')),
  getsockname: ofSocket(tellName),
  getpeername: ofSocket(tellName),
  sendto: ofSocket((call, file) =>
    unsigned(call, 4) === 0 ? send(call, file, partOf(call), uint(call, 3)) : fail('EISCONN'),
  ),
  recvfrom: ofSocket((call, file) => {
    const result = receive(call, file, partOf(call), uint(call, 3));
    const isTold = unsigned(call, 4) === 0 || result === undefined || result < 0;
    return isTold || writeWord(call.core, call.space, unsigned(call, 5), 0) ? result : fail('EFAULT');
  }),
  sendmsg,
  recvmsg,
  sendmmsg: ofSocket(() => fail('EOPNOTSUPP')),
  recvmmsg: ofSocket(() => fail('EOPNOTSUPP')),
  // What may be set changes nothing.
  setsockopt: ofSocket((call) => (int(call, 1) === SOL_SOCKET ? 0 : fail('EOPNOTSUPP'))),
  getsockopt: ofSocket(getOption),
  shutdown: ofSocket((call, { inode }) => {
    const how = int(call, 1);
    if (how < 0 || how > 2) return fail('EINVAL');
    shutSocket(call.core, inode, { reads: how !== 1, writes: how !== 0 });
    return 0;
  }),
};
