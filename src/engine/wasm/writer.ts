// A growing buffer of bytes with WebAssembly's number encodings (LEB128).

import { assert } from '../../report/assert.ts';

/** Bytes of the longest encoding of a number of 32 bits. */
export const wideBytes = 5;
const wideByte = (value: number, n: number): number => ((value >>> (7 * n)) & 0x7f) | (n < wideBytes - 1 ? 0x80 : 0);

export class Writer {
  bytes: Uint8Array;
  length = 0;
  /** Where conditional branches begin that are seldom taken, in ascending order. */
  readonly seldom: number[] = [];

  /** Where exits begin that may become direct (trace-links.ts), and the places of their links. */
  readonly exits: { readonly position: number; readonly place: number }[] = [];

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A number, signed or not, of at most 31 bits in `wideBytes` bytes. */
  wide(value: number): void {
    for (let n = 0; n < wideBytes; n += 1) this.byte(wideByte(value, n));
  }

  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x8000_0000n && rest < 0x8000_0000n) {
      this.s32(Number(rest));
      return;
    }
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** The conditional branch, or the `if`, that is written next is seldom taken. */
  hintSeldom(): void {
    this.seldom.push(this.length);
  }

  append(other: Writer): void {
    for (const position of other.seldom) this.seldom.push(this.length + position);
    for (const { position, place } of other.exits) this.exits.push({ position: this.length + position, place });
    if (this.length + other.length > this.bytes.length) this.grow(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  /** Writes a byte over what is there. */
  setByte(position: number, value: number): void {
    assert(position < this.length && value < 0x80, 'a number of one byte is written over another');
    this.bytes[position] = value;
  }

  /** Writes a number over one that `wide` has written. */
  setWide(position: number, value: number): void {
    assert(position + wideBytes <= this.length && value >= 0, 'a wide number is written over another');
    for (let n = 0; n < wideBytes; n += 1) this.bytes[position + n] = wideByte(value, n);
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.u32(encoded.length);
    for (const b of encoded) this.byte(b);
  }

  /** A copy of what has been written. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.slice(0, this.length));
  }

  private grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
