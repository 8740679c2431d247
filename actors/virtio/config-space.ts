// A device-specific configuration as its bytes: little-endian fields, read with any size at any offset.

export class ConfigSpace {
  readonly view: DataView;

  constructor(sizeBytes: number) {
    this.view = new DataView(new ArrayBuffer(sizeBytes));
  }

  /** What lies outside reads 0. */
  read(offset: number, sizeBytes: number): number {
    let value = 0;
    for (let n = 0; n < sizeBytes; n += 1) {
      const byte = offset + n < this.view.byteLength ? this.view.getUint8(offset + n) : 0;
      value |= byte << (8 * n);
    }
    return value >>> 0;
  }

  setBytes(offset: number, bytes: Uint8Array): void {
    new Uint8Array(this.view.buffer).set(bytes, offset);
  }
}
