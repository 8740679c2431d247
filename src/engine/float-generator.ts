// The part of the semantics interface that is floating point: calls of the functions of float-functions.ts.

import type { FormatBits } from '../isa/floating-point/format.ts';
import { fpcrBit } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import { floatOperands } from '../isa/floating-point/operations.ts';
import type { Semantics, Value } from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { cpuLocal } from './emitting.ts';
import { constant, localValue, type Node, vectorNode } from './expression.ts';
import { floatFunctionIndex, fpcrOffset, fpsrOffset } from './float-functions.ts';
import { hostFloat, type HostResult } from './host-float.ts';
import { hostLanes } from './host-lanes.ts';
import { replaceLane, VectorGenerator } from './vector-generator.ts';
import { floatSignature } from './wasm/module.ts';
import { op, simd, type } from './wasm/opcodes.ts';

export abstract class FloatGenerator
  extends VectorGenerator
  implements Pick<Semantics, 'float' | 'floatLanes' | 'roundingMode' | 'raiseFPSR'>
{
  /** Whether the host's own operations stand in the code, before the call of the exact function. */
  protected readonly inlinesHostFloat: boolean = false;

  /** It is done at once, and once, for it changes FPSR. */
  float(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): Value {
    const result = this.allocate(type.i64);
    const kept = this.inlinesHostFloat ? operands.map((operand) => this.kept(operand)) : operands;
    const host = this.inlinesHostFloat ? this.hostResult(operation, bits, kept) : undefined;
    this.choose(host, result, () => {
      this.callExact(operation, bits, kept);
      this.set(result);
    });
    return localValue(64, result, true);
  }

  floatLanes(operation: FloatOperation, bits: FormatBits, lanes: number, operands: readonly Value[]): Value {
    const result = this.allocate(type.v128);
    const isHalf = lanes * bits === 64;
    // What is in the upper half must not keep the host from doing the lower one: it does that twice.
    const whole = (operand: Value): Value =>
      isHalf && operand.width === 128 ? this.splat(64, this.laneOf(operand, 64, 0)) : operand;
    const kept = operands.map((operand) => this.kept(this.inlinesHostFloat ? whole(operand) : operand));
    const host = this.inlinesHostFloat ? hostLanes(this, operation, bits, kept, this.floatControl()) : undefined;
    this.choose(host, result, () => {
      this.emit(constant(128, 0n));
      for (let lane = 0; lane < lanes; lane += 1) {
        const elements = kept.map((operand) => (operand.width === 128 ? this.laneOf(operand, bits, lane) : operand));
        this.callExact(operation, bits, elements);
        if (bits !== 64) this.w.byte(op.i32_wrap_i64);
        this.w.byte(op.simd);
        this.w.u32(replaceLane[bits]);
        this.w.byte(lane);
      }
      this.set(result);
    });
    const vector = localValue(128, result, true);
    return isHalf ? vectorNode(simd.v128_and, 128, vector, constant(128, (1n << 64n) - 1n), -1) : vector;
  }

  /** The host's result, where there is one and it holds; else what `exact` leaves in the local. */
  private choose(host: HostResult | undefined, result: number, exact: () => void): void {
    if (host === undefined) {
      exact();
      return;
    }
    this.emit(host.holds);
    this.block(op.if, () => {
      this.arm(() => {
        this.emit(host.value);
        this.set(result);
        this.w.byte(op.else);
        exact();
      });
    });
  }

  private kept(operand: Value): Node {
    const { width, isConstant } = node(operand);
    return isConstant ? node(operand) : localValue(width, this.settle(node(operand)), true);
  }

  private floatControl(): { fpcr: Node; fpsr: Node } {
    return { fpcr: this.loadState(64, fpcrOffset), fpsr: this.loadState(64, fpsrOffset) };
  }

  private hostResult(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): HostResult | undefined {
    const zero = this.constant(64, 0);
    const [a = zero, b = zero, d = zero] = operands;
    return hostFloat(this, operation, bits, [a, b, d], this.floatControl());
  }

  private callExact(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): void {
    this.get(cpuLocal);
    for (let n = 0; n < floatOperands; n += 1) {
      const operand = operands[n];
      this.emit(operand === undefined ? constant(64, 0n) : node(operand));
    }
    this.callFunction(floatFunctionIndex(operation, bits), floatSignature);
  }

  roundingMode(): Value {
    const fpcr = this.loadState(64, fpcrOffset);
    return this.and(this.lsr(fpcr, this.constant(64, fpcrBit.RMode)), this.constant(64, 3));
  }

  raiseFPSR(flags: Value): void {
    this.storeState(fpsrOffset, node(this.or(this.loadState(64, fpsrOffset), flags)));
  }
}
