// Stage 1 address translation (Arm ARM, "The AArch64 Virtual Memory System Architecture"): the EL1&0, EL2 and EL3 regimes, 4KB
// granule, 48-bit addresses, four levels. Stage 2, FEAT_HAFDBS, FEAT_VHE and the other granules are not here, and the ID
// registers say so.
//
// CONSTRAINED UNPREDICTABLE choices: a TxSZ out of range counts as the nearest in range; a TGx that names a granule that is not
// implemented counts as 4KB; memory with the Contiguous bit is taken as mapped uniformly; an instruction fetch from Device memory
// is a Permission fault.

import { isStage1Enabled, sctlr } from './derived-state.ts';
import { el2Enabled, hcr, HCR, high, isSecureBelowEl3, low, type PeContext, scr, SCR } from './pe-context.ts';
import { replaceEntry } from './tlb-maintenance.ts';
import { attribute, context, FSC, need, noFault, regimeOf } from './translation-attributes.ts';
import { slotOf } from './system-registers.ts';
import { globalAsid, lookUpTlb, outputOf } from './tlb.ts';
import { ramBase } from './state-layout.ts';

const outerShareable = 2;
const normalWriteBack = 0xff;
/** Memory attributes where stage 1 is off: Device-nGnRnE data. */
const offData = attribute.device | attribute.user | (outerShareable << attribute.shareabilityShift);
const offNormal =
  attribute.user | (normalWriteBack << attribute.mairShift) | (outerShareable << attribute.shareabilityShift);
/** Instruction fetches with SCTLR_ELx.I clear: Normal, Non-cacheable. */
const offFetchNonCacheable =
  attribute.user | (0x44 << attribute.mairShift) | (outerShareable << attribute.shareabilityShift);

const TTBR0_EL1 = slotOf('TTBR0_EL1');
const TTBR1_EL1 = slotOf('TTBR1_EL1');
const VTTBR_EL2 = slotOf('VTTBR_EL2');
const tcrOfRegime = [-1, slotOf('TCR_EL1'), slotOf('TCR_EL2'), slotOf('TCR_EL3')] as const;
const ttbr0OfRegime = [-1, TTBR0_EL1, slotOf('TTBR0_EL2'), slotOf('TTBR0_EL3')] as const;
const mairOfRegime = [-1, slotOf('MAIR_EL1'), slotOf('MAIR_EL2'), slotOf('MAIR_EL3')] as const;

const WXN = 1 << 19;
const SCTLR_I = 1 << 12;
/** ID_AA64MMFR0_EL1.PARange: 48 bits. */
const paBits = 48;
/** Bits of an output address, by TCR_ELx.(I)PS. */
const outputBits = [32, 36, 40, 42, 44, 48, 48, 48] as const;
const twoTo32 = 2 ** 32;
const twoTo48 = 2 ** 48;

export function contextOf(cx: PeContext, regime: number): number {
  if (regime === 3) return context.el3;
  if (regime === 2) return context.el2;
  if (isSecureBelowEl3(cx)) return context.el1Secure;
  return context.el1 | (el2Enabled(cx) ? ((high(cx, VTTBR_EL2) >>> 16) & 0xff) << context.vmidShift : 0);
}

/** The ASID in use; 0 for a regime without ASIDs. */
function currentAsid(cx: PeContext, regime: number): number {
  if (regime !== 1) return 0;
  const tcr = tcrOfRegime[1];
  const A1 = (low(cx, tcr) >>> 22) & 1;
  const asid = high(cx, A1 ? TTBR1_EL1 : TTBR0_EL1) >>> 16;
  const AS = (high(cx, tcr) >>> 4) & 1;
  return AS ? asid : asid & 0xff;
}

/** TBI of the regime for an address with this bit 55. */
export function isTagIgnored(cx: PeContext, regime: number, bit55: number): boolean {
  if (regime === 1) return ((high(cx, tcrOfRegime[1]) >>> (5 + bit55)) & 1) !== 0;
  return ((low(cx, tcrOfRegime[regime]!) >>> 20) & 1) !== 0;
}

/**
 * Translates a virtual address for the regime of `el`, without permissions. The answer is in `cx.translation`; `fault` is the
 * fault status code with its level.
 */
