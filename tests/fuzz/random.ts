// Random choices from a seed: the same on every host.

export interface Random {
  /** 0 to 2^32 - 1. */
  word(): number;
  /** 0 to 2^64 - 1. */
  doubleword(): bigint;
  /** 0 to n - 1. */
  below(n: number): number;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** splitmix32, with a stream of its own for every (seed, index). */
export function makeRandom(seed: number, index = 0): Random {
  let state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b)) >>> 0;
  const word = (): number => {
    state = (state + 0x9e37_79b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0_aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a_2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const below = (n: number): number => word() % n;
  return {
    word,
    doubleword: () => (BigInt(word()) << 32n) | BigInt(word()),
    below,
    oneIn: (n) => below(n) === 0,
    pick: (from) => from[below(from.length)]!,
  };
}
