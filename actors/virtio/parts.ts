// The bytes of a buffer whose parts are scattered over guest memory (virtio 1.2, "Message Framing": no device depends on how a
// request is cut into parts).

import type { GuestMemory } from './guest-memory.ts';
import type { BufferPart } from './virtqueue.ts';

export const bytesIn = (parts: readonly BufferPart[]): number =>
  parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** The parts of a range of a buffer. */
export function slice(parts: readonly BufferPart[], offset: number, sizeBytes: number): BufferPart[] {
  const sliced: BufferPart[] = [];
  let skip = offset;
  let left = sizeBytes;
  for (const part of parts) {
    if (left <= 0) break;
    if (skip >= part.sizeBytes) {
      skip -= part.sizeBytes;
      continue;
    }
    const size = Math.min(part.sizeBytes - skip, left);
    sliced.push({ address: part.address + skip, sizeBytes: size });
    left -= size;
    skip = 0;
  }
  return sliced;
}

/** Reads the whole of some parts, or as much as `target` holds; false where memory can no longer be reached. */
export function gather(memory: GuestMemory, parts: readonly BufferPart[], target: Uint8Array): boolean {
  let at = 0;
  for (const { address, sizeBytes } of parts) {
    const size = Math.min(sizeBytes, target.length - at);
    if (size <= 0) break;
    const bytes = memory.readBytes(address, size);
    if (bytes === undefined) return false;
    target.set(bytes, at);
    at += size;
  }
  return true;
}

/** Writes as much of `source` as the parts hold; false where memory can no longer be reached. */
export function scatter(memory: GuestMemory, parts: readonly BufferPart[], source: Uint8Array): boolean {
  let at = 0;
  for (const { address, sizeBytes } of parts) {
    const size = Math.min(sizeBytes, source.length - at);
    if (size <= 0) break;
    if (!memory.writeBytes(address, source.subarray(at, at + size))) return false;
    at += size;
  }
  return true;
}

/** At most `limit` readable bytes from `offset` on; undefined where memory can no longer be reached. */
export function readableBytes(
  memory: GuestMemory,
  parts: readonly BufferPart[],
  offset: number,
  limit: number,
): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.max(0, Math.min(limit, bytesIn(parts) - offset)));
  return gather(memory, slice(parts, offset, bytes.length), bytes) ? bytes : undefined;
}
