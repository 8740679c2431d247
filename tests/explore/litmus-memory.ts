// The memory of a litmus test on a flat machine: code and variables at the virtual addresses that the test knows, behind tables of
// VMSAv8-64 with 4 KiB pages. Where the test translates (variant vmsa), its descriptors are those that the walks of the machine read:
// PTE(x) is an address behind which the last-level table lies. Two kinds of values are others in the machine than in the test: the
// address of a descriptor, which lies where the walk finds it, and the output address of one, where the machine has its RAM.

import { ramBase } from '../../src/arch/state-layout.ts';
import type { ThreadCode } from '../../src/memory-model/litmus/code.ts';
import { descriptorAddress, nowhere, physicalAddress } from '../../src/memory-model/litmus/layout.ts';
import type { MemoryArea, Program } from '../../src/memory-model/program.ts';
import type { MemoryViews } from '../../src/memory/memory-views.ts';
import { D, tablesFor } from '../arch/page-tables.ts';

const pageBytes = 0x1000n;
const wordBytes = 4;
const descriptorBytes = 8n;
const descriptorsOfTable = 512n;
const ramBytes = 0x10_0000;
const pageOf = (address: bigint): bigint => address - (address % pageBytes);

/** Above the code of four threads and their handlers, and in reach of a branch. */
const firstVector = 0x70_4020_0000n;
export const vectorBase = (thread: number): bigint => firstVector + BigInt(thread) * pageBytes;

const usualFields = D.AF | D.user;
/** Code and tables: EL0 may execute what is there, and nothing else. */
const ownFields = D.AF;
const outputMask = 0xffff_ffff_f000n;
const branchToSelf = 0x1400_0000;

export interface LitmusMemory {
  /** The root of the tables. */
  readonly root: bigint;
  /** Pages of the test whose descriptors it may change. */
  readonly describedPages: readonly bigint[];
  /** A value of the test in the machine, and back. */
  toMachine(value: bigint): bigint;
  toLitmus(value: bigint): bigint;
  /** The physical address of what lies at a virtual address of the machine. */
  physicalOf(address: bigint): number;
  /** Where the machine has what the test has at a location. */
  placeOf(location: bigint): number;
  /** Initial contents of variables, descriptors and code; each column is followed by a branch to itself. */
  fill(): void;
}

export function litmusMemory(
  { view, bytes }: MemoryViews,
  program: Program,
  code: readonly ThreadCode[],
  isTranslated: boolean,
): LitmusMemory {
  const ram = {
    ram64: (pa: number) => view.getBigUint64(pa, true),
    setRam64: (pa: number, value: bigint) => {
      view.setBigUint64(pa, value, true);
    },
  };
  const tables = tablesFor(ram, 0, ramBase + ramBytes);
  let nextPage = BigInt(ramBase) + pageBytes;
  /** Physical pages by virtual ones. */
  const physical = new Map<bigint, bigint>();
  const physicalOf = (address: bigint): number => Number(physical.get(pageOf(address))! + (address % pageBytes));
  const mapPages = (address: bigint, sizeBytes: bigint, fields: bigint): void => {
    for (let page = pageOf(address); page < address + sizeBytes; page += pageBytes, nextPage += pageBytes) {
      tables.map(page, nextPage, fields);
      physical.set(page, nextPage);
    }
  };
  for (const { base, bytes: words } of code) mapPages(base, BigInt(words.length + wordBytes), ownFields);
  for (const { thread, isHandler } of code) if (!isHandler) mapPages(vectorBase(thread), pageBytes, ownFields);

  // Cache maintenance by an address that a test has not got yet is for nobody's page.
  mapPages(0n, pageBytes, usualFields);
  const areas = program.memory.filter(({ isCode }) => isCode !== true);
  const isDescriptor = ({ address }: MemoryArea): boolean => isTranslated && address >= descriptorAddress(0n);
  for (const area of areas) if (!isDescriptor(area)) mapPages(area.address, BigInt(area.bytes.length), usualFields);

  /** Pages of descriptors, and the pages that these are of. */
  const described = new Map(
    areas.filter(isDescriptor).map(({ address }) => [pageOf(address), pageOf(address) - descriptorAddress(0n)]),
  );
  const outputs = new Map([[nowhere, nextPage]]);
  for (const [page, own] of described) {
    const table = pageOf(BigInt(tables.addressOf(own)));
    tables.map(page, table, ownFields);
    outputs.set(physicalAddress(own), physical.get(own)!);
    physical.set(page, table);
  }
  const inputs = new Map([...outputs].map(([litmus, own]) => [own, litmus]));

  /** A descriptor lies at the beginning of its page in the test, and where the walk finds it in the machine. */
  const offsetInTable = (value: bigint): bigint => {
    const page = described.get(pageOf(value));
    return page === undefined ? 0n : ((page / pageBytes) % descriptorsOfTable) * descriptorBytes;
  };
  const exchange = (value: bigint, pages: ReadonlyMap<bigint, bigint>): bigint => {
    const output = value & outputMask;
    const other = pages.get(output);
    return other === undefined ? value : value - output + other;
  };
  const toMachine = (value: bigint): bigint => exchange(value, outputs) + offsetInTable(value);
  const toLitmus = (value: bigint): bigint => exchange(value, inputs) - offsetInTable(value);
  const placeOf = (location: bigint): number => physicalOf(toMachine(location));

  return {
    root: tables.root,
    describedPages: [...described.values()],
    toMachine,
    toLitmus,
    physicalOf,
    placeOf,
    fill: () => {
      for (const { address, bytes: contents } of areas) {
        const start = placeOf(address);
        bytes.set(contents, start);
        for (let at = start; at + 8 <= start + contents.length; at += 8) ram.setRam64(at, toMachine(ram.ram64(at)));
      }
      for (const { base, bytes: words } of code) {
        bytes.set(words, physicalOf(base));
        view.setUint32(physicalOf(base) + words.length, branchToSelf, true);
      }
    },
  };
}
