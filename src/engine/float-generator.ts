// The part of the semantics interface that is floating point: calls of the functions of float-functions.ts.

import type { FormatBits } from '../isa/floating-point/format.ts';
import { fpcrBit } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import { floatOperands } from '../isa/floating-point/operations.ts';
import type { Semantics, Value } from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { cpuLocal } from './emitting.ts';
import { constant, localNumber, localValue, type Node, vectorNode } from './expression.ts';
import { floatFunctionIndex, fpcrOffset, fpsrOffset } from './float-functions.ts';
import { type FloatControl, hostFloat, type HostResult, isPlainFpcr, limitOf, numberOperands } from './host-float.ts';
import { hostLanes } from './host-lanes.ts';
import { type HostBits, numberBehind, numberOf, wordOf } from './host-numbers.ts';
import { replaceLane, VectorGenerator } from './vector-generator.ts';
import { hostFuses } from './wasm/host-fuses.ts';
import { floatSignature } from './wasm/module.ts';
import { op, simd, type } from './wasm/opcodes.ts';

export abstract class FloatGenerator
  extends VectorGenerator
  implements Pick<Semantics, 'float' | 'floatLanes' | 'roundingMode' | 'raiseFPSR'>
{
  /** Whether the host's own operations stand in the code, before the call of the exact function. */
  protected readonly inlinesHostFloat: boolean = false;
  /** Locals that hold what FPCR and FPSR allow (FloatControl); none where nobody has asked yet. */
  private controlLocals: { readonly isPlain: number; readonly limit: number } | undefined;

  protected override resetLocals(): void {
    super.resetLocals();
    this.controlLocals = undefined;
  }

  /** It is done at once, and once, for it changes FPSR. */
  float(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): Value {
    if (!this.inlinesHostFloat || bits === 16) {
      const result = this.allocate(type.i64);
      this.callExact(operation, bits, operands);
      this.set(result);
      return localValue(64, result, true);
    }
    const kept = operands.map((operand, n) =>
      n < numberOperands(operation) ? this.keptNumber(operand, bits) : this.kept(operand),
    );
    const zero = this.constant(64, 0);
    const [a = zero, b = zero, d = zero] = kept;
    const host = hostFloat(this, operation, bits, [a, b, d], this.floatControl());
    const resultBits = operation === 'convertTo64' ? 64 : operation === 'convertTo32' ? 32 : bits;
    const number = host && numberBehind(this, host.value, resultBits);
    if (!number) {
      const result = this.allocate(type.i64);
      this.choose(host, result, () => {
        this.callExact(operation, bits, kept);
        this.set(result);
      });
      return localValue(64, result, true);
    }
    const result = this.allocate(number.type);
    this.choose({ value: number, holds: host.holds }, result, () => {
      this.callExact(operation, bits, kept);
      if (resultBits === 32) this.w.byte(op.i32_wrap_i64);
      this.w.byte(resultBits === 64 ? op.f64_reinterpret_i64 : op.f32_reinterpret_i32);
      this.set(result);
    });
    return wordOf(localNumber(resultBits, result, true), resultBits);
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
    this.w.byte(op.i32_eqz);
    this.ifSeldom(() => {
      this.arm(() => {
        exact();
        this.renewLimit();
        this.w.byte(op.else);
        this.emit(host.value);
        this.set(result);
      });
    });
  }

  private kept(operand: Value): Node {
    const { width, isConstant } = node(operand);
    return isConstant ? node(operand) : localValue(width, this.settle(node(operand)), true);
  }

  /** An operand that the host computes with stays a number. */
  private keptNumber(operand: Value, bits: HostBits): Node {
    if (node(operand).isConstant) return node(operand);
    return wordOf(localNumber(bits, this.settle(numberOf(this, operand, bits)), true), bits);
  }

  private locals(): { readonly isPlain: number; readonly limit: number } {
    this.controlLocals ??= { isPlain: this.allocate(type.i32), limit: this.allocate(type.i32) };
    return this.controlLocals;
  }

  private floatControl(): FloatControl {
    const { isPlain, limit } = this.locals();
    return { isPlain: localValue(32, isPlain, false), limit: localValue(32, limit, false), fuses: hostFuses() };
  }

  /** At the entry of a function whose text has been made. */
  protected loadFloatControl(): void {
    if (this.controlLocals) this.renewFloatControl();
  }

  /** FPCR or FPSR has been written to. */
  protected renewFloatControl(): void {
    const { isPlain } = this.locals();
    this.emit(isPlainFpcr(this, this.loadState(64, fpcrOffset)));
    this.set(isPlain);
    this.renewLimit();
  }

  /** FPSR may have got IXC. */
  private renewLimit(): void {
    const { isPlain, limit } = this.locals();
    this.emit(limitOf(this, localValue(32, isPlain, false), this.loadState(64, fpsrOffset)));
    this.set(limit);
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
