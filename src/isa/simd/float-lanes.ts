// Vectors of numbers: single and double precision share an encoding with the field sz, half precision (FEAT_FP16) has one without it.

import { fpAbs, fpNeg } from '../float-operations.ts';
import type { FormatBits } from '../floating-point/format.ts';
import type { FloatOperation } from '../floating-point/names.ts';
import type { Semantics, Value } from '../semantics.ts';
import type { Operand } from '../syntax.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, type ArrangementText } from '../syntax/vectors.ts';
import { type Arrangement, mapLanes, writeVector } from './elements.ts';

/** The two encodings of a page. */
export const precisions = [
  { isHalf: false, suffix: '', feature: {} },
  { isHalf: true, suffix: 'fp16', feature: { feature: 'FEAT_FP16' } },
] as const;

interface WithSz {
  readonly sz?: number | undefined;
}

/** What size would be. */
export const sizeOfFormat = ({ sz }: WithSz): 1 | 2 | 3 => (sz === undefined ? 1 : sz === 0 ? 2 : 3);

export const formatBits = (f: WithSz): FormatBits => (8 << sizeOfFormat(f)) as FormatBits;

/** Two doubles, and no vector of one. */
export const isFloatArranged = (f: WithSz & { readonly Q: number }): boolean => f.sz !== 1 || f.Q === 1;

export const floatArrangement = (f: WithSz, Q: number): Arrangement & { readonly bits: FormatBits } => {
  const bits = formatBits(f);
  return { bits, lanes: (Q === 1 ? 128 : 64) / bits };
};

export const floats: ArrangementText = (f) => arrangedBy(sizeOfFormat(f), f.Q!);
export const floatScalar = (field: string): Operand => V(field, (f) => (formatBits(f) / 8) as VectorBytes);

/** What an operation works with: on the number of a scalar, a word, or on all lanes of a vector. A word stands for all lanes, too. */
export interface Numbers {
  readonly s: Semantics;
  readonly bits: FormatBits;
  float(operation: FloatOperation, operands: readonly Value[]): Value;
  /** FPNeg and FPAbs. */
  negate(value: Value): Value;
  absolute(value: Value): Value;
  /** -1 where a comparison has given 1. */
  mask(holds: Value): Value;
}

export const oneNumber = (s: Semantics, bits: FormatBits): Numbers => ({
  s,
  bits,
  float: (operation, operands) => s.float(operation, bits, operands),
  negate: (value) => fpNeg(s, value, bits),
  absolute: (value) => fpAbs(s, value, bits),
  mask: (holds) => s.sub(s.constant(64, 0), holds),
});

export function allNumbers(s: Semantics, { bits, lanes }: Arrangement & { readonly bits: FormatBits }): Numbers {
  const everywhere = (word: Value): Value => s.splat(bits, word);
  const zero = s.constant(64, 0);
  return {
    s,
    bits,
    float: (operation, operands) => s.floatLanes(operation, bits, lanes, operands),
    negate: (vector) => s.xor(vector, everywhere(fpNeg(s, zero, bits))),
    absolute: (vector) => s.and(vector, everywhere(fpAbs(s, s.not(zero), bits))),
    mask: (holds) => s.lanes('sub', bits, everywhere(zero), holds),
  };
}

/** V[n] becomes the vector whose elements are what `element` gives. */
export function writeFloats(
  s: Semantics,
  { n, Q, shape }: { readonly n: Value; readonly Q: number; readonly shape: Arrangement },
  element: (lane: number) => Value,
): void {
  writeVector(s, n, Q, mapLanes(s, s.readV(n, 128), shape, element));
}
