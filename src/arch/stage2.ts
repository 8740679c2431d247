// Stage 2 address translation (Arm ARM, "The AArch64 Virtual Memory System Architecture"; pseudocode AArch64.S2Translate and
// AArch64.S2Walk): intermediate physical addresses of the Non-secure EL1&0 regime, of up to 48 bits, 4KB granule, concatenated
// tables at the start level. FEAT_HAFDBS, FEAT_S2FWB, FEAT_TTST and the other granules are not here, and the ID registers say so.
//
// What has been translated is kept in the TLB as entries of stage 2, until a TLBI by IPA or by VMID removes them.
//
// CONSTRAINED UNPREDICTABLE choices: a T0SZ out of range counts as the nearest in range; a TG0 that names a granule that is not
// implemented counts as 4KB; a MemAttr with a reserved cacheability counts as Non-cacheable; memory with the Contiguous bit is
// taken as mapped uniformly.

import { readHalves } from '../memory/single-copy.ts';
import { high, low, type PeContext } from './pe-context.ts';
import { ramBase } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import { replaceEntry } from './tlb-maintenance.ts';
import { globalAsid, lookUpTlb, outputOf } from './tlb.ts';
import { attribute, FSC, noFault, outputBits } from './translation-attributes.ts';
import { stage2ContextOf } from './translation-regime.ts';

const VTTBR_EL2 = slotOf('VTTBR_EL2');
const VTCR_EL2 = slotOf('VTCR_EL2');
const twoTo32 = 2 ** 32;

/** What the last translateStage2 has found; `fault` is the fault status code with its level. */
export const stage2 = {
  fault: noFault as number,
  pa: 0,
  /** Only the fields of stage 2, with MemAttr in place of the attributes of MAIR_ELx. */
  attributes: 0,
  /** log2 of the bytes that are mapped alike. */
  shift: 0,
  /** Index of the TLB entry. */
  entry: -1,
};

/** Translates an intermediate physical address, without permissions. */
export function translateStage2(cx: PeContext, ipa: number): void {
  const translationContext = stage2ContextOf(cx);
  const entry = lookUpTlb(cx.tlb, ipa, translationContext, 0);
  if (entry >= 0) {
    stage2.fault = noFault;
    stage2.pa = outputOf(cx.tlb, entry, ipa);
    stage2.attributes = cx.tlb.attributes[entry]!;
    stage2.shift = cx.tlb.shift[entry]!;
    stage2.entry = entry;
    return;
  }
  stage2.fault = walk(cx, ipa);
  if (stage2.fault !== noFault) return;
  const { pa, shift, attributes } = stage2;
  const size = 2 ** shift;
  stage2.entry = replaceEntry(cx, {
    address: ipa,
    shift,
    context: translationContext,
    asid: globalAsid,
    output: pa - (pa % size),
    attributes,
    ipa: ipa - (ipa % size),
    stage1Shift: 0,
    stage2Shift: shift,
  });
}

/** AArch64.S2Walk(): the fault, or the translation in `stage2`. */
function walk(cx: PeContext, ipa: number): number {
  const vtcr = low(cx, VTCR_EL2);
  const T0SZ = Math.min(Math.max(vtcr & 63, 16), 39);
  const SL0 = (vtcr >>> 6) & 3;
  const PS = (vtcr >>> 16) & 7;
  const inputBits = 64 - T0SZ;
  let level = 2 - SL0;
  // Up to sixteen tables may be concatenated at the start level: four bits more than one table resolves.
  let indexBits = inputBits - (12 + 9 * (3 - level));
  // AArch64.S2InvalidSL(), AArch64.S2InconsistentSL(), AArch64.IPAIsOutOfRange().
  if (SL0 === 3 || indexBits < 1 || indexBits > 13 || ipa >= 2 ** inputBits) return FSC.translation;

  const outputLimit = 2 ** outputBits[PS]!;
  const base = (high(cx, VTTBR_EL2) & 0xffff) * twoTo32 + low(cx, VTTBR_EL2);
  let table = base - (base % 2 ** (indexBits + 3));
  if (table >= outputLimit) return FSC.addressSize;

  for (;;) {
    const blockShift = 12 + 9 * (3 - level);
    const index = Math.floor(ipa / 2 ** blockShift) & (2 ** indexBits - 1);
    const descriptorAddress = table + index * 8;
    if (descriptorAddress < ramBase || descriptorAddress >= cx.ramEnd) return FSC.externalAbortOnWalk + level;
    const descriptor = readHalves(cx.memory, descriptorAddress);
    const [descriptorLow, descriptorHigh] = [descriptor[0]!, descriptor[1]!];
    const isLeafEncoding = (descriptorLow & 2) === 0;
    if ((descriptorLow & 1) === 0 || (isLeafEncoding && (level === 0 || level === 3))) return FSC.translation + level;
    const outputAddress = (descriptorHigh & 0xffff) * twoTo32 + ((descriptorLow & 0xffff_f000) >>> 0);
    if (!isLeafEncoding && level < 3) {
      table = outputAddress;
      if (table >= outputLimit) return FSC.addressSize + level;
      level++;
      indexBits = 9;
      continue;
    }
    const blockBytes = 2 ** blockShift;
    const output = outputAddress - (outputAddress % blockBytes);
    if (output >= outputLimit) return FSC.addressSize + level;
    if ((descriptorLow & (1 << 10)) === 0) return FSC.accessFlag + level;
    const isContiguous = (descriptorHigh & (1 << 20)) !== 0;
    stage2.shift = isContiguous ? blockShift + 4 : blockShift;
    stage2.pa = output + (ipa % blockBytes);
    stage2.attributes = leafAttributes(level, descriptorLow, descriptorHigh);
    return noFault;
  }
}

function leafAttributes(level: number, descriptorLow: number, descriptorHigh: number): number {
  const MemAttr = (descriptorLow >>> 2) & 15;
  const S2AP = (descriptorLow >>> 6) & 3;
  const SH = (descriptorLow >>> 8) & 3;
  // FEAT_XNX: 0 EL1 and EL0 may execute, 1 EL0 alone, 2 neither, 3 EL1 alone.
  const XN = (descriptorHigh >>> 21) & 3;
  let attributes = attribute.stage2 | (level << attribute.stage2LevelShift);
  attributes |= (MemAttr << attribute.mairShift) | (SH << attribute.shareabilityShift);
  if (MemAttr < 4) attributes |= attribute.device;
  if ((S2AP & 1) !== 0) attributes |= attribute.stage2Read;
  if ((S2AP & 2) !== 0) attributes |= attribute.stage2Write;
  if (XN === 1 || XN === 2) attributes |= attribute.stage2XnEl1;
  if (XN === 2 || XN === 3) attributes |= attribute.stage2XnEl0;
  return attributes;
}
