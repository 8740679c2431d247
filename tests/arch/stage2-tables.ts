// Stage 2 tables, built for the tests without a line of the walk that they test: 4KB granule, from the formats of the Arm ARM.

import { ramBase } from '../../src/arch/state-layout.ts';
import { type TestPe } from './fixture.ts';
import { type Tables, tablesFor } from './page-tables.ts';

/** Fields of a descriptor of stage 2. */
export const S2 = {
  MemAttr: (value: number): bigint => BigInt(value) << 2n,
  read: 1n << 6n,
  write: 2n << 6n,
  readWrite: 3n << 6n,
  SH: (value: number): bigint => BigInt(value) << 8n,
  AF: 1n << 10n,
  contiguous: 1n << 52n,
  XN: (value: number): bigint => BigInt(value) << 53n,
} as const;

/** Normal Write-Back, Inner Shareable, everything permitted. */
export const normalS2 = S2.MemAttr(15) | S2.readWrite | S2.SH(3) | S2.AF;
export const deviceS2 = S2.MemAttr(0) | S2.readWrite | S2.AF;

/** VTCR_EL2 with 48-bit output addresses and 16-bit VMIDs. */
export const vtcr = (T0SZ: number, SL0: number, more = 0n): bigint =>
  BigInt(T0SZ) | (BigInt(SL0) << 6n) | (5n << 16n) | (1n << 19n) | more;

const HCR_VM = 1n;

/** Turns stage 2 on: 39-bit IPAs from level 1, unless the options say otherwise. */
export function enableStage2(
  test: TestPe,
  root: bigint,
  options: { VMID?: bigint; vtcr?: bigint; hcr?: bigint } = {},
): void {
  test.setRegister('VTCR_EL2', options.vtcr ?? vtcr(25, 1));
  test.setRegister('VTTBR_EL2', root | ((options.VMID ?? 0n) << 48n));
  test.setRegister('HCR_EL2', options.hcr ?? HCR_VM);
}

/** Where the tables of stage 2 of a test end, below those of stage 1. */
const stage2TablesEnd = ramBase + 0x30_0000;

/** Tables for IPAs of 39 bits. */
export const stage2Tables = (test: TestPe, end = stage2TablesEnd): Tables => tablesFor(test, 1, end);

/** The gibibyte of RAM mapped to itself. */
export function identityStage2(test: TestPe): Tables {
  const tables = stage2Tables(test);
  tables.map(BigInt(ramBase), BigInt(ramBase), normalS2, 1);
  return tables;
}
