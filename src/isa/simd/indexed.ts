// The element by which a vector is multiplied, as the pages of Advanced SIMD vector x indexed element and scalar x indexed element name it:
// H:L:M of halfwords, which are in V0 to V15, H:L of words, H of doublewords (Arm DDI 0487, C4.1).
//
// M:Rm is one operand here. What an element is wide, and the index but for M, is known.

import type { Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { elementOfRm, letterOfSize } from '../syntax/vectors.ts';

/** The known part of the index, for elements of 8 << size bits. */
const knownIndex = (size: number, { H, L }: { readonly H: number; readonly L: number }): number =>
  size === 3 ? H : 2 * H + L;

/** The element as a word. */
export function readIndexed(
  s: Semantics,
  Rm: Value,
  size: 1 | 2 | 3,
  k: { readonly H: number; readonly L: number },
): Value {
  const index = knownIndex(size, k);
  if (size !== 1) return s.laneOf(s.readV(Rm, 128), size === 3 ? 64 : 32, index);
  const pair = s.laneOf(s.readV(s.and(Rm, s.constant(32, 15)), 128), 32, index);
  const M = s.zeroExtend(s.lsr(Rm, s.constant(32, 4)), 32, 64);
  return s.and(s.lsr(pair, s.lsl(M, s.constant(64, 4))), s.constant(64, 0xffff));
}

/** `v3.h[5]`, where these fields give the size. */
export const indexed = (sizeOf: (f: Fields) => number): Operand =>
  elementOfRm((f) => {
    const size = sizeOf(f);
    return { suffix: letterOfSize(size), index: knownIndex(size, { H: f.H!, L: f.L! }), hasM: size === 1 };
  });
