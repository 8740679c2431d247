// What the scalar floating-point pages share: the field ftype, and numbers in SIMD&FP registers as words (floating-point/operations.ts).

import type { FormatBits } from './floating-point/format.ts';
import type { Semantics, Value } from './semantics.ts';
import type { Fields, Operand } from './syntax.ts';
import { V, type VectorBytes } from './syntax/registers.ts';

/** ftype as a format; undefined where it is unallocated. */
export const formatOf = (ftype: number | undefined): FormatBits | undefined =>
  (({ 0: 32, 1: 64, 3: 16 }) as const)[ftype as 0 | 1 | 3];

/** The letter of a format in encoding names. */
export const letterOf = (bits: FormatBits | undefined): 'H' | 'S' | 'D' =>
  bits === 16 ? 'H' : bits === 32 ? 'S' : 'D';

export const isFormat = ({ ftype }: { readonly ftype: number }): boolean => formatOf(ftype) !== undefined;

/** The format of an allocated row. */
export const knownFormat = ({ ftype }: { readonly ftype: number }): FormatBits => formatOf(ftype) ?? 64;

/** V[n] as a number of the format, in a word. */
export function readFloat(s: Semantics, n: Value, bits: FormatBits): Value {
  if (bits === 64) return s.readV(n, 64);
  return s.zeroExtend(s.readV(n, 32), bits, 64);
}

/** Writes a number of the format and clears the rest of V[n]. */
export function writeFloat(s: Semantics, n: Value, bits: FormatBits, value: Value): void {
  s.writeV(n, bits === 64 ? value : s.low32(value));
}

/** A SIMD&FP register by the name that ftype gives it. */
export const F = (field: string): Operand => V(field, (f: Fields) => ((formatOf(f.ftype) ?? 64) / 8) as VectorBytes);
