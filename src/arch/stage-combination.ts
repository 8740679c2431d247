// How the memory attributes of the two stages combine (Arm ARM, "Combining memory type attributes" and what follows it, without
// FEAT_S2FWB; pseudocode S2CombineS1MemAttrs and S2CombineS1AttrHints): the stricter wins, hints are those of stage 1.
//
// HCR_EL2.CD makes Normal memory of stage 2 Non-cacheable for data; HCR_EL2.ID would do so for instructions, which nothing that
// software can read would show.

import { high, type PeContext } from './pe-context.ts';
import { slotOf } from './system-registers.ts';
import { attribute, mairOf, shareabilityOf } from './translation-attributes.ts';

const HCR_EL2 = slotOf('HCR_EL2');
/** Bit 32. */
const CD = 1 << 0;

const outerShareable = 2;
const innerShareable = 3;
/** Non-cacheable, inner and outer, as MAIR_ELx and as MemAttr[3:0] have it. */
const nonCacheable = 0x44;
const stage2NonCacheable = 0b0101;
/** Cacheability in MemAttr[3:2] and MemAttr[1:0]. */
const writeThrough = 2;
const writeBack = 3;

/** The attributes of an address that stage 1 gives `stage1` and stage 2 `stage2`. */
export function combineStages(cx: PeContext, stage1: number, stage2: number): number {
  const isDevice = ((stage1 | stage2) & attribute.device) !== 0;
  const memory = isDevice ? combineDevice(stage1, stage2) : combineNormal(mairOf(stage1), stage2MemAttr(cx, stage2));
  const isOuterShareable = isDevice || memory === nonCacheable;
  const shareability = isOuterShareable
    ? outerShareable
    : combineShareability(shareabilityOf(stage1), shareabilityOf(stage2));
  const ofStage1 = stage1 & ~((0xff << attribute.mairShift) | (3 << attribute.shareabilityShift));
  const ofStage2 = stage2 & ~((0xff << attribute.mairShift) | (3 << attribute.shareabilityShift) | attribute.fetched);
  return ofStage1 | ofStage2 | (memory << attribute.mairShift) | (shareability << attribute.shareabilityShift);
}

function stage2MemAttr(cx: PeContext, stage2: number): number {
  const isCacheDisabled = (high(cx, HCR_EL2) & CD) !== 0;
  return isCacheDisabled ? stage2NonCacheable : mairOf(stage2);
}

/** Of two types of Device memory the one with the fewer freedoms: nGnRnE 0, nGnRE 4, nGRE 8, GRE 12. */
function combineDevice(stage1: number, stage2: number): number {
  const ofStage1 = mairOf(stage1) & 0xc;
  const ofStage2 = (mairOf(stage2) & 3) << 2;
  if ((stage1 & attribute.device) === 0) return ofStage2;
  return (stage2 & attribute.device) === 0 ? ofStage1 : Math.min(ofStage1, ofStage2);
}

const combineNormal = (mair: number, MemAttr: number): number =>
  (combineCacheability(mair >>> 4, MemAttr >>> 2) << 4) | combineCacheability(mair & 15, MemAttr & 3);

/** `stage1`: four bits of MAIR_ELx. Non-cacheable is stricter than Write-Through, which is stricter than Write-Back. */
function combineCacheability(stage1: number, stage2: number): number {
  const nonCacheableNibble = 4;
  if (stage1 === nonCacheableNibble || stage2 < writeThrough) return nonCacheableNibble;
  // Bit 2 is set in the encodings of Write-Back; bit 3 is clear where the memory is transient.
  return stage2 === writeBack ? stage1 : stage1 & ~4;
}

function combineShareability(stage1: number, stage2: number): number {
  if (stage1 === outerShareable || stage2 === outerShareable) return outerShareable;
  return stage1 === innerShareable || stage2 === innerShareable ? innerShareable : 0;
}
