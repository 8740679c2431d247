// What a block device keeps its sectors in.

export const sectorBytes = 512;

/** Offsets and sizes are within the store: the device has checked them. */
export interface BlockStore {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  read(offset: number, sizeBytes: number): Uint8Array;
  write(offset: number, source: Uint8Array): void;
  zero(offset: number, sizeBytes: number): void;
  /** Everything that was written is to be kept for good. */
  flush(): void;
}

/** An image of bytes, whole sectors of it; `changed` hears when it differs from what it was. */
export function imageStore(bytes: Uint8Array, readOnly: boolean, changed: () => void): BlockStore {
  return {
    sizeBytes: bytes.length - (bytes.length % sectorBytes),
    readOnly,
    read: (offset, sizeBytes) => bytes.subarray(offset, offset + sizeBytes),
    write: (offset, source) => {
      bytes.set(source, offset);
      changed();
    },
    zero: (offset, sizeBytes) => {
      bytes.fill(0, offset, offset + sizeBytes);
      changed();
    },
    flush: () => {},
  };
}

/** Sectors are written when the pass that writes them is complete (translated-device.ts). */
export const deferredStore = (store: BlockStore, later: (effect: () => void) => void): BlockStore => ({
  ...store,
  write: (offset, source) => {
    later(() => {
      store.write(offset, source);
    });
  },
  zero: (offset, sizeBytes) => {
    later(() => {
      store.zero(offset, sizeBytes);
    });
  },
  flush: () => {
    later(() => {
      store.flush();
    });
  },
});

/** Of a device whose requests somebody else carries out: it has a size, and nobody asks it for its sectors. */
export const remoteStore = (sizeBytes: number, readOnly: boolean): BlockStore => ({
  sizeBytes,
  readOnly,
  read: (_offset, size) => new Uint8Array(size),
  write: () => {},
  zero: () => {},
  flush: () => {},
});
