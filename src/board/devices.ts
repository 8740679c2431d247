// The virtio devices that a user puts on the board, as plain data, in the order in which they take their slots: the first in the last
// slot, as QEMU's `virt` has it.

import { UserError } from '../report/user-error.ts';
import { virtioSlotCount } from './memory-map.ts';

/** A disk: the bytes of a file, in memory that the threads of a run share. */
export interface BlockDescription {
  readonly kind: 'block';
  readonly path: string;
  /** Whole sectors. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly readOnly: boolean;
  /** What the guest writes is forgotten at the end of the run. */
  readonly snapshot: boolean;
  /** Of the device, as GET_ID tells it. */
  readonly serial: string;
}

export interface EntropyDescription {
  readonly kind: 'entropy';
}

export type DeviceDescription = BlockDescription | EntropyDescription;

const sectorBytes = 512;

/** The bytes of a file as a disk: a part of a sector at the end is filled up with zeros. */
export function diskBytes(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const disk = new Uint8Array(new SharedArrayBuffer(Math.ceil(bytes.length / sectorBytes) * sectorBytes));
  disk.set(bytes);
  return disk;
}

/** The slot of the n-th device. */
export function slotOfDevice(n: number): number {
  if (n >= virtioSlotCount) throw new UserError(`the board has room for ${virtioSlotCount} virtio devices`);
  return virtioSlotCount - 1 - n;
}
