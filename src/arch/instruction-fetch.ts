// Where instructions come from: PC, translated for execution at the current exception level.

import { pcAlignment } from './exceptions.ts';
import { currentEl, hasTwoRanges, high, low, type PeContext, regimeOf, setLow, setPair } from './pe-context.ts';
import { fillSoftTlb } from './soft-tlb.ts';
import { btypeChecked, pe, ramBase } from './state-layout.ts';
import { attribute, FSC, need, noFault } from './translation-attributes.ts';
import { instructionFault } from './translation-faults.ts';
import { isTagIgnored } from './translation-regime.ts';
import { translateAccess } from './translation.ts';

/** AArch64.BranchAddr(): where the regime ignores tags, PC holds none. */
function removeTag(cx: PeContext, el: number): void {
  const pcHigh = high(cx, pe.pc);
  const regime = regimeOf(cx, el);
  const bit55 = (pcHigh >>> 23) & 1;
  if (!isTagIgnored(cx, regime, bit55, true)) return;
  const isUpper = bit55 === 1 && hasTwoRanges(cx, regime);
  setPair(cx, pe.pc, low(cx, pe.pc), isUpper ? pcHigh | 0xff00_0000 : pcHigh & 0x00ff_ffff);
}

/** The physical address of the instruction at PC, or -1 after the exception has been taken. */
export function translateFetch(cx: PeContext): number {
  const el = currentEl(cx);
  const pcLow = low(cx, pe.pc);
  // What has been let through is over, and an abort of this fetch finds BTYPE 0.
  if ((low(cx, pe.btype) & btypeChecked) !== 0) setLow(cx, pe.btype, 0);
  if ((pcLow & 3) !== 0) {
    pcAlignment(cx);
    return -1;
  }
  removeTag(cx, el);
  const pcHigh = high(cx, pe.pc);
  const out = cx.translation;
  translateAccess(cx, pcLow, pcHigh, el, need.fetch, true, true, false);
  if (out.fault === noFault && (out.pa < ramBase || out.pa >= cx.ramEnd)) out.fault = FSC.externalAbort;
  if (out.fault !== noFault) {
    instructionFault(cx);
    return -1;
  }
  if (out.entry >= 0) cx.tlb.attributes[out.entry]! |= attribute.fetched;
  const { pa } = out;
  fillSoftTlb(cx, pcLow, pcHigh, el, need.fetch);
  return pa;
}
