// The kernel's way to a program's memory: copy_from_user() and copy_to_user(). What a program may not access itself, the kernel does not
// access for it: undefined, or false, which a call answers with EFAULT.

import { resolve } from './faults.ts';
import type { Core } from './kernel.ts';
import { pageBytes, taskBytes } from './limits.ts';
import { concatenate } from './records.ts';
import type { AddressSpace } from './state.ts';

/** Calls `visit` for each part of a range that is in one page, until one cannot be accessed. The bytes that have been visited. */
function forEachPart(
  core: Core,
  space: AddressSpace,
  va: number,
  sizeBytes: number,
  access: 'read' | 'write',
  visit: (pa: number, offset: number, partBytes: number) => void,
): number {
  if (!(va >= 0 && va + sizeBytes <= taskBytes)) return 0;
  let offset = 0;
  while (offset < sizeBytes) {
    const at = va + offset;
    const partBytes = Math.min(sizeBytes - offset, pageBytes - (at % pageBytes));
    const pa = resolve(core, space, at, access);
    if (typeof pa !== 'number') break;
    visit(pa, offset, partBytes);
    offset += partBytes;
  }
  core.copiedBytes += offset;
  return offset;
}

/** The bytes up to the first that cannot be read. */
export function readSome(core: Core, space: AddressSpace, va: number, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes);
  const { bytes } = core.memory;
  const read = forEachPart(core, space, va, sizeBytes, 'read', (pa, offset, partBytes) => {
    result.set(bytes.subarray(pa, pa + partBytes), offset);
  });
  return result.subarray(0, read);
}

export function readUser(core: Core, space: AddressSpace, va: number, sizeBytes: number): Uint8Array | undefined {
  const bytes = readSome(core, space, va, sizeBytes);
  return bytes.length === sizeBytes ? bytes : undefined;
}

/** How many bytes have been written. */
export function writeSome(core: Core, space: AddressSpace, va: number, source: Uint8Array): number {
  return forEachPart(core, space, va, source.length, 'write', (pa, offset, partBytes) => {
    core.port.ram.writeBytes(pa, source.subarray(offset, offset + partBytes));
  });
}

export const writeUser = (core: Core, space: AddressSpace, va: number, source: Uint8Array): boolean =>
  writeSome(core, space, va, source) === source.length;

export function readWord(core: Core, space: AddressSpace, va: number): number | undefined {
  const pa = va % 4 === 0 && va + 4 <= taskBytes ? resolve(core, space, va, 'read') : undefined;
  return typeof pa === 'number' ? core.memory.words[pa >>> 2] : undefined;
}

/**
 * futex_atomic_cmpxchg_inatomic(): changes a word that the program may change at the same time. `change` says what it becomes, or undefined
 * where it stays. What the word held, or undefined where it cannot be written.
 */
export function updateWord(
  core: Core,
  space: AddressSpace,
  va: number,
  change: (word: number) => number | undefined,
): number | undefined {
  const pa = va % 4 === 0 && va + 4 <= taskBytes ? resolve(core, space, va, 'write') : undefined;
  if (typeof pa !== 'number') return undefined;
  for (;;) {
    const word = Atomics.load(core.memory.words, pa / 4);
    const value = change(word);
    if (value === undefined || core.port.ram.compareExchangeWord(pa, word, value >>> 0) === word) return word;
  }
}

export const writeWord = (core: Core, space: AddressSpace, va: number, value: number): boolean =>
  writeUser(core, space, va, new Uint8Array(Uint32Array.of(value).buffer));

export function readDoubleword(core: Core, space: AddressSpace, va: number): bigint | undefined {
  const bytes = readUser(core, space, va, 8);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

export const writeDoubleword = (core: Core, space: AddressSpace, va: number, value: bigint): boolean =>
  writeUser(core, space, va, new Uint8Array(BigUint64Array.of(value).buffer));

/** The bytes before the zero that ends a string; undefined where they cannot be read, 'too long' where there are more than the limit. */
export function readString(
  core: Core,
  space: AddressSpace,
  va: number,
  limitBytes: number,
): Uint8Array | 'too long' | undefined {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < limitBytes) {
    const at = va + length;
    const part = readSome(core, space, at, Math.min(limitBytes - length, pageBytes - (at % pageBytes)));
    if (part.length === 0) return undefined;
    const end = part.indexOf(0);
    parts.push(end < 0 ? part : part.subarray(0, end));
    length += end < 0 ? part.length : end;
    if (end >= 0) return concatenate(parts);
  }
  return 'too long';
}
