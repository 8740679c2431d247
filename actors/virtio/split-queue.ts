// The split virtqueue (virtio 1.2, "Split Virtqueues"), from the device's side: descriptor table, available ring, used ring.
// Event index and indirect descriptors are used where they have been negotiated; VIRTIO_F_IN_ORDER is not offered.

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

/** VIRTQ_AVAIL_F_NO_INTERRUPT. */
const noInterrupt = 1;

/** Both rings: flags, idx, then the entries, then the event field of the other side. */
const ring = { flags: 0, index: 2, entries: 4 } as const;
const usedEntryBytes = 8;

export function splitQueue(memory: GuestMemory, layout: QueueLayout, start: QueuePosition): Virtqueue {
  const { size, descriptorArea, driverArea: available, deviceArea: used, indirect, eventIndex } = layout;
  const usedEvent = available + ring.entries + 2 * size;
  const availableEvent = used + ring.entries + usedEntryBytes * size;
  let { next, used: usedIndex, taken } = start;

  /** Follows a chain through a table; every descriptor of it counts, so that a loop is found when there are more than entries. */
  function walk(
    builder: ChainBuilder,
    table: number,
    entries: number,
    first: number,
    isIndirect: boolean,
  ): RingFault | undefined {
    let index = first;
    for (let count = 0; count < entries; count += 1) {
      if (index >= entries) return 'descriptor index outside the table';
      const descriptor = readDescriptor(memory, table + index * descriptorBytes);
      if (descriptor === undefined) return isIndirect ? 'indirect table outside memory' : 'ring outside memory';
      const { half0: flags, half1: nextIndex } = descriptor;
      const fault =
        (flags & descriptorFlag.INDIRECT) !== 0
          ? isIndirect
            ? 'indirect descriptor inside a table'
            : walkIndirect(builder, descriptor)
          : builder.add(descriptor, (flags & descriptorFlag.WRITE) !== 0);
      if (fault !== undefined) return fault;
      if ((flags & descriptorFlag.NEXT) === 0) return undefined;
      index = nextIndex;
    }
    return 'descriptor loop';
  }

  function walkIndirect(builder: ChainBuilder, descriptor: Descriptor): RingFault | undefined {
    if (!indirect) return 'indirect descriptors were not negotiated';
    if ((descriptor.half0 & descriptorFlag.NEXT) !== 0) return 'indirect descriptor with NEXT';
    const entries = indirectEntries(memory, descriptor);
    return typeof entries === 'number' ? walk(builder, descriptor.address, entries, 0, true) : entries;
  }

  /** Buffers that the driver has made available and nobody has taken. */
  function pending(): number | RingFault {
    const index = memory.readWord(available + ring.index, 2);
    if (index === undefined) return 'ring outside memory';
    const ahead = (index - next) & 0xffff;
    return ahead > size ? 'available index too far ahead' : ahead;
  }

  function take(): Chain | RingFault | undefined {
    let ahead = pending();
    if (ahead === 0 && eventIndex) {
      // Ask for a notification of the next one; it may have come before the driver could read that.
      if (!memory.writeWord(availableEvent, 2, next)) return 'ring outside memory';
      ahead = pending();
    }
    if (typeof ahead === 'string') return ahead;
    if (ahead === 0) return undefined;
    if (taken >= size) return 'more buffers than the queue holds';
    const head = memory.readWord(available + ring.entries + 2 * (next % size), 2);
    if (head === undefined) return 'ring outside memory';
    const builder = new ChainBuilder(memory);
    const fault = walk(builder, descriptorArea, size, head, false);
    if (fault !== undefined) return fault;
    next = (next + 1) & 0xffff;
    taken += 1;
    return { id: head, ringEntries: 1, readable: builder.readable, writable: builder.writable };
  }

  function use(buffers: readonly UsedBuffer[]): boolean | RingFault {
    const old = usedIndex;
    for (const { chain, writtenBytes } of buffers) {
      const entry = used + ring.entries + usedEntryBytes * (usedIndex % size);
      if (!memory.writeWord(entry, 4, chain.id) || !memory.writeWord(entry + 4, 4, writtenBytes))
        return 'ring outside memory';
      usedIndex = (usedIndex + 1) & 0xffff;
      taken -= 1;
    }
    if (!memory.writeWord(used + ring.index, 2, usedIndex)) return 'ring outside memory';
    if (eventIndex) {
      const event = memory.readWord(usedEvent, 2);
      return event === undefined ? 'ring outside memory' : passesEvent(event, usedIndex, old);
    }
    const flags = memory.readWord(available + ring.flags, 2);
    return flags === undefined ? 'ring outside memory' : (flags & noInterrupt) === 0;
  }

  return {
    take,
    putBack: () => {
      next = (next - 1) & 0xffff;
      taken -= 1;
    },
    use,
    position: () => ({ next, used: usedIndex, nextWrap: true, usedWrap: true, taken }),
  };
}

/** Alignment of the descriptor table, the available ring and the used ring. */
export const splitAlignments: readonly [number, number, number] = [16, 2, 4];
