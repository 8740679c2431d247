// Which parts of memory are looked at apart: a location is the widest piece that no access of the program tears.
//
// It is not known before the program runs. Every area begins with accesses kept whole; one that does not fit makes the parts of its area
// smaller, and the exploration begins again. So it does when a thread writes to an instruction, which is a location from then on:
// what nobody writes to need not be fetched from memory.

import type { MemoryArea } from '../memory-model/program.ts';

/** A location is now smaller than it was taken for, or an instruction is written to: what has been explored is void. */
export class PartsChanged extends Error {}

export interface Part {
  readonly address: bigint;
  readonly bytes: number;
}

/** Accesses inside this many bytes are single-copy atomic (FEAT_LSE2). */
export const atomicGranuleBytes = 16n;

/** Of an A64 instruction. */
export const instructionBytes = 4;

export class MemoryParts {
  readonly #areas: readonly MemoryArea[];
  /** Bytes of the parts of each area; 0 before the first access. */
  readonly #partBytes: number[];
  readonly #code: readonly MemoryArea[];
  /** Addresses of the instructions that some thread writes to. */
  readonly #modified = new Set<bigint>();

  constructor(areas: readonly MemoryArea[]) {
    this.#areas = areas;
    this.#partBytes = areas.map(() => 0);
    this.#code = areas.filter(({ isCode }) => isCode === true);
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

  isCode(address: bigint): boolean {
    return this.#code.some((a) => address >= a.address && address < a.address + BigInt(a.bytes.length));
  }

  /** Some thread writes to the instruction at an address. */
  isModified(address: bigint): boolean {
    return this.#modified.has(instructionAt(address));
  }

  get hasModifiedCode(): boolean {
    return this.#modified.size > 0;
  }

  /** An instruction is written to: from now on it is fetched from memory. */
  modify({ address, bytes }: Part): void {
    const before = this.#modified.size;
    for (let at = instructionAt(address); at < address + BigInt(bytes); at += BigInt(instructionBytes))
      this.#modified.add(at);
    if (this.#modified.size > before) throw new PartsChanged();
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

/** Where the instruction begins that a byte belongs to. */
export const instructionAt = (address: bigint): bigint => address - (address % BigInt(instructionBytes));

/** The widest power of two that divides the offset, and is no wider than `bytes`, which is one. */
function widest(offset: number, bytes: number): number {
  let part = bytes;
  while (offset % part !== 0) part /= 2;
  return part;
}

/** Some of the bytes of a value. */
export const slice = (bits: bigint, offsetBytes: bigint, bytes: number): bigint =>
  BigInt.asUintN(8 * bytes, bits >> (8n * offsetBytes));
