// The memory that the hypervisor hands out: single pages of its own for tables, and contiguous regions for VMs, first fit, merged when
// they come back.

import { pageShift } from '../arch/state-layout.ts';
import { assert } from '../report/assert.ts';
import { bitAt, type Rhyper, setBit } from './context.ts';
import { limits } from './limits.ts';

export const pageBytes = 1 << pageShift;
const zeroPage = new Uint8Array(pageBytes);

/** Writes zeros to whole pages. */
export function clearPages(rhyper: Rhyper, pa: number, bytes: number): void {
  for (let at = pa; at < pa + bytes; at += pageBytes) rhyper.port.writeRam(at, zeroPage);
}

/** `count` consecutive pages, zeroed, aligned to their size, from the hypervisor's own memory; undefined when there are none. */
export function allocatePages(rhyper: Rhyper, count: number): number | undefined {
  const { state } = rhyper;
  const { heapStart, heapPages, heapBitmap } = state;
  const isFree = (first: number): boolean => {
    for (let n = first; n < first + count; n += 1) if (bitAt(heapBitmap, n)) return false;
    return true;
  };
  const aligned = (count - ((heapStart / pageBytes) % count)) % count;
  for (let first = aligned; first + count <= heapPages; first += count) {
    if (!isFree(first)) continue;
    for (let n = first; n < first + count; n += 1) setBit(heapBitmap, n, true);
    const pa = heapStart + first * pageBytes;
    clearPages(rhyper, pa, count * pageBytes);
    return pa;
  }
  return undefined;
}

export function freePage(rhyper: Rhyper, pa: number): void {
  const { heapStart, heapBitmap } = rhyper.state;
  const n = (pa - heapStart) / pageBytes;
  assert(bitAt(heapBitmap, n), 'a page that is given back was in use');
  setBit(heapBitmap, n, false);
}

/** A contiguous region for a VM, from the first free piece that is large enough; undefined when none is. */
export function allocateRegion(rhyper: Rhyper, bytes: number): number | undefined {
  const { state } = rhyper;
  for (let n = 0; n < state.freeCount; n += 1) {
    const piece = state.free[n];
    if (!piece || piece.bytes < bytes) continue;
    const { pa } = piece;
    piece.pa += bytes;
    piece.bytes -= bytes;
    if (piece.bytes === 0) removePiece(rhyper, n);
    return pa;
  }
  return undefined;
}

function removePiece({ state }: Rhyper, at: number): void {
  for (let n = at; n + 1 < state.freeCount; n += 1) copyPiece(state.free[n], state.free[n + 1]);
  state.freeCount -= 1;
}

function copyPiece(
  to: { pa: number; bytes: number } | undefined,
  from: { pa: number; bytes: number } | undefined,
): void {
  if (!to || !from) return;
  to.pa = from.pa;
  to.bytes = from.bytes;
}

/** Gives a region back; pieces stay sorted, and neighbours become one. */
export function freeRegion(rhyper: Rhyper, pa: number, bytes: number): void {
  const { state } = rhyper;
  let at = 0;
  while (at < state.freeCount && (state.free[at]?.pa ?? 0) < pa) at += 1;
  assert(state.freeCount < limits.freeRegions, 'there is room for another piece of free memory');
  for (let n = state.freeCount; n > at; n -= 1) copyPiece(state.free[n], state.free[n - 1]);
  copyPiece(state.free[at], { pa, bytes });
  state.freeCount += 1;
  mergeWithNext(rhyper, at);
  if (at > 0) mergeWithNext(rhyper, at - 1);
}

function mergeWithNext(rhyper: Rhyper, at: number): void {
  const { state } = rhyper;
  const piece = state.free[at];
  const next = state.free[at + 1];
  if (!piece || !next || at + 1 >= state.freeCount || piece.pa + piece.bytes !== next.pa) return;
  piece.bytes += next.bytes;
  removePiece(rhyper, at + 1);
}
