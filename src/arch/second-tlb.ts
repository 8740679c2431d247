// The second level of the soft TLBs: what the first one has had to give up, for data accesses. A worker's runtime looks here (src/engine/
// second-look-up.ts) before it asks for a translation, so that a program with many pages pays for a walk of the tables once.
//
// It holds nothing that the TLB does not hold: what leaves that leaves this too. A soft TLB that is emptied begins a new epoch here,
// and nothing has to be cleared.

import type { PeContext } from './pe-context.ts';
import {
  pageShift,
  secondTlbBytes,
  secondTlbDistance,
  secondTlbEntries,
  secondTlbEntry,
  softTlbEpoch,
} from './state-layout.ts';

/** Index, in words, of the entry of a page, of which only the low bits count. */
function entryWord(cx: PeContext, page: number): number {
  const index = (page + cx.index * secondTlbDistance) & (secondTlbEntries - 1);
  return (cx.secondTlb + index * secondTlbEntry.bytes) >>> 2;
}

const tagLow = (cx: PeContext, el: number, vaLow: number): number =>
  ((vaLow & -(1 << pageShift)) | (cx.index << 2) | el) >>> 0;

/** Everything that was entered for a soft TLB is void. */
export function beginEpoch(cx: PeContext, softTlb: number): void {
  const at = (softTlb + softTlbEpoch) >>> 2;
  const epoch = (cx.words[at]! + 1) >>> 0;
  if (epoch === 0 && cx.secondTlb !== 0) cx.memory.bytes.fill(0, cx.secondTlb, cx.secondTlb + secondTlbBytes);
  // An entry that has never been used is of epoch 0.
  cx.words[at] = Math.max(epoch, 1);
}

/** Enters what a soft TLB has got for a page: `permitted` are bits of `need`. */
export function enterSecondTlb(
  cx: PeContext,
  softTlb: number,
  el: number,
  vaLow: number,
  vaHigh: number,
  addend: number,
  permitted: number,
): void {
  if (cx.secondTlb === 0) return;
  const { words } = cx;
  const at = entryWord(cx, vaLow >>> pageShift);
  const tag = tagLow(cx, el, vaLow);
  const epoch = words[(softTlb + softTlbEpoch) >>> 2]!;
  const wasEntered =
    words[at + secondTlbEntry.tag / 4] === tag &&
    words[at + secondTlbEntry.tag / 4 + 1] === vaHigh &&
    words[at + secondTlbEntry.epoch / 4] === epoch;
  const before = wasEntered ? words[at + secondTlbEntry.addend / 4]! & ((1 << pageShift) - 1) : 0;
  words[at + secondTlbEntry.tag / 4] = tag;
  words[at + secondTlbEntry.tag / 4 + 1] = vaHigh;
  words[at + secondTlbEntry.addend / 4] = addend | before | permitted;
  words[at + secondTlbEntry.epoch / 4] = epoch;
}

/** A page of a soft TLB is void, whatever the tag of its addresses. */
export function forgetPage(cx: PeContext, el: number, page: number): void {
  if (cx.secondTlb === 0) return;
  const at = entryWord(cx, page);
  if (cx.words[at + secondTlbEntry.tag / 4] === tagLow(cx, el, page << pageShift)) {
    cx.words[at + secondTlbEntry.epoch / 4] = 0;
  }
}
