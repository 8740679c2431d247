// Removal of TLB entries: by TLBI, from this PE or another one (DVM), and by replacement. What an entry has given to the soft
// TLBs and to the jump cache goes with it, so that those never hold what the TLB does not.
//
// Only translations that came from the last level of lookup are held, so that the last-level forms of TLBI do all that the
// others do. An entry of both stages goes with either of them, so that a TLBI by IPA needs no TLBI of stage 1 after it: more than
// the architecture asks for.

import { flushJumpCache, flushRegime, flushSoftTlb, flushSoftTlbEntry } from './derived-state.ts';
import { dvm, type DvmOperation } from './environment.ts';
import type { PeContext } from './pe-context.ts';
import { pageShift, softTlbEntries } from './state-layout.ts';
import {
  addressOf,
  becomeSmall,
  entriesOf,
  forEachCovering,
  globalAsid,
  insertEntry,
  isFromIpa,
  removeEntry,
  replacedEntry,
  type TlbEntry,
} from './tlb.ts';
import { attribute, context, kindOf } from './translation-attributes.ts';

/** The regime, as regimeOf gives it, of a translation context. */
function regimeOfContext(translationContext: number): number {
  switch (kindOf(translationContext)) {
    case context.el2:
    case context.el2Host:
      return 2;
    case context.el3:
      return 3;
    default:
      return 1;
  }
}

/** The least exception level whose addresses the entries of a context translate; the other one is the regime's own. */
const leastElOfContext = (translationContext: number): number =>
  kindOf(translationContext) === context.el2Host || regimeOfContext(translationContext) === 1
    ? 0
    : regimeOfContext(translationContext);

/** Removes one entry and what was derived from it. */
function forget(cx: PeContext, index: number): void {
  const { tlb } = cx;
  const translationContext = tlb.context[index]!;
  const regime = regimeOfContext(translationContext);
  const pages = 2 ** (tlb.shift[index]! - pageShift);
  const firstPage = addressOf(tlb, index) / 2 ** pageShift;
  const isFetched = (tlb.attributes[index]! & attribute.fetched) !== 0;
  removeEntry(tlb, index);
  for (let el = leastElOfContext(translationContext); el <= regime; el++) {
    if (pages >= softTlbEntries) flushSoftTlb(cx, el);
    else for (let page = 0; page < pages; page++) flushSoftTlbEntry(cx, el, firstPage + page);
  }
  if (isFetched) flushJumpCache(cx);
}

/** Puts a translation into the TLB in place of an older one; the index of the entry. */
export function replaceEntry(cx: PeContext, entry: TlbEntry): number {
  const index = replacedEntry(cx.tlb, entry.address, entry.shift);
  if (cx.tlb.shift[index] !== 0) forget(cx, index);
  insertEntry(cx.tlb, index, entry);
  return index;
}

/** Applies a TLBI to this PE. */
export function applyTlbi(cx: PeContext, operation: DvmOperation): void {
  switch (operation.code) {
    case dvm.tlbiVa:
    case dvm.tlbiVaa:
      invalidateAddress(cx, operation);
      break;
    case dvm.tlbiIpa:
      invalidateIpa(cx, operation);
      break;
    default:
      invalidateContext(cx, operation);
  }
}

const kinds = (...list: readonly number[]): number => list.reduce((sum, kind) => sum | (1 << kind), 0);
const withStage1 = kinds(context.el1, context.el1BothStages);
const withStage2 = kinds(context.el1BothStages, context.stage2);
const ofEl2 = kinds(context.el2, context.el2Host);

/** The kinds of context, as bits, whose entries an operation concerns. */
function kindsOf({ code, context: translationContext }: DvmOperation): number {
  const kind = kindOf(translationContext);
  if (code === dvm.tlbiIpa) return kind === context.el1 ? withStage2 : 0;
  // TLBI ALLE2 does not ask which of the two regimes of EL2 is in use.
  if (code === dvm.tlbiAll && regimeOfContext(kind) === 2) return ofEl2;
  if (kind !== context.el1) return kinds(kind);
  return code === dvm.tlbiAllStages || code === dvm.tlbiAllVmids ? withStage1 | withStage2 : withStage1;
}

/** True where an operation on these kinds of context concerns an entry of a context. */
function isConcerned(operation: DvmOperation, concerned: number, translationContext: number): boolean {
  if (((concerned >>> kindOf(translationContext)) & 1) === 0) return false;
  const isAnyVmid = operation.code === dvm.tlbiAllVmids;
  return isAnyVmid || translationContext >>> context.vmidShift === operation.context >>> context.vmidShift;
}

/** TLBI by VA: the entries of the context that translate the address; of VAA whatever their ASID. */
function invalidateAddress(cx: PeContext, operation: DvmOperation): void {
  const { tlb } = cx;
  const { code, vaLow, vaHigh, asid, context: translationContext } = operation;
  const concerned = kindsOf(operation);
  const isTwoRanges = leastElOfContext(translationContext) === 0;
  const isUpper = isTwoRanges && ((vaHigh >>> 23) & 1) !== 0;
  const address = (vaHigh & 0xffff) * 2 ** 32 + (vaLow >>> 0) + (isUpper ? 2 ** 48 : 0);
  forEachCovering(tlb, address, (index) => {
    if (!isConcerned(operation, concerned, tlb.context[index]!)) return;
    const entryAsid = tlb.asid[index];
    if (code === dvm.tlbiVaa || entryAsid === globalAsid || entryAsid === asid) forget(cx, index);
  });
}

/** TLBI by IPA. */
function invalidateIpa(cx: PeContext, operation: DvmOperation): void {
  const { tlb } = cx;
  const concerned = kindsOf(operation);
  const ipa = (operation.vaHigh & 0xffff) * 2 ** 32 + (operation.vaLow >>> 0);
  for (let index = 0; index < entriesOf(tlb); index++) {
    if (tlb.shift[index] === 0 || !isConcerned(operation, concerned, tlb.context[index]!)) continue;
    if (isFromIpa(tlb, index, ipa)) forget(cx, index);
  }
}

/** TLBI of a whole context, of an ASID in it, or of every VMID of EL1&0. */
function invalidateContext(cx: PeContext, operation: DvmOperation): void {
  const { tlb } = cx;
  const { code, asid, context: translationContext } = operation;
  const concerned = kindsOf(operation);
  let isChanged = false;
  for (let index = 0; index < entriesOf(tlb); index++) {
    if (tlb.shift[index] === 0 || !isConcerned(operation, concerned, tlb.context[index]!)) continue;
    if (code === dvm.tlbiAsid && tlb.asid[index] !== asid) continue;
    removeEntry(tlb, index);
    isChanged = true;
  }
  if (!isChanged) return;
  becomeSmall(tlb);
  flushRegime(cx, regimeOfContext(translationContext));
}
