// The bytes of a regular file. While pages of it are mapped and shared, these pages are what the file holds there.

import type { Core } from '../kernel.ts';
import { pageBytes } from '../limits.ts';
import { deviceOf, type Inode } from './inode.ts';

/** The tree of the host that a file is read from. */
export function hostOf({ port }: Core, inode: Inode): Core['port']['sysroot'] {
  return inode.device === deviceOf.work ? port.workdir : port.sysroot;
}

/** Reads the host's file, once; false where the host does not give it. */
export function loadContent(core: Core, inode: Inode): boolean {
  if (inode.data) return true;
  const data = inode.hostPath ? hostOf(core, inode)?.read(inode.hostPath) : new Uint8Array(0);
  if (!data) return false;
  inode.data = data;
  inode.sizeBytes = data.length;
  return true;
}

/** Brings what programs have stored in mapped pages into the file. */
function gather(core: Core, inode: Inode, offset: number, sizeBytes: number): void {
  if (!inode.pages || !inode.data) return;
  for (const [index, pa] of inode.pages.frames) {
    const start = index * pageBytes;
    if (start >= offset + sizeBytes || start + pageBytes <= offset) continue;
    const length = Math.min(pageBytes, inode.sizeBytes - start);
    if (length > 0) inode.data.set(core.memory.bytes.subarray(pa, pa + length), start);
  }
}

/** So many bytes from an offset on; zeros where the file has ended. */
export function fileBytes(core: Core, inode: Inode, offset: number, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes);
  result.set(readContent(core, inode, offset, sizeBytes));
  return result;
}

/** Up to so many bytes from an offset on. */
export function readContent(core: Core, inode: Inode, offset: number, sizeBytes: number): Uint8Array {
  if (!loadContent(core, inode) || !inode.data || offset >= inode.sizeBytes) return new Uint8Array(0);
  gather(core, inode, offset, sizeBytes);
  return inode.data.subarray(offset, Math.min(offset + sizeBytes, inode.sizeBytes));
}

/** The whole file as it is now. */
export const wholeContent = (core: Core, inode: Inode): Uint8Array => readContent(core, inode, 0, inode.sizeBytes);

const smallestCapacity = 4096;

function ensureCapacity(inode: Inode, sizeBytes: number): Uint8Array {
  const present = inode.data ?? new Uint8Array(0);
  if (present.length >= sizeBytes) return present;
  const grown = new Uint8Array(Math.max(sizeBytes, 2 * present.length, smallestCapacity));
  grown.set(present);
  inode.data = grown;
  return grown;
}

export function writeContent(core: Core, inode: Inode, offset: number, bytes: Uint8Array): void {
  loadContent(core, inode);
  const end = offset + bytes.length;
  ensureCapacity(inode, end).set(bytes, offset);
  inode.sizeBytes = Math.max(inode.sizeBytes, end);
  changed(core, inode);
  for (const [index, pa] of inode.pages?.frames ?? []) {
    const start = Math.max(index * pageBytes, offset);
    const stop = Math.min((index + 1) * pageBytes, end);
    if (start < stop) core.port.ram.writeBytes(pa + (start % pageBytes), bytes.subarray(start - offset, stop - offset));
  }
}

/** Makes a file longer, by zeros, or shorter. */
export function resizeContent(core: Core, inode: Inode, sizeBytes: number): void {
  loadContent(core, inode);
  gather(core, inode, 0, inode.sizeBytes);
  const data = ensureCapacity(inode, sizeBytes);
  if (sizeBytes < inode.sizeBytes) {
    data.fill(0, sizeBytes, inode.sizeBytes);
    for (const [index, pa] of inode.pages?.frames ?? []) {
      const kept = Math.max(0, sizeBytes - index * pageBytes);
      if (kept < pageBytes) core.port.ram.writeBytes(pa + kept, new Uint8Array(pageBytes - kept));
    }
  }
  inode.sizeBytes = sizeBytes;
  changed(core, inode);
}

/** The date, in nanoseconds since 1970. */
export const dateOf = ({ platform, port }: Core): bigint =>
  BigInt(platform.startSeconds) * 1_000_000_000n + BigInt(port.now());

export function changed(core: Core, inode: Inode): void {
  inode.isChanged = true;
  inode.changedAt = dateOf(core);
}
