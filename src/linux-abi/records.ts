// Structures of the Linux ABI as bytes: fields at their offsets, little-endian.

export interface Fields {
  u8(offset: number, value: number): Fields;
  u16(offset: number, value: number): Fields;
  u32(offset: number, value: number): Fields;
  i64(offset: number, value: number | bigint): Fields;
  text(offset: number, value: string): Fields;
  readonly bytes: Uint8Array;
}

const twoTo64 = 64;

/** A structure of so many zero bytes, to be filled. */
export function fields(sizeBytes: number): Fields {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  const self: Fields = {
    u8: (offset, value) => {
      view.setUint8(offset, value);
      return self;
    },
    u16: (offset, value) => {
      view.setUint16(offset, value, true);
      return self;
    },
    u32: (offset, value) => {
      view.setUint32(offset, value, true);
      return self;
    },
    i64: (offset, value) => {
      view.setBigUint64(offset, BigInt.asUintN(twoTo64, BigInt(value)), true);
      return self;
    },
    text: (offset, value) => {
      bytes.set(new TextEncoder().encode(value), offset);
      return self;
    },
    bytes,
  };
  return self;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit field as a number; what has more than 53 bits is as near as that, and out of every range. */
export const u64At = (view: DataView, offset: number): number => Number(view.getBigUint64(offset, true));
export const i64At = (view: DataView, offset: number): number => Number(view.getBigInt64(offset, true));

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const nanoseconds = 1_000_000_000n;

/** struct timespec of so many nanoseconds. */
export const timespec = (value: bigint): Uint8Array =>
  fields(16)
    .i64(0, value / nanoseconds)
    .i64(8, value % nanoseconds).bytes;
