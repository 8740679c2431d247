// The source of every random choice of a run: splitmix32 over a seed.

export interface Random {
  /** All that it remembers. */
  save(): number;
  restore(saved: number): void;
  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number;
}

export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    save: () => state,
    restore: (saved) => {
      state = saved;
    },
    below: (bound) => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      z ^= z >>> 15;
      return Math.floor(((z >>> 0) / 2 ** 32) * bound);
    },
  };
}
