// AT_HWCAP and AT_HWCAP2 from the ID registers, and these registers as a program reads them: the kernel answers MRS of them at EL0 with
// the fields that a program may know of (Documentation/arm64/cpu-feature-registers.rst, elf_hwcaps.rst).

import { systemKey } from '../arch/system-key.ts';
import { registerAt } from '../arch/system-registers.ts';
import type { Core } from './kernel.ts';

type Row = readonly [register: string, lowestBit: number, least: number, hwcap: number];

const signedFields: ReadonlySet<number> = new Set([16, 20]);

/** HWCAP_*: field of the register, its least value, and the bit. FP and AdvSIMD count from -1, which is none. */
const hwcaps: readonly Row[] = [
  ['ID_AA64PFR0_EL1', 16, 0, 0],
  ['ID_AA64PFR0_EL1', 20, 0, 1],
  ['ID_AA64ISAR0_EL1', 4, 1, 3],
  ['ID_AA64ISAR0_EL1', 4, 2, 4],
  ['ID_AA64ISAR0_EL1', 8, 1, 5],
  ['ID_AA64ISAR0_EL1', 12, 1, 6],
  ['ID_AA64ISAR0_EL1', 16, 1, 7],
  ['ID_AA64ISAR0_EL1', 20, 2, 8],
  ['ID_AA64PFR0_EL1', 16, 1, 9],
  ['ID_AA64PFR0_EL1', 20, 1, 10],
  ['ID_AA64ISAR0_EL1', 28, 1, 12],
  ['ID_AA64ISAR1_EL1', 12, 1, 13],
  ['ID_AA64ISAR1_EL1', 16, 1, 14],
  ['ID_AA64ISAR1_EL1', 20, 1, 15],
  ['ID_AA64ISAR1_EL1', 0, 1, 16],
  ['ID_AA64ISAR0_EL1', 32, 1, 17],
  ['ID_AA64ISAR0_EL1', 36, 1, 18],
  ['ID_AA64ISAR0_EL1', 40, 1, 19],
  ['ID_AA64ISAR0_EL1', 44, 1, 20],
  ['ID_AA64ISAR0_EL1', 12, 2, 21],
  ['ID_AA64ISAR0_EL1', 48, 1, 23],
  ['ID_AA64PFR0_EL1', 48, 1, 24],
  ['ID_AA64MMFR2_EL1', 32, 1, 25],
  ['ID_AA64ISAR1_EL1', 20, 2, 26],
  ['ID_AA64ISAR0_EL1', 52, 1, 27],
  ['ID_AA64PFR1_EL1', 4, 2, 28],
  ['ID_AA64ISAR1_EL1', 36, 1, 29],
];
const hwcaps2: readonly Row[] = [
  ['ID_AA64ISAR1_EL1', 0, 2, 0],
  ['ID_AA64ISAR0_EL1', 52, 2, 7],
  ['ID_AA64ISAR1_EL1', 32, 1, 8],
  ['ID_AA64ISAR1_EL1', 52, 1, 13],
  ['ID_AA64ISAR1_EL1', 44, 1, 14],
  ['ID_AA64ISAR0_EL1', 60, 1, 16],
  ['ID_AA64PFR1_EL1', 0, 1, 17],
];
/** EVTSTRM, because the kernel starts the event stream, and CPUID, because it answers MRS. */
const always = (1n << 2n) | (1n << 11n);

function fieldOf(core: Core, register: string, lowestBit: number): number {
  const value = Number((core.pe.readRegister(register) >> BigInt(lowestBit)) & 0xfn);
  const isSigned = register === 'ID_AA64PFR0_EL1' && signedFields.has(lowestBit);
  return isSigned && value > 7 ? value - 16 : value;
}

const collect = (core: Core, rows: readonly Row[]): bigint =>
  rows.reduce(
    (sum, [register, lowestBit, least, bit]) =>
      fieldOf(core, register, lowestBit) >= least ? sum | (1n << BigInt(bit)) : sum,
    0n,
  );

export const hwcap = (core: Core): bigint => collect(core, hwcaps) | always;
export const hwcap2 = (core: Core): bigint => collect(core, hwcaps2);

/** Names of the capabilities, as /proc/cpuinfo lists them, by bit. */
export const hwcapNames: readonly string[] =
  'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg'.split(
    ' ',
  );

/** MRS <Xt>, <register> with op0 3 and op1 0, CRn 0: the ID registers. */
const mrs = { mask: 0xffff_f000, word: 0xd538_0000 } as const;

/** The fields of ID registers that a program may know: those that decide capabilities. */
function visible(core: Core, name: string): bigint {
  const fields = new Set([...hwcaps, ...hwcaps2].filter(([register]) => register === name).map(([, bit]) => bit));
  const value = core.pe.readRegister(name);
  let result = name === 'ID_AA64PFR0_EL1' ? 0x11n : 0n;
  for (const bit of fields) result |= value & (0xfn << BigInt(bit));
  return result;
}

/** The value of an ID register for a program that reads it by this instruction; undefined where it is another instruction. */
export function emulateMrs(core: Core, word: number): { readonly Rt: number; readonly value: bigint } | undefined {
  if ((word & mrs.mask) >>> 0 !== mrs.word) return undefined;
  const CRm = (word >>> 8) & 15;
  const op2 = (word >>> 5) & 7;
  const Rt = word & 31;
  const name = registerAt(systemKey(3, 0, 0, CRm, op2))?.name;
  if (CRm === 0 && op2 === 0) return { Rt, value: core.pe.readRegister('MIDR_EL1') };
  // MPIDR_EL1 tells nothing of the machine; REVIDR_EL1 is 0.
  if (CRm === 0 && op2 === 5) return { Rt, value: 1n << 31n };
  if (CRm === 0 && op2 === 6) return { Rt, value: 0n };
  if (CRm < 4) return undefined;
  return { Rt, value: name === undefined ? 0n : visible(core, name) };
}
