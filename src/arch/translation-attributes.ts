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
  /** UXN of EL1&0, XN of the other regimes. */
  UXN: 1 << 2,
  PXN: 1 << 3,
  device: 1 << 4,
  nonSecure: 1 << 5,
  /** The entry has been used for an instruction fetch: the jump cache may depend on it. */
  fetched: 1 << 6,
  /** The memory attributes of MAIR_ELx, 8 bits. */
  mairShift: 8,
  /** SH, 2 bits. */
  shareabilityShift: 16,
  /** Level of the descriptor, 2 bits. */
  levelShift: 20,
} as const;

export const levelOf = (attributes: number): number => (attributes >>> attribute.levelShift) & 3;
export const mairOf = (attributes: number): number => (attributes >>> attribute.mairShift) & 0xff;
export const shareabilityOf = (attributes: number): number => (attributes >>> attribute.shareabilityShift) & 3;

/** What an access needs of a page. */
export const need = { read: 1, write: 2, fetch: 4 } as const;

/** The regime of an exception level: 1 (EL1&0), 2, 3. */
export const regimeOf = (el: number): number => (el === 0 ? 1 : el);

/**
 * The translation context, by which TLB entries are told apart: EL3, EL2, Secure EL1&0, or Non-secure EL1&0 with its VMID (8
 * bits: VMIDBits is 0).
 */
export const context = { el1: 0, el1Secure: 1, el2: 2, el3: 3, vmidShift: 2 } as const;
