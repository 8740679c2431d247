// Removal of TLB entries: by TLBI, from this PE or another one (DVM), and by replacement. What an entry has given to the soft
// TLBs and to the jump cache goes with it, so that those never hold what the TLB does not.
//
// Only translations that came from the last level of lookup are held, so that the last-level forms of TLBI do all that the
// others do.

import { flushJumpCache, flushRegime, flushSoftTlb, flushSoftTlbEntry } from './derived-state.ts';
import { dvm, type DvmOperation } from './environment.ts';
import type { PeContext } from './pe-context.ts';
import { pageShift, softTlbEntries } from './state-layout.ts';
import { addressOf, forEachCovering, globalAsid, insertEntry, removeEntry, replacedEntry, tlbEntries } from './tlb.ts';
import { attribute, context } from './translation-attributes.ts';

/** The regime, as regimeOf gives it, of a translation context. */
function regimeOfContext(translationContext: number): number {
  switch (translationContext & 3) {
    case context.el2:
      return 2;
    case context.el3:
      return 3;
    default:
      return 1;
  }
}

/** Removes one entry and what was derived from it. */
function forget(cx: PeContext, index: number): void {
  const { tlb } = cx;
  const regime = regimeOfContext(tlb.context[index]!);
  const pages = 2 ** (tlb.shift[index]! - pageShift);
  const firstPage = addressOf(tlb, index) / 2 ** pageShift;
  const isFetched = (tlb.attributes[index]! & attribute.fetched) !== 0;
  removeEntry(tlb, index);
  for (let el = regime === 1 ? 0 : regime; el <= regime; el++) {
    if (pages >= softTlbEntries) flushSoftTlb(cx, el);
    else for (let page = 0; page < pages; page++) flushSoftTlbEntry(cx, el, firstPage + page);
  }
  if (isFetched) flushJumpCache(cx);
}

/** Puts a translation into the TLB in place of an older one; the index of the entry. */
export function replaceEntry(
  cx: PeContext,
  address: number,
  shift: number,
  translationContext: number,
  asid: number,
  output: number,
  attributes: number,
): number {
  const index = replacedEntry(cx.tlb, address, shift);
  if (cx.tlb.shift[index] !== 0) forget(cx, index);
  insertEntry(cx.tlb, index, address, shift, translationContext, asid, output, attributes);
  return index;
}

/** Applies a TLBI to this PE. */
export function applyTlbi(cx: PeContext, operation: DvmOperation): void {
  switch (operation.code) {
    case dvm.tlbiVa:
    case dvm.tlbiVaa:
      invalidateAddress(cx, operation);
      break;
    default:
      invalidateContext(cx, operation);
  }
}

/** TLBI by VA: the entries of the context that translate the address; of VAA whatever their ASID. */
function invalidateAddress(
  cx: PeContext,
  { code, vaLow, vaHigh, asid, context: translationContext }: DvmOperation,
): void {
  const { tlb } = cx;
  const isUpper = ((vaHigh >>> 23) & 1) !== 0 && regimeOfContext(translationContext) === 1;
  const address = (vaHigh & 0xffff) * 2 ** 32 + (vaLow >>> 0) + (isUpper ? 2 ** 48 : 0);
  forEachCovering(tlb, address, (index) => {
    if (tlb.context[index] !== translationContext) return;
    const entryAsid = tlb.asid[index];
    if (code === dvm.tlbiVaa || entryAsid === globalAsid || entryAsid === asid) forget(cx, index);
  });
}

/** TLBI of a whole context, of an ASID in it, or of every VMID of EL1&0. */
function invalidateContext(cx: PeContext, { code, asid, context: translationContext }: DvmOperation): void {
  const { tlb } = cx;
  // Bits [1:0] of a context are the regime and the Security state, the others the VMID.
  const mask = code === dvm.tlbiAllVmids ? 3 : -1;
  let isChanged = false;
  for (let index = 0; index < tlbEntries; index++) {
    if (tlb.shift[index] === 0 || (tlb.context[index]! & mask) !== (translationContext & mask)) continue;
    if (code === dvm.tlbiAsid && tlb.asid[index] !== asid) continue;
    removeEntry(tlb, index);
    isChanged = true;
  }
  if (isChanged) flushRegime(cx, regimeOfContext(translationContext));
}
