// Floating point on vectors by the host: what host-float.ts decides for one number, for all lanes at once. The host's result is taken where
// it is the result in every lane, and no lane raises anything that is not in FPSR already.

import { type FormatBits, formats, rounding } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import type { Value } from '../isa/semantics.ts';
import { type Arithmetic, node } from './arithmetic.ts';
import { addendRange, bracketedMultiplyAdd, type Doubles, exactSum, factorRange } from './exact-sums.ts';
import { type Node, shuffleNode, ternaryVectorNode, vectorNode } from './expression.ts';
import { type FloatControl, type HostResult, mayBeInexact } from './host-float.ts';
import { everywhere, type HostBits, powerOf2 } from './host-numbers.ts';
import { simd } from './wasm/opcodes.ts';

type Codes = Readonly<Record<HostBits, number>>;

const apply = (code: number, a: Value, b?: Value): Node => vectorNode(code, 128, node(a), b && node(b), -1);

const allTrue = (bits: HostBits, mask: Node): Node =>
  vectorNode(bits === 64 ? simd.i64x2_all_true : simd.i32x4_all_true, 32, mask, undefined, -1);

const absoluteOf: Codes = { 32: simd.f32x4_abs, 64: simd.f64x2_abs };
const lessCode: Codes = { 32: simd.f32x4_lt, 64: simd.f64x2_lt };
const notLessCode: Codes = { 32: simd.f32x4_ge, 64: simd.f64x2_ge };
const equalCode: Codes = { 32: simd.f32x4_eq, 64: simd.f64x2_eq };

/** Mask of the lanes with 2^least <= |a| < 2^most; no NaN is. */
function isBetween(bits: HostBits, a: Value, least: number, most: number): Node {
  const magnitude = apply(absoluteOf[bits], a);
  return apply(
    simd.v128_and,
    apply(notLessCode[bits], magnitude, everywhere(bits, powerOf2(bits, least))),
    apply(lessCode[bits], magnitude, everywhere(bits, powerOf2(bits, most))),
  );
}

/** Mask of the normal numbers whose exponent is not the least one. */
const isSafe = (bits: HostBits, a: Value): Node => isBetween(bits, a, 2 - formats[bits].bias, formats[bits].bias + 1);

const isNumber = (bits: HostBits, a: Value): Node => apply(equalCode[bits], a, a);

const both = (...masks: readonly Node[]): Node => masks.reduce((a, b) => apply(simd.v128_and, a, b));

const binaryCodes: Readonly<Partial<Record<FloatOperation, Codes>>> = {
  add: { 32: simd.f32x4_add, 64: simd.f64x2_add },
  sub: { 32: simd.f32x4_sub, 64: simd.f64x2_sub },
  mul: { 32: simd.f32x4_mul, 64: simd.f64x2_mul },
  mulX: { 32: simd.f32x4_mul, 64: simd.f64x2_mul },
  div: { 32: simd.f32x4_div, 64: simd.f64x2_div },
};
const rootCode: Codes = { 32: simd.f32x4_sqrt, 64: simd.f64x2_sqrt };

const relations: Readonly<Partial<Record<FloatOperation, Codes>>> = {
  compareEQ: equalCode,
  compareGE: notLessCode,
  compareGT: { 32: simd.f32x4_gt, 64: simd.f64x2_gt },
};
const extremes: Readonly<Partial<Record<FloatOperation, Codes>>> = {
  max: { 32: simd.f32x4_max, 64: simd.f64x2_max },
  min: { 32: simd.f32x4_min, 64: simd.f64x2_min },
  maxNum: { 32: simd.f32x4_max, 64: simd.f64x2_max },
  minNum: { 32: simd.f32x4_min, 64: simd.f64x2_min },
};

const doubles: Doubles = {
  sum: (a, b) => apply(simd.f64x2_add, a, b),
  difference: (a, b) => apply(simd.f64x2_sub, a, b),
  product: (a, b) => apply(simd.f64x2_mul, a, b),
  number: (bits) => everywhere(64, bits),
};

interface Fused {
  readonly value: Node;
  readonly holds: Node;
}

/** FPMulAdd of two doubles. */
function doubleMultiplyAdd(addend: Node, a: Node, b: Node): Fused {
  const { value, more, less, lost } = bracketedMultiplyAdd(doubles, addend, a, b);
  const isCertain = apply(
    simd.v128_or,
    apply(simd.f64x2_eq, more, less),
    apply(simd.f64x2_eq, lost, everywhere(64, 0n)),
  );
  const isWithin = (vector: Node, range: number): Node => isBetween(64, vector, -range, range + 1);
  return {
    value: node(value),
    holds: both(isCertain, isWithin(a, factorRange), isWithin(b, factorRange), isWithin(addend, addendRange)),
  };
}

