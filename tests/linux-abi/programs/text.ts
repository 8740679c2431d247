// Text that is the same on every run, and can be compressed about as well as prose: words of a vocabulary, the first of them far more often
// than the last, and numbers.

import { makeRandom } from '../../fuzz/random.ts';

export function proseOf(sizeBytes: number): string {
  const random = makeRandom(1);
  const smallest = (n: number, draws: number): number =>
    Math.min(...Array.from({ length: draws }, () => random.below(n)));
  const word = (): string => {
    const letters = Array.from({ length: 3 + random.below(8) }, () => 97 + smallest(26, 2));
    return String.fromCharCode(...letters);
  };
  const vocabulary = Array.from({ length: 2000 }, word);
  const parts: string[] = [];
  for (let length = 0; length < sizeBytes;) {
    const part = random.oneIn(16) ? `${random.below(100_000)}\n` : `${vocabulary[smallest(2000, 3)]} `;
    parts.push(part);
    length += part.length;
  }
  return parts.join('').slice(0, sizeBytes);
}
