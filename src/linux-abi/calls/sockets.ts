// Sockets, which there are none of: no family is supported, and no descriptor is a socket (net/socket.c).

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import { type Call, type Family, int, type Result } from './call.ts';

const refuseFamily = (): Result => fail('EAFNOSUPPORT');
const refuseDescriptor = (call: Call): Result => fail(fileOf(call.process, int(call, 0)) ? 'ENOTSOCK' : 'EBADF');

const ofSocket = [
  'bind',
  'listen',
  'accept',
  'accept4',
  'connect',
  'getsockname',
  'getpeername',
  'sendto',
  'recvfrom',
  'setsockopt',
  'getsockopt',
  'shutdown',
  'sendmsg',
  'recvmsg',
  'sendmmsg',
  'recvmmsg',
] as const;

export const socketCalls: Family = {
  socket: refuseFamily,
  socketpair: refuseFamily,
  ...Object.fromEntries(ofSocket.map((name) => [name, refuseDescriptor])),
};
