// The memory in which a driver lays out its rings and buffers, as the device reaches it: RAM by physical address on the plain board
// (src/memory/ram-port.ts is one), what a TBU translates where the device is behind one (translated-memory.ts).

/** Addresses may be any number that a 64-bit field holds: what cannot be reached is answered by a value, never by a throw. */
export interface GuestMemory {
  /** True where all of the bytes can be reached for this access. */
  holds(address: number, sizeBytes: number, access: 'read' | 'write'): boolean;
  /** A copy of the bytes, or undefined where one of them cannot be reached. */
  readBytes(address: number, sizeBytes: number): Uint8Array | undefined;
  /** False, and nothing is written, where one of the bytes cannot be reached. */
  writeBytes(address: number, source: Uint8Array): boolean;
  /** A little-endian value, or undefined where one of its bytes cannot be reached. */
  readWord(address: number, sizeBytes: 1 | 2 | 4): number | undefined;
  writeWord(address: number, sizeBytes: 1 | 2 | 4, value: number): boolean;
}
