// The circular queues of the SMMU (Arm IHI 0070, "SMMU circular queues"): indexes with a wrap bit above them.

import { maxQueueBits } from './registers.ts';
import { addressOf } from './structures.ts';

export interface Queue {
  /** Physical address of the entry at the index of this register value. */
  entryAt(index: number): number;
  /** The index after this one, wrap bit and all; bits above are dropped. */
  next(index: number): number;
  isEmpty(producer: number, consumer: number): boolean;
  isFull(producer: number, consumer: number): boolean;
}

/** The queue that the two words of a BASE register describe. */
export function queueOf(baseLow: number, baseHigh: number, entryBytes: number): Queue {
  const bits = Math.min(baseLow & 31, maxQueueBits);
  const size = 2 ** bits;
  const address = addressOf(baseLow, baseHigh, 5);
  // The base is aligned to the queue's size.
  const base = address - (address % Math.max(32, size * entryBytes));
  const indexOf = (value: number): number => value & (size - 1);
  const withWrap = (value: number): number => value & (2 * size - 1);
  return {
    entryAt: (index) => base + entryBytes * indexOf(index),
    next: (index) => withWrap(index + 1),
    isEmpty: (producer, consumer) => withWrap(producer) === withWrap(consumer),
    isFull: (producer, consumer) => withWrap(producer ^ consumer) === size,
  };
}
