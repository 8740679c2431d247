// The trace hash: a fingerprint of everything that was delivered to an actor, with its time and, at a core, the number of
// instructions that had been run. Two runs are the same exactly when all the hashes and the final RAM are.

import type { Message } from '../actors/actor.ts';

export interface TraceHash {
  add(message: Message, progress: number): void;
  /** 16 hexadecimal digits. */
  digest(): string;
}

// Two lanes of FNV-1a over 32-bit words, with different primes.
const first = (lane: number, word: number): number => Math.imul(lane ^ word, 0x01000193);
const second = (lane: number, word: number): number => {
  const mixed = Math.imul(lane ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
};

export function makeTraceHash(): TraceHash {
  let a = 0x811c9dc5 | 0;
  let b = 0x9e3779b9 | 0;
  return {
    add: ({ code, source, dueTicks, payload }, progress) => {
      const dueHigh = Math.floor(dueTicks / 2 ** 32);
      const progressHigh = Math.floor(progress / 2 ** 32);
      let x = first(first(first(first(a, code), source), dueTicks | 0), dueHigh);
      let y = second(second(second(second(b, code), source), dueTicks | 0), dueHigh);
      x = first(first(x, progress | 0), progressHigh);
      y = second(second(y, progress | 0), progressHigh);
      for (let i = 0; i < payload.length; i += 1) {
        const word = payload[i] as number;
        x = first(x, word);
        y = second(y, word);
      }
      a = x;
      b = y;
    },
    digest: () => [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join(''),
  };
}
