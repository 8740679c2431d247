// Where instructions come from: PC, translated for execution at the current exception level.

import { instructionAbort, pcAlignment } from './exceptions.ts';
import { currentEl, high, low, type PeContext, setPair } from './pe-context.ts';
import { fillSoftTlb } from './soft-tlb.ts';
import { pe, ramBase } from './state-layout.ts';
import { attribute, FSC, levelOf, need, noFault, regimeOf } from './translation-attributes.ts';
import { isTagIgnored, permissions, translate } from './translation.ts';

/** AArch64.BranchAddr(): where the regime ignores tags, PC holds none. */
function removeTag(cx: PeContext, el: number): void {
  const pcHigh = high(cx, pe.pc);
  const regime = regimeOf(el);
  const bit55 = (pcHigh >>> 23) & 1;
  if (!isTagIgnored(cx, regime, bit55)) return;
  const isUpper = regime === 1 && bit55 === 1;
  setPair(cx, pe.pc, low(cx, pe.pc), isUpper ? pcHigh | 0xff00_0000 : pcHigh & 0x00ff_ffff);
}

/** The physical address of the instruction at PC, or -1 after the exception has been taken. */
export function translateFetch(cx: PeContext): number {
  const el = currentEl(cx);
  const pcLow = low(cx, pe.pc);
  if ((pcLow & 3) !== 0) {
    pcAlignment(cx);
    return -1;
  }
  removeTag(cx, el);
  const pcHigh = high(cx, pe.pc);
  const out = cx.translation;
  translate(cx, pcLow, pcHigh, el, true);
  let fsc = out.fault;
  if (fsc === noFault) {
    const granted = permissions(cx, out.attributes, out.entry, el, false);
    if ((granted & need.fetch) === 0) fsc = FSC.permission + levelOf(out.attributes);
    // CONSTRAINED UNPREDICTABLE: executing from Device memory that is executable faults as if it were not.
    else if (out.entry >= 0 && (out.attributes & attribute.device) !== 0)
      fsc = FSC.permission + levelOf(out.attributes);
    else if (out.pa < ramBase || out.pa >= cx.ramEnd) fsc = FSC.externalAbort;
  }
  if (fsc !== noFault) {
    instructionAbort(cx, fsc);
    return -1;
  }
  if (out.entry >= 0) cx.tlb.attributes[out.entry]! |= attribute.fetched;
  const pa = out.pa;
  // The attributes of data differ where stage 1 is off; the soft TLB is for both.
  if (out.entry < 0) translate(cx, pcLow, pcHigh, el, false);
  fillSoftTlb(cx, pcLow, pcHigh, el, need.fetch);
  return pa;
}

/** The Rt field of the System instruction at PC, for the syndrome of its trap. It has just been fetched from there. */
export function instructionRt(cx: PeContext): number {
  const out = cx.translation;
  translate(cx, low(cx, pe.pc), high(cx, pe.pc), currentEl(cx), true);
  const isReadable = out.fault === noFault && out.pa >= ramBase && out.pa < cx.ramEnd && out.pa % 4 === 0;
  return isReadable ? cx.words[out.pa / 4]! & 31 : 31;
}
