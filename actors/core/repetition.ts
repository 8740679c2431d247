// Whether a PE goes round in circles: a loop that waits for another PE's store, and counts nothing, leaves the registers as they are.

import type { Pe } from '../../src/arch/pe.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import type { MemoryViews } from '../../src/memory/memory-views.ts';

/** Tells whether general-purpose registers, PC and flags are what they were when it was asked last. */
export function makeRepetition({ words }: MemoryViews, { base }: Pe): () => boolean {
  const before = new Uint32Array((record.budget - record.x) / 4);
  return () => {
    const first = (base + record.x) / 4;
    let isSame = true;
    for (let n = 0; n < before.length; n += 1) {
      const word = words[first + n] as number;
      if (before[n] !== word) isSame = false;
      before[n] = word;
    }
    return isSame;
  };
}
