// Single-copy atomicity (Arm ARM, "Atomicity in the Arm architecture"): an access that is aligned to its size of up to 8 bytes
// happens at once for every PE, whatever thread of the host runs it. An element of a typed array is accessed whole, and what
// `Atomics` changes is changed by nobody else in between.

import { assert } from '../report/assert.ts';
import type { MemoryViews } from './memory-views.ts';

/** Copies bytes by the largest units, of at most 8 bytes, that both addresses and the size are multiples of. */
export function copyWhole(views: MemoryViews, to: number, from: number, sizeBytes: number): void {
  const unit = to | from | sizeBytes;
  if ((unit & 7) === 0) {
    const { doublewords } = views;
    for (let i = 0; i < sizeBytes; i += 8) doublewords[(to + i) / 8] = doublewords[(from + i) / 8]!;
  } else if ((unit & 3) === 0) {
    const { words } = views;
    for (let i = 0; i < sizeBytes; i += 4) words[(to + i) / 4] = words[(from + i) / 4]!;
  } else if ((unit & 1) === 0) {
    const { halfwords } = views;
    for (let i = 0; i < sizeBytes; i += 2) halfwords[(to + i) / 2] = halfwords[(from + i) / 2]!;
  } else {
    const { bytes } = views;
    for (let i = 0; i < sizeBytes; i += 1) bytes[to + i] = bytes[from + i]!;
  }
}

/** The value of `sizeBytes` bytes, 1 to 8, at a multiple of that. */
export function readWhole(
  { bytes, halfwords, words, doublewords }: MemoryViews,
  at: number,
  sizeBytes: number,
): bigint {
  switch (sizeBytes) {
    case 1:
      return BigInt(bytes[at]!);
    case 2:
      return BigInt(halfwords[at / 2]!);
    case 4:
      return BigInt(words[at / 4]!);
    default:
      assert(sizeBytes === 8, `an access of ${sizeBytes} bytes that happens at once`);
      return doublewords[at / 8]!;
  }
}

/** Writes `replacement` where the value is `expected`, at once; returns the value before. Sizes and addresses as above. */
export function compareExchange(
  { bytes, halfwords, words, doublewords }: MemoryViews,
  at: number,
  sizeBytes: number,
  expected: bigint,
  replacement: bigint,
): bigint {
  switch (sizeBytes) {
    case 1:
      return BigInt(Atomics.compareExchange(bytes, at, Number(expected), Number(replacement)));
    case 2:
      return BigInt(Atomics.compareExchange(halfwords, at / 2, Number(expected), Number(replacement)));
    case 4:
      return BigInt(Atomics.compareExchange(words, at / 4, Number(expected), Number(replacement)));
    default:
      assert(sizeBytes === 8, `an exchange of ${sizeBytes} bytes that happens at once`);
      return Atomics.compareExchange(doublewords, at / 8, expected, replacement);
  }
}

const halves = new Uint32Array(2);
const whole = new BigUint64Array(halves.buffer);

/** The low and the high half of a doubleword, read at once; up to the next call. */
export function readHalves({ doublewords }: MemoryViews, at: number): Uint32Array {
  whole[0] = doublewords[at / 8]!;
  return halves;
}
