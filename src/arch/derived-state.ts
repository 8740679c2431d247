// What the record of the PE holds besides architectural state, so that translated code decides by one load: the soft TLB in use,
// alignment and floating-point controls, and the stack pointer in use. One function, `refreshDerivedState`, makes it from
// PSTATE and the system registers; whatever changes those calls it.

import {
  copy,
  currentEl,
  el2Enabled,
  hcr,
  HCR,
  high,
  isE2h,
  isHost,
  low,
  type PeContext,
  PSTATE,
  regimeOf,
  setLow,
} from './pe-context.ts';
import {
  emptyJumpKey,
  jumpCachePieceBytes,
  noTag,
  pe,
  softTlbBytes,
  softTlbDevicePage,
  softTlbEntries,
  softTlbEntry,
} from './state-layout.ts';
import { beginEpoch, forgetPage } from './second-tlb.ts';
import { pointerControlOf, pointerTrapTarget } from './pointer-authentication.ts';
import { slotOf } from './system-registers.ts';
import { synchroniseCycleCounter } from './performance-monitors.ts';

/** Byte offsets of the banked stack pointers, and of SCTLR_ELx of the regime of each exception level. */
const bankedSp = [slotOf('SP_EL0'), slotOf('SP_EL1'), slotOf('SP_EL2'), pe.spEl3] as const;
const SCTLR_EL1 = slotOf('SCTLR_EL1');
const SCTLR_EL2 = slotOf('SCTLR_EL2');
const sctlrOfEl = [SCTLR_EL1, SCTLR_EL1, SCTLR_EL2, slotOf('SCTLR_EL3')] as const;
const CPACR_EL1 = slotOf('CPACR_EL1');
const CPTR_EL2 = slotOf('CPTR_EL2');
const CPTR_EL3 = slotOf('CPTR_EL3');

const SCTLR = { M: 1 << 0, A: 1 << 1, SA: 1 << 3, SA0: 1 << 4 } as const;
const TFP = 1 << 10;

/** SCTLR_ELx of the translation regime of an exception level, bits [31:0]. */
export const sctlr = (cx: PeContext, el: number): number =>
  low(cx, el === 0 && isHost(cx) ? SCTLR_EL2 : sctlrOfEl[el]!);

/** Its bits [63:32]. */
export const sctlrHigh = (cx: PeContext, el: number): number =>
  high(cx, el === 0 && isHost(cx) ? SCTLR_EL2 : sctlrOfEl[el]!);

/** True where stage 1 of the regime of this exception level is enabled. */
export function isStage1Enabled(cx: PeContext, el: number): boolean {
  const isOfGuest = el === 1 || (el === 0 && !isHost(cx));
  if (isOfGuest && (hcr(cx) & (HCR.TGE | HCR.DC)) !== 0) return false;
  return (sctlr(cx, el) & SCTLR.M) !== 0;
}

/** CPACR_EL1.FPEN, and CPTR_EL2.FPEN where HCR_EL2.E2H is 1: 0 and 2 trap everything, 1 what `isUser`, 3 nothing. */
function isTrappedByFpen(control: number, isUser: boolean): boolean {
  const FPEN = (control >>> 20) & 3;
  return FPEN !== 3 && !(FPEN === 1 && !isUser);
}

/** The least exception level whose control traps SIMD&FP accesses from the current one, or 0. */
export function fpTrapTarget(cx: PeContext): 0 | 1 | 2 | 3 {
  const el = currentEl(cx);
  const isHostEl0 = el === 0 && isHost(cx);
  if (el <= 1 && !isHostEl0 && isTrappedByFpen(low(cx, CPACR_EL1), el === 0)) return 1;
  if (el <= 2 && el2Enabled(cx)) {
    const control = low(cx, CPTR_EL2);
    if (isE2h(cx) ? isTrappedByFpen(control, isHostEl0) : (control & TFP) !== 0) return 2;
  }
  if (cx.hasEl3 && (low(cx, CPTR_EL3) & TFP) !== 0) return 3;
  return 0;
}

