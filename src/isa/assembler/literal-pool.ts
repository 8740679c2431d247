// Literal pools: what `ldr x0, =expression` loads, placed at the next `.ltorg` or at the end of the section.
//
// As in GNU as, words come before doublewords, each kind aligned to its size, and equal expressions share an entry.

import type { Image } from './image.ts';

export type LiteralBytes = 4 | 8;

export interface LiteralPools {
  /** Adds a literal; its address, which is that of the pass before. */
  readonly add: (bytes: LiteralBytes, key: string, value: bigint) => bigint;
  /** Places the pool here. */
  readonly flush: (image: Image) => void;
  /** Starts the next pass. Whether any literal moved. */
  readonly nextPass: () => boolean;
}

interface Literal {
  readonly bytes: LiteralBytes;
  readonly value: bigint;
}

export function makeLiteralPools(): LiteralPools {
  /** Of each pool, addresses by key. */
  let before: Map<string, bigint>[] = [];
  let now: Map<string, bigint>[] = [];
  let open = new Map<string, Literal>();
  return {
    add: (bytes, key, value) => {
      const whole = `${bytes} ${key}`;
      if (!open.has(whole)) open.set(whole, { bytes, value });
      return before[now.length]?.get(whole) ?? 0n;
    },
    flush: (image) => {
      const addresses = new Map<string, bigint>();
      for (const size of [4, 8] as const) {
        const literals = [...open].filter(([, { bytes }]) => bytes === size);
        if (literals.length > 0) image.align(BigInt(size));
        for (const [key, { value }] of literals) {
          addresses.set(key, image.position());
          image.append(value, size);
        }
      }
      now.push(addresses);
      open = new Map();
    },
    nextPass: () => {
      const changed = now.some((pool, n) => [...pool].some(([key, address]) => before[n]?.get(key) !== address));
      before = now;
      now = [];
      return changed;
    },
  };
}
