// Floating point by the host, where it means the same: WebAssembly's numbers are IEEE 754, rounded to nearest, without flags. An operation
// is the host's if
//   - FPCR asks for nothing else: RMode, FZ, FZ16, DN and AHP are 0;
//   - it raises nothing that is not in FPSR already: FPSR.IXC is set, and the result is a normal number, not of the least exponent, to
//     which a number too small for it may have been rounded. Infinities, NaNs, zeros and underflow are left to the exact functions
//     (float-functions.ts), and so is everything that comes before the first inexact result.
// The result alone is looked at: an operand that is a NaN or an infinity gives no normal number, but where that is said otherwise.

import { type FormatBits, formats, fpcrBit, fpsr, rounding } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import type { Value } from '../isa/semantics.ts';
import type { Arithmetic } from './arithmetic.ts';
import { addendRange, bracketedMultiplyAdd, type Doubles, exactSum, factorRange } from './exact-sums.ts';
import { binaryNode, type Node, unary } from './expression.ts';
import { op } from './wasm/opcodes.ts';

/** What the host gives, and under which condition (32 bits, 0 or 1) that is the result, and the flags stay as they are. */
export interface HostResult {
  readonly value: Node;
  readonly holds: Node;
}

/** FPCR and FPSR as words. */
export interface FloatControl {
  readonly fpcr: Value;
  readonly fpsr: Value;
}

/** Every field of FPCR that changes a result. */
const modes = BigInt(
  (1 << fpcrBit.FZ16) | (3 << fpcrBit.RMode) | (1 << fpcrBit.FZ) | (1 << fpcrBit.DN) | (1 << fpcrBit.AHP),
);

type HostBits = 32 | 64;

const binaryCodes: Readonly<Partial<Record<FloatOperation, Readonly<Record<HostBits, number>>>>> = {
  add: { 32: op.f32_add, 64: op.f64_add },
  sub: { 32: op.f32_sub, 64: op.f64_sub },
  mul: { 32: op.f32_mul, 64: op.f64_mul },
  mulX: { 32: op.f32_mul, 64: op.f64_mul },
  div: { 32: op.f32_div, 64: op.f64_div },
};
const sqrtCode = { 32: op.f32_sqrt, 64: op.f64_sqrt } as const;

/** A number of the host, made of a word; and a word made of one. Each number is used once, so that it never needs a local. */
function numberOf(g: Arithmetic, word: Value, bits: HostBits): Node {
  return bits === 64
    ? unary(op.f64_reinterpret_i64, 64, word as Node)
    : unary(op.f32_reinterpret_i32, 32, g.low32(word) as Node);
}
function wordOf(number: Node, bits: HostBits): Node {
  if (bits === 64) return unary(op.i64_reinterpret_f64, 64, number);
  return unary(op.i64_extend_i32_u, 64, unary(op.i32_reinterpret_f32, 32, number));
}

const constantOf = (g: Arithmetic, value: number | bigint): Value => g.constant(64, value);
const both = (g: Arithmetic, ...conditions: readonly Value[]): Value => conditions.reduce((a, b) => g.and(a, b));

/** The exponent field. */
const fieldOf = (g: Arithmetic, word: Value, bits: HostBits): Value => {
  const { fractionBits, maxExponent } = formats[bits];
  return g.and(g.lsr(word, constantOf(g, fractionBits)), constantOf(g, maxExponent));
};

/** Whether least <= word <= most, both unsigned and word not below least by wrapping. */
const isBetween = (g: Arithmetic, word: Value, least: number, most: number): Value =>
  g.ltU(g.sub(word, constantOf(g, least)), constantOf(g, most - least + 1));

/** A normal number whose exponent is not the least one. */
const isSafe = (g: Arithmetic, word: Value, bits: HostBits): Value =>
  isBetween(g, fieldOf(g, word, bits), 2, formats[bits].maxExponent - 1);

export const isPlain = (g: Arithmetic, { fpcr }: FloatControl): Value =>
  g.eq(g.and(fpcr, constantOf(g, modes)), constantOf(g, 0));

/** No field of FPCR is set, and FPSR.IXC is. */
export function mayBeInexact(g: Arithmetic, control: FloatControl): Value {
  const missing = g.xor(g.and(control.fpsr, constantOf(g, fpsr.IXC)), constantOf(g, fpsr.IXC));
  return g.eq(g.or(g.and(control.fpcr, constantOf(g, modes)), missing), constantOf(g, 0));
}

