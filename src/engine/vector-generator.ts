// The part of the semantics interface that works on vectors, by wasm's vector instructions.

import type { AesBox } from '../isa/crypto/aes-box.ts';
import type { ElementBits, Semantics, Value } from '../isa/semantics.ts';
import { Arithmetic, node } from './arithmetic.ts';
import { call, shuffleNode, vectorNode } from './expression.ts';
import { functionIndex } from './services.ts';
import { simd } from './wasm/opcodes.ts';

const extractLane = {
  8: simd.i8x16_extract_lane_u,
  16: simd.i16x8_extract_lane_u,
  32: simd.i32x4_extract_lane,
  64: simd.i64x2_extract_lane,
} as const;
const replaceLane = {
  8: simd.i8x16_replace_lane,
  16: simd.i16x8_replace_lane,
  32: simd.i32x4_replace_lane,
  64: simd.i64x2_replace_lane,
} as const;
const splat = { 8: simd.i8x16_splat, 16: simd.i16x8_splat, 32: simd.i32x4_splat, 64: simd.i64x2_splat } as const;

export abstract class VectorGenerator
  extends Arithmetic
  implements Pick<Semantics, 'laneOf' | 'withLane' | 'splat' | 'shuffle' | 'substituteBytes'>
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

  substituteBytes(vector: Value, box: AesBox): Value {
    return call(box === 'AES' ? functionIndex.aesBox : functionIndex.inverseAesBox, 128, [node(vector)]);
  }
}