export const softTlbOf = (cx: PeContext, el: number): number => cx.base + pe.softTlb + el * softTlbBytes;

/** Empties the jump cache of the PE whose record is at `base`. */
export function emptyJumpCache(words: Uint32Array, base: number): void {
  const pieces = (base + pe.jumpCachePieces) >>> 2;
  const first = (base + pe.jumpCache) >>> 2;
  const pieceWords = jumpCachePieceBytes / 4;
  for (let piece = 0; words[pieces]! >>> piece !== 0; piece++) {
    if (((words[pieces]! >>> piece) & 1) === 0) continue;
    words.fill(emptyJumpKey.other, first + piece * pieceWords, first + (piece + 1) * pieceWords);
  }
  words[pieces] = 0;
  words[first] = emptyJumpKey.first;
}

export function flushJumpCache(cx: PeContext): void {
  emptyJumpCache(cx.words, cx.base);
}

function invalidateEntry(words: Uint32Array, at: number): void {
  words[at + softTlbEntry.readTag / 4] = noTag;
  words[at + softTlbEntry.writeTag / 4] = noTag;
  words[at + softTlbEntry.fetchTag / 4] = noTag;
  words[at + softTlbDevicePage.address / 4] = 0;
}

/** Empties the soft TLB of one exception level. */
export function flushSoftTlb(cx: PeContext, el: number): void {
  if ((cx.softTlbInUse & (1 << el)) === 0) return;
  cx.softTlbInUse &= ~(1 << el);
  const first = softTlbOf(cx, el) >>> 2;
  const end = first + softTlbBytes / 4;
  for (let at = first; at < end; at += softTlbEntry.bytes / 4) invalidateEntry(cx.words, at);
  beginEpoch(cx, softTlbOf(cx, el));
  cx.userPagesInSoftTlb &= ~(1 << el);
}

/** Empties the entry of a page in the soft TLB of one exception level. */
export function flushSoftTlbEntry(cx: PeContext, el: number, page: number): void {
  const index = page % softTlbEntries;
  invalidateEntry(cx.words, (softTlbOf(cx, el) + index * softTlbEntry.bytes) >>> 2);
  forgetPage(cx, el, page);
}

/** Forgets everything derived from the translations of a regime: 1 is EL1&0, 2 may be EL2&0. */
export function flushRegime(cx: PeContext, regime: number): void {
  if (regime <= 2) flushSoftTlb(cx, 0);
  flushSoftTlb(cx, regime);
  flushJumpCache(cx);
}

/** What the translations of EL0 and EL1 hang on, beside the tables. Of HCR_EL2 only VM, DC, TGE and E2H: interrupts change others. */
const worldRegisters = [
  SCTLR_EL1,
  slotOf('TCR_EL1'),
  slotOf('TTBR0_EL1'),
  slotOf('TTBR1_EL1'),
  slotOf('MAIR_EL1'),
  slotOf('VTTBR_EL2'),
  slotOf('VTCR_EL2'),
] as const;
const HCR_EL2 = slotOf('HCR_EL2');
const worldOfHcr = { low: HCR.VM | HCR.DC | HCR.TGE, high: 1 << 2 } as const;
export const worldWords = 2 * worldRegisters.length + 2;

/** HCR_EL2 has been written, or what it is in effect for. E2H chooses the regime of EL2, at once. */
export function changeWorld(cx: PeContext): void {
  const isHostLevel = isE2h(cx);
  if (isHostLevel !== cx.wasE2h) flushRegime(cx, 2);
  cx.wasE2h = isHostLevel;
  cx.isWorldStale = true;
}