/** Doubles as words. */
const doubles = (g: Arithmetic): Doubles => {
  const by =
    (code: number) =>
    (a: Value, b: Value): Value =>
      wordOf(binaryNode(code, 64, numberOf(g, a, 64), numberOf(g, b, 64)), 64);
  return {
    sum: by(op.f64_add),
    difference: by(op.f64_sub),
    product: by(op.f64_mul),
    number: (bits) => constantOf(g, bits),
  };
};

interface Fused {
  readonly value: Value;
  readonly isCertain: Value;
}

const isZero = (g: Arithmetic, number: Value): Value => g.eq(g.lsl(number, constantOf(g, 1)), constantOf(g, 0));

/** FPMulAdd of doubles. */
function doubleMultiplyAdd(g: Arithmetic, addend: Value, a: Value, b: Value): Fused {
  const { bias } = formats[64];
  const { value, more, less, lost } = bracketedMultiplyAdd(doubles(g), addend, a, b);
  const isWithin = (word: Value, range: number): Value =>
    isBetween(g, fieldOf(g, word, 64), bias - range, bias + range);
  const isInRange = both(g, isWithin(a, factorRange), isWithin(b, factorRange), isWithin(addend, addendRange));
  return { value, isCertain: both(g, g.or(g.eq(more, less), isZero(g, lost)), isInRange) };
}

/**
 * FPMulAdd of singles: doubles hold the product, and the rounded sum rounds to the same single as the exact one, unless it lies in the middle
 * of two without being exact.
 */
function singleMultiplyAdd(g: Arithmetic, addend: Value, a: Value, b: Value): Fused {
  const wide = (word: Value): Value => wordOf(unary(op.f64_promote_f32, 64, numberOf(g, word, 32)), 64);
  const on = doubles(g);
  const { high, low } = exactSum(on, on.product(wide(a), wide(b)), wide(addend));
  const cutOff = g.and(high, constantOf(g, 2 ** 29 - 1));
  return {
    value: wordOf(unary(op.f32_demote_f64, 32, numberOf(g, high, 64)), 32),
    isCertain: g.or(g.ne(cutOff, constantOf(g, 2 ** 28)), isZero(g, low)),
  };
}

const result = (g: Arithmetic, value: Value, ...conditions: readonly Value[]): HostResult => ({
  value: value as Node,
  holds: both(g, ...conditions) as Node,
});

/** NZCV of two numbers that are no NaNs, as FPCompare gives it. */
function relation(g: Arithmetic, a: Value, b: Value, bits: HostBits): Value {
  const isEqual = compared(g, { 32: op.f32_eq, 64: op.f64_eq }, a, b, bits);
  const isLess = compared(g, { 32: op.f32_lt, 64: op.f64_lt }, a, b, bits);
  const nzcv = (value: number): Value => constantOf(g, value);
  return g.select(isEqual, nzcv(0b0110), g.select(isLess, nzcv(0b1000), nzcv(0b0010)));
}

const compared = (g: Arithmetic, code: Readonly<Record<HostBits, number>>, a: Value, b: Value, bits: HostBits): Value =>
  binaryNode(code[bits], 32, numberOf(g, a, bits), numberOf(g, b, bits));

/** No NaN. */
const isNumber = (g: Arithmetic, a: Value, bits: HostBits): Value =>
  compared(g, { 32: op.f32_eq, 64: op.f64_eq }, a, a, bits);

const relations = {
  compareEQ: { 32: op.f32_eq, 64: op.f64_eq },
  compareGE: { 32: op.f32_ge, 64: op.f64_ge },
  compareGT: { 32: op.f32_gt, 64: op.f64_gt },
} as const;
const extremes = {
  max: { 32: op.f32_max, 64: op.f64_max },
  min: { 32: op.f32_min, 64: op.f64_min },
  maxNum: { 32: op.f32_max, 64: op.f64_max },
  minNum: { 32: op.f32_min, 64: op.f64_min },
} as const;

