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

/** A network card on the network that all cards of the machine share. */
export interface NetDescription {
  readonly kind: 'net';
  /** 48 bits. */
  readonly mac: number;
}

/** Where the output of a port of a virtio console goes: to the machine's console, to a file, or nowhere. */
export type PortTarget = { readonly to: 'console' | 'nowhere' } | { readonly to: 'file'; readonly path: string };

export interface ConsoleDescription {
  readonly kind: 'console';
  /** By number; port 0 is a console or absent, the others have names or are consoles. */
  readonly ports: readonly (({ readonly name?: string } & PortTarget) | undefined)[];
}

export type DeviceDescription = BlockDescription | EntropyDescription | NetDescription | ConsoleDescription;

/** The address of the n-th card that has not been given one, as QEMU counts them. */
export const defaultMac = (n: number): number => 0x5254_0012_3456 + n;

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