/**
 * FPMulAdd of two singles: doubles hold the product, and the rounded sum rounds to the same single as the exact one, unless it lies in the
 * middle of two without being exact.
 */
function pairMultiplyAdd(addend: Node, a: Node, b: Node): Fused {
  const wide = (pair: Node): Node => apply(simd.f64x2_promote_low_f32x4, pair);
  const { high, low } = exactSum(doubles, doubles.product(wide(a), wide(b)), wide(addend));
  const cutOff = apply(simd.v128_and, high, everywhere(64, (1n << 29n) - 1n));
  const isMiddle = apply(simd.i64x2_eq, cutOff, everywhere(64, 1n << 28n));
  const isExact = apply(simd.f64x2_eq, low, everywhere(64, 0n));
  return {
    value: apply(simd.f32x4_demote_f64x2_zero, high),
    holds: apply(simd.v128_or, isExact, apply(simd.v128_xor, isMiddle, everywhere(64, (1n << 64n) - 1n))),
  };
}

const upperFirst = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const lowerOfBoth = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

function singleMultiplyAdd(addend: Node, a: Node, b: Node): Fused {
  const upper = (vector: Node): Node => shuffleNode(vector, vector, upperFirst);
  const first = pairMultiplyAdd(addend, a, b);
  const second = pairMultiplyAdd(upper(addend), upper(a), upper(b));
  return { value: shuffleNode(first.value, second.value, lowerOfBoth), holds: both(first.holds, second.holds) };
}

const isConstant = (value: Value, wanted: number): boolean =>
  node(value).isConstant && node(value).bits === BigInt(wanted);

/** The operation on all lanes by the host; undefined where it has none. Operands that are the same for all lanes are words. */
export function hostLanes(
  g: Arithmetic,
  operation: FloatOperation,
  bits: FormatBits,
  operands: readonly Value[],
  control: FloatControl,
): HostResult | undefined {
  if (bits === 16) return undefined;
  const [a, b, d] = operands.map(node);
  if (!a) return undefined;
  const result = (value: Node, isAllowed: Value, ...masks: readonly Node[]): HostResult => ({
    value,
    holds: node(masks.length === 0 ? isAllowed : g.and(isAllowed, allTrue(bits, both(...masks)))),
  });
  const code = binaryCodes[operation]?.[bits];
  if (code !== undefined) {
    const value = apply(code, a, b);
    return result(value, mayBeInexact(g, control), isSafe(bits, value));
  }
  const relation = relations[operation]?.[bits];
  if (relation !== undefined && b) {
    const value = apply(simd.v128_and, apply(relation, a, b), everywhere(bits, 1n));
    return result(value, control.isPlain, isNumber(bits, a), isNumber(bits, b));
  }
  const extreme = extremes[operation]?.[bits];
  if (extreme !== undefined && b) {
    return result(apply(extreme, a, b), control.isPlain, isNumber(bits, a), isNumber(bits, b));
  }
  if (operation === 'sqrt') {
    const value = apply(rootCode[bits], a);
    return result(value, mayBeInexact(g, control), isSafe(bits, value));
  }
  if (operation === 'mulAdd' && b && d) {
    if (control.fuses) {
      const value = ternaryVectorNode(bits === 64 ? simd.f64x2_relaxed_madd : simd.f32x4_relaxed_madd, b, d, a);
      return result(value, mayBeInexact(g, control), isSafe(bits, value));
    }
    const { value, holds } = bits === 64 ? doubleMultiplyAdd(a, b, d) : singleMultiplyAdd(a, b, d);
    return result(value, mayBeInexact(g, control), holds, isSafe(bits, value));
  }
  // Integers of 32 bits, without fraction bits, and cut off.
  if (bits === 64 || !b || !isConstant(b, 0)) return undefined;
  if (operation === 'fromSigned32') return result(apply(simd.f32x4_convert_i32x4_s, a), mayBeInexact(g, control));
  if (operation === 'fromUnsigned32') return result(apply(simd.f32x4_convert_i32x4_u, a), mayBeInexact(g, control));
  if (operation !== 'toSigned32' || !d || !isConstant(d, rounding.zero)) return undefined;
  const isSmall = apply(simd.f32x4_lt, apply(simd.f32x4_abs, a), everywhere(32, powerOf2(32, 31)));
  return result(apply(simd.i32x4_trunc_sat_f32x4_s, a), mayBeInexact(g, control), isSmall);
}
