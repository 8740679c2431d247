// The repeated bit patterns of the logical immediates: DecodeBitMasks of the manual's shared pseudocode.

import { widen } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';

/** Whether N:imms names a pattern: an element of 2 to 64 bits that is not all ones. */
export function isBitMask(N: number, imms: number): boolean {
  const lengthBits = (N << 6) | (~imms & 0x3f);
  if (lengthBits < 2) return false;
  const levels = (1 << (31 - Math.clz32(lengthBits))) - 1;
  return (imms & levels) !== levels;
}

/** What computing a mask needs of the semantics. */
type Computing = Pick<
  Semantics,
  'constant' | 'zeroExtend' | 'sub' | 'mul' | 'udiv' | 'and' | 'or' | 'xor' | 'not' | 'lsl' | 'lsr' | 'ror' | 'clz'
>;

/**
 * The wmask of DecodeBitMasks(N, imms, immr, TRUE): imms + 1 ones (modulo the element size) in each element, rotated right by immr.
 *
 * The rotation comes last, as rotating the whole is rotating every element. For N = 0 the element size is the power of two
 * that the leading ones of imms select; an element is repeated by multiplying it with (2^32 - 1) / (2^esize - 1).
 */
export function decodeBitMasks(s: Computing, N: number, imms: Value, immr: Value, width: 32 | 64): Value {
  if (N === 1) {
    // lsr takes NOT(imms) modulo 64, which is 63 - S.
    const element = s.lsr(s.constant(64, -1), widen(s, s.not(imms), 64));
    return s.ror(element, widen(s, immr, 64));
  }
  const ones = s.constant(32, -1);
  const length = s.clz(s.xor(imms, s.constant(32, 0x3f)));
  const esize = s.lsr(s.constant(32, 0x8000_0000), length);
  const S = s.and(imms, s.sub(esize, s.constant(32, 1)));
  const element = s.lsr(ones, s.not(S));
  const copies = s.udiv(ones, s.lsr(ones, s.sub(s.constant(32, 0), esize)));
  const mask = s.ror(s.mul(element, copies), immr);
  if (width === 32) return mask;
  const low = widen(s, mask, 64);
  return s.or(low, s.lsl(low, s.constant(64, 32)));
}
