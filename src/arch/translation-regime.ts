// The controls of the translation regimes (Arm ARM, "The AArch64 Virtual Memory System Architecture"): which registers a regime
// has, whether it ignores tags, its ASID and its VMID. EL2 has one regime for each value of HCR_EL2.E2H.

import {
  el2Enabled,
  hasTwoRanges,
  hcr,
  HCR,
  high,
  isE2h,
  isHost,
  isSecureBelowEl3,
  low,
  type PeContext,
} from './pe-context.ts';
import { slotOf } from './system-registers.ts';
import { context } from './translation-attributes.ts';

const none = -1;
/** By regime. */
export const tcrOfRegime = [none, slotOf('TCR_EL1'), slotOf('TCR_EL2'), slotOf('TCR_EL3')] as const;
export const ttbr0OfRegime = [none, slotOf('TTBR0_EL1'), slotOf('TTBR0_EL2'), slotOf('TTBR0_EL3')] as const;
export const ttbr1OfRegime = [none, slotOf('TTBR1_EL1'), slotOf('TTBR1_EL2'), none] as const;
export const mairOfRegime = [none, slotOf('MAIR_EL1'), slotOf('MAIR_EL2'), slotOf('MAIR_EL3')] as const;
const VTTBR_EL2 = slotOf('VTTBR_EL2');
const VTCR_EL2 = slotOf('VTCR_EL2');

/** True where stage 2 is in use: HCR_EL2.DC implies VM, and a host's EL0 is not of EL1&0. */
export const isStage2Enabled = (cx: PeContext): boolean => (hcr(cx) & (HCR.VM | HCR.DC)) !== 0 && !isHost(cx);

/** The VMID, of 16 bits with VTCR_EL2.VS; 0 where there is no EL2 to have set one. */
function vmid(cx: PeContext): number {
  if (!el2Enabled(cx)) return 0;
  const VS = (low(cx, VTCR_EL2) >>> 19) & 1;
  return (high(cx, VTTBR_EL2) >>> 16) & (VS ? 0xffff : 0xff);
}

/** The context that TLB maintenance of a regime names; of EL1&0, that of the current VMID. */
export function maintenanceContextOf(cx: PeContext, regime: number): number {
  if (regime === 3) return context.el3;
  if (regime === 2) return isE2h(cx) ? context.el2Host : context.el2;
  if (isSecureBelowEl3(cx)) return context.el1Secure;
  return context.el1 | (vmid(cx) << context.vmidShift);
}

/** The context of the entries that translate addresses of a regime. */
export function contextOf(cx: PeContext, regime: number): number {
  const own = maintenanceContextOf(cx, regime);
  return regime === 1 && isStage2Enabled(cx) ? own | context.el1BothStages : own;
}

/** The context of the entries of stage 2. */
export const stage2ContextOf = (cx: PeContext): number => context.stage2 | (vmid(cx) << context.vmidShift);

/** The bits of an ASID that a regime with two ranges uses: TCR_ELx.AS. */
export const asidMask = (cx: PeContext, regime: number): number =>
  ((high(cx, tcrOfRegime[regime]!) >>> 4) & 1) !== 0 ? 0xffff : 0xff;

/** The ASID in use; 0 for a regime without ASIDs. */
export function currentAsid(cx: PeContext, regime: number): number {
  if (!hasTwoRanges(cx, regime)) return 0;
  const A1 = (low(cx, tcrOfRegime[regime]!) >>> 22) & 1;
  const asid = high(cx, A1 ? ttbr1OfRegime[regime]! : ttbr0OfRegime[regime]!) >>> 16;
  return asid & asidMask(cx, regime);
}

/** EffectiveTBI(): TBI of the regime for an address with this bit 55, of an instruction only where TBID is 0. */
export function isTagIgnored(cx: PeContext, regime: number, bit55: number, isFetch: boolean): boolean {
  const tcr = tcrOfRegime[regime]!;
  const isTwoRanges = hasTwoRanges(cx, regime);
  const control = isTwoRanges ? high(cx, tcr) : low(cx, tcr);
  const TBI = isTwoRanges ? 5 + bit55 : 20;
  const TBID = isTwoRanges ? 19 + bit55 : 29;
  return ((control >>> TBI) & 1) !== 0 && !(isFetch && ((control >>> TBID) & 1) !== 0);
}