export function translate(cx: PeContext, vaLow: number, vaHigh: number, el: number, isFetch: boolean): void {
  const out = cx.translation;
  const regime = regimeOf(el);
  const bit55 = (vaHigh >>> 23) & 1;
  const top = isTagIgnored(cx, regime, bit55) ? 55 : 63;
  out.fault = noFault;
  out.entry = -1;
  if (!isStage1Enabled(cx, el)) {
    translateStage1Off(cx, vaLow, vaHigh, el, top, isFetch);
    return;
  }
  const isUpper = regime === 1 && bit55 === 1;
  // Bits [top:48] must equal bit 55 in the EL1&0 regime, 0 in the others; bits [47:TxSZ] are checked by the walk.
  const above = top === 55 ? (vaHigh >>> 16) & 0xff : vaHigh >>> 16;
  const expected = isUpper ? (top === 55 ? 0xff : 0xffff) : 0;
  if (above !== expected) {
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
  walk(cx, vaLow >>> 0, vaHigh & 0xffff, isUpper, regime);
  if (out.fault !== noFault) return;
  const size = 2 ** walked.shift;
  const output = out.pa - (out.pa % size);
  out.entry = replaceEntry(
    cx,
    address,
    walked.shift,
    translationContext,
    walked.isGlobal ? globalAsid : asid,
    output,
    out.attributes,
  );
}

/** AArch64.TranslateAddressS1Off(): the address is the physical address. */
function translateStage1Off(
  cx: PeContext,
  vaLow: number,
  vaHigh: number,
  el: number,
  top: number,
  isFetch: boolean,
): void {
  const out = cx.translation;
  const above = top === 55 ? (vaHigh >>> 16) & 0xff : vaHigh >>> 16;
  if (above !== 0) {
    out.fault = FSC.addressSize;
    return;
  }
  out.pa = (vaHigh & 0xffff) * twoTo32 + (vaLow >>> 0);
  if (el <= 1 && (hcr(cx) & HCR.DC) !== 0) out.attributes = offNormal;
  else if (!isFetch) out.attributes = offData;
  else out.attributes = (sctlr(cx, el) & SCTLR_I) !== 0 ? offNormal : offFetchNonCacheable;
}

/** What a walk finds besides `cx.translation`. */
const walked = { shift: 0, isGlobal: false };

/** AArch64.TranslationTableWalk(). `vaHigh` holds bits [47:32]. */
function walk(cx: PeContext, vaLow: number, vaHigh: number, isUpper: boolean, regime: number): void {
  const out = cx.translation;
  const tcrLow = low(cx, tcrOfRegime[regime]!);
  const tcrHigh = regime === 1 ? high(cx, tcrOfRegime[1]) : 0;
  const TxSZ = Math.min(Math.max((tcrLow >>> (isUpper ? 16 : 0)) & 63, 16), 39);
  const inputBits = 64 - TxSZ;
  const EPD = regime === 1 && ((tcrLow >>> (isUpper ? 23 : 7)) & 1) !== 0;
  const HPD = regime === 1 ? ((tcrHigh >>> (isUpper ? 10 : 9)) & 1) !== 0 : ((tcrLow >>> 24) & 1) !== 0;
  const PS = regime === 1 ? tcrHigh & 7 : (tcrLow >>> 16) & 7;
  const outputLimit = 2 ** Math.min(outputBits[PS]!, paBits);

  // Bits [47:inputBits] must all be those of the range.
  const aboveInput = Math.floor((vaHigh * twoTo32 + vaLow) / 2 ** inputBits);
  if (EPD || aboveInput !== (isUpper ? 2 ** (48 - inputBits) - 1 : 0)) {
    out.fault = FSC.translation;
    return;
  }

  let level = inputBits > 39 ? 0 : inputBits > 30 ? 1 : 2;
  let indexBits = inputBits - (12 + 9 * (3 - level));
  const ttbr = isUpper ? TTBR1_EL1 : ttbr0OfRegime[regime]!;
  const baseAddress = (high(cx, ttbr) & 0xffff) * twoTo32 + low(cx, ttbr);
  let table = baseAddress - (baseAddress % 2 ** (indexBits + 3));
  if (table >= outputLimit) {
    out.fault = FSC.addressSize;
    return;
  }

  let apTable = 0;
  let uxnTable = 0;
  let pxnTable = 0;
  let nsTable = 0;
  for (;;) {
    const index = indexAt(level, vaLow, vaHigh) & (2 ** indexBits - 1);
    const descriptorAddress = table + index * 8;
    if (descriptorAddress < ramBase || descriptorAddress >= cx.ramEnd) {
      out.fault = FSC.externalAbortOnWalk + level;
      return;
    }
    const descriptorLow = cx.words[descriptorAddress / 4]!;
    const descriptorHigh = cx.words[descriptorAddress / 4 + 1]!;
    const isLeafEncoding = (descriptorLow & 2) === 0;
    if ((descriptorLow & 1) === 0 || (isLeafEncoding && (level === 0 || level === 3))) {
      out.fault = FSC.translation + level;
      return;
    }
    const outputAddress = (descriptorHigh & 0xffff) * twoTo32 + ((descriptorLow & 0xffff_f000) >>> 0);
    const isLeaf = isLeafEncoding || level === 3;
    if (!isLeaf) {
      table = outputAddress;
      if (table >= outputLimit) {
        out.fault = FSC.addressSize + level;
        return;
      }
      nsTable |= descriptorHigh >>> 31;
      if (!HPD) {
        apTable |= (descriptorHigh >>> 29) & 3;
        uxnTable |= (descriptorHigh >>> 28) & 1;
        pxnTable |= (descriptorHigh >>> 27) & 1;
      }
      level++;
      indexBits = 9;
      continue;
    }
    const blockShift = 12 + 9 * (3 - level);
    const blockBytes = 2 ** blockShift;
    const output = outputAddress - (outputAddress % blockBytes);
    if (output >= outputLimit) {
      out.fault = FSC.addressSize + level;
      return;
    }
    if ((descriptorLow & (1 << 10)) === 0) {
      out.fault = FSC.accessFlag + level;
      return;
    }
    const isContiguous = (descriptorHigh & (1 << 20)) !== 0;
    walked.shift = isContiguous ? blockShift + 4 : blockShift;
    walked.isGlobal = regime !== 1 || (descriptorLow & (1 << 11)) === 0;
    out.pa = output + ((vaHigh * twoTo32 + vaLow) % blockBytes);
    out.attributes = leafAttributes(
      cx,
      regime,
      level,
      descriptorLow,
      descriptorHigh,
      apTable,
      uxnTable,
      pxnTable,
      nsTable,
    );
    return;
  }
}

/** The nine bits of the address that index the table of a level. */
function indexAt(level: number, vaLow: number, vaHigh: number): number {
  switch (level) {
    case 0:
      return (vaHigh >>> 7) & 0x1ff;
    case 1:
      return ((vaHigh << 2) | (vaLow >>> 30)) & 0x1ff;
    case 2:
      return (vaLow >>> 21) & 0x1ff;
    default:
      return (vaLow >>> 12) & 0x1ff;
  }
}

function leafAttributes(
  cx: PeContext,
  regime: number,
  level: number,
  descriptorLow: number,
  descriptorHigh: number,
  apTable: number,
  uxnTable: number,
  pxnTable: number,
  nsTable: number,
): number {
  const AP1 = (descriptorLow >>> 6) & 1;
  const AP2 = (descriptorLow >>> 7) & 1;
  const index = (descriptorLow >>> 2) & 7;
  const mairSlot = mairOfRegime[regime]!;
  const memory = ((index < 4 ? low(cx, mairSlot) : high(cx, mairSlot)) >>> ((index & 3) * 8)) & 0xff;
  const NS = ((descriptorLow >>> 5) & 1) | nsTable;
  let attributes = (level << attribute.levelShift) | (memory << attribute.mairShift);
  attributes |= ((descriptorLow >>> 8) & 3) << attribute.shareabilityShift;
  if (memory < 0x10) attributes |= attribute.device;
  if (NS !== 0) attributes |= attribute.nonSecure;
  // AP[1] is RES1, and PXN RES0, in the regimes of one exception level.
  if (regime !== 1 || (AP1 !== 0 && (apTable & 1) === 0)) attributes |= attribute.user;
  if (AP2 !== 0 || (apTable & 2) !== 0) attributes |= attribute.readOnly;
  if (((descriptorHigh >>> 22) & 1) !== 0 || uxnTable !== 0) attributes |= attribute.UXN;
  if (regime === 1 && (((descriptorHigh >>> 21) & 1) !== 0 || pxnTable !== 0)) attributes |= attribute.PXN;
  return attributes;
}

/**
 * AArch64.CheckPermission(): what software at `el` may do with memory of these attributes, as bits of `need`. `isPan`: PSTATE.PAN
 * applies.
 */
export function permissions(cx: PeContext, attributes: number, entry: number, el: number, isPan: boolean): number {
  if (entry < 0) return need.read | need.write | need.fetch;
  const isUser = (attributes & attribute.user) !== 0;
  const isWritable = (attributes & attribute.readOnly) === 0;
  const isWxn = (sctlr(cx, el) & WXN) !== 0;
  let granted = 0;
  let canFetch: boolean;
  if (el === 0) {
    if (isUser) granted = isWritable ? need.read | need.write : need.read;
    canFetch = (attributes & attribute.UXN) === 0 && !(isUser && isWritable && isWxn);
  } else if (el === 1) {
    if (!(isPan && isUser)) granted = isWritable ? need.read | need.write : need.read;
    canFetch = (attributes & attribute.PXN) === 0 && !(isWritable && isWxn) && !(isUser && isWritable);
  } else {
    granted = isWritable ? need.read | need.write : need.read;
    canFetch = (attributes & attribute.UXN) === 0 && !(isWritable && isWxn);
  }
  const isSecureFetchOfNonSecure =
    (scr(cx) & SCR.SIF) !== 0 && (attributes & attribute.nonSecure) !== 0 && (el === 3 || isSecureBelowEl3(cx));
  if (canFetch && (attributes & attribute.device) === 0 && !isSecureFetchOfNonSecure) granted |= need.fetch;
  return granted;
}
