// The packed virtqueue (virtio 1.2, "Packed Virtqueues"), from the device's side: one ring of descriptors that driver and device
// write in turn, and an event suppression structure of each. VIRTIO_F_IN_ORDER is not offered.

import type { GuestMemory } from './guest-memory.ts';
import {
  type Chain,
  ChainBuilder,
  type Descriptor,
  descriptorBytes,
  descriptorFlag,
  indirectEntries,
  passesEvent,
  type QueueLayout,
  type QueuePosition,
  readDescriptor,
  type RingFault,
  type UsedBuffer,
  type Virtqueue,
} from './virtqueue.ts';

/** VIRTQ_DESC_F_AVAIL and VIRTQ_DESC_F_USED. */
const availableBit = 1 << 7;
const usedBit = 1 << 15;

/** RING_EVENT_FLAGS. */
const eventFlags = { ENABLE: 0, DISABLE: 1, DESC: 2 } as const;

/** An event suppression structure: offset and wrap counter, then flags. */
const suppression = { position: 0, flags: 2 } as const;
const wrapBit = 1 << 15;

/** A descriptor's fields from its start. */
const field = { length: 8, id: 12, flags: 14 } as const;

export function packedQueue(memory: GuestMemory, layout: QueueLayout, start: QueuePosition): Virtqueue {
  const { size, descriptorArea, driverArea, deviceArea, indirect, eventIndex } = layout;
  let { next, used, nextWrap, usedWrap, taken } = start;

  const isAvailable = (flags: number): boolean =>
    ((flags & availableBit) !== 0) === nextWrap && ((flags & usedBit) !== 0) !== nextWrap;

  /** The descriptor at `next`, whether it is available or not. */
  function head(): Descriptor | RingFault {
    return readDescriptor(memory, descriptorArea + next * descriptorBytes) ?? 'ring outside memory';
  }

  /** Only WRITE has a meaning in a table: its descriptors are all used, in their order. */
  function walkIndirect(builder: ChainBuilder, descriptor: Descriptor): RingFault | undefined {
    if (!indirect) return 'indirect descriptors were not negotiated';
    const entries = indirectEntries(memory, descriptor);
    if (typeof entries === 'string') return entries;
    for (let n = 0; n < entries; n += 1) {
      const part = readDescriptor(memory, descriptor.address + n * descriptorBytes);
      if (part === undefined) return 'indirect table outside memory';
      const fault = builder.add(part, (part.half1 & descriptorFlag.WRITE) !== 0);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Lists hold descriptors of one kind: a table stands alone. */
  function walk(builder: ChainBuilder, first: Descriptor): { id: number; ringEntries: number } | RingFault {
    let descriptor: Descriptor | undefined = first;
    for (let count = 1; count <= size; count += 1) {
      const { half0: id, half1: flags }: Descriptor = descriptor;
      const isLast = (flags & descriptorFlag.NEXT) === 0;
      const isTable = (flags & descriptorFlag.INDIRECT) !== 0;
      if (isTable && (!isLast || count > 1)) return 'indirect descriptor with NEXT';
      const fault = isTable
        ? walkIndirect(builder, descriptor)
        : builder.add(descriptor, (flags & descriptorFlag.WRITE) !== 0);
      if (fault !== undefined) return fault;
      if (isLast) return { id, ringEntries: count };
      descriptor = readDescriptor(memory, descriptorArea + ((next + count) % size) * descriptorBytes);
      if (descriptor === undefined) return 'ring outside memory';
    }
    return 'descriptor loop';
  }

  function requestNotification(): boolean {
    const position = next | (nextWrap ? wrapBit : 0);
    return (
      memory.writeWord(deviceArea + suppression.position, 2, position) &&
      memory.writeWord(deviceArea + suppression.flags, 2, eventFlags.DESC)
    );
  }

  function take(): Chain | RingFault | undefined {
    let descriptor = head();
    if (typeof descriptor !== 'string' && eventIndex && !isAvailable(descriptor.half1)) {
      // Ask for a notification of the next one; it may have come before the driver could read that.
      if (!requestNotification()) return 'ring outside memory';
      descriptor = head();
    }
    if (typeof descriptor === 'string') return descriptor;
    if (!isAvailable(descriptor.half1)) return undefined;
    const builder = new ChainBuilder(memory);
    const end = walk(builder, descriptor);
    if (typeof end === 'string') return end;
    if (taken + end.ringEntries > size) return 'more buffers than the queue holds';
    taken += end.ringEntries;
    next += end.ringEntries;
    if (next >= size) {
      next -= size;
      nextWrap = !nextWrap;
    }
    return { ...end, readable: builder.readable, writable: builder.writable };
  }

  function writeUsed(at: number, wrap: boolean, { chain, writtenBytes }: UsedBuffer): boolean {
    const address = descriptorArea + at * descriptorBytes;
    const flags = (wrap ? availableBit | usedBit : 0) | (writtenBytes > 0 ? descriptorFlag.WRITE : 0);
    return (
      memory.writeWord(address + field.id, 2, chain.id) &&
      memory.writeWord(address + field.length, 4, writtenBytes) &&
      memory.writeWord(address + field.flags, 2, flags)
    );
  }

  function use(buffers: readonly UsedBuffer[]): boolean | RingFault {
    const old = used;
    const places: { at: number; wrap: boolean; buffer: UsedBuffer }[] = [];
    let entries = 0;
    for (const buffer of buffers) {
      const { ringEntries } = buffer.chain;
      places.push({ at: used, wrap: usedWrap, buffer });
      entries += ringEntries;
      used += ringEntries;
      if (used >= size) {
        used -= size;
        usedWrap = !usedWrap;
      }
    }
    taken -= entries;
    // The first of several is marked last, so that the driver never sees a part of a request.
    for (const { at, wrap, buffer } of places.reverse()) if (!writeUsed(at, wrap, buffer)) return 'ring outside memory';
    return wantsInterrupt(old + entries, old);
  }

  /** `newIndex` counts on past the end of the ring. */
  function wantsInterrupt(newIndex: number, oldIndex: number): boolean | RingFault {
    const flags = memory.readWord(driverArea + suppression.flags, 2);
    const position = memory.readWord(driverArea + suppression.position, 2);
    if (flags === undefined || position === undefined) return 'ring outside memory';
    if ((flags & 3) !== eventFlags.DESC || !eventIndex) return (flags & 3) !== eventFlags.DISABLE;
    // On the lap in which the buffers began, the wrap counter is the present one unless they have gone past the end.
    const lapWrap = newIndex >= size ? !usedWrap : usedWrap;
    const isSameLap = ((position & wrapBit) !== 0) === lapWrap;
    const offset = position & ~wrapBit;
    return passesEvent(isSameLap ? offset : offset + size, newIndex, oldIndex);
  }

  return {
    take,
    putBack: ({ ringEntries }) => {
      taken -= ringEntries;
      next -= ringEntries;
      if (next < 0) {
        next += size;
        nextWrap = !nextWrap;
      }
    },
    use,
    position: () => ({ next, used, nextWrap, usedWrap, taken }),
  };
}

/** Alignment of the descriptor ring and the two event suppression structures. */
export const packedAlignments: readonly [number, number, number] = [16, 4, 4];
