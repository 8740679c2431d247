// A little RAM for devices, and tables built in it.

import { createExclusiveMonitors } from '../../../src/memory/exclusive-monitors.ts';
import { memoryViews } from '../../../src/memory/memory-views.ts';
import { makeRamPort, type RamPort } from '../../../src/memory/ram-port.ts';

export const ramBase = 0x10_0000;
export const ramBytes = 0x40_0000;
const lineMapOffset = 0;
const touchedPageOffset = 0x6_0000;
const tableOffset = 0x7_0000;

export function smallRam(): RamPort {
  const views = memoryViews(new ArrayBuffer(ramBase + ramBytes));
  const lines = { lineMapOffset, lineShift: 6 };
  return makeRamPort({
    views,
    ...lines,
    ramBase,
    ramBytes,
    lineHoldsCode: 1,
    touchedPageOffset,
    pageShift: 12,
    monitors: createExclusiveMonitors(views, { ...lines, tableOffset, monitored: 2, beforeMonitored: 4, count: 1 }),
    codeWritten: () => undefined,
    monitorCleared: () => undefined,
  });
}

/** Attributes of leaves: valid, accessed, and who may do what. */
export const leaf = {
  /** Read and written by everybody, not global. */
  userWritable: 0x443n | (1n << 11n),
  userReadable: 0x4c3n | (1n << 11n),
  privilegedWritable: 0x403n | (1n << 11n),
  notAccessed: 0x043n | (1n << 11n),
  /** Stage 2, Normal memory. */
  stage2: 0x4ffn,
  stage2ReadOnly: 0x47fn,
} as const;

/** Hands out pages of RAM, zeroed because nobody has written to them. */
export class Pages {
  private next = ramBase + 0x10_0000;

  take(count = 1, alignment = 4096): number {
    const at = Math.ceil(this.next / alignment) * alignment;
    this.next = at + 4096 * count;
    return at;
  }
}

/** Translation tables with the 4 KB granule. `place`: where a table is, in the address space that its descriptors are in. */
export class Tables {
  readonly root: number;
  private readonly ram: RamPort;
  private readonly pages: Pages;
  private readonly startLevel: number;
  private readonly place: (pa: number) => number;

  constructor(ram: RamPort, pages: Pages, startLevel: number, place: (pa: number) => number = (pa) => pa) {
    this.ram = ram;
    this.pages = pages;
    this.startLevel = startLevel;
    this.place = place;
    this.root = pages.take();
  }

  /** Physical address of the descriptor that maps an address at a level; tables on the way are made. */
  descriptor(input: number, level = 3): number {
    let table = this.root;
    for (let at = this.startLevel; ; at += 1) {
      const address = table + 8 * (Math.floor(input / 2 ** (39 - 9 * at)) % 512);
      if (at === level) return address;
      let next = this.known.get(address);
      if (next === undefined) {
        next = this.pages.take();
        this.known.set(address, next);
        this.ram.writeDoubleword(address, BigInt(this.place(next)) | 3n);
      }
      table = next;
    }
  }
  private readonly known = new Map<number, number>();

  /** Maps a page, or with a smaller level a block. */
  map(input: number, output: number, attributes: bigint, level = 3): void {
    const value = BigInt(output) | attributes;
    this.ram.writeDoubleword(this.descriptor(input, level), level === 3 ? value : value & ~2n);
  }
}

/** The fields of an STE that tests set. */
export interface SteFields {
  readonly config: number;
  readonly contexts?: number;
  readonly s1cdMax?: number;
  readonly s1Format?: number;
  readonly s1dss?: number;
  readonly strw?: number;
  readonly vmid?: number;
  readonly stage2Table?: number;
  readonly t0sz?: number;
  readonly sl0?: number;
  readonly ps?: number;
  readonly records?: boolean;
  readonly more?: readonly [word: number, bits: number][];
}

function writeWords(ram: RamPort, at: number, words: readonly number[], more: SteFields['more'] = []): void {
  const all = [...words, ...Array<number>(16 - words.length).fill(0)];
  for (const [word, bits] of more) all[word] = (all[word] as number) ^ bits;
  all.forEach((value, n) => ram.writeWord(at + 4 * n, 4, value >>> 0));
}

const high = (address: number): number => Math.floor(address / 2 ** 32);

export function writeSte(ram: RamPort, at: number, fields: SteFields): void {
  const { config, contexts = 0, s1cdMax = 0, s1Format = 0, s1dss = 0, strw = 0, vmid = 0 } = fields;
  const { stage2Table = 0, t0sz = 25, sl0 = 1, ps = 5, records = true } = fields;
  const words = [
    1 | (config << 1) | (s1Format << 4) | contexts,
    high(contexts) | (s1cdMax << 27),
    s1dss | (strw << 30),
    0,
    vmid,
    t0sz | (sl0 << 6) | (ps << 16) | (1 << 19) | (records ? 1 << 26 : 0),
    stage2Table,
    high(stage2Table),
  ];
  writeWords(ram, at, words, fields.more);
}

export interface CdFields {
  readonly table: number;
  readonly asid?: number;
  readonly t0sz?: number;
  /** TTB1; walks by it are disabled without. */
  readonly upperTable?: number;
  readonly ips?: number;
  readonly records?: boolean;
  readonly more?: readonly [word: number, bits: number][];
}

export function writeCd(ram: RamPort, at: number, fields: CdFields): void {
  const { table, asid = 1, t0sz = 25, upperTable, ips = 5, records = true } = fields;
  const upper = upperTable ?? 0;
  const words = [
    t0sz | (upperTable === undefined ? 1 << 30 : 0) | (25 << 16) | (2 << 22) | (1 << 31),
    ips | (1 << 9) | (records ? 1 << 13 : 0) | (1 << 14) | (asid << 16),
    table,
    high(table),
    upper,
    high(upper),
  ];
  writeWords(ram, at, words, fields.more);
}
