// Stream Table Entries and Context Descriptors (Arm IHI 0070, "Data structure formats"): what their words say, and which of them are
// ILLEGAL on this SMMU. Structures are arrays of 32-bit words; addresses are numbers, since none has more than 52 bits.
//
// Decoded, not used: memory attributes, shareability and allocation hints (an access to RAM has none here), EATS (no ATS).
// ILLEGAL, because the ID registers say so: tables of AArch32 or big-endian, granules other than 4 KB, hardware update of flags
// (HA, HD), the stall model, termination with RAZ/WI (CD.A clear).

import { world } from './tlb.ts';

const twoTo32 = 2 ** 32;
/** SMMU_IDR5.OAS, and with it the size of an IPA. */
export const outputAddressBits = 48;
/** SMMU_IDR1.SSIDSIZE. */
export const substreamBits = 8;
/** Bits of an address by IPS, S2PS. */
const addressBits = [32, 36, 40, 42, 44, 48, 48, 48] as const;

/** S1DSS. */
export const defaultSubstream = { terminate: 0, bypass: 1, zero: 2 } as const;
/** S1Fmt: log2 of the CDs in a table of the second level. */
const secondLevelBits = [0, 6, 10, 0] as const;

export interface Stage2 {
  readonly inputBits: number;
  readonly startLevel: number;
  readonly table: number;
  readonly outputBits: number;
  /** S2AFFD. */
  readonly ignoresAccessFlag: boolean;
  /** S2PTW. */
  readonly protectsWalks: boolean;
  /** S2R. */
  readonly records: boolean;
}

/** Where the context descriptors of a stream are. */
export interface ContextTable {
  readonly pointer: number;
  /** log2 of their number. */
  readonly bits: number;
  /** log2 of those in a table of the second level; 0 where there is one level. */
  readonly secondLevelBits: number;
  /** S1DSS. */
  readonly defaultSubstream: number;
}

export type StreamEntry =
  | { readonly kind: 'abort' }
  | {
      readonly kind: 'pass';
      readonly world: number;
      readonly vmid: number;
      /** Each, where the stage translates. */
      readonly contexts?: ContextTable;
      readonly stage2?: Stage2;
    };

/** Half of a VA space. */
export interface Range {
  readonly inputBits: number;
  readonly table: number;
  /** HAD: APTable and its kind are ignored. */
  readonly ignoresHierarchy: boolean;
}

export interface Context {
  readonly asid: number;
  /** By VA[55]; undefined where walks are disabled. */
  readonly ranges: readonly [Range | undefined, Range | undefined];
  readonly ignoresTopByte: readonly [boolean, boolean];
  readonly outputBits: number;
  readonly ignoresAccessFlag: boolean;
  /** PAN. */
  readonly deniesPrivileged: boolean;
  /** R. */
  readonly records: boolean;
}

type Words = readonly number[];

const field = (words: Words, word: number, shift: number, bits: number): number =>
  (words[word]! >>> shift) & (2 ** bits - 1);
const flag = (words: Words, word: number, shift: number): boolean => field(words, word, shift, 1) !== 0;

/** An address of bits [51:lowest] of two words. */
export const addressOf = (low: number, high: number, lowest: number): number =>
  (high & 0xf_ffff) * twoTo32 + (low - (low % 2 ** lowest));

function decodeStage2(words: Words): Stage2 | undefined {
  const inputBits = 64 - field(words, 5, 0, 6);
  const SL0 = field(words, 5, 6, 2);
  const startLevel = 2 - SL0;
  const outputBits = Math.min(addressBits[field(words, 5, 16, 3)]!, outputAddressBits);
  // Bits that the first lookup resolves: up to 9, and 4 more where up to 16 tables lie side by side, below level 0.
  const indexBits = inputBits - (39 - 9 * startLevel);
  const maxIndexBits = startLevel === 0 ? 9 : 13;
  const isLittleEndianAArch64 = flag(words, 5, 19) && !flag(words, 5, 20);
  const isGranule4K = field(words, 5, 14, 2) === 0;
  const hasUpdatesOrStall = flag(words, 5, 23) || flag(words, 5, 24) || flag(words, 5, 25);
  const table = addressOf(words[6]!, words[7]!, 4);
  const isLegal =
    isLittleEndianAArch64 &&
    isGranule4K &&
    !hasUpdatesOrStall &&
    SL0 !== 3 &&
    inputBits >= 25 &&
    inputBits <= outputAddressBits &&
    indexBits >= 1 &&
    indexBits <= maxIndexBits &&
    table < 2 ** outputBits;
  if (!isLegal) return undefined;
  return {
    inputBits,
    startLevel,
    table,
    outputBits,
    ignoresAccessFlag: flag(words, 5, 21),
    protectsWalks: flag(words, 5, 22),
    records: flag(words, 5, 26),
  };
}

