// CRC-32 by tables. The CRC32 instructions reverse the bits of what goes in and of what comes out, so that bytes are added with the lowest bit
// first, by polynomials whose bits are reversed. The remainder is linear: what a byte adds to it does not depend on the others.

/** 0x04C11DB7 (CRC32) and 0x1EDC6F41 (CRC32C), bits reversed. */
const polynomials = { CRC32: 0xedb8_8320, CRC32C: 0x82f6_3b78 } as const;

const byteValues = 256;
/** An instruction adds 8 bytes at the most. */
const mostBytes = 8;

/** Entries from the tables of CRC32 to those of CRC32C. */
const crcEntries = mostBytes * byteValues;

/** What a byte adds to the remainder. */
function remainderOf(byte: number, polynomial: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
  return crc;
}

function tablesOf(polynomial: number): number[] {
  const entries = Array.from({ length: byteValues }, (_, byte) => remainderOf(byte, polynomial));
  for (let entry = byteValues; entry < crcEntries; entry += 1) {
    const before = entries[entry - byteValues] as number;
    entries.push((before >>> 8) ^ (entries[before & 0xff] as number));
  }
  return entries;
}

/**
 * Of each polynomial 8 tables, of 256 entries by the byte: what a byte adds to the remainder when no other follows it, when one follows,
 * and so on.
 */
export const crcTables = new Int32Array([...tablesOf(polynomials.CRC32), ...tablesOf(polynomials.CRC32C)]);

/** The entry of the first byte's table among `bytes` bytes, of which `index` is the number of this one. */
export const crcTableOf = (castagnoli: boolean, bytes: number, index: number): number =>
  (castagnoli ? crcEntries : 0) + (bytes - 1 - index) * byteValues;
