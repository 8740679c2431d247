// The part of the semantics interface that is floating point: calls of the functions of float-functions.ts.

import type { FormatBits } from '../isa/floating-point/format.ts';
import { fpcrBit } from '../isa/floating-point/format.ts';
import type { FloatOperation } from '../isa/floating-point/names.ts';
import { floatOperands } from '../isa/floating-point/operations.ts';
import type { Semantics, Value } from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { cpuLocal } from './emitting.ts';
import { constant, localValue } from './expression.ts';
import { floatFunctionIndex, fpcrOffset, fpsrOffset } from './float-functions.ts';
import { hostFloat, type HostResult } from './host-float.ts';
import { VectorGenerator } from './vector-generator.ts';
import { floatSignature } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';

export abstract class FloatGenerator
  extends VectorGenerator
  implements Pick<Semantics, 'float' | 'roundingMode' | 'raiseFPSR'>
{
  /** Whether the host's own operations stand in the code, before the call of the exact function. */
  protected readonly inlinesHostFloat: boolean = false;

  /** It is done at once, and once, for it changes FPSR. */
  float(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): Value {
    const result = this.allocate(type.i64);
    const kept = this.inlinesHostFloat ? operands.map((operand) => this.kept(operand)) : operands;
    const host = this.inlinesHostFloat ? this.hostResult(operation, bits, kept) : undefined;
    const exact = (): void => {
      this.callExact(operation, bits, kept);
      this.set(result);
    };
    if (host === undefined) {
      exact();
      return localValue(64, result, true);
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
    return localValue(64, result, true);
  }

  private kept(operand: Value): Value {
    return node(operand).isConstant ? operand : localValue(64, this.settle(node(operand)), true);
  }

  private hostResult(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): HostResult | undefined {
    const zero = this.constant(64, 0);
    const [a = zero, b = zero, d = zero] = operands;
    const control = { fpcr: this.loadState(64, fpcrOffset), fpsr: this.loadState(64, fpsrOffset) };
    return hostFloat(this, operation, bits, [a, b, d], control);
  }

  private callExact(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): void {
    this.get(cpuLocal);
    for (let n = 0; n < floatOperands; n += 1) {
      const operand = operands[n];
      this.emit(operand === undefined ? constant(64, 0n) : node(operand));
    }
    this.i32(floatFunctionIndex(operation, bits));
    this.w.byte(op.call_indirect);
    this.w.u32(floatSignature);
    this.w.u32(0);
  }

  roundingMode(): Value {
    const fpcr = this.loadState(64, fpcrOffset);
    return this.and(this.lsr(fpcr, this.constant(64, fpcrBit.RMode)), this.constant(64, 3));
  }

  raiseFPSR(flags: Value): void {
    this.storeState(fpsrOffset, node(this.or(this.loadState(64, fpsrOffset), flags)));
  }
}
