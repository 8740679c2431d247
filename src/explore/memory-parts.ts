// Which parts of memory are looked at apart: a location is the widest piece that no access of the program tears.
//
// It is not known before the program runs. Every area begins with accesses kept whole; one that does not fit makes the parts of its area
// smaller, and the exploration begins again.

import type { MemoryArea } from '../memory-model/program.ts';

/** A location is now smaller than it was taken for: what has been explored is void. */
export class PartsChanged extends Error {}

export interface Part {
  readonly address: bigint;
  readonly bytes: number;
}

/** Accesses inside this many bytes are single-copy atomic (FEAT_LSE2). */
export const atomicGranuleBytes = 16n;

export class MemoryParts {
  readonly #areas: readonly MemoryArea[];
  /** Bytes of the parts of each area; 0 before the first access. */
  readonly #partBytes: number[];

  constructor(areas: readonly MemoryArea[]) {
    this.#areas = areas;
    this.#partBytes = areas.map(() => 0);
  }

  /** The parts of an access in ascending order, each within one of its elements; undefined where some of it lies outside all areas. */
  of(address: bigint, bytes: number, elementBytes = bytes): readonly Part[] | undefined {
    const n = this.#areas.findIndex(
      (area) => address >= area.address && address + BigInt(bytes) <= area.address + BigInt(area.bytes.length),
    );
    const area = this.#areas[n];
    if (!area) return undefined;
    const offset = Number(address - area.address);
    const before = this.#partBytes[n]!;
    const partBytes = widest(offset, before === 0 ? elementBytes : widest(elementBytes, before));
    if (partBytes !== before) {
      this.#partBytes[n] = partBytes;
      if (before !== 0) throw new PartsChanged();
    }
    return Array.from({ length: bytes / partBytes }, (_, part) => ({
      address: address + BigInt(part * partBytes),
      bytes: partBytes,
    }));
  }

  isCode({ address }: Part): boolean {
    return this.#areas.some(
      (a) => a.isCode === true && address >= a.address && address < a.address + BigInt(a.bytes.length),
    );
  }

  /** Whether the initial contents at an address can be read. */
  hasInitialWrite(address: bigint): boolean {
    return !this.#areas.some(
      (a) => a.isUnwritten && address >= a.address && address < a.address + BigInt(a.bytes.length),
    );
  }

  /** Initial value of a part. */
  initial({ address, bytes }: Part): bigint {
    const area = this.#areas.find((a) => address >= a.address && address < a.address + BigInt(a.bytes.length))!;
    const offset = Number(address - area.address);
    let value = 0n;
    for (let n = bytes - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(area.bytes[offset + n]!);
    return value;
  }

  /** Bytes of the parts at an address, or 0 where nothing has been accessed. */
  partBytesAt(address: bigint): number {
    const n = this.#areas.findIndex((a) => address >= a.address && address < a.address + BigInt(a.bytes.length));
    return this.#partBytes[n] ?? 0;
  }
}

/** The widest power of two that divides the offset, and is no wider than `bytes`, which is one. */
function widest(offset: number, bytes: number): number {
  let part = bytes;
  while (offset % part !== 0) part /= 2;
  return part;
}
