// The memory in which a driver lays out its rings and buffers, as the device reaches it: RAM by physical address on the plain board
// (src/memory/ram-port.ts is one), the windows of a virtual machine where a hypervisor gives the device.

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

/** A range of guest addresses, and where it lies in the memory behind. */
export interface MemoryWindow {
  readonly base: number;
  readonly sizeBytes: number;
  readonly target: number;
  readonly readOnly?: boolean;
}

/**
 * What a virtual machine's device reaches: the windows and nothing else. An access lies within one window: two that touch in guest
 * addresses need not touch behind.
 */
export function windowedMemory(behind: GuestMemory, windows: readonly MemoryWindow[]): GuestMemory {
  const nowhere = NaN;
  const behindOf = (address: number, sizeBytes: number, access: 'read' | 'write'): number => {
    for (const { base, sizeBytes: room, target, readOnly = false } of windows) {
      if (address < base || address + sizeBytes > base + room) continue;
      return access === 'write' && readOnly ? nowhere : target + (address - base);
    }
    return nowhere;
  };
  return {
    holds: (address, sizeBytes, access) => behind.holds(behindOf(address, sizeBytes, access), sizeBytes, access),
    readBytes: (address, sizeBytes) => behind.readBytes(behindOf(address, sizeBytes, 'read'), sizeBytes),
    writeBytes: (address, source) => behind.writeBytes(behindOf(address, source.length, 'write'), source),
    readWord: (address, sizeBytes) => behind.readWord(behindOf(address, sizeBytes, 'read'), sizeBytes),
    writeWord: (address, sizeBytes, value) => behind.writeWord(behindOf(address, sizeBytes, 'write'), sizeBytes, value),
  };
}
