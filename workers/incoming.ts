// What other hosts have sent to one that runs by itself, in an order in which no effect comes before its cause: who has seen a store
// that another core has made after its message, and sends one in turn, is heard after it (a core that has been booted tells the power
// controller so, and then that it runs in memory, where a third core sees it and asks).
//
// Messages bear the time at which they were sent, by the one clock of all threads.

import type { Message } from '../actors/actor.ts';
import type { Ring } from './ring.ts';

export type Incoming = Pick<Ring, 'isEmpty' | 'drain'>;

export function makeIncoming(rings: readonly Ring[]): Incoming {
  const batch: Message[] = [];
  const take = (message: Message): void => void batch.push(message);
  const isEmpty = (): boolean => rings.every((ring) => ring.isEmpty());
  return {
    isEmpty,
    drain: (deliver) => {
      if (isEmpty()) return;
      // Once nothing more is found, whatever has caused a message of the batch is in it.
      while (!isEmpty()) for (const ring of rings) ring.drain(take);
      if (rings.length > 1) batch.sort((a, b) => a.dueTicks - b.dueTicks);
      for (const message of batch) deliver(message);
      batch.length = 0;
    },
  };
}