/** From integers: the operand, the number of fraction bits. */
const conversionsFrom: Readonly<Partial<Record<FloatOperation, Readonly<Record<HostBits, number>>>>> = {
  fromSigned32: { 32: op.f32_convert_i32_s, 64: op.f64_convert_i32_s },
  fromSigned64: { 32: op.f32_convert_i64_s, 64: op.f64_convert_i64_s },
  fromUnsigned32: { 32: op.f32_convert_i32_u, 64: op.f64_convert_i32_u },
  fromUnsigned64: { 32: op.f32_convert_i64_u, 64: op.f64_convert_i64_u },
};

/** To signed integers, cut off: the exponents below which no number is too large. */
const conversionsTo: Readonly<Partial<Record<FloatOperation, number>>> = { toSigned32: 31, toSigned64: 63 };

/** The operation by the host; undefined where it has none that is worth it. */
export function hostFloat(
  g: Arithmetic,
  operation: FloatOperation,
  bits: FormatBits,
  [a, b, d]: readonly [Value, Value, Value],
  control: FloatControl,
): HostResult | undefined {
  if (bits === 16) return undefined;
  const code = binaryCodes[operation]?.[bits];
  if (code !== undefined) {
    const value = wordOf(binaryNode(code, bits, numberOf(g, a, bits), numberOf(g, b, bits)), bits);
    return result(g, value, mayBeInexact(g, control), isSafe(g, value, bits));
  }
  switch (operation) {
    case 'sqrt': {
      const value = wordOf(unary(sqrtCode[bits], bits, numberOf(g, a, bits)), bits);
      return result(g, value, mayBeInexact(g, control), isSafe(g, value, bits));
    }
    case 'mulAdd': {
      const { value, isCertain } = (bits === 64 ? doubleMultiplyAdd : singleMultiplyAdd)(g, a, b, d);
      return result(g, value, mayBeInexact(g, control), isCertain, isSafe(g, value, bits));
    }
    case 'compareQuiet':
    case 'compareSignaling':
      return result(g, relation(g, a, b, bits), isPlain(g, control), isNumber(g, a, bits), isNumber(g, b, bits));
    case 'compareEQ':
    case 'compareGE':
    case 'compareGT': {
      const holds = g.zeroExtend(compared(g, relations[operation], a, b, bits), 32, 64);
      return result(g, holds, isPlain(g, control), isNumber(g, a, bits), isNumber(g, b, bits));
    }
    case 'max':
    case 'min':
    case 'maxNum':
    case 'minNum': {
      const number = binaryNode(extremes[operation][bits], bits, numberOf(g, a, bits), numberOf(g, b, bits));
      return result(g, wordOf(number, bits), isPlain(g, control), isNumber(g, a, bits), isNumber(g, b, bits));
    }
    case 'convertTo64': {
      const value = wordOf(unary(op.f64_promote_f32, 64, numberOf(g, a, 32)), 64);
      return result(g, value, isPlain(g, control), isSafe(g, a, 32));
    }
    case 'convertTo32': {
      const value = wordOf(unary(op.f32_demote_f64, 32, numberOf(g, a, 64)), 32);
      const isToNearest = g.eq(b, constantOf(g, rounding.tieEven));
      return result(g, value, mayBeInexact(g, control), isToNearest, isSafe(g, value, 32));
    }
    default:
      return hostConversion(g, operation, bits, [a, b, d], control);
  }
}

function hostConversion(
  g: Arithmetic,
  operation: FloatOperation,
  bits: HostBits,
  [a, fractionBits, mode]: readonly [Value, Value, Value],
  control: FloatControl,
): HostResult | undefined {
  const isInteger = g.eq(fractionBits, constantOf(g, 0));
  const from = conversionsFrom[operation]?.[bits];
  if (from !== undefined) {
    const operand = operation.endsWith('32') ? g.low32(a) : a;
    const value = wordOf(unary(from, bits, operand as Node), bits);
    return result(g, value, mayBeInexact(g, control), isInteger);
  }
  const width = conversionsTo[operation];
  if (width === undefined) return undefined;
  const truncated = unary(bits === 64 ? op.i64_trunc_f64_s : op.i64_trunc_f32_s, 64, numberOf(g, a, bits));
  const value = width === 31 ? g.and(truncated, constantOf(g, 0xffff_ffff)) : truncated;
  const { bias } = formats[bits];
  const isSmall = g.ltU(fieldOf(g, a, bits), constantOf(g, bias + width));
  const isCutOff = g.eq(mode, constantOf(g, rounding.zero));
  return result(g, value, mayBeInexact(g, control), isInteger, isCutOff, isSmall);
}