/** Empties the soft TLBs of EL0 and EL1 where their world is not the one that they were filled in. */
function enterWorld(cx: PeContext): void {
  let isOther = false;
  for (let index = 0; index < worldWords / 2; index++) {
    const isHcr = index === worldRegisters.length;
    const offset = worldRegisters[index] ?? HCR_EL2;
    const lowWord = low(cx, offset) & (isHcr ? worldOfHcr.low : -1);
    const highWord = high(cx, offset) & (isHcr ? worldOfHcr.high : -1);
    if (cx.world[2 * index] === lowWord && cx.world[2 * index + 1] === highWord) continue;
    cx.world[2 * index] = lowWord;
    cx.world[2 * index + 1] = highWord;
    isOther = true;
  }
  cx.isWorldStale = false;
  if (isOther) flushRegime(cx, 1);
}

export function refreshDerivedState(cx: PeContext): void {
  synchroniseCycleCounter(cx);
  const pstate = low(cx, pe.pstate);
  const el = (pstate >>> PSTATE.elShift) & 3;
  const control = sctlr(cx, el);
  const isUnprivilegedDifferent = (el === 1 || (el === 2 && isHost(cx))) && (pstate & PSTATE.UAO) === 0;
  // A hypervisor that changes worlds pays once, when it enters another one than it has left.
  if (cx.isWorldStale && (el <= 1 || isUnprivilegedDifferent)) enterWorld(cx);
  const isPan = (el === 1 || (el === 2 && isE2h(cx))) && (pstate & PSTATE.PAN) !== 0;
  if (isPan && ((cx.userPagesInSoftTlb >>> el) & 1) !== 0) flushSoftTlb(cx, el);
  setLow(cx, pe.jumpTag, el);
  setLow(cx, pe.tlb, softTlbOf(cx, el));
  setLow(cx, pe.tlbUnprivileged, softTlbOf(cx, isUnprivilegedDifferent ? 0 : el));
  setLow(cx, pe.spAlignmentMask, (control & (el === 0 ? SCTLR.SA0 : SCTLR.SA)) !== 0 ? 15 : 0);
  setLow(cx, pe.fpTrapped, fpTrapTarget(cx));
  setLow(cx, pe.pointerControl, pointerControlOf(cx, control));
  setLow(cx, pe.pointerTrapped, pointerTrapTarget(cx));
  const isDevice = !isStage1Enabled(cx, el) && !(regimeOf(cx, el) === 1 && (hcr(cx) & HCR.DC) !== 0);
  setLow(cx, pe.strictAlignment, (control & SCTLR.A) !== 0 || isDevice ? -1 : 0);
}

const spBankOf = (pstate: number): number =>
  bankedSp[(pstate & PSTATE.SP) === 0 ? 0 : (pstate >>> PSTATE.elShift) & 3]!;

/** Changes PSTATE (without NZCV), and what hangs on it. */
export function setPstate(cx: PeContext, pstate: number): void {
  const from = spBankOf(low(cx, pe.pstate));
  const to = spBankOf(pstate);
  if (from !== to) {
    copy(cx, from, pe.sp);
    copy(cx, pe.sp, to);
  }
  setLow(cx, pe.pstate, pstate);
  refreshDerivedState(cx);
}

/** NZCV in bits [31:28]. */
export const nzcv = (cx: PeContext): number =>
  ((low(cx, pe.n) << 31) | (low(cx, pe.z) << 30) | (low(cx, pe.c) << 29) | (low(cx, pe.v) << 28)) >>> 0;

export function setNzcv(cx: PeContext, value: number): void {
  setLow(cx, pe.n, value >>> 31);
  setLow(cx, pe.z, (value >>> 30) & 1);
  setLow(cx, pe.c, (value >>> 29) & 1);
  setLow(cx, pe.v, (value >>> 28) & 1);
}

/** GetPSRFromPSTATE(). */
export const spsrFromPstate = (cx: PeContext): number =>
  (nzcv(cx) | low(cx, pe.pstate) | ((low(cx, pe.btype) & 3) << PSTATE.btypeShift)) >>> 0;
