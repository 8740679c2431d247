// What is due, in the total order (time, sender, sequence): a binary heap.

import type { Message, Ticks } from '../actors/actor.ts';
import { assert } from '../src/report/assert.ts';

export interface EventQueue {
  size(): number;
  push(message: Message): void;
  /** The first message in the order. */
  peek(): Message | undefined;
  /** When it is due, or Infinity where there is none. */
  nextDue(): Ticks;
  pop(): Message | undefined;
  /** Takes out a message that will not be delivered. */
  remove(message: Message): void;
}

/** True where `a` comes before `b`. */
function precedes(a: Message, b: Message): boolean {
  if (a.dueTicks !== b.dueTicks) return a.dueTicks < b.dueTicks;
  if (a.source !== b.source) return a.source < b.source;
  return a.sequence < b.sequence;
}

export function makeEventQueue(): EventQueue {
  const heap: Message[] = [];

  function siftUp(from: number): void {
    let i = from;
    const moved = heap[i] as Message;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Message;
      if (!precedes(moved, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = moved;
  }

  function siftDown(from: number): void {
    let i = from;
    const moved = heap[i] as Message;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1] as Message, heap[child] as Message)) child += 1;
      const below = heap[child] as Message;
      if (!precedes(below, moved)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = moved;
  }

  /** Takes out the message at a place, which the last one then fills. */
  function removeAt(place: number): void {
    const last = heap.pop() as Message;
    if (place === heap.length) return;
    heap[place] = last;
    siftDown(place);
    siftUp(place);
  }

  return {
    size: () => heap.length,
    push: (message) => {
      heap.push(message);
      siftUp(heap.length - 1);
    },
    // Beyond an array's end there is nothing to find, but V8 looks for it.
    peek: () => (heap.length > 0 ? heap[0] : undefined),
    nextDue: () => (heap.length > 0 ? (heap[0] as Message).dueTicks : Infinity),
    pop: () => {
      if (heap.length <= 1) return heap.pop();
      const first = heap[0];
      removeAt(0);
      return first;
    },
    remove: (message) => {
      const place = heap.indexOf(message);
      assert(place >= 0, 'a message is removed from the queue that holds it');
      removeAt(place);
    },
  };
}
