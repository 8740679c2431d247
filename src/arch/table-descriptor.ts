// Translation table descriptors of VMSAv8-64 with the 4 KB granule (Arm DDI 0487, "VMSAv8-64 descriptor formats"), by their two words:
// what each field says, for whoever walks tables. Left out: 52-bit addresses (FEAT_LPA2).

const twoTo32 = 2 ** 32;
const lastLevel = 3;

/** log2 of what one descriptor of a level covers. */
export const shiftOfLevel = (level: number): number => 12 + 9 * (lastLevel - level);

export type DescriptorKind = 'invalid' | 'table' | 'leaf';

/** A Block descriptor of level 0 is reserved, as is one of level 3 that is no Page. */
export function kindOf(low: number, level: number): DescriptorKind {
  if ((low & 1) === 0) return 'invalid';
  if ((low & 2) !== 0) return level === lastLevel ? 'leaf' : 'table';
  return level === 0 || level === lastLevel ? 'invalid' : 'leaf';
}

/** Bits [47:12]: the next table, or the output of a Page. */
export const addressField = (low: number, high: number): number =>
  (high & 0xffff) * twoTo32 + ((low & 0xffff_f000) >>> 0);

export const isAccessed = (low: number): boolean => (low & (1 << 10)) !== 0;

/** AP[1] and AP[2] of a stage 1 leaf. */
export const isUserAccessible = (low: number): boolean => (low & (1 << 6)) !== 0;
export const isReadOnly = (low: number): boolean => (low & (1 << 7)) !== 0;
/** nG of a stage 1 leaf. */
export const isNotGlobal = (low: number): boolean => (low & (1 << 11)) !== 0;

/** APTable[0] and APTable[1] of a stage 1 table: no access for EL0, no writes. */
export const deniesUser = (high: number): boolean => (high & (1 << 29)) !== 0;
export const deniesWrites = (high: number): boolean => (high & (1 << 30)) !== 0;

/** S2AP of a stage 2 leaf. */
export const stage2Reads = (low: number): boolean => (low & (1 << 6)) !== 0;
export const stage2Writes = (low: number): boolean => (low & (1 << 7)) !== 0;
/** MemAttr of a stage 2 leaf is a Device type. */
export const isStage2Device = (low: number): boolean => (low & 0x30) === 0;
