// The driver's side of a virtqueue, split and packed, as the specification's "Supplying Buffers to The Device" and "Receiving Used
// Buffers From The Device" tell a driver to do it.

import { ringFeature } from '../../../actors/virtio/features.ts';
import type { VirtioDevice } from '../../../actors/virtio/device.ts';
import type { Bench } from './bench.ts';

/** What a driver supplies: bytes for the device to read, or room for it to write. */
export type Part = Uint8Array | number;

export interface Used {
  readonly id: number;
  readonly writtenBytes: number;
  /** All of the writable parts, one after the other. */
  readonly bytes: Uint8Array;
}

export interface DriverQueue {
  readonly index: number;
  /** Makes a buffer available, the readable parts first; undefined where the ring is full. */
  add(parts: readonly Part[], indirect?: boolean): number | undefined;
  notify(): void;
  /** Takes what the device has used. */
  collect(): Used[];
  /** True if the device has asked to be notified of what was made available since the last call. */
  mustNotify(): boolean;
  /** Suppresses used buffer notifications, or asks for them. */
  setInterrupts(wanted: boolean): void;
  /** With event index: asks for a notification when so many more buffers (split) or entries (packed) have been used. */
  setEvent(more: number): void;
}

interface Placed {
  readonly address: number;
  readonly sizeBytes: number;
  readonly isWritable: boolean;
}

const flag = { NEXT: 1, WRITE: 2, INDIRECT: 4, AVAIL: 1 << 7, USED: 1 << 15 } as const;

export function driverQueue<Kind extends VirtioDevice>(
  bench: Bench<Kind>,
  index: number,
  size: number,
  features: readonly number[],
): DriverQueue {
  return features.includes(ringFeature.RING_PACKED)
    ? packed(bench, index, size, features)
    : split(bench, index, size, features);
}

function place<Kind extends VirtioDevice>(bench: Bench<Kind>, parts: readonly Part[]): Placed[] {
  return parts.map((part) => {
    const sizeBytes = typeof part === 'number' ? part : part.length;
    const address = bench.allocate(sizeBytes, 1);
    if (typeof part !== 'number') bench.memory.writeBytes(address, part);
    return { address, sizeBytes, isWritable: typeof part === 'number' };
  });
}

function written<Kind extends VirtioDevice>(bench: Bench<Kind>, placed: readonly Placed[]): Uint8Array {
  return Uint8Array.from(
    placed
      .filter(({ isWritable }) => isWritable)
      .flatMap(({ address, sizeBytes }) => [...(bench.memory.readBytes(address, sizeBytes) as Uint8Array)]),
  );
}

function split<Kind extends VirtioDevice>(
  bench: Bench<Kind>,
  index: number,
  size: number,
  features: readonly number[],
): DriverQueue {
  const { memory } = bench;
  const descriptors = bench.allocate(16 * size);
  const available = bench.allocate(6 + 2 * size);
  const used = bench.allocate(6 + 8 * size);
  bench.placeQueue(index, size, [descriptors, available, used]);
  const free = Array.from({ length: size }, (_, n) => n);
  const outstanding = new Map<number, { placed: Placed[]; taken: number[] }>();
  let availableIndex = 0;
  let notifiedIndex = 0;
  let usedIndex = 0;
  const word = (address: number): number => memory.readWord(address, 2) as number;

  function describe(at: number, part: Placed, flags: number, next: number): void {
    memory.writeWord(at, 4, part.address % 2 ** 32);
    memory.writeWord(at + 4, 4, Math.floor(part.address / 2 ** 32));
    memory.writeWord(at + 8, 4, part.sizeBytes);
    memory.writeWord(at + 12, 2, flags | (part.isWritable ? flag.WRITE : 0));
    memory.writeWord(at + 14, 2, next);
  }

  return {
    index,
    add: (parts, indirect = false) => {
      const needed = indirect ? 1 : parts.length;
      if (needed > free.length) return undefined;
      const taken = free.splice(0, needed);
      const placed = place(bench, parts);
      const head = taken[0] as number;
      if (indirect) {
        const table = bench.allocate(16 * parts.length);
        placed.forEach((part, n) => {
          describe(table + 16 * n, part, n + 1 < placed.length ? flag.NEXT : 0, n + 1);
        });
        const whole = { address: table, sizeBytes: 16 * parts.length, isWritable: false };
        describe(descriptors + 16 * head, whole, flag.INDIRECT, 0);
      } else {
        placed.forEach((part, n) => {
          const isLast = n + 1 === placed.length;
          describe(descriptors + 16 * (taken[n] as number), part, isLast ? 0 : flag.NEXT, taken[n + 1] ?? 0);
        });
      }
      outstanding.set(head, { placed, taken });
      memory.writeWord(available + 4 + 2 * (availableIndex % size), 2, head);
      availableIndex = (availableIndex + 1) & 0xffff;
      memory.writeWord(available + 2, 2, availableIndex);
      return head;
    },
    notify: () => {
      bench.write('QueueNotify', index);
    },
    collect: () => {
      const result: Used[] = [];
      for (; usedIndex !== word(used + 2); usedIndex = (usedIndex + 1) & 0xffff) {
        const entry = used + 4 + 8 * (usedIndex % size);
        const id = memory.readWord(entry, 4) as number;
        const entryOf = outstanding.get(id);
        if (entryOf === undefined) throw new Error(`the device has used buffer ${id}, which it did not have`);
        outstanding.delete(id);
        free.push(...entryOf.taken);
        result.push({
          id,
          writtenBytes: memory.readWord(entry + 4, 4) as number,
          bytes: written(bench, entryOf.placed),
        });
      }
      return result;
    },
    mustNotify: () => {
      const old = notifiedIndex;
      notifiedIndex = availableIndex;
      if (!features.includes(ringFeature.EVENT_IDX)) return (word(used) & 1) === 0;
      const event = word(used + 4 + 8 * size);
      return ((availableIndex - event - 1) & 0xffff) < ((availableIndex - old) & 0xffff);
    },
    setInterrupts: (wanted) => memory.writeWord(available, 2, wanted ? 0 : 1),
    setEvent: (more) => memory.writeWord(available + 4 + 2 * size, 2, (usedIndex + more - 1) & 0xffff),
  };
}

