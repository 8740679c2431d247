// Reading and writing what is open, by its kind: files, pipes, devices, and the files of /proc.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { readContent, writeContent } from './content.ts';
import type { Inode, OpenFile } from './inode.ts';
import { O } from './open-file.ts';
import { eventBytes, readEvent, writeEvent } from './event-counter.ts';
import { readPipe, writePipe } from './pipe.ts';
import { isMemory, readMemory, writeMemory } from './process-memory.ts';
import { readSocket, writeSocket } from './socket.ts';
import { readSignals } from './signal-file.ts';

/** The bytes from an offset on, an error, or undefined where the reader must wait. `offset` means nothing to pipes and devices. */
export function readFrom(
  core: Core,
  file: OpenFile,
  offset: number,
  sizeBytes: number,
): Uint8Array | number | undefined {
  const { inode, content } = file;
  if (content) return content.subarray(Math.min(offset, content.length), offset + sizeBytes);
  switch (inode.kind) {
    case 'file':
      return isMemory(inode) ? readMemory(core, inode, offset, sizeBytes) : readContent(core, inode, offset, sizeBytes);
    case 'directory':
      return fail('EISDIR');
    case 'pipe':
      return readPipe(core, inode, sizeBytes);
    case 'socket':
      return readSocket(core, inode, sizeBytes);
    case 'anonymous':
      return readAnonymous(core, inode, sizeBytes);
    case 'character':
      return readDevice(core, file, sizeBytes);
    default:
      return fail('EINVAL');
  }
}

function readAnonymous(core: Core, inode: Inode, sizeBytes: number): Uint8Array | number | undefined {
  const { anonymous } = inode;
  switch (anonymous?.kind) {
    case 'event':
      return sizeBytes < eventBytes ? fail('EINVAL') : readEvent(core, inode, anonymous);
    case 'timer': {
      if (sizeBytes < eventBytes) return fail('EINVAL');
      const { expirations } = anonymous;
      anonymous.expirations = 0;
      return expirations === 0 ? undefined : new Uint8Array(BigUint64Array.of(BigInt(expirations)).buffer);
    }
    case 'signals':
      return readSignals(core, anonymous.set, sizeBytes);
    default:
      return fail('EINVAL');
  }
}

function readDevice(core: Core, { inode }: OpenFile, sizeBytes: number): Uint8Array | number {
  switch (inode.character) {
    case 'zero':
    case 'full':
      return new Uint8Array(sizeBytes);
    case 'random':
      return core.port.randomBytes(sizeBytes);
    case 'stdin':
      return core.port.read(sizeBytes);
    case 'null':
      return new Uint8Array(0);
    default:
      return fail('EBADF');
  }
}

/** How many bytes have been written, an error, or undefined where the writer must wait. */
export function writeTo(core: Core, file: OpenFile, offset: number, bytes: Uint8Array): number | undefined {
  const { inode } = file;
  switch (inode.kind) {
    case 'file':
      if (isMemory(inode)) return writeMemory(core, inode, offset, bytes);
      if (inode.synthetic) return bytes.length;
      writeContent(core, inode, offset, bytes);
      return bytes.length;
    case 'pipe':
      return writePipe(core, inode, bytes);
    case 'socket':
      return writeSocket(core, inode, bytes);
    case 'anonymous':
      return inode.anonymous?.kind === 'event' ? writeEvent(core, inode, inode.anonymous, bytes) : fail('EINVAL');
    case 'character':
      if (inode.character === 'full') return fail('ENOSPC');
      if (inode.character === 'stdin') return fail('EBADF');
      if (inode.character === 'stdout' || inode.character === 'stderr') core.port.write(inode.character, bytes);
      return bytes.length;
    default:
      return fail('EINVAL');
  }
}

/** Has a position: files, and what is made like one. */
export const isSeekable = ({ inode: { kind, character } }: OpenFile): boolean =>
  kind === 'file' || kind === 'directory' || character === 'null' || character === 'zero' || character === 'full';

export const isNonBlocking = ({ flags }: OpenFile): boolean => (flags & O.NONBLOCK) !== 0;
