// A stage 1 page descriptor of VMSAv8-64 with 4 KiB pages (Arm DDI 0487, D8.3 "Translation table descriptor formats"), by the fields
// that tests speak of.
//
// AP[2] is turned around: `db`, the dirty bit, is set where writes are permitted. Attributes that have names are numbered in bits that
// hardware ignores, since no test depends on what MAIR_ELx says of AttrIndx.

export const pageBytes = 0x1000n;

/** The fields that are one bit, in the order in which they are compared; what a page of its own has that says nothing. */
const flags = {
  af: { bit: 10n, isInverted: false, usual: 1n },
  /** AP[2] */
  db: { bit: 7n, isInverted: true, usual: 1n },
  dbm: { bit: 51n, isInverted: false, usual: 0n },
  valid: { bit: 0n, isInverted: false, usual: 1n },
  /** AP[1] */
  el0: { bit: 6n, isInverted: false, usual: 1n },
  /** UXN */
  x: { bit: 54n, isInverted: true, usual: 1n },
} as const;

export type FlagField = keyof typeof flags;
export const flagFields = Object.keys(flags) as readonly FlagField[];

export const isFlagField = (name: string): name is FlagField => name in flags;

export type Descriptor = Readonly<Record<FlagField, bigint>> & {
  /** Output address, bits [47:12]. */
  readonly oa: bigint;
  /** The number of its attributes; 0 where it has no unusual ones. */
  readonly attributes: bigint;
};

export const usualDescriptor: Omit<Descriptor, 'oa'> = {
  af: flags.af.usual,
  db: flags.db.usual,
  dbm: flags.dbm.usual,
  valid: flags.valid.usual,
  el0: flags.el0.usual,
  x: flags.x.usual,
  attributes: 0n,
};

/** A descriptor of a page rather than a block. */
const pageBit = 1n << 1n;
const addressMask = 0xffff_ffff_f000n;
/** Bits [58:55], reserved for software. */
const attributesAt = 55n;
const attributesMask = 0xfn << attributesAt;
export const mostAttributes = 15;

const stored = (name: FlagField, value: bigint): bigint => (flags[name].isInverted ? 1n - value : value);

export function encodeDescriptor(descriptor: Descriptor): bigint {
  let bits = pageBit | (descriptor.oa & addressMask) | (descriptor.attributes << attributesAt);
  for (const name of flagFields) bits |= stored(name, descriptor[name]) << flags[name].bit;
  return bits;
}

const flagMask = flagFields.reduce((mask, name) => mask | (1n << flags[name].bit), 0n);

/** undefined for a value that has other bits than a descriptor. */
export function decodeDescriptor(bits: bigint): Descriptor | undefined {
  if ((bits & pageBit) === 0n || (bits & ~(pageBit | addressMask | attributesMask | flagMask)) !== 0n) return undefined;
  return { ...fieldsOf(bits), attributes: (bits & attributesMask) >> attributesAt };
}

const flagOf = (bits: bigint, name: FlagField): bigint => stored(name, (bits >> flags[name].bit) & 1n);

/** The fields of any value that is read as a descriptor. */
export const fieldsOf = (bits: bigint): Omit<Descriptor, 'attributes'> => ({
  oa: bits & addressMask,
  af: flagOf(bits, 'af'),
  db: flagOf(bits, 'db'),
  dbm: flagOf(bits, 'dbm'),
  valid: flagOf(bits, 'valid'),
  el0: flagOf(bits, 'el0'),
  x: flagOf(bits, 'x'),
});
