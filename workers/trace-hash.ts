// The trace hash: a fingerprint of everything that was delivered to an actor, with its time and, at a core, the number of
// instructions that had been run. Two runs are the same exactly when all the hashes and the final RAM are.

import type { Message } from '../actors/actor.ts';

export interface TraceHash {
  add(message: Message, progress: number): void;
  /** 16 hexadecimal digits. */
  digest(): string;
}

/** Two lanes of FNV-1a over 32-bit words, with different primes. */
export function makeTraceHash(): TraceHash {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  const word = (value: number): void => {
    a = Math.imul(a ^ value, 0x01000193);
    b = Math.imul(b ^ value, 0x85ebca6b);
    b ^= b >>> 15;
  };
  return {
    add: ({ code, source, dueTicks, payload }, progress) => {
      word(code);
      word(source);
      word(dueTicks | 0);
      word(Math.floor(dueTicks / 2 ** 32));
      word(progress | 0);
      word(Math.floor(progress / 2 ** 32));
      for (let i = 0; i < payload.length; i += 1) word(payload[i] as number);
    },
    digest: () => [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join(''),
  };
}
