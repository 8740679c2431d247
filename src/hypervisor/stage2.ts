// The stage 2 tables of a VM (Arm ARM, "The AArch64 Virtual Memory System Architecture"; section 3 of the ancestor's description): 4KB
// granule, 36-bit IPAs, walks that start at level 1 with one table of 64 entries, VMID = id of the VM.
//
// RAM of guests is mapped by pages, so that writes can be watched page by page; RAM of the management VM, and devices, by 2 MiB
// blocks where they are aligned. Only code of this file writes tables.
//
// The first table is there twice, side by side in one page: once for PEs, whose VM can be held (hold.ts), and once for the SMMU, so that
// devices of a VM that is held go on.

import type { Activity } from '../arch/resident.ts';
import { dsb } from '../arch/resident.ts';
import { systemKey } from '../arch/system-key.ts';
import type { Rhyper } from './context.ts';
import { allocatePages, freePage, pageBytes } from './memory.ts';
import { flushStreams } from './smmu/queues.ts';
import type { Vm } from './state.ts';

/** T0SZ 28, SL0 1, write-back inner shareable walks, 4KB granule, 36-bit PA, RES1. */
export const vtcr = 0x8001_355cn;
const ipaBits = 36;

const blockBytes = 0x20_0000;
const firstLevel = 1;
const lastLevel = 3;
const entriesPerTable = 512;
const entriesOfRoot = 2 ** (ipaBits - 30);
/** Where the SMMU's first table is, from that of the PEs on: aligned to its size. */
const deviceRootOffset = 0x800;
/** Table entries hold bits [47:12]. */
const addressMask = 0x0000_ffff_ffff_f000n;

const descriptor = { valid: 1n, tableOrPage: 2n, accessFlag: 1n << 10n } as const;

/** S2AP at bits [7:6]. */
const access = { none: 0n, read: 1n << 6n, write: 1n << 7n } as const;
/** MemAttr at bits [5:2] and SH at bits [9:8]. */
const memory = {
  /** Normal, Outer and Inner Write-Back, Outer Shareable. */
  normal: (0b1111n << 2n) | (0b10n << 8n),
  /** Device-nGnRnE. */
  device: 0n,
} as const;
const executeNever = 0b10n << 53n;

export type MappingKind = 'normal' | 'read-only' | 'device' | 'read-only device';

const attributesOf: Readonly<Record<MappingKind, bigint>> = {
  normal: memory.normal | access.read | access.write,
  'read-only': memory.normal | access.read,
  device: memory.device | access.read | access.write | executeNever,
  'read-only device': memory.device | access.read | executeNever,
};

const shiftOf = (level: number): number => 12 + 9 * (lastLevel - level);
const indexOf = (ipa: number, level: number): number => Math.floor(ipa / 2 ** shiftOf(level)) % entriesPerTable;
/** An entry as the hypervisor has made it: that of a VM that is held (hold.ts) is there, though no PE may use it. */
function entryOf(rhyper: Rhyper, table: number, index: number): bigint {
  const entry = rhyper.memory.doublewords[table / 8 + index] as bigint;
  return entry === 0n ? entry : entry | descriptor.valid;
}

function writeEntry(rhyper: Rhyper, table: number, index: number, value: bigint): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  rhyper.port.writeRam(table + index * 8, bytes);
}

const isTable = (entry: bigint, level: number): boolean => level < lastLevel && (entry & 3n) === 3n;
const isValid = (entry: bigint): boolean => (entry & descriptor.valid) !== 0n;
const addressOf = (entry: bigint): number => Number(entry & addressMask);

/** An empty tree; undefined when there is no memory for it. */
export const createStage2 = (rhyper: Rhyper): number | undefined => allocatePages(rhyper, 1);

/** The first table, for the SMMU. */
export const deviceRootOf = ({ stage2Root }: Vm): number => stage2Root + deviceRootOffset;

export const vttbrOf = (vm: Vm): bigint => (BigInt(vm.id) << 48n) | BigInt(vm.stage2Root);

/** The table of a level that covers an IPA, made where it is missing; none where a block lies, or without memory. */
function tableAt(rhyper: Rhyper, root: number, ipa: number, level: number): number | undefined {
  let table = root;
  for (let at = firstLevel; at < level; at += 1) {
    const index = indexOf(ipa, at);
    const entry = entryOf(rhyper, table, index);
    if (isValid(entry) && !isTable(entry, at)) return undefined;
    if (isTable(entry, at)) {
      table = addressOf(entry);
      continue;
    }
    const made = allocatePages(rhyper, 1);
    if (made === undefined) return undefined;
    const pointer = BigInt(made) | descriptor.valid | descriptor.tableOrPage;
    writeEntry(rhyper, table, index, pointer);
    if (table === root) writeEntry(rhyper, root + deviceRootOffset, index, pointer);
    table = made;
  }
  return table;
}

