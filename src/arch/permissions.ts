// What an exception level may do with memory (Arm ARM, "Memory access control"; pseudocode AArch64.S1CheckPermissions and
// AArch64.S2CheckPermissions), as bits of `need`.
//
// CONSTRAINED UNPREDICTABLE choice: an instruction fetch from Device memory is a Permission fault of the stage that makes it so.

import { sctlr } from './derived-state.ts';
import { isE2h, isSecureBelowEl3, low, type PeContext, PSTATE, scr, SCR } from './pe-context.ts';
import { pe } from './state-layout.ts';
import { attribute, need } from './translation-attributes.ts';

const WXN = 1 << 19;
const everything = need.read | need.write | need.fetch;

/** PSTATE.PAN applies to accesses with the permissions of this exception level: of EL1, and of EL2 with EL2&0. */
export const isPanInEffect = (cx: PeContext, el: number): boolean =>
  (low(cx, pe.pstate) & PSTATE.PAN) !== 0 && (el === 1 || (el === 2 && isE2h(cx)));

/** Of stage 1. `isPan`: PSTATE.PAN applies. */
export function stage1Permissions(cx: PeContext, attributes: number, el: number, isPan: boolean): number {
  if ((attributes & attribute.stage1Off) !== 0) return everything;
  const isUser = (attributes & attribute.user) !== 0;
  const isWritable = (attributes & attribute.readOnly) === 0;
  const isWxn = (sctlr(cx, el) & WXN) !== 0;
  const readWrite = isWritable ? need.read | need.write : need.read;
  let granted = 0;
  let canFetch: boolean;
  if (el === 0) {
    if (isUser) granted = readWrite;
    canFetch = (attributes & attribute.UXN) === 0 && !(isUser && isWritable && isWxn);
  } else if (el === 1 || (el === 2 && isE2h(cx))) {
    if (!(isPan && isUser)) granted = readWrite;
    canFetch = (attributes & attribute.PXN) === 0 && !(isWritable && isWxn) && !(isUser && isWritable);
  } else {
    granted = readWrite;
    canFetch = (attributes & attribute.UXN) === 0 && !(isWritable && isWxn);
  }
  const isSecureFetchOfNonSecure =
    (scr(cx) & SCR.SIF) !== 0 && (attributes & attribute.nonSecure) !== 0 && (el === 3 || isSecureBelowEl3(cx));
  if (canFetch && (attributes & attribute.stage1Device) === 0 && !isSecureFetchOfNonSecure) granted |= need.fetch;
  return granted;
}

/** Of stage 2, where it is on. */
export function stage2Permissions(attributes: number, el: number): number {
  if ((attributes & attribute.stage2) === 0) return everything;
  const XN = el === 0 ? attribute.stage2XnEl0 : attribute.stage2XnEl1;
  let granted = 0;
  if ((attributes & attribute.stage2Read) !== 0) granted |= need.read;
  if ((attributes & attribute.stage2Write) !== 0) granted |= need.write;
  if ((attributes & (XN | attribute.device)) === 0) granted |= need.fetch;
  return granted;
}

/** Of both stages. */
export const permissions = (cx: PeContext, attributes: number, el: number, isPan: boolean): number =>
  stage1Permissions(cx, attributes, el, isPan) & stage2Permissions(attributes, el);
