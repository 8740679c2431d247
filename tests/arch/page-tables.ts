// Translation tables, built for the tests without a line of the walk that they test: 4KB granule, from the formats of the Arm ARM.

import { ramBase } from '../../src/arch/state-layout.ts';
import { ramBytes, type TestPe } from './fixture.ts';

/** Fields of a descriptor. */
export const D = {
  AttrIndx: (index: number): bigint => BigInt(index) << 2n,
  NS: 1n << 5n,
  user: 1n << 6n,
  readOnly: 1n << 7n,
  innerShareable: 3n << 8n,
  AF: 1n << 10n,
  nG: 1n << 11n,
  contiguous: 1n << 52n,
  PXN: 1n << 53n,
  UXN: 1n << 54n,
  PXNTable: 1n << 59n,
  UXNTable: 1n << 60n,
  APTableNoUser: 1n << 61n,
  APTableReadOnly: 1n << 62n,
} as const;

const tableBytes = 4096;

export interface Tables {
  readonly root: bigint;
  /** Where the descriptor of a level lies, in tables that are made where there are none. */
  addressOf(va: bigint, level?: 1 | 2 | 3): number;
  /** Maps a page (level 3) or block (level 1, 2); `tableFields` go into the table descriptors on the way that are new. */
  map(va: bigint, pa: bigint, fields: bigint, level?: 1 | 2 | 3, tableFields?: bigint): void;
  /** Writes the descriptor of a level as it is. */
  poke(va: bigint, level: 0 | 1 | 2 | 3, descriptor: bigint): void;
}

/** Tables grow downwards from the end of RAM, or from `end`. `startLevel` 0 needs TxSZ of 16 to 24, 1 of 25 to 33, 2 above. */
export function tablesFor(
  test: Pick<TestPe, 'ram64' | 'setRam64'>,
  startLevel: 0 | 1 | 2 = 0,
  end = ramBase + ramBytes,
): Tables {
  let next = end;
  const allocate = (): bigint => {
    next -= tableBytes;
    for (let offset = 0; offset < tableBytes; offset += 8) test.setRam64(next + offset, 0n);
    return BigInt(next);
  };
  const root = allocate();
  const entryAddress = (table: bigint, va: bigint, level: number): number =>
    Number(table + ((va >> BigInt(39 - 9 * level)) & 511n) * 8n);

  /** The address of the descriptor of a level, through tables that are made where there are none. */
  function descend(va: bigint, level: number, tableFields: bigint): number {
    let table = root;
    for (let at: number = startLevel; at < level; at++) {
      const address = entryAddress(table, va, at);
      if ((test.ram64(address) & 3n) !== 3n) test.setRam64(address, allocate() | 3n | tableFields);
      table = test.ram64(address) & 0xffff_ffff_f000n;
    }
    return entryAddress(table, va, level);
  }

  return {
    root,
    addressOf: (va, level = 3) => descend(va, level, 0n),
    map(va, pa, fields, level = 3, tableFields = 0n) {
      test.setRam64(descend(va, level, tableFields), pa | fields | (level === 3 ? 3n : 1n));
    },
    poke(va, level, descriptor) {
      test.setRam64(descend(va, level, 0n), descriptor);
    },
  };
}

/** MAIR_ELx: 0 Normal write-back, 1 Device-nGnRnE, 2 Normal Non-cacheable. */
export const mair = 0x44_00_ffn;
export const device = D.AttrIndx(1);

/** TCR_EL1 with both ranges of `TxSZ`, 48-bit output addresses, 16-bit ASIDs. */
export const tcrEl1 = (TxSZ: number, more = 0n): bigint =>
  BigInt(TxSZ) | (BigInt(TxSZ) << 16n) | (2n << 30n) | (5n << 32n) | (1n << 36n) | more;

const SCTLR_M = 1n;

/** Turns stage 1 of EL1&0 on. */
export function enableEl1(
  test: TestPe,
  tables: Tables,
  options: { TxSZ?: number; tcr?: bigint; upper?: Tables } = {},
): void {
  test.setRegister('MAIR_EL1', mair);
  test.setRegister('TCR_EL1', tcrEl1(options.TxSZ ?? 16, options.tcr));
  test.setRegister('TTBR0_EL1', tables.root);
  test.setRegister('TTBR1_EL1', (options.upper ?? tables).root);
  test.setRegister('SCTLR_EL1', test.register('SCTLR_EL1') | SCTLR_M);
}
