// The generator behind every vector: sfc32 (Chris Doty-Humphrey's Small Fast Counter, 32-bit words, period at least
// 2^32), in integer arithmetic only, so that the same seed gives the same vectors under every version of Node.

export interface Random {
  /** 32 random bits, unsigned. */
  readonly word: () => number;
  /** A number in [0, limit). */
  readonly below: (limit: number) => number;
  /** True in `percent` of the draws. */
  readonly chance: (percent: number) => boolean;
}

const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over UTF-16 code units. */
function hashText(text: string): number {
  let hash = FNV_OFFSET_BASIS;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash >>> 0;
}

/** FNV-1a in steps of a 32-bit word; `seed` chains calls. */
export function hashWords(words: Iterable<number>, seed = FNV_OFFSET_BASIS): number {
  let hash = seed;
  for (const word of words) hash = Math.imul(hash ^ word, FNV_PRIME);
  return hash >>> 0;
}

export function random(...seed: readonly (string | number)[]): Random {
  const text = seed.join('/');
  let a = hashText(text);
  let b = hashText(`${text}/b`);
  let c = hashText(`${text}/c`);
  let counter = 1;
  const word = () => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  // The first outputs of close seeds resemble one another.
  for (let i = 0; i < 12; i++) word();
  return {
    word,
    below: (limit) => Math.floor((word() / 2 ** 32) * limit),
    chance: (percent) => word() < (percent / 100) * 2 ** 32,
  };
}
