// Floating point by the host, where it means the same: WebAssembly's numbers are IEEE 754, rounded to nearest, without flags. An operation
// is the host's if
//   - FPCR asks for nothing else: RMode, FZ, FZ16, DN and AHP are 0;
//   - it raises nothing that is not in FPSR already: FPSR.IXC is set, and the result is a normal number, not of the least exponent, to
//     which a number too small for it may have been rounded. Infinities, NaNs, most zeros and underflow are left to the exact functions
//     (float-functions.ts), and so is everything that comes before the first inexact result.
// The result alone is looked at: an operand that is a NaN or an infinity gives no normal number, but where that is said otherwise.

import { type FormatBits, formats, fpcrBit, fpsr, rounding } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import { floatOperands } from '../isa/floating-point/operations.ts';
import type { Value } from '../isa/semantics.ts';
import type { Arithmetic } from './arithmetic.ts';
import { addendRange, bracketedMultiplyAdd, type Doubles, exactSum, factorRange } from './exact-sums.ts';
import { binaryNode, type Node, ternaryVectorNode, unary, vectorNode } from './expression.ts';
import { type HostBits, numberOf, wordOf } from './host-numbers.ts';
import { op, simd } from './wasm/opcodes.ts';

/** What the host gives, and under which condition (32 bits, 0 or 1) that is the result, and the flags stay as they are. */
export interface HostResult {
  readonly value: Node;
  readonly holds: Node;
}

/** What FPCR and FPSR allow, and what the host can do. */
export interface FloatControl {
  /** No field of FPCR that changes a result is set: 32 bits, 0 or 1. */
  readonly isPlain: Node;
  /** `safeLimit` where, besides, FPSR.IXC is set: results may be inexact; else 0. */
  readonly limit: Node;
  /** The host rounds a product and a sum once. */
  readonly fuses: boolean;
  /** Zeros are looked at: where the text is made once. */
  readonly takesZeros?: boolean;
}

/**
 * A number is safe if its exponent field is above 1 and its upper word, shifted left by one, is less than this plus that of the least safe
 * number: of 32 bits, the finite numbers; of 64 bits, those below 2^1003.
 */
const safeLimit = 0xfd00_0000;

/** Every field of FPCR that changes a result. */
const modes = BigInt(
  (1 << fpcrBit.FZ16) | (3 << fpcrBit.RMode) | (1 << fpcrBit.FZ) | (1 << fpcrBit.DN) | (1 << fpcrBit.AHP),
);

const binaryCodes: Readonly<Partial<Record<FloatOperation, Readonly<Record<HostBits, number>>>>> = {
  add: { 32: op.f32_add, 64: op.f64_add },
  sub: { 32: op.f32_sub, 64: op.f64_sub },
  mul: { 32: op.f32_mul, 64: op.f64_mul },
  mulX: { 32: op.f32_mul, 64: op.f64_mul },
  div: { 32: op.f32_div, 64: op.f64_div },
};
const sqrtCode = { 32: op.f32_sqrt, 64: op.f64_sqrt } as const;

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

/** The least safe number without its sign, and of 64 bits its upper word. */
const leastSafe = { 32: 2 << 24, 64: 2 << 21 } as const;

/** A number that is no NaN, infinity or zero, neither tiny nor, of 64 bits, huge; nothing is where results may not be inexact. */
function isSafe(g: Arithmetic, word: Value, bits: HostBits, limit: Value): Value {
  const upper = g.low32(bits === 64 ? g.lsr(word, constantOf(g, 32)) : word);
  return g.ltU(g.sub(g.lsl(upper, g.constant(32, 1)), g.constant(32, leastSafe[bits])), limit);
}

export const isPlainFpcr = (g: Arithmetic, fpcr: Value): Node =>
  g.eq(g.and(fpcr, constantOf(g, modes)), constantOf(g, 0)) as Node;

/** What FPCR and FPSR, as words, allow. */
export function controlOf(g: Arithmetic, fpcr: Value, status: Value, fuses: boolean): FloatControl {
  const isPlain = isPlainFpcr(g, fpcr);
  return { isPlain, limit: limitOf(g, isPlain, status), fuses };
}

export function limitOf(g: Arithmetic, isPlain: Value, status: Value): Node {
  const mayBeInexact = g.and(isPlain, g.low32(g.lsr(status, constantOf(g, Math.log2(fpsr.IXC)))));
  return g.select(mayBeInexact, g.constant(32, safeLimit), g.constant(32, 0)) as Node;
}

export const mayBeInexact = (g: Arithmetic, { limit }: FloatControl): Node => g.ne(limit, g.constant(32, 0)) as Node;

