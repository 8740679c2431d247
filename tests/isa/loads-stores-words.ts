// Random instruction words from a seed.

/** A generator of 32-bit words (mulberry32). */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** A word of the encoding group "Loads and Stores": op0 is x1x0. Every other word has the ones of the should-be-one fields. */
export function randomLoadStoreWord(random: () => number): number {
  const word = (random() & ~(1 << 25)) | (1 << 27);
  const style = random();
  // Rs and Rt2 of the exclusives and ordered accesses.
  const ones = ((style & 1) === 0 ? 0 : 0x001f0000) | ((style & 2) === 0 ? 0 : 0x00007c00);
  return (word | ones) >>> 0;
}
