// What a core is: the implemented exception levels, its identity, and the values of the ID registers that follow.
// `-cpu max` is the sum of what Heddle implements: Armv8.2-A with LSE, LRCPC2, CRC32, FlagM, SB, FP16, RDM, DotProd, FHM, FCMA, AES, PMULL,
// SHA1, SHA2 and SHA3, and of FEAT_EVT the traps that do not concern the Outer Shareable domain.
//
// Deliberate differences from a complete Armv8.2-A, all of them visible in the ID registers: no FEAT_RAS; 4KB granule only;
// little-endian only; AArch64 only.

export interface CoreIdentity {
  readonly midr: bigint;
  readonly mpidr: bigint;
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
  /** The GIC has system registers: it is no GICv2. */
  readonly hasGicRegisters: boolean;
}

/** Implementer 0 (software), architecture by ID registers, a part number of our own, r0p0. */
export const midrMax = 0x000f_8ed0n;

export const highestEl = (core: CoreIdentity): 1 | 2 | 3 => (core.hasEl3 ? 3 : core.hasEl2 ? 2 : 1);

/** Builds a register from 4-bit fields: `[lowest bit, value]`. */
const nibbles = (...fields: readonly (readonly [number, number])[]): bigint =>
  fields.reduce((sum, [lowestBit, value]) => sum | (BigInt(value) << BigInt(lowestBit)), 0n);

export const idAa64Pfr0 = (core: CoreIdentity): bigint =>
  nibbles(
    [0, 1], // EL0: AArch64 only
    [4, 1], // EL1
    [8, core.hasEl2 ? 1 : 0],
    [12, core.hasEl3 ? 1 : 0],
    [16, 1], // FP, with half precision
    [20, 1], // AdvSIMD, with half precision
    [24, core.hasGicRegisters ? 1 : 0], // GIC system registers
    [28, 0], // no RAS: ESB is a NOP
  );

/** BT (BTI). */
export const idAa64Pfr1 = nibbles([0, 1]);

/** Debug architecture of Armv8.0, or with FEAT_VHE; PMUv3 for Armv8.1, two breakpoints, two watchpoints, one of them context-aware. */
export const idAa64Dfr0 = (core: CoreIdentity): bigint =>
  nibbles([0, core.hasEl2 ? 7 : 6], [8, 4], [12, 1], [20, 1], [28, 0]);
/** AES (with PMULL), SHA1, SHA2 (SHA256 and SHA512), CRC32, Atomic (LSE), RDM, SHA3, DP (DotProd), FHM, TS (FlagM). */
export const idAa64Isar0 = nibbles(
  [4, 2],
  [8, 1],
  [12, 2],
  [16, 1],
  [20, 2],
  [28, 1],
  [32, 1],
  [44, 1],
  [48, 1],
  [52, 1],
);
/** DPB (DC CVAP), APA and GPA (PAuth by QARMA5, without enhancements), FCMA, LRCPC2, SB. */
export const idAa64Isar1 = nibbles([0, 1], [4, 1], [16, 1], [20, 2], [24, 1], [36, 1]);
/** PARange 48 bits, ASIDBits 16, no 16KB and no 64KB granule. SNSMem: Secure and Non-secure memory are told apart with EL3. */
export const idAa64Mmfr0 = (core: CoreIdentity): bigint =>
  nibbles([0, 5], [4, 2], [12, core.hasEl3 ? 1 : 0], [20, 0], [24, 15]);
/** VMIDBits 16, VH, HPDS, LO, PAN2, XNX. */
export const idAa64Mmfr1 = (core: CoreIdentity): bigint =>
  nibbles([4, core.hasEl2 ? 2 : 0], [8, core.hasEl2 ? 1 : 0], [12, 1], [16, 1], [20, 2], [28, core.hasEl2 ? 1 : 0]);
/** CnP, UAO, EVT: HCR_EL2.TID4, TICAB and TOCU. */
export const idAa64Mmfr2 = (core: CoreIdentity): bigint => nibbles([0, 1], [4, 1], [56, core.hasEl2 ? 1 : 0]);

/** log2 of the bytes that DC ZVA clears, of a cache line, and of the exclusives reservation granule: one line of the line map. */
const lineWordsLog2 = 4;
/** PIPT instruction cache; DIC and IDC clear: software must maintain the caches. */
export const ctrEl0 = nibbles(
  [0, lineWordsLog2],
  [14, 3],
  [16, lineWordsLog2],
  [20, lineWordsLog2],
  [24, lineWordsLog2],
  [28, 8],
);
export const dczidBlockSize = lineWordsLog2;

/** Separate first-level caches, a unified second level; LoUIS 1, LoC 2, LoUU 1. */
export const clidrEl1 = 3n | (4n << 3n) | (1n << 21n) | (2n << 24n) | (1n << 27n);

const cacheSize = (sets: number, ways: number): bigint =>
  (BigInt(sets - 1) << 13n) | (BigInt(ways - 1) << 3n) | BigInt(lineWordsLog2 - 2);

/** CCSIDR_EL1 by CSSELR_EL1: 32 KiB of data, 32 KiB of instructions, 1 MiB. Others are UNKNOWN: 0. */
export function ccsidrEl1(csselr: number): bigint {
  switch (csselr & 15) {
    case 0:
    case 1:
      return cacheSize(128, 4);
    case 2:
      return cacheSize(1024, 16);
    default:
      return 0n;
  }
}
