// eventfd (fs/eventfd.c): a 64-bit counter that write adds to and read takes from.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import type { Anonymous, Inode } from './inode.ts';
import { POLL, wakeFile } from './wake.ts';

/** ULLONG_MAX - 1: what does not fit below it waits. */
export const largestCount = 0xffff_ffff_ffff_fffen;

type Counter = Extract<Anonymous, { kind: 'event' }>;

export const eventBytes = 8;
const doubleword = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);

/** Undefined where the reader must wait. */
export function readEvent(core: Core, inode: Inode, counter: Counter): Uint8Array | undefined {
  if (counter.count === 0n) return undefined;
  const value = counter.isSemaphore ? 1n : counter.count;
  counter.count -= value;
  wakeFile(core, inode, POLL.OUT);
  return doubleword(value);
}

/** Undefined where the writer must wait. */
export function writeEvent(core: Core, inode: Inode, counter: Counter, bytes: Uint8Array): number | undefined {
  if (bytes.length < eventBytes) return fail('EINVAL');
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (value > largestCount) return fail('EINVAL');
  if (counter.count + value > largestCount) return undefined;
  counter.count += value;
  wakeFile(core, inode, POLL.IN);
  return eventBytes;
}
