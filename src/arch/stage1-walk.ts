// The translation table walk of stage 1 (Arm ARM, "The AArch64 Virtual Memory System Architecture"; pseudocode AArch64.S1Walk):
// 4KB granule, 48-bit addresses, four levels. In the Non-secure EL1&0 regime the addresses of its descriptors go through stage 2.
//
// CONSTRAINED UNPREDICTABLE choices: a TxSZ out of range counts as the nearest in range; a TGx that names a granule that is not
// implemented counts as 4KB; memory with the Contiguous bit is taken as mapped uniformly.

import { readHalves } from '../memory/single-copy.ts';
import { hasTwoRanges, hcr, HCR, high, low, type PeContext } from './pe-context.ts';
import { stage2, translateStage2 } from './stage2.ts';
import { ramBase } from './state-layout.ts';
import { attribute, FSC, noFault, outputBits, stage2LevelOf } from './translation-attributes.ts';
import { isStage2Enabled, mairOfRegime, tcrOfRegime, ttbr0OfRegime, ttbr1OfRegime } from './translation-regime.ts';

const twoTo32 = 2 ** 32;
const powerOfTwo = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
/** Bits [shift-1:0] of an address; of at most 30: a bitwise operation takes a number modulo 2^32. */
const offsetIn = (address: number, shift: number): number => address & ((1 << shift) - 1);

/** What the last walk has found besides `cx.translation`: log2 of the bytes that are mapped alike, and nG. */
export const walked = { shift: 0, isGlobal: false };

/** The physical address of a descriptor of stage 1, or -1 with the fault of stage 2 in `cx.translation`. */
function translateDescriptorAddress(cx: PeContext, ipa: number): number {
  const out = cx.translation;
  translateStage2(cx, ipa);
  let { fault } = stage2;
  if (fault === noFault) {
    const { attributes } = stage2;
    // With PTW 0, a walk treats Device memory of stage 2 as Normal Non-cacheable.
    const isProtected = (hcr(cx) & HCR.PTW) !== 0 && (attributes & attribute.device) !== 0;
    const isReadable = (attributes & attribute.stage2Read) !== 0;
    if (isReadable && !isProtected) return stage2.pa;
    fault = FSC.permission + stage2LevelOf(attributes);
  }
  out.fault = fault;
  out.isStage2 = true;
  out.isWalk = true;
  out.ipa = ipa;
  return -1;
}

/**
 * Walks the tables of a regime for an address of which `vaHigh` holds bits [47:32]. The output address and its attributes, or the
 * fault, are then in `cx.translation`.
 */
export function walkStage1(cx: PeContext, vaLow: number, vaHigh: number, isUpper: boolean, regime: number): void {
  const out = cx.translation;
  const isTwoRanges = hasTwoRanges(cx, regime);
  const tcrLow = low(cx, tcrOfRegime[regime]!);
  const tcrHigh = isTwoRanges ? high(cx, tcrOfRegime[regime]!) : 0;
  const TxSZ = Math.min(Math.max((tcrLow >>> (isUpper ? 16 : 0)) & 63, 16), 39);
  const inputBits = 64 - TxSZ;
  const EPD = isTwoRanges && ((tcrLow >>> (isUpper ? 23 : 7)) & 1) !== 0;
  const HPD = isTwoRanges ? ((tcrHigh >>> (isUpper ? 10 : 9)) & 1) !== 0 : ((tcrLow >>> 24) & 1) !== 0;
  const PS = isTwoRanges ? tcrHigh & 7 : (tcrLow >>> 16) & 7;
  const outputLimit = powerOfTwo[outputBits[PS]!]!;
  const isNested = regime === 1 && isStage2Enabled(cx);

  // Bits [47:inputBits] must all be those of the range.
  const aboveInput = Math.floor((vaHigh * twoTo32 + vaLow) / powerOfTwo[inputBits]!);
  if (EPD || aboveInput !== (isUpper ? powerOfTwo[48 - inputBits]! - 1 : 0)) {
    out.fault = FSC.translation;
    return;
  }

  let level = inputBits > 39 ? 0 : inputBits > 30 ? 1 : 2;
  let indexBits = inputBits - (12 + 9 * (3 - level));
  const ttbr = isUpper ? ttbr1OfRegime[regime]! : ttbr0OfRegime[regime]!;
  const baseAddress = (high(cx, ttbr) & 0xffff) * twoTo32 + low(cx, ttbr);
  let table = baseAddress - offsetIn(baseAddress, indexBits + 3);
  if (table >= outputLimit) {
    out.fault = FSC.addressSize;
    return;
  }

  let apTable = 0;
  let uxnTable = 0;
  let pxnTable = 0;
  let nsTable = 0;
  for (;;) {
    const index = indexAt(level, vaLow, vaHigh) & ((1 << indexBits) - 1);
    let descriptorAddress = table + index * 8;
    if (isNested) {
      descriptorAddress = translateDescriptorAddress(cx, descriptorAddress);
      if (descriptorAddress < 0) return;
    }
    if (descriptorAddress < ramBase || descriptorAddress >= cx.ramEnd) {
      out.fault = FSC.externalAbortOnWalk + level;
      return;
    }
    const descriptor = readHalves(cx.memory, descriptorAddress);
    const [descriptorLow, descriptorHigh] = [descriptor[0]!, descriptor[1]!];
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
    const output = outputAddress - offsetIn(outputAddress, blockShift);
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
    walked.isGlobal = !isTwoRanges || (descriptorLow & (1 << 11)) === 0;
    out.pa = output + offsetIn(vaLow, blockShift);
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
  const isTwoRanges = hasTwoRanges(cx, regime);
  const AP1 = (descriptorLow >>> 6) & 1;
  const AP2 = (descriptorLow >>> 7) & 1;
  const index = (descriptorLow >>> 2) & 7;
  const mairSlot = mairOfRegime[regime]!;
  const memory = ((index < 4 ? low(cx, mairSlot) : high(cx, mairSlot)) >>> ((index & 3) * 8)) & 0xff;
  const NS = ((descriptorLow >>> 5) & 1) | nsTable;
  let attributes = (level << attribute.levelShift) | (memory << attribute.mairShift);
  attributes |= ((descriptorLow >>> 8) & 3) << attribute.shareabilityShift;
  if (memory < 0x10) attributes |= attribute.device | attribute.stage1Device;
  if (NS !== 0) attributes |= attribute.nonSecure;
  if (((descriptorHigh >>> 18) & 1) !== 0) attributes |= attribute.guarded;
  // AP[1] is RES1, and PXN RES0, in the regimes of one exception level.
  if (!isTwoRanges || (AP1 !== 0 && (apTable & 1) === 0)) attributes |= attribute.user;
  if (AP2 !== 0 || (apTable & 2) !== 0) attributes |= attribute.readOnly;
  if (((descriptorHigh >>> 22) & 1) !== 0 || uxnTable !== 0) attributes |= attribute.UXN;
  if (isTwoRanges && (((descriptorHigh >>> 21) & 1) !== 0 || pxnTable !== 0)) attributes |= attribute.PXN;
  return attributes;
}
