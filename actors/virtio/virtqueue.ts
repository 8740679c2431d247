// What split and packed virtqueues have in common (virtio 1.2, "Virtqueues"): the buffer that a driver makes available, as the list
// of its parts, the rules that its descriptors keep, and what a device does with a queue.
//
// A descriptor that breaks a rule is the guest's error: the queue answers with the rule, as a value, and nobody reads the ring again
// until the driver has reset the device. The rules are those of the specification; where it leaves a device the choice, QEMU's: a
// part has at least one byte, and a table of indirect descriptors at most 1,024 entries.

import type { GuestMemory } from './guest-memory.ts';

/** One contiguous part of a buffer. */
export interface BufferPart {
  readonly address: number;
  readonly sizeBytes: number;
}

/** A buffer that the driver has made available: first what the device may read, then what it may write. Plain data. */
export interface Chain {
  /** By which the used ring names the buffer. */
  readonly id: number;
  /** Entries of the ring that the buffer takes (packed rings skip as many). */
  readonly ringEntries: number;
  readonly readable: readonly BufferPart[];
  readonly writable: readonly BufferPart[];
}

/** The rule that a driver has broken. */
export type RingFault =
  | 'ring outside memory'
  | 'ring not aligned'
  | 'queue size is no power of two'
  | 'available index too far ahead'
  | 'more buffers than the queue holds'
  | 'descriptor index outside the table'
  | 'descriptor loop'
  | 'readable part after a writable one'
  | 'empty part'
  | 'buffer outside memory'
  | 'buffer of 4 GiB or more'
  | 'indirect descriptors were not negotiated'
  | 'indirect descriptor with NEXT'
  | 'indirect descriptor inside a table'
  | 'indirect table of a bad size'
  | 'indirect table outside memory';

/** Where the driver has put a queue, and what has been negotiated about it. */
export interface QueueLayout {
  /** Entries. */
  readonly size: number;
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
}

/** A buffer that the device is done with. */
export interface UsedBuffer {
  readonly chain: Chain;
  /** From the start of the writable parts. */
  readonly writtenBytes: number;
}

/** The position in a queue, as plain data; `next` and `used` count entries. */
export interface QueuePosition {
  readonly next: number;
  readonly used: number;
  readonly nextWrap: boolean;
  readonly usedWrap: boolean;
  /** Buffers taken and not yet used. */
  readonly taken: number;
}

export interface Virtqueue {
  /** The next available buffer, undefined where there is none, or the rule that the driver has broken. */
  take(): Chain | RingFault | undefined;
  /** Puts the last buffer that was taken back: the next `take` returns it again. */
  putBack(chain: Chain): void;
  /** Gives buffers back to the driver, all at once. Says whether the driver wants to be interrupted. */
  use(buffers: readonly UsedBuffer[]): boolean | RingFault;
  position(): QueuePosition;
}

export const startOfQueue: QueuePosition = { next: 0, used: 0, nextWrap: true, usedWrap: true, taken: 0 };

export const descriptorFlag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
export const descriptorBytes = 16;

/** "Used Buffer Notification Suppression": an index has stepped over the one that the other side waits for. */
export const passesEvent = (event: number, newIndex: number, oldIndex: number): boolean =>
  ((newIndex - event - 1) & 0xffff) < ((newIndex - oldIndex) & 0xffff);

const maxIndirectEntries = 1024;

/** A descriptor of either ring: address (64 bits), length, and two halves whose order is the ring's own. */
export interface Descriptor {
  readonly address: number;
  readonly sizeBytes: number;
  /** `flags` of a split descriptor, `id` of a packed one. */
  readonly half0: number;
  /** `next` of a split descriptor, `flags` of a packed one. */
  readonly half1: number;
}

export function readDescriptor(memory: GuestMemory, address: number): Descriptor | undefined {
  const bytes = memory.readBytes(address, descriptorBytes);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, descriptorBytes);
  return {
    // Beyond 2^53 the sum is rounded; there is no memory anywhere near.
    address: view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32,
    sizeBytes: view.getUint32(8, true),
    half0: view.getUint16(12, true),
    half1: view.getUint16(14, true),
  };
}

/** Entries of an indirect table, or the rule that it breaks. */
export function indirectEntries(memory: GuestMemory, { address, sizeBytes }: Descriptor): number | RingFault {
  const entries = sizeBytes / descriptorBytes;
  if (!Number.isInteger(entries) || entries === 0 || entries > maxIndirectEntries)
    return 'indirect table of a bad size';
  return memory.holds(address, sizeBytes, 'read') ? entries : 'indirect table outside memory';
}

/** Collects the parts of one buffer and checks each. */
export class ChainBuilder {
  private readonly memory: GuestMemory;
  readonly readable: BufferPart[] = [];
  readonly writable: BufferPart[] = [];
  private totalBytes = 0;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  add({ address, sizeBytes }: Descriptor, isWritable: boolean): RingFault | undefined {
    if (sizeBytes === 0) return 'empty part';
    if (!isWritable && this.writable.length > 0) return 'readable part after a writable one';
    if (!this.memory.holds(address, sizeBytes, isWritable ? 'write' : 'read')) return 'buffer outside memory';
    this.totalBytes += sizeBytes;
    if (this.totalBytes >= 2 ** 32) return 'buffer of 4 GiB or more';
    (isWritable ? this.writable : this.readable).push({ address, sizeBytes });
    return undefined;
  }
}
