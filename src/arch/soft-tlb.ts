// The soft TLBs: what a translation allows, put where translated code finds it by one comparison. Only RAM, and only memory that
// has no alignment of its own: Normal, or Device where stage 1 is off, because `strictAlignment` is then set.

import { softTlbOf } from './derived-state.ts';
import { low, type PeContext, PSTATE } from './pe-context.ts';
import { noTag, pe, pageShift, ramBase, softTlbEntries, softTlbEntry, touchedPageOffset } from './state-layout.ts';
import { attribute, need } from './translation-attributes.ts';
import { permissions } from './translation.ts';

const pageBytes = 1 << pageShift;
const readWord = softTlbEntry.readTag / 4;
const writeWord = softTlbEntry.writeTag / 4;
const fetchWord = softTlbEntry.fetchTag / 4;
const addendWord = softTlbEntry.addend / 4;

/** Enters the translation that `cx.translation` holds, for the page of a virtual address and the soft TLB of `el`. */
export function fillSoftTlb(cx: PeContext, vaLow: number, vaHigh: number, el: number): void {
  const { pa, attributes, entry } = cx.translation;
  if (pa < ramBase || pa >= cx.ramEnd) return;
  if (entry >= 0 && (attributes & attribute.device) !== 0) return;
  const isPan = el === 1 && (low(cx, pe.pstate) & PSTATE.PAN) !== 0;
  const granted = permissions(cx, attributes, entry, el, isPan);
  if (el === 1 && !isPan && entry >= 0 && (attributes & attribute.user) !== 0) cx.userPagesInSoftTlb = true;
  const canFetch = (granted & need.fetch) !== 0;
  if (canFetch && entry >= 0) cx.tlb.attributes[entry]! |= attribute.fetched;

  const index = (vaLow >>> pageShift) & (softTlbEntries - 1);
  const at = (softTlbOf(cx, el) + index * softTlbEntry.bytes) >>> 2;
  const pageLow = vaLow & -pageBytes;
  setTag(cx, at + readWord, (granted & need.read) !== 0, pageLow, vaHigh);
  setTag(cx, at + writeWord, (granted & need.write) !== 0, pageLow, vaHigh);
  setTag(cx, at + fetchWord, canFetch, pageLow, vaHigh);
  if ((granted & need.write) !== 0) cx.memory.bytes[touchedPageOffset + (pa >>> pageShift)] = 1;
  cx.words[at + addendWord] = pa - (pa % pageBytes) - pageLow;
}

function setTag(cx: PeContext, at: number, isGranted: boolean, pageLow: number, vaHigh: number): void {
  cx.words[at] = isGranted ? pageLow : noTag;
  cx.words[at + 1] = isGranted ? vaHigh : noTag;
}
