// The one shared WebAssembly.Memory of a machine, seen as the typed arrays that its parts read and write it by.
// The memory never grows after the machine is built, so that the views stay valid.

export interface MemoryViews {
  readonly bytes: Uint8Array;
  readonly halfwords: Uint16Array;
  readonly words: Uint32Array;
  readonly signedWords: Int32Array;
  readonly doublewords: BigUint64Array;
  /** For accesses that may be unaligned; guest memory is little-endian. */
  readonly view: DataView;
}

export function memoryViews(buffer: ArrayBufferLike): MemoryViews {
  return {
    bytes: new Uint8Array(buffer),
    halfwords: new Uint16Array(buffer),
    words: new Uint32Array(buffer),
    signedWords: new Int32Array(buffer),
    doublewords: new BigUint64Array(buffer),
    view: new DataView(buffer),
  };
}
