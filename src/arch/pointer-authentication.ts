// FEAT_PAuth as the control registers have it for the current exception level (Arm ARM, "Pointer authentication"): which keys are
// enabled, where in a pointer its code is, and who traps. Translated code takes it from the record as one word.

import { pointerControl } from '../isa/pointer-authentication/pointer.ts';
import { currentEl, el2Enabled, hasTwoRanges, high, isHost, low, type PeContext, regimeOf } from './pe-context.ts';
import { slotOf } from './system-registers.ts';
import { isTagIgnored, tcrOfRegime } from './translation-regime.ts';

const HCR_EL2 = slotOf('HCR_EL2');
const SCR_EL3 = slotOf('SCR_EL3');
/** HCR_EL2.API, counted from bit 32; SCR_EL3.API. */
const hcrAPI = 1 << (41 - 32);
const scrAPI = 1 << 17;

/** SCTLR_ELx.EnIA, EnIB, EnDA, EnDB. */
const enables = { IA: 31, IB: 30, DA: 27, DB: 13 } as const;

/** 64 - TxSZ, which is taken as the nearest in range, as translation does. */
const bottomBit = (TxSZ: number): number => 64 - Math.min(Math.max(TxSZ & 63, 16), 39);

/** The pointer control of the current exception level; `sctlr` is SCTLR_ELx of its regime, bits [31:0]. */
export function pointerControlOf(cx: PeContext, sctlr: number): number {
  const regime = regimeOf(cx, currentEl(cx));
  const isTwoRanges = hasTwoRanges(cx, regime);
  const tcr = low(cx, tcrOfRegime[regime]!);
  const [lower, upper] = pointerControl.bottom;
  let control = (bottomBit(tcr) << lower) | (bottomBit(isTwoRanges ? tcr >>> 16 : tcr) << upper);
  for (const [isFetch, tags, bit55] of [
    [true, pointerControl.tagsOfInstructions, pointerControl.bit55OfInstructions],
    [false, pointerControl.tagsOfData, pointerControl.bit55OfData],
  ] as const) {
    const ofLower = isTagIgnored(cx, regime, 0, isFetch) ? 1 : 0;
    const ofUpper = isTagIgnored(cx, regime, 1, isFetch) ? 1 : 0;
    control |= (ofLower << tags) | (ofUpper << (tags + 1)) | ((ofLower | ofUpper) << bit55);
  }
  const { enabled } = pointerControl;
  control |= ((sctlr >>> enables.IA) & 1) << enabled.IA;
  control |= ((sctlr >>> enables.IB) & 1) << enabled.IB;
  control |= ((sctlr >>> enables.DA) & 1) << enabled.DA;
  return control | (((sctlr >>> enables.DB) & 1) << enabled.DB);
}

/** The exception level that traps instructions of pointer authentication at the current one, or 0. */
export function pointerTrapTarget(cx: PeContext): number {
  const el = currentEl(cx);
  const isOfGuest = el === 1 || (el === 0 && !isHost(cx));
  if (isOfGuest && el2Enabled(cx) && (high(cx, HCR_EL2) & hcrAPI) === 0) return 2;
  return el < 3 && cx.hasEl3 && (low(cx, SCR_EL3) & scrAPI) === 0 ? 3 : 0;
}