/** The host's product and sum, rounded once. */
function fused(bits: HostBits, addend: Node, a: Node, b: Node): Node {
  const [splat, multiplyAdd, lane] =
    bits === 64
      ? [simd.f64x2_splat, simd.f64x2_relaxed_madd, simd.f64x2_extract_lane]
      : [simd.f32x4_splat, simd.f32x4_relaxed_madd, simd.f32x4_extract_lane];
  const [x, y, z] = [a, b, addend].map((number) => vectorNode(splat, 128, number, undefined, -1)) as [Node, Node, Node];
  return vectorNode(lane, bits, ternaryVectorNode(multiplyAdd, x, y, z), undefined, 0);
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

/** Conditions are 0 or 1. */
function result(g: Arithmetic, value: Value, ...conditions: readonly Value[]): HostResult {
  const open = (conditions as readonly Node[]).filter(({ isConstant, bits }) => !isConstant || bits === 0n);
  const [first = g.constant(32, 1), ...others] = open;
  return { value: value as Node, holds: both(g, first, ...others) as Node };
}

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

/** A zero that no rounding has made: every one of a sum, and that of a product or quotient of a zero. */
function isExactZero(
  g: Arithmetic,
  operation: FloatOperation,
  bits: HostBits,
  [value, a, b]: readonly [Value, Value, Value],
): Value {
  const zero = constantOf(g, 0);
  const isNull = (number: Value): Value => g.eq(g.lsl(number, constantOf(g, 65 - bits)), zero);
  if (operation === 'add' || operation === 'sub') return isNull(value);
  const isOfZero = operation === 'div' ? isNull(a) : g.or(isNull(a), isNull(b));
  return g.and(isNull(value), isOfZero);
}

/** How many of the operands, the first ones, are numbers of the format. */
export function numberOperands(operation: FloatOperation): number {
  if (operation.startsWith('from')) return 0;
  return operation.startsWith('to') || operation.startsWith('convert') ? 1 : floatOperands;
}

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
    const isOrdinary = isSafe(g, value, bits, control.limit);
    const isZero = control.takesZeros ? isExactZero(g, operation, bits, [value, a, b]) : undefined;
    return result(g, value, isZero ? g.or(isOrdinary, g.and(control.isPlain, isZero)) : isOrdinary);
  }
  switch (operation) {
    case 'sqrt': {
      const value = wordOf(unary(sqrtCode[bits], bits, numberOf(g, a, bits)), bits);
      return result(g, value, isSafe(g, value, bits, control.limit));
    }
    case 'mulAdd': {
      if (control.fuses) {
        const value = wordOf(fused(bits, numberOf(g, a, bits), numberOf(g, b, bits), numberOf(g, d, bits)), bits);
        return result(g, value, isSafe(g, value, bits, control.limit));
      }
      const { value, isCertain } = (bits === 64 ? doubleMultiplyAdd : singleMultiplyAdd)(g, a, b, d);
      return result(g, value, isCertain, isSafe(g, value, bits, control.limit));
    }
    case 'compareQuiet':
    case 'compareSignaling':
      return result(g, relation(g, a, b, bits), control.isPlain, isNumber(g, a, bits), isNumber(g, b, bits));
    case 'compareEQ':
    case 'compareGE':
    case 'compareGT': {
      const holds = g.zeroExtend(compared(g, relations[operation], a, b, bits), 32, 64);
      return result(g, holds, control.isPlain, isNumber(g, a, bits), isNumber(g, b, bits));
    }
    case 'max':
    case 'min':
    case 'maxNum':
    case 'minNum': {
      const number = binaryNode(extremes[operation][bits], bits, numberOf(g, a, bits), numberOf(g, b, bits));
      return result(g, wordOf(number, bits), control.isPlain, isNumber(g, a, bits), isNumber(g, b, bits));
    }
    case 'convertTo64': {
      const value = wordOf(unary(op.f64_promote_f32, 64, numberOf(g, a, 32)), 64);
      return result(g, value, control.isPlain, isSafe(g, a, 32, g.constant(32, safeLimit)));
    }
    case 'convertTo32': {
      const value = wordOf(unary(op.f32_demote_f64, 32, numberOf(g, a, 64)), 32);
      const isToNearest = g.eq(b, constantOf(g, rounding.tieEven));
      return result(g, value, isToNearest, isSafe(g, value, 32, control.limit));
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
    // A double has every integer of 32 bits.
    return result(
      g,
      value,
      bits === 64 && operation.endsWith('32') ? control.isPlain : mayBeInexact(g, control),
      isInteger,
    );
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
