// Exclusives and atomics where PEs of several threads use RAM at the same time (Arm ARM, "Synchronization and semaphores").
//
// The monitors are the value: a Load-Exclusive remembers the physical address and what it has read, and a Store-Exclusive to the same
// address and of the same size passes where memory still holds that, which one compare-exchange of the host finds out and acts upon.
// A value that has been changed and changed back passes, which a granule's tag would not let pass; so it is with QEMU, and with
// algorithms that count. An access of 16 bytes at once is made under a lock (src/memory/pairs.ts).

import { compareExchange, readWhole } from '../memory/single-copy.ts';
import { low, type PeContext, setLow } from './pe-context.ts';
import { pe } from './state-layout.ts';

const doublewordBits = 64n;

/** `sizeBytes` bytes of the record, or of RAM, as one number. */
function valueAt({ memory }: PeContext, at: number, sizeBytes: number): bigint {
  if (sizeBytes < 16) return readWhole(memory, at, sizeBytes);
  return readWhole(memory, at, 8) | (readWhole(memory, at + 8, 8) << doublewordBits);
}

/** Writes the bytes at `at` if they hold `expected`; returns what they held. RAM does not change in between. */
function exchange(cx: PeContext, at: number, sizeBytes: number, expected: bigint, replacement: bigint): bigint {
  const { pairs, memory } = cx;
  if (sizeBytes < 16) {
    if (!pairs?.concerns(at, sizeBytes)) return compareExchange(memory, at, sizeBytes, expected, replacement);
    return pairs.locked(() => compareExchange(memory, at, sizeBytes, expected, replacement));
  }
  pairs?.prepare(at);
  const both = (): bigint => {
    const before = valueAt(cx, at, sizeBytes);
    if (before !== expected) return before;
    memory.doublewords[at / 8] = BigInt.asUintN(64, replacement);
    memory.doublewords[at / 8 + 1] = replacement >> doublewordBits;
    return before;
  };
  return pairs ? pairs.locked(both) : both();
}

/** A Load-Exclusive has read the value in scratch[1] and scratch[2]. */
export function rememberExclusive({ base, memory, words }: PeContext, pa: number, sizeBytes: number): void {
  const { doublewords } = memory;
  words[(base + pe.exclusiveAddress) / 4] = pa;
  words[(base + pe.exclusiveBytes) / 4] = sizeBytes;
  for (const at of [0, 8])
    doublewords[(base + pe.exclusiveValue + at) / 8] = doublewords[(base + pe.scratch + 8 + at) / 8]!;
}

/** CLREX, exception return, and the end of a Store-Exclusive, under either kind of monitors. */
export function clearExclusive(cx: PeContext): void {
  if (cx.pairs) setLow(cx, pe.exclusiveAddress, 0);
  else cx.monitors.clear(cx.index);
}

/** True where a Store-Exclusive at `pa` can pass. */
export const isRemembered = (cx: PeContext, pa: number, sizeBytes: number): boolean =>
  low(cx, pe.exclusiveAddress) === pa && low(cx, pe.exclusiveBytes) === sizeBytes;

const remembered = (cx: PeContext): bigint => valueAt(cx, cx.base + pe.exclusiveValue, low(cx, pe.exclusiveBytes));

/** Stores scratch[1] and scratch[2] where memory holds what the Load-Exclusive has read; true when it did. */
export function storeIfRemembered(cx: PeContext, pa: number, sizeBytes: number): boolean {
  const expected = remembered(cx);
  const replacement = valueAt(cx, cx.base + pe.scratch + 8, sizeBytes);
  return exchange(cx, pa, sizeBytes, expected, replacement) === expected;
}

/** Stores scratch[1] and scratch[2] where memory holds scratch[3] and scratch[4]; true when it did. What it held goes to scratch[1] and [2]. */
export function exchangeScratch(cx: PeContext, pa: number, sizeBytes: number): boolean {
  const value = cx.base + pe.scratch + 8;
  const expected = valueAt(cx, value + 16, sizeBytes);
  const before = exchange(cx, pa, sizeBytes, expected, valueAt(cx, value, sizeBytes));
  cx.memory.doublewords[value / 8] = BigInt.asUintN(64, before);
  cx.memory.doublewords[value / 8 + 1] = before >> doublewordBits;
  return before === expected;
}

/** Who waits asks again and again: without a BigInt. Halves that are read one after the other tell of a store just as well. */
function differ({ memory: { bytes, halfwords, words } }: PeContext, a: number, b: number, sizeBytes: number): boolean {
  if (sizeBytes === 1) return bytes[a] !== bytes[b];
  if (sizeBytes === 2) return halfwords[a / 2] !== halfwords[b / 2];
  for (let at = 0; at < sizeBytes; at += 4) if (words[(a + at) / 4] !== words[(b + at) / 4]) return true;
  return false;
}

export function hasLostMonitor(cx: PeContext): boolean {
  const pa = low(cx, pe.exclusiveAddress);
  if (pa === 0 || !differ(cx, pa, cx.base + pe.exclusiveValue, low(cx, pe.exclusiveBytes))) return false;
  clearExclusive(cx);
  return true;
}

export function watchMonitor(cx: PeContext): boolean {
  const pa = low(cx, pe.exclusiveAddress);
  if (pa !== 0) cx.monitors.mark(cx.index, pa, low(cx, pe.exclusiveBytes));
  return pa !== 0;
}
