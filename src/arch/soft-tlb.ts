// The soft TLBs: what a translation allows, put where translated code finds it by one comparison. Only RAM, and only memory that
// has no alignment of its own: Normal, or Device where stage 1 is off, because `strictAlignment` is then set.
//
// Beside that, for the slow path, pages outside RAM: an access to a device is translated when it is sent and again when it has been answered.

import { softTlbOf } from './derived-state.ts';
import type { PeContext } from './pe-context.ts';
import { isPanInEffect, permissions } from './permissions.ts';
import { enterSecondTlb } from './second-tlb.ts';
import {
  addendAfterTag,
  guardedAfterFetchTag,
  pageShift,
  ramBase,
  softTlbDevicePage,
  softTlbEntries,
  softTlbEntry,
  touchedPageOffset,
} from './state-layout.ts';
import { attribute, need } from './translation-attributes.ts';

const pageBytes = 1 << pageShift;
/** The kinds of access of an entry's parts. */
const parts = [
  { kind: need.read, tag: softTlbEntry.readTag / 4 },
  { kind: need.write, tag: softTlbEntry.writeTag / 4 },
  { kind: need.fetch, tag: softTlbEntry.fetchTag / 4 },
] as const;

/**
 * Enters the translation that `cx.translation` holds, for the page of a virtual address, the soft TLB of `el`, and as many of the
 * `needed` kinds of access as it permits.
 */
export function fillSoftTlb(cx: PeContext, vaLow: number, vaHigh: number, el: number, needed: number): void {
  const { pa, attributes, entry } = cx.translation;
  if (pa < ramBase || pa >= cx.ramEnd) {
    enterDevicePage(cx, vaLow, vaHigh, el, needed);
    return;
  }
  // Where stage 1 is off and memory is Device by it, every access is checked for alignment anyway.
  const isDevice = (attributes & attribute.device) !== 0;
  const isOffDevice = (attributes & attribute.stage1Off) !== 0 && (attributes & attribute.stage1Device) !== 0;
  if (isDevice && !isOffDevice) return;
  const granted = grantedTo(cx, el);
  if ((needed & granted & need.fetch) !== 0 && entry >= 0) cx.tlb.attributes[entry]! |= attribute.fetched;

  const softTlb = softTlbOf(cx, el);
  const entryWord = entryOf(cx, vaLow, el);
  const pageLow = vaLow & -pageBytes;
  const addend = (pa & -pageBytes) - pageLow;
  const accessed = needed & granted & accesses;
  if (accessed !== 0) enterSecondTlb(cx, softTlb, el, vaLow, vaHigh, addend, accessed);
  for (let i = 0; i < parts.length; i++) {
    const { kind, tag } = parts[i]!;
    if ((needed & granted & kind) === 0) continue;
    const at = entryWord + tag;
    cx.words[at] = pageLow;
    cx.words[at + 1] = vaHigh;
    cx.words[at + addendAfterTag / 4] = addend;
    if (kind === need.fetch) cx.words[at + guardedAfterFetchTag / 4] = (attributes & attribute.guarded) !== 0 ? 1 : 0;
  }
  if ((needed & granted & need.write) !== 0) cx.memory.bytes[touchedPageOffset + (pa >>> pageShift)] = 1;
  cx.softTlbInUse |= 1 << el;
}

/** What the translation permits `el` in a page that enters its soft TLB. */
function grantedTo(cx: PeContext, el: number): number {
  const { attributes } = cx.translation;
  const isPan = isPanInEffect(cx, el);
  const isUserPage = (attributes & attribute.user) !== 0 && (attributes & attribute.stage1Off) === 0;
  if (el !== 0 && !isPan && isUserPage) cx.userPagesInSoftTlb |= 1 << el;
  return permissions(cx, attributes, el, isPan);
}

const devicePageAddress = softTlbDevicePage.address / 4;
const devicePagePa = softTlbDevicePage.pa / 4;
const accesses = need.read | need.write;

const entryOf = (cx: PeContext, vaLow: number, el: number): number =>
  (softTlbOf(cx, el) + ((vaLow >>> pageShift) & (softTlbEntries - 1)) * softTlbEntry.bytes) >>> 2;

function enterDevicePage(cx: PeContext, vaLow: number, vaHigh: number, el: number, needed: number): void {
  const permitted = needed & accesses & grantedTo(cx, el);
  const page = Math.floor(cx.translation.pa / pageBytes);
  if (permitted === 0 || page > 0xffff_ffff) return;
  const { words } = cx;
  const at = entryOf(cx, vaLow, el);
  const pageLow = (vaLow & -pageBytes) >>> 0;
  const there = words[at + devicePageAddress]!;
  const isSamePage =
    (there & -pageBytes) >>> 0 === pageLow &&
    words[at + devicePageAddress + 1] === vaHigh &&
    words[at + devicePagePa] === page;
  words[at + devicePageAddress] = pageLow | permitted | (isSamePage ? there & accesses : 0);
  words[at + devicePageAddress + 1] = vaHigh;
  words[at + devicePagePa] = page;
  cx.softTlbInUse |= 1 << el;
}

/** The physical address, outside RAM, of an aligned access that the soft TLB of `el` permits, or -1. */
export function lookUpDevicePage(cx: PeContext, vaLow: number, vaHigh: number, el: number, needed: number): number {
  const { words } = cx;
  const at = entryOf(cx, vaLow, el);
  const there = words[at + devicePageAddress]!;
  const isHit =
    (there & needed) === needed && ((there ^ vaLow) & -pageBytes) === 0 && words[at + devicePageAddress + 1] === vaHigh;
  return isHit ? words[at + devicePagePa]! * pageBytes + (vaLow & (pageBytes - 1)) : -1;
}

/**
 * The physical address of an access that the soft TLB of `el` permits, or -1: slow paths that are not slow for want of a
 * translation, such as exclusives and stores to marked lines, need no more.
 */
export function lookUpSoftTlb(cx: PeContext, vaLow: number, vaHigh: number, el: number, needed: number): number {
  const { words } = cx;
  const entryWord = entryOf(cx, vaLow, el);
  const pageLow = (vaLow & -pageBytes) >>> 0;
  let pa = -1;
  for (let i = 0; i < parts.length; i++) {
    const { kind, tag } = parts[i]!;
    if ((needed & kind) === 0) continue;
    const at = entryWord + tag;
    if (words[at] !== pageLow || words[at + 1] !== vaHigh) return -1;
    pa = (vaLow + words[at + addendAfterTag / 4]!) >>> 0;
  }
  return pa;
}
