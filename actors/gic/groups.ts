// Interrupt groups and priorities (Arm IHI 0069, "Interrupt grouping" and "Interrupt prioritization").

/** Numbered as their enable bits in the Secure view of GICD_CTLR. */
export const group = { group0: 0, group1NonSecure: 1, group1Secure: 2 } as const;
export type Group = (typeof group)[keyof typeof group];

export const allGroups = 0b111;
export const groupBit = (of: number): number => 1 << of;

/** INTIDs below are SGIs. */
export const firstPpi = 16;
/** INTIDs below are private to a PE. */
export const firstSpi = 32;

/**
 * Five bits of priority, 32 levels: the lowest three bits of the eight are RES0, as in most Arm implementations and as QEMU's
 * `max` has it at its CPU interface.
 */
export const priorityBits = 5;
export const priorityMask = (0xff << (8 - priorityBits)) & 0xff;

/** Priority of an idle PE, and of no interrupt. */
export const idlePriority = 0xff;

/** "Software accesses of interrupt priority": what Non-secure software reads of a priority when there are two Security states. */
export const nonSecurePriorityRead = (priority: number): number => (priority << 1) & 0xff;
/** And the priority that its write means: the lower half of the range. */
export const nonSecurePriorityWrite = (value: number): number => ((value >> 1) | 0x80) & priorityMask;

/** Special INTIDs. */
export const intid = {
  /** At EL3: the pending interrupt is to be handled at Secure EL1. */
  secureGroup1: 1020,
  /** At EL3: the pending interrupt is to be handled in Non-secure state. */
  nonSecureGroup1: 1021,
  spurious: 1023,
} as const;
export const firstSpecialIntid = 1020;
export const isSpecialIntid = (of: number): boolean => of >= firstSpecialIntid && of <= intid.spurious;
/** INTIDs from here on are LPIs: they have no active state. */
export const firstLpi = 8192;
