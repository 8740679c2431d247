// Address translation (Arm ARM, "The AArch64 Virtual Memory System Architecture"; pseudocode AArch64.FullTranslate and
// AArch64.TranslateAddress): stage 1 of the EL1&0, EL2, EL2&0 and EL3 regimes, then stage 2 of Non-secure EL1&0 where it is on,
// with the TLB before them. FEAT_HAFDBS is not here, and the ID registers say so.

import { isStage1Enabled, sctlr } from './derived-state.ts';
import { hasTwoRanges, hcr, HCR, type PeContext, regimeOf } from './pe-context.ts';
import { stage1Permissions, stage2Permissions } from './permissions.ts';
import { combineStages } from './stage-combination.ts';
import { walked, walkStage1 } from './stage1-walk.ts';
import { stage2, translateStage2 } from './stage2.ts';
import { replaceEntry } from './tlb-maintenance.ts';
import { globalAsid, lookUpTlb, outputOf } from './tlb.ts';
import { attribute, FSC, levelOf, noFault, stage2LevelOf } from './translation-attributes.ts';
import { contextOf, currentAsid, isStage2Enabled, isTagIgnored } from './translation-regime.ts';

const outerShareable = 2 << attribute.shareabilityShift;
const normalWriteBack = 0xff << attribute.mairShift;
/** Memory attributes where stage 1 is off: Device-nGnRnE data. */
const offData = attribute.stage1Off | attribute.device | attribute.stage1Device | attribute.user | outerShareable;
const offFetch = attribute.stage1Off | attribute.user | normalWriteBack | outerShareable;
/** Instruction fetches with SCTLR_ELx.I clear: Normal, Non-cacheable. */
const offFetchNonCacheable = attribute.stage1Off | attribute.user | (0x44 << attribute.mairShift) | outerShareable;
/** With HCR_EL2.DC: Normal, Write-Back, Non-shareable. */
const offDefaultCacheable = attribute.stage1Off | attribute.user | normalWriteBack;

const SCTLR_I = 1 << 12;
const twoTo32 = 2 ** 32;
const twoTo48 = 2 ** 48;

/** The first address of the page, block or group of an address. Bitwise operations are far quicker than a remainder, up to 2^30. */
const firstOf = (address: number, shift: number): number =>
  address - (shift <= 30 ? address & ((1 << shift) - 1) : address % 2 ** shift);

function clear(cx: PeContext): void {
  const out = cx.translation;
  out.fault = noFault;
  out.isStage2 = false;
  out.isWalk = false;
  out.granted = 0;
  out.entry = -1;
}

/** Bits [63:48] without a tag, and what they must be in the range of the address. */
const areTopBitsWrong = (vaHigh: number, top: number, isUpper: boolean): boolean =>
  top === 55 ? ((vaHigh >>> 16) & 0xff) !== (isUpper ? 0xff : 0) : vaHigh >>> 16 !== (isUpper ? 0xffff : 0);

/**
 * Translates a virtual address for the regime of `el`, without permissions. The answer is in `cx.translation`; `fault` is the
 * fault status code with its level. Where stage 2 faults on the output of stage 1, `attributes` are those of stage 1.
 */
export function translate(cx: PeContext, vaLow: number, vaHigh: number, el: number, isFetch: boolean): void {
  const out = cx.translation;
  const regime = regimeOf(cx, el);
  const bit55 = (vaHigh >>> 23) & 1;
  const top = isTagIgnored(cx, regime, bit55, isFetch) ? 55 : 63;
  clear(cx);
  if (!isStage1Enabled(cx, el)) {
    translateStage1Off(cx, vaLow, vaHigh, el, top, isFetch);
    if (out.fault === noFault && regime === 1 && isStage2Enabled(cx)) translateOutput(cx);
    return;
  }
  // Bits [top:48] must equal bit 55 in the regimes with two ranges, 0 in the others; bits [47:TxSZ] are checked by the walk.
  const isUpper = bit55 === 1 && hasTwoRanges(cx, regime);
  if (areTopBitsWrong(vaHigh, top, isUpper)) {
    out.fault = FSC.translation;
    return;
  }
  const address = (vaHigh & 0xffff) * twoTo32 + (vaLow >>> 0) + (isUpper ? twoTo48 : 0);
  const translationContext = contextOf(cx, regime);
  const asid = currentAsid(cx, regime);
  const entry = lookUpTlb(cx.tlb, address, translationContext, asid);
  if (entry >= 0) {
    out.entry = entry;
    out.pa = outputOf(cx.tlb, entry, address);
    out.attributes = cx.tlb.attributes[entry]!;
    return;
  }
  walkStage1(cx, vaLow >>> 0, vaHigh & 0xffff, isUpper, regime);
  if (out.fault !== noFault) return;
  let ipa = -1;
  let shift = walked.shift;
  if (regime === 1 && isStage2Enabled(cx)) {
    ipa = out.pa;
    if (!translateOutput(cx)) return;
    shift = Math.min(shift, stage2.shift);
  }
  out.entry = replaceEntry(cx, {
    address,
    shift,
    context: translationContext,
    asid: walked.isGlobal ? globalAsid : asid,
    output: firstOf(out.pa, shift),
    attributes: out.attributes,
    ipa: ipa < 0 ? -1 : firstOf(ipa, shift),
    stage1Shift: walked.shift,
    stage2Shift: ipa < 0 ? 0 : stage2.shift,
  });
}

