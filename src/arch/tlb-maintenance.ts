// Removal of TLB entries: by TLBI, from this PE or another one (DVM), and by replacement. What an entry has given to the soft
// TLBs and to the jump cache goes with it, so that those never hold what the TLB does not.
//
// Only translations that came from the last level of lookup are held, so that the last-level forms of TLBI do all that the
// others do.

import { flushJumpCache, flushRegime, flushSoftTlb, flushSoftTlbEntry } from './derived-state.ts';
import { dvm, type DvmOperation } from './environment.ts';
import type { PeContext } from './pe-context.ts';
import { pageShift, softTlbEntries } from './state-layout.ts';
import { addressOf, covers, globalAsid, insertEntry, removeEntry, replacedEntry, tlbEntries } from './tlb.ts';
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
  const { tlb } = cx;
  const { code, asid } = operation;
  const isUpper = (operation.vaHigh >>> 23) & 1 && regimeOfContext(operation.context) === 1;
  const address = (operation.vaHigh & 0xffff) * 2 ** 32 + (operation.vaLow >>> 0) + (isUpper ? 2 ** 48 : 0);
  let removed = 0;
  for (let index = 0; index < tlbEntries; index++) {
    if (tlb.shift[index] === 0) continue;
    const isSameContext = tlb.context[index] === operation.context;
    const entryAsid = tlb.asid[index]!;
    let isHit: boolean;
    switch (code) {
      case dvm.tlbiAll:
        isHit = isSameContext;
        break;
      case dvm.tlbiVa:
        isHit = isSameContext && covers(tlb, index, address) && (entryAsid === globalAsid || entryAsid === asid);
        break;
      case dvm.tlbiVaa:
        isHit = isSameContext && covers(tlb, index, address);
        break;
      case dvm.tlbiAsid:
        isHit = isSameContext && entryAsid === asid;
        break;
      default:
        isHit = (tlb.context[index]! & 3) === (operation.context & 3);
    }
    if (!isHit) continue;
    removed++;
    if (code === dvm.tlbiVa || code === dvm.tlbiVaa) forget(cx, index);
    else removeEntry(tlb, index);
  }
  if (removed > 0 && code !== dvm.tlbiVa && code !== dvm.tlbiVaa) {
    flushRegime(cx, regimeOfContext(operation.context));
  }
}