/**
 * Maps `bytes` bytes; all three are multiples of a page. What is mapped already stays. False when there is no memory for tables, or the
 * range does not fit into the IPA space.
 */
export function mapRange(
  rhyper: Rhyper,
  vm: Vm,
  { ipa, pa, bytes }: { ipa: number; pa: number; bytes: number },
  kind: MappingKind,
  withBlocks: boolean,
): boolean {
  if (ipa + bytes > 2 ** ipaBits) return false;
  const usesBlocks = withBlocks && [ipa, pa, bytes].every((value) => value % blockBytes === 0);
  const step = usesBlocks ? blockBytes : pageBytes;
  const level = usesBlocks ? lastLevel - 1 : lastLevel;
  const leaf =
    descriptor.valid | (usesBlocks ? 0n : descriptor.tableOrPage) | descriptor.accessFlag | attributesOf[kind];
  for (let offset = 0; offset < bytes; offset += step) {
    const table = tableAt(rhyper, vm.stage2Root, ipa + offset, level);
    if (table === undefined) return false;
    const index = indexOf(ipa + offset, level);
    if (isValid(entryOf(rhyper, table, index))) {
      rhyper.port.log(`VM ${vm.id}: IPA 0x${(ipa + offset).toString(16)} is mapped already`);
      continue;
    }
    writeEntry(rhyper, table, index, BigInt(pa + offset) | leaf);
  }
  return true;
}

/** The physical address of an IPA and what the mapping permits, by a walk of the tables. */
export function walkStage2(
  rhyper: Rhyper,
  vm: Vm,
  ipa: number,
): { readonly pa: number; readonly isWritable: boolean } | undefined {
  if (ipa >= 2 ** ipaBits || vm.stage2Root === 0) return undefined;
  let table = vm.stage2Root;
  for (let level = firstLevel; ; level += 1) {
    const entry = entryOf(rhyper, table, indexOf(ipa, level));
    if (!isValid(entry)) return undefined;
    if (isTable(entry, level)) {
      table = addressOf(entry);
      continue;
    }
    const size = 2 ** shiftOf(level);
    const pa = addressOf(entry) - (addressOf(entry) % size) + (ipa % size);
    return { pa, isWritable: (entry & access.write) !== 0n };
  }
}

/** Removes the mapping of a range, in whole leaves; the TLBs are the caller's to clean. */
export function unmapRange(rhyper: Rhyper, vm: Vm, ipa: number, bytes: number): void {
  for (let at = ipa; at < ipa + bytes;) {
    let table = vm.stage2Root;
    let level = firstLevel;
    let entry = entryOf(rhyper, table, indexOf(at, level));
    while (isTable(entry, level)) {
      table = addressOf(entry);
      level += 1;
      entry = entryOf(rhyper, table, indexOf(at, level));
    }
    if (isValid(entry)) writeEntry(rhyper, table, indexOf(at, level), 0n);
    const size = 2 ** shiftOf(level);
    at += size - (at % size);
  }
}

/** Whether a PE may use the tables of a VM; the TLBs are the caller's to clean. */
export function setTablesValid(rhyper: Rhyper, vm: Vm, isUsable: boolean): void {
  for (let index = 0; index < entriesOfRoot; index += 1) {
    const entry = entryOf(rhyper, vm.stage2Root, index);
    if (entry !== 0n) writeEntry(rhyper, vm.stage2Root, index, isUsable ? entry : entry & ~descriptor.valid);
  }
}

/** Gives the pages of all tables back. */
export function destroyStage2(rhyper: Rhyper, vm: Vm): void {
  const free = (table: number, level: number): void => {
    const entries = level === firstLevel ? entriesOfRoot : entriesPerTable;
    for (let index = 0; index < entries; index += 1) {
      const entry = entryOf(rhyper, table, index);
      if (isTable(entry, level)) free(addressOf(entry), level + 1);
    }
    freePage(rhyper, table);
  };
  if (vm.stage2Root !== 0) free(vm.stage2Root, firstLevel);
  vm.stage2Root = 0;
}

const TLBI_VMALLS12E1IS = systemKey(1, 4, 8, 3, 6);

/** Removes every translation of a VM from the TLBs of all PEs, and waits until that is done. VTTBR_EL2 names the VM meanwhile. */
export function* flushPes(rhyper: Rhyper, vm: Vm): Activity {
  const before = rhyper.system.read('VTTBR_EL2');
  rhyper.system.write('VTTBR_EL2', BigInt(vm.id) << 48n);
  rhyper.system.execute(TLBI_VMALLS12E1IS, 0n);
  rhyper.system.write('VTTBR_EL2', before);
  yield* dsb(rhyper.pe);
}

/** The same for every TLB, the SMMU's too. */
export function* flushVm(rhyper: Rhyper, vm: Vm): Activity {
  yield* flushPes(rhyper, vm);
  yield* flushStreams(rhyper, vm);
}
