// The bytes of an image while it is made, from its base address upwards.

import { assert } from '../../report/assert.ts';
import { type Place, refusal } from './source.ts';

/** An image is held in memory twice: as it grows, and as the result. Guests and litmus tests need a few megabytes. */
const largestImageBytes = 256 * 1024 * 1024;

export interface Image {
  /** Address of the next byte. */
  readonly position: () => bigint;
  /** Little-endian. */
  readonly append: (value: bigint, bytes: number) => void;
  /** This many copies of a byte. */
  readonly fill: (count: bigint, byte: number, place: Place, column: number) => void;
  /** Writes the value again and again from this address to the end. */
  readonly repeat: (from: bigint, value: bigint, bytes: number) => void;
  /** Up to an address that is a multiple of `alignment`. */
  readonly align: (alignment: bigint) => void;
  readonly bytes: () => Uint8Array;
}

export function makeImage(base: bigint): Image {
  let buffer = new Uint8Array(4096);
  let length = 0;
  const grow = (count: number): void => {
    assert(count >= 0, 'an image does not shrink');
    if (length + count > buffer.length) {
      const larger = new Uint8Array(Math.max(2 * buffer.length, length + count));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    length += count;
  };
  const position = (): bigint => base + BigInt(length);
  return {
    position,
    append: (value, bytes) => {
      grow(bytes);
      for (let n = 0; n < bytes; n += 1) buffer[length - bytes + n] = Number((value >> BigInt(8 * n)) & 0xffn);
    },
    fill: (count, byte, place, column) => {
      if (BigInt(length) + count > BigInt(largestImageBytes)) {
        throw refusal(place, column, `the image would be larger than ${largestImageBytes} bytes`);
      }
      grow(Number(count));
      buffer.fill(byte, length - Number(count), length);
    },
    repeat: (from, value, bytes) => {
      const pattern = Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
      for (let at = Number(from - base); at < length; at += bytes) buffer.set(pattern, at);
    },
    align: (alignment) => {
      const padding = Number((alignment - (position() % alignment)) % alignment);
      grow(padding);
      buffer.fill(0, length - padding, length);
    },
    bytes: () => buffer.slice(0, length),
  };
}