function packed<Kind extends VirtioDevice>(
  bench: Bench<Kind>,
  index: number,
  size: number,
  features: readonly number[],
): DriverQueue {
  const { memory } = bench;
  const ring = bench.allocate(16 * size);
  const driverEvent = bench.allocate(4);
  const deviceEvent = bench.allocate(4);
  bench.placeQueue(index, size, [ring, driverEvent, deviceEvent]);
  const outstanding = new Map<number, { placed: Placed[]; entries: number }>();
  let [next, wrap] = [0, true];
  let [nextUsed, usedWrap] = [0, true];
  let freeEntries = size;
  let nextId = 0;
  let added = 0;
  const word = (address: number): number => memory.readWord(address, 2) as number;

  function describe(at: number, part: Placed, id: number, flags: number): void {
    memory.writeWord(at, 4, part.address % 2 ** 32);
    memory.writeWord(at + 4, 4, Math.floor(part.address / 2 ** 32));
    memory.writeWord(at + 8, 4, part.sizeBytes);
    memory.writeWord(at + 12, 2, id);
    memory.writeWord(at + 14, 2, flags | (part.isWritable ? flag.WRITE : 0));
  }

  /** Adds the entries from the last to the first, whose flags make the list available. */
  function supply(entries: readonly Placed[], id: number, extraFlags: number): void {
    const places = entries.map((_, n) => {
      const wraps = next + n >= size;
      const phase = wrap !== wraps;
      return { at: ring + 16 * ((next + n) % size), bits: phase ? flag.AVAIL : flag.USED };
    });
    for (let n = entries.length - 1; n >= 0; n -= 1) {
      const { at, bits } = places[n] as { at: number; bits: number };
      describe(at, entries[n] as Placed, id, bits | extraFlags | (n + 1 < entries.length ? flag.NEXT : 0));
    }
    next += entries.length;
    added += entries.length;
    freeEntries -= entries.length;
    if (next >= size) {
      next -= size;
      wrap = !wrap;
    }
  }

  return {
    index,
    add: (parts, indirect = false) => {
      const entries = indirect ? 1 : parts.length;
      if (entries > freeEntries) return undefined;
      const placed = place(bench, parts);
      const id = nextId;
      nextId = (nextId + 1) & 0x7fff;
      if (indirect) {
        const table = bench.allocate(16 * parts.length);
        placed.forEach((part, n) => {
          describe(table + 16 * n, part, 0, 0);
        });
        supply([{ address: table, sizeBytes: 16 * parts.length, isWritable: false }], id, flag.INDIRECT);
      } else {
        supply(placed, id, 0);
      }
      outstanding.set(id, { placed, entries });
      return id;
    },
    notify: () => {
      bench.write('QueueNotify', index);
    },
    collect: () => {
      const result: Used[] = [];
      for (;;) {
        const at = ring + 16 * nextUsed;
        const flags = word(at + 14);
        const isUsed = ((flags & flag.AVAIL) !== 0) === usedWrap && ((flags & flag.USED) !== 0) === usedWrap;
        if (!isUsed || outstanding.size === 0) return result;
        const id = word(at + 12);
        const entry = outstanding.get(id);
        if (entry === undefined) throw new Error(`the device has used buffer ${id}, which it did not have`);
        outstanding.delete(id);
        freeEntries += entry.entries;
        nextUsed += entry.entries;
        if (nextUsed >= size) {
          nextUsed -= size;
          usedWrap = !usedWrap;
        }
        const writtenBytes = (flags & flag.WRITE) !== 0 ? (memory.readWord(at + 8, 4) as number) : 0;
        result.push({ id, writtenBytes, bytes: written(bench, entry.placed) });
      }
    },
    mustNotify: () => {
      const count = added;
      added = 0;
      const flags = word(deviceEvent + 2);
      if (flags !== 2) return flags === 0;
      const position = word(deviceEvent);
      const offset = (position & 0x7fff) - ((position >> 15 === 1) === wrap ? 0 : size);
      return ((next - offset - 1) & 0xffff) < (count & 0xffff);
    },
    setInterrupts: (wanted) => memory.writeWord(driverEvent + 2, 2, wanted ? 0 : 1),
    setEvent: (more) => {
      const at = nextUsed + more - 1;
      const isWrapped = at >= size;
      memory.writeWord(driverEvent, 2, (at % size) | (usedWrap !== isWrapped ? 1 << 15 : 0));
      if (features.includes(ringFeature.EVENT_IDX)) memory.writeWord(driverEvent + 2, 2, 2);
    },
  };
}
