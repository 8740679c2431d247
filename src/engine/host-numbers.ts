// Numbers of the host's floating point, and the words in which the semantics interface has them. A number that is made a word and then a
// number again is itself: what computes with the results of computing never leaves the host's floating-point registers.

import { formats, signBit } from '../isa/floating-point/format.ts';
import type { Value } from '../isa/semantics.ts';
import type { Arithmetic } from './arithmetic.ts';
import { argumentOf, binaryArguments, constant, laneArgument, type Node, unary, vectorNode } from './expression.ts';
import { op, simd } from './wasm/opcodes.ts';

/** The formats that the host has. */
export type HostBits = 32 | 64;

const ofWord = { 32: op.f32_reinterpret_i32, 64: op.f64_reinterpret_i64 } as const;
const toWord = { 32: op.i32_reinterpret_f32, 64: op.i64_reinterpret_f64 } as const;
const wordLane = { 32: simd.i32x4_extract_lane, 64: simd.i64x2_extract_lane } as const;
const numberLane = { 32: simd.f32x4_extract_lane, 64: simd.f64x2_extract_lane } as const;
const negation = { 32: op.f32_neg, 64: op.f64_neg } as const;

/** The number that a word was made of, or the lane that it was taken from, as a number; undefined where it was made in another way. */
export function numberBehind(g: Arithmetic, word: Value, bits: HostBits): Node | undefined {
  const low = bits === 64 ? (word as Node) : (g.low32(word) as Node);
  const number = argumentOf(low, toWord[bits]);
  if (number) return number;
  const element = laneArgument(low, wordLane[bits]);
  if (element) return vectorNode(numberLane[bits], bits, element.vector, undefined, element.lane);
  // FPNeg turns the sign of a word.
  const operands = binaryArguments(bits === 64 ? (word as Node) : wideOf(word as Node), op.i64_xor);
  if (!operands?.[1].isConstant || operands[1].bits !== signBit(formats[bits])) return undefined;
  const negated = numberBehind(g, operands[0], bits);
  return negated && unary(negation[bits], bits, negated);
}

/** A 32-bit word that is the low half of a doubleword. */
const wideOf = (word: Node): Node => (word.width === 32 ? (argumentOf(word, op.i32_wrap_i64) ?? word) : word);

/** A number of the host, made of a word. */
export function numberOf(g: Arithmetic, word: Value, bits: HostBits): Node {
  const known = numberBehind(g, word, bits);
  if (known) return known;
  return unary(ofWord[bits], bits, (bits === 64 ? word : g.low32(word)) as Node);
}

/** A number as a word of 64 bits. */
export function wordOf(number: Node, bits: HostBits): Node {
  const word = unary(toWord[bits], bits, number);
  return bits === 64 ? word : unary(op.i64_extend_i32_u, 64, word);
}

/** 2^exponent as bits. */
export const powerOf2 = (bits: HostBits, exponent: number): bigint =>
  BigInt(formats[bits].bias + exponent) << BigInt(formats[bits].fractionBits);

/** The vector whose lanes are all this number, as bits. */
export function everywhere(bits: HostBits, lane: bigint): Node {
  return constant(128, bits === 64 ? lane | (lane << 64n) : (lane | (lane << 32n)) * ((1n << 64n) + 1n));
}
