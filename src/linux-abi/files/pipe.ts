// Pipes (fs/pipe.c): bytes in order, up to 64 KiB of them, with readers that wait for bytes and writers that wait for room.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { deviceOf, type Inode, makeInode, type Pipe } from './inode.ts';
import { concatenate } from '../records.ts';
import { POLL, wakeFile } from './wake.ts';

export const capacityBytes = 1 << 16;
/** PIPE_BUF: what is written in one piece or not at all. */
const atomicBytes = 4096;

export function makePipe(core: Core): Inode {
  return makeInode(core.state.fileSystem, {
    kind: 'pipe',
    device: deviceOf.pipes,
    mode: 0o600,
    isReadOnly: false,
    changedAt: 0n,
    pipe: { chunks: [], bytes: 0, readers: 1, writers: 1 },
  });
}

export const isPipeWritable = ({ bytes, readers }: Pipe): boolean =>
  capacityBytes - bytes >= atomicBytes || readers === 0;

/** Up to so many bytes, which stay there. */
export function peekPipe({ chunks, bytes }: Pipe, sizeBytes: number): Uint8Array {
  return concatenate(chunks).subarray(0, Math.min(sizeBytes, bytes));
}

/** Takes up to so many bytes; undefined where the reader must wait. */
export function readPipe(core: Core, inode: Inode, sizeBytes: number): Uint8Array | undefined {
  const { pipe } = inode;
  if (!pipe || (pipe.bytes === 0 && pipe.writers > 0)) return undefined;
  const result = new Uint8Array(Math.min(sizeBytes, pipe.bytes));
  for (let at = 0; at < result.length;) {
    const chunk = pipe.chunks[0] as Uint8Array;
    const part = chunk.subarray(0, result.length - at);
    result.set(part, at);
    at += part.length;
    if (part.length === chunk.length) pipe.chunks.shift();
    else pipe.chunks[0] = chunk.subarray(part.length);
  }
  pipe.bytes -= result.length;
  if (result.length > 0) wakeFile(core, inode, POLL.OUT | POLL.WRNORM);
  return result;
}

/** How many bytes have gone in, an error, or undefined where the writer must wait. */
export function writePipe(core: Core, inode: Inode, bytes: Uint8Array): number | undefined {
  const { pipe } = inode;
  if (!pipe || pipe.readers === 0) return fail('EPIPE');
  const room = capacityBytes - pipe.bytes;
  const accepted = bytes.length <= atomicBytes && bytes.length > room ? 0 : Math.min(room, bytes.length);
  if (accepted === 0) return bytes.length === 0 ? 0 : undefined;
  pipe.chunks.push(bytes.slice(0, accepted));
  pipe.bytes += accepted;
  wakeFile(core, inode, POLL.IN | POLL.RDNORM);
  return accepted;
}