/** Stage 2 of the output address of stage 1, which is in `cx.translation` with its attributes; false where it faults. */
function translateOutput(cx: PeContext): boolean {
  const out = cx.translation;
  out.ipa = out.pa;
  translateStage2(cx, out.ipa);
  if (stage2.fault !== noFault) {
    out.fault = stage2.fault;
    out.isStage2 = true;
    return false;
  }
  out.pa = stage2.pa;
  out.entry = stage2.entry;
  out.attributes = combineStages(cx, out.attributes, stage2.attributes);
  return true;
}

/** Stage 1 alone, as if there were no TLB: AT S1E0 and S1E1 with stage 2 on. Descriptors go through stage 2. */
export function translateStage1(cx: PeContext, vaLow: number, vaHigh: number, el: number): void {
  const out = cx.translation;
  const regime = regimeOf(cx, el);
  const bit55 = (vaHigh >>> 23) & 1;
  const top = isTagIgnored(cx, regime, bit55, false) ? 55 : 63;
  const isUpper = bit55 === 1 && hasTwoRanges(cx, regime);
  clear(cx);
  if (!isStage1Enabled(cx, el)) translateStage1Off(cx, vaLow, vaHigh, el, top, false);
  else if (areTopBitsWrong(vaHigh, top, isUpper)) out.fault = FSC.translation;
  else walkStage1(cx, vaLow >>> 0, vaHigh & 0xffff, isUpper, regime);
}

/** AArch64.S1DisabledOutput(): the address is the output address. */
function translateStage1Off(
  cx: PeContext,
  vaLow: number,
  vaHigh: number,
  el: number,
  top: number,
  isFetch: boolean,
): void {
  const out = cx.translation;
  if (areTopBitsWrong(vaHigh, top, false)) {
    out.fault = FSC.addressSize;
    return;
  }
  out.pa = (vaHigh & 0xffff) * twoTo32 + (vaLow >>> 0);
  if (regimeOf(cx, el) === 1 && (hcr(cx) & HCR.DC) !== 0) out.attributes = offDefaultCacheable;
  else if (!isFetch) out.attributes = offData;
  else out.attributes = (sctlr(cx, el) & SCTLR_I) !== 0 ? offFetch : offFetchNonCacheable;
}

/**
 * AArch64.TranslateAddress(): translates, and finds the first fault in the manual's order: stage 1, its alignment and permissions,
 * stage 2, its alignment and permissions. `needed`: bits of `need`; `isAligned`: false where Device memory faults.
 */
export function translateAccess(
  cx: PeContext,
  vaLow: number,
  vaHigh: number,
  el: number,
  needed: number,
  isFetch: boolean,
  isAligned: boolean,
  isPan: boolean,
): void {
  translate(cx, vaLow, vaHigh, el, isFetch);
  checkAccess(cx, el, needed, isAligned, isPan);
}

/** Makes of `cx.translation` the fault that an access ends in, if any. */
export function checkAccess(cx: PeContext, el: number, needed: number, isAligned: boolean, isPan: boolean): void {
  const out = cx.translation;
  const isStage2OfOutput = out.isStage2 && !out.isWalk;
  if (out.fault !== noFault && !isStage2OfOutput) return;
  const { attributes } = out;
  const granted = stage1Permissions(cx, attributes, el, isPan);
  let fault: number = noFault;
  if (!isAligned && (attributes & attribute.stage1Device) !== 0) fault = FSC.alignment;
  else if ((granted & needed) !== needed) fault = FSC.permission + levelOf(attributes);
  if (fault !== noFault) {
    out.fault = fault;
    out.isStage2 = false;
    out.granted = granted;
    return;
  }
  if (out.fault !== noFault || (attributes & attribute.stage2) === 0) return;
  out.granted = stage2Permissions(attributes, el);
  if (!isAligned && (attributes & attribute.device) !== 0) out.fault = FSC.alignment;
  else if ((out.granted & needed) !== needed) out.fault = FSC.permission + stage2LevelOf(attributes);
  out.isStage2 = out.fault !== noFault;
}
