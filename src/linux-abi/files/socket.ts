// Pairs of connected stream sockets (net/unix/af_unix.c): bytes in both directions, each through a pipe of its own.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { deviceOf, type Inode, makeInode } from './inode.ts';
import { isPipeWritable, makePipe, readPipe, writePipe } from './pipe.ts';
import { POLL, wakeFile } from './wake.ts';

/** One end of a pair; the other end has the same two pipes the other way round. */
export function makeSocketPair(core: Core): readonly [Inode, Inode] {
  const [there, back] = [makePipe(core), makePipe(core)];
  const make = (incoming: Inode, outgoing: Inode): Inode =>
    makeInode(core.state.fileSystem, {
      kind: 'socket',
      device: deviceOf.pipes,
      mode: 0o777,
      isReadOnly: false,
      changedAt: 0n,
      socket: { incoming, outgoing, peer: undefined },
    });
  const pair = [make(back, there), make(there, back)] as const;
  for (const [one, other] of [pair, [pair[1], pair[0]]] as const) if (one.socket) one.socket.peer = other;
  return pair;
}

function tellPeer(core: Core, { socket }: Inode, events: number): void {
  if (socket?.peer) wakeFile(core, socket.peer, events);
}

/** Undefined where the reader must wait. */
export function readSocket(core: Core, inode: Inode, sizeBytes: number): Uint8Array | undefined {
  const bytes = inode.socket && readPipe(core, inode.socket.incoming, sizeBytes);
  if (bytes && bytes.length > 0) tellPeer(core, inode, POLL.OUT | POLL.WRNORM);
  return bytes;
}

/** How many bytes have gone in, an error, or undefined where the writer must wait. */
export function writeSocket(core: Core, inode: Inode, bytes: Uint8Array): number | undefined {
  const outgoing = inode.socket?.outgoing;
  if (!outgoing?.pipe || outgoing.pipe.writers === 0) return fail('EPIPE');
  const written = writePipe(core, outgoing, bytes);
  if (written !== undefined && written > 0) tellPeer(core, inode, POLL.IN | POLL.RDNORM);
  return written;
}

/** Ends what comes in, or what goes out: the other end reads no more, or writes no more. */
export function shutSocket(
  core: Core,
  inode: Inode,
  ends: { readonly reads: boolean; readonly writes: boolean },
): void {
  const { incoming, outgoing } = inode.socket ?? {};
  if (ends.reads && incoming?.pipe) Object.assign(incoming.pipe, { readers: 0, writers: 0 });
  if (ends.writes && outgoing?.pipe) outgoing.pipe.writers = 0;
  wakeFile(core, inode, 0);
  tellPeer(core, inode, 0);
}

/** The last descriptor has gone: what has been sent can still be read. */
export const closeSocket = (core: Core, inode: Inode): void => {
  shutSocket(core, inode, { reads: true, writes: true });
};

/** What a socket is ready for. */
export function socketReadiness({ socket }: Inode): number {
  const [incoming, outgoing] = [socket?.incoming.pipe, socket?.outgoing.pipe];
  if (!incoming || !outgoing) return 0;
  const hasEnded = incoming.writers === 0;
  const isShut = outgoing.writers === 0 || outgoing.readers === 0;
  const forReader = (incoming.bytes > 0 || hasEnded ? POLL.IN | POLL.RDNORM : 0) | (hasEnded ? POLL.RDHUP : 0);
  return forReader | (isPipeWritable(outgoing) ? POLL.OUT | POLL.WRNORM : 0) | (hasEnded && isShut ? POLL.HUP : 0);
}