/** Decodes an STE; undefined where it is invalid (C_BAD_STE). `isE2h`: SMMU_CR2.E2H. */
export function decodeStreamEntry(words: Words, isE2h: boolean): StreamEntry | undefined {
  if (!flag(words, 0, 0)) return undefined;
  const config = field(words, 0, 1, 3);
  if ((config & 4) === 0) return { kind: 'abort' };
  const hasStage1 = (config & 1) !== 0;
  const hasStage2 = (config & 2) !== 0;
  const STRW = hasStage1 && !hasStage2 ? field(words, 2, 30, 2) : 0;
  if ((STRW & 1) !== 0) return undefined;
  const streamWorld = STRW === 0 ? world.EL1 : isE2h ? world.EL2_E2H : world.EL2;
  const vmid = streamWorld === world.EL1 ? field(words, 4, 0, 16) : 0;
  const entry: { contexts?: ContextTable; stage2?: Stage2 } = {};
  if (hasStage1) {
    const S1CDMax = field(words, 1, 27, 5);
    // S1STALLD is ILLEGAL where there is no stall model to disable.
    if (S1CDMax > substreamBits || flag(words, 2, 27)) return undefined;
    entry.contexts = {
      pointer: addressOf(words[0]!, words[1]! & 0xff_ffff, 6),
      bits: S1CDMax,
      secondLevelBits: S1CDMax === 0 ? 0 : secondLevelBits[field(words, 0, 4, 2)]!,
      defaultSubstream: field(words, 2, 0, 2),
    };
  }
  if (hasStage2) {
    const stage2 = decodeStage2(words);
    if (stage2 === undefined) return undefined;
    entry.stage2 = stage2;
  }
  return { kind: 'pass', world: streamWorld, vmid, ...entry };
}

/** TG0 and TG1 that mean 4 KB. */
const granule4K = [0, 2] as const;

/** TTB0 or TTB1 of a CD; undefined where walks are disabled. */
function decodeRange(
  words: Words,
  n: 0 | 1,
  outputBits: number,
  hasUpperRange: boolean,
): Range | 'illegal' | undefined {
  const isDisabled = hasUpperRange ? flag(words, 0, 14 + 16 * n) : n === 1;
  if (isDisabled) return undefined;
  const inputBits = 64 - field(words, 0, 16 * n, 6);
  const at = 2 + 2 * n;
  const table = addressOf(words[at]!, words[at + 1]!, 4);
  const isGranule4K = field(words, 0, 6 + 16 * n, 2) === granule4K[n];
  if (!isGranule4K || inputBits < 25 || inputBits > 48 || table >= 2 ** outputBits) return 'illegal';
  return { inputBits, table, ignoresHierarchy: flag(words, at, 1) };
}

/** Decodes a CD reached from a stream of this world; undefined where it is invalid (C_BAD_CD). */
export function decodeContext(words: Words, streamWorld: number): Context | undefined {
  const isLegal =
    flag(words, 0, 31) &&
    flag(words, 1, 9) && // AA64
    !flag(words, 1, 10) && // HD
    !flag(words, 1, 11) && // HA
    !flag(words, 1, 12) && // S
    flag(words, 1, 14); // A
  if (!isLegal) return undefined;
  const hasUpperRange = streamWorld !== world.EL2;
  const outputBits = Math.min(addressBits[field(words, 1, 0, 3)]!, outputAddressBits);
  const lower = decodeRange(words, 0, outputBits, hasUpperRange);
  const upper = decodeRange(words, 1, outputBits, hasUpperRange);
  if (lower === 'illegal' || upper === 'illegal') return undefined;
  const isBigEndian = flag(words, 0, 15);
  if (isBigEndian && (lower ?? upper) !== undefined) return undefined;
  return {
    asid: streamWorld === world.EL2 ? 0 : field(words, 1, 16, 16),
    ranges: [lower, upper],
    ignoresTopByte: [flag(words, 1, 6), hasUpperRange && flag(words, 1, 7)],
    outputBits,
    ignoresAccessFlag: flag(words, 1, 3),
    deniesPrivileged: streamWorld !== world.EL2 && flag(words, 1, 8),
    records: flag(words, 1, 13),
  };
}
