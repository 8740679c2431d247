// The words in which translation, the TLB and the accesses speak: fault status codes, attributes, permissions, contexts.

/** Fault status codes; those of a level have the level added. */
export const FSC = {
  addressSize: 0x00,
  translation: 0x04,
  accessFlag: 0x08,
  permission: 0x0c,
  externalAbort: 0x10,
  externalAbortOnWalk: 0x14,
  alignment: 0x21,
  /** Unsupported Exclusive or Atomic access. */
  unsupportedAtomic: 0x35,
} as const;

/** `fault` of a translation that succeeded: 0 is the Address size fault of level 0. */
export const noFault = -1;

/** `attributes` of a translation. */
export const attribute = {
  /** AP[1]: accessible at EL0. */
  user: 1 << 0,
  /** AP[2]. */
  readOnly: 1 << 1,
  /** UXN of EL1&0 and EL2&0, XN of the other regimes. */
  UXN: 1 << 2,
  PXN: 1 << 3,
  /** Device memory, by either stage. */
  device: 1 << 4,
  nonSecure: 1 << 5,
  /** The entry has been used for an instruction fetch: the jump cache may depend on it. */
  fetched: 1 << 6,
  /** Device memory by stage 1. */
  stage1Device: 1 << 7,
  /** The memory attributes in the encoding of MAIR_ELx, 8 bits; of stage 2 alone, MemAttr[3:0]. */
  mairShift: 8,
  /** SH, 2 bits. */
  shareabilityShift: 16,
  /** Stage 1 is off: it permits everything. */
  stage1Off: 1 << 18,
  /** Stage 2 is on; the fields below are its own. */
  stage2: 1 << 19,
  /** Level of the descriptor of stage 1, 2 bits. */
  levelShift: 20,
  /** S2AP. */
  stage2Read: 1 << 22,
  stage2Write: 1 << 23,
  /** XN[1:0], by the exception level that may not execute. */
  stage2XnEl1: 1 << 24,
  stage2XnEl0: 1 << 25,
  /** Level of the descriptor of stage 2, 2 bits. */
  stage2LevelShift: 26,
  /** GP of stage 1: branches into the page are checked (FEAT_BTI). */
  guarded: 1 << 28,
} as const;

export const levelOf = (attributes: number): number => (attributes >>> attribute.levelShift) & 3;
export const stage2LevelOf = (attributes: number): number => (attributes >>> attribute.stage2LevelShift) & 3;
export const mairOf = (attributes: number): number => (attributes >>> attribute.mairShift) & 0xff;
export const shareabilityOf = (attributes: number): number => (attributes >>> attribute.shareabilityShift) & 3;

/** What an access needs of a page. */
export const need = { read: 1, write: 2, fetch: 4 } as const;

/**
 * The translation context, by which TLB entries are told apart: the regime and the Security state, whether stage 2 had a part in
 * the entry, and the VMID above them. Entries of stage 2 alone translate intermediate physical addresses.
 */
export const context = {
  el1: 0,
  el1BothStages: 1,
  stage2: 2,
  el1Secure: 3,
  el2: 4,
  /** The EL2&0 regime. */
  el2Host: 5,
  el3: 6,
  vmidShift: 3,
} as const;
export const kindOf = (translationContext: number): number => translationContext & 7;

/** Bits of an output address, by TCR_ELx.(I)PS and VTCR_EL2.PS; ID_AA64MMFR0_EL1.PARange is 48 bits. */
export const outputBits = [32, 36, 40, 42, 44, 48, 48, 48] as const;

export const isExternalAbort = (fsc: number): boolean => fsc >= FSC.externalAbort && fsc < FSC.externalAbortOnWalk + 4;
