// The part of the semantics interface that works on vectors, by wasm's vector instructions.

import type { AesBox } from '../isa/crypto/aes-box.ts';
import type { ElementBits, LaneOperation, LaneShift, Semantics, Value } from '../isa/semantics.ts';
import { assert } from '../report/assert.ts';
import { Arithmetic, node } from './arithmetic.ts';
import { call, constant, constant32, shuffleNode, vectorNode } from './expression.ts';
import { functionIndex } from './services.ts';
import { simd } from './wasm/opcodes.ts';

const extractLane = {
  8: simd.i8x16_extract_lane_u,
  16: simd.i16x8_extract_lane_u,
  32: simd.i32x4_extract_lane,
  64: simd.i64x2_extract_lane,
} as const;
export const replaceLane = {
  8: simd.i8x16_replace_lane,
  16: simd.i16x8_replace_lane,
  32: simd.i32x4_replace_lane,
  64: simd.i64x2_replace_lane,
} as const;
const splat = { 8: simd.i8x16_splat, 16: simd.i16x8_splat, 32: simd.i32x4_splat, 64: simd.i64x2_splat } as const;

type Codes = readonly [number | undefined, number, number | undefined, number | undefined];

/** In the order of 8, 16, 32 and 64 bits; wasm has no unsigned comparison of 64 bits and no product of bytes. */
const laneCodes: Readonly<Record<LaneOperation, Codes>> = {
  mul: [undefined, simd.i16x8_mul, simd.i32x4_mul, simd.i64x2_mul],
  addSaturatingS: [simd.i8x16_add_sat_s, simd.i16x8_add_sat_s, undefined, undefined],
  addSaturatingU: [simd.i8x16_add_sat_u, simd.i16x8_add_sat_u, undefined, undefined],
  subSaturatingS: [simd.i8x16_sub_sat_s, simd.i16x8_sub_sat_s, undefined, undefined],
  subSaturatingU: [simd.i8x16_sub_sat_u, simd.i16x8_sub_sat_u, undefined, undefined],
  add: [simd.i8x16_add, simd.i16x8_add, simd.i32x4_add, simd.i64x2_add],
  sub: [simd.i8x16_sub, simd.i16x8_sub, simd.i32x4_sub, simd.i64x2_sub],
  eq: [simd.i8x16_eq, simd.i16x8_eq, simd.i32x4_eq, simd.i64x2_eq],
  gtS: [simd.i8x16_gt_s, simd.i16x8_gt_s, simd.i32x4_gt_s, simd.i64x2_gt_s],
  gtU: [simd.i8x16_gt_u, simd.i16x8_gt_u, simd.i32x4_gt_u, undefined],
  geS: [simd.i8x16_ge_s, simd.i16x8_ge_s, simd.i32x4_ge_s, simd.i64x2_ge_s],
  geU: [simd.i8x16_ge_u, simd.i16x8_ge_u, simd.i32x4_ge_u, undefined],
  minS: [simd.i8x16_min_s, simd.i16x8_min_s, simd.i32x4_min_s, undefined],
  minU: [simd.i8x16_min_u, simd.i16x8_min_u, simd.i32x4_min_u, undefined],
  maxS: [simd.i8x16_max_s, simd.i16x8_max_s, simd.i32x4_max_s, undefined],
  maxU: [simd.i8x16_max_u, simd.i16x8_max_u, simd.i32x4_max_u, undefined],
};

const shiftCodes: Readonly<Record<LaneShift, Readonly<Record<ElementBits, number>>>> = {
  left: { 8: simd.i8x16_shl, 16: simd.i16x8_shl, 32: simd.i32x4_shl, 64: simd.i64x2_shl },
  rightS: { 8: simd.i8x16_shr_s, 16: simd.i16x8_shr_s, 32: simd.i32x4_shr_s, 64: simd.i64x2_shr_s },
  rightU: { 8: simd.i8x16_shr_u, 16: simd.i16x8_shr_u, 32: simd.i32x4_shr_u, 64: simd.i64x2_shr_u },
};

export abstract class VectorGenerator
  extends Arithmetic
  implements
    Pick<Semantics, 'laneOf' | 'withLane' | 'splat' | 'shuffle' | 'lanes' | 'shiftLanes' | 'lookUp' | 'substituteBytes'>
{
  laneOf(vector: Value, bits: ElementBits, lane: number): Value {
    const element = vectorNode(extractLane[bits], bits === 64 ? 64 : 32, node(vector), undefined, lane);
    return bits === 64 ? element : this.zeroExtend(element, 32, 64);
  }

  withLane(vector: Value, bits: ElementBits, lane: number, word: Value): Value {
    const element = bits === 64 ? word : this.low32(word);
    return vectorNode(replaceLane[bits], 128, node(vector), node(element), lane);
  }

  splat(bits: ElementBits, word: Value): Value {
    return vectorNode(splat[bits], 128, node(bits === 64 ? word : this.low32(word)), undefined, -1);
  }

  shuffle(a: Value, b: Value, bytes: readonly number[]): Value {
    return shuffleNode(node(a), node(b), bytes);
  }

  lanes(operation: LaneOperation, bits: ElementBits, a: Value, b: Value): Value {
    const code = laneCodes[operation][Math.log2(bits) - 3];
    if (code !== undefined) return vectorNode(code, 128, node(a), node(b), -1);
    if (operation === 'mul') return this.productOfBytes(a, b);
    assert(operation === 'gtU' || operation === 'geU', `${operation} of ${bits} bits`);
    // Unsigned numbers are in the order of signed ones when their highest bits are turned.
    const turned = (vector: Value): Value => this.xor(vector, this.splat(64, this.constant(64, 1n << 63n)));
    return this.lanes(operation === 'gtU' ? 'gtS' : 'geS', 64, turned(a), turned(b));
  }

  /** The even bytes of halfwords, and the odd ones, by products of halfwords. */
  private productOfBytes(a: Value, b: Value): Value {
    const odd = (vector: Value): Value => this.shiftLanes('rightU', 16, vector, 8);
    const evenBytes = constant(128, (((1n << 128n) - 1n) / 0xffffn) * 0xffn);
    const low = this.and(this.lanes('mul', 16, a, b), evenBytes);
    return this.or(low, this.shiftLanes('left', 16, this.lanes('mul', 16, odd(a), odd(b)), 8));
  }

  shiftLanes(shift: LaneShift, bits: ElementBits, vector: Value, amount: number): Value {
    if (amount === 0) return vector;
    // wasm takes the amount modulo the width.
    if (amount === bits && shift !== 'rightS') return constant(128, 0n);
    return vectorNode(shiftCodes[shift][bits], 128, node(vector), constant32(Math.min(amount, bits - 1)), -1);
  }

  lookUp(table: Value, indices: Value): Value {
    return vectorNode(simd.i8x16_swizzle, 128, node(table), node(indices), -1);
  }

  substituteBytes(vector: Value, box: AesBox): Value {
    return call(box === 'AES' ? functionIndex.aesBox : functionIndex.inverseAesBox, 128, [node(vector)]);
  }
}
