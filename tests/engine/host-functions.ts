// What the host gives for an operation, and whether that holds, as a function of numbers or vectors in a page of memory.

import { Arithmetic } from '../../src/engine/arithmetic.ts';
import { cpuLocal } from '../../src/engine/emitting.ts';
import { localValue, type Node, stateLoad } from '../../src/engine/expression.ts';
import { controlOf, type FloatControl, type HostResult } from '../../src/engine/host-float.ts';
import { codeSignature } from '../../src/engine/wasm/module.ts';
import { op } from '../../src/engine/wasm/opcodes.ts';
import { Writer } from '../../src/engine/wasm/writer.ts';
import { fpsr } from '../../src/isa/floating-point/format.ts';
import type { Bits } from './float-arbitraries.ts';
import { doublewords, instantiate } from './wasm-functions.ts';

/** Doublewords of the page: FPCR, FPSR, three operands of two each, the result and whether it holds. */
const place = { fpcr: 0x100, fpsr: 0x101, operands: 0x102, value: 0x108, holds: 0x10a } as const;

type Operation = (g: Arithmetic, operands: readonly Node[], control: FloatControl) => HostResult | undefined;

export interface Outcome {
  /** One doubleword of a number, two of a vector. */
  readonly value: readonly bigint[];
  readonly holds: boolean;
}
type HostFunction = (fpcr: bigint, status: bigint, operands: readonly (readonly bigint[])[]) => Outcome;

class HostFunctions extends Arithmetic {
  function(operation: Operation, count: number, width: 64 | 128, fuses: boolean): HostFunction {
    this.w = new Writer();
    this.resetLocals();
    const operands = Array.from({ length: count }, (_, n) =>
      stateLoad(op.i64_load, width, localValue(32, cpuLocal, true), 8 * place.operands + 16 * n),
    );
    const [fpcr, status] = [place.fpcr, place.fpsr].map((at) => this.loadState(64, 8 * at)) as [Node, Node];
    const host = operation(this, operands, controlOf(this, fpcr, status, fuses));
    if (!host) throw new Error('the host has no such operation');
    this.storeState(8 * place.holds, this.zeroExtend(host.holds, 32, 64) as Node);
    this.storeState(8 * place.value, host.value);
    this.i32(0);
    const { f0 } = instantiate([{ signature: codeSignature, locals: this.localTypes, body: this.w }]);
    const run = f0 as CallableFunction & ((cpu: number, second: number) => number);
    return (fpcrBits, statusBits, values) => {
      doublewords[place.fpcr] = fpcrBits;
      doublewords[place.fpsr] = statusBits;
      values.forEach((words, n) => {
        doublewords.set(words, place.operands + 2 * n);
      });
      run(0, 0);
      const value = [...doublewords.slice(place.value, place.value + width / 64)];
      return { value, holds: doublewords[place.holds] !== 0n };
    };
  }
}

export const hostFunction = (operation: Operation, count: number, width: 64 | 128, fuses: boolean): HostFunction =>
  new HostFunctions().function(operation, count, width, fuses);

/** Two numbers of which the host gives the result of every operation. */
export const ordinaryNumbers = (bits: Bits): readonly [bigint, bigint] =>
  bits === 64 ? [0x3ff8_0000_0000_0000n, 0x3fb9_9999_9999_999an] : [0x3fc0_0000n, 0x3dcc_cccdn];

/** Whether the host's result of these operands holds where FPSR.IXC is set; then, where FPCR besides asks for another rounding. */
export const holdsUnlessForbidden = (f: HostFunction, operands: readonly (readonly bigint[])[]): readonly boolean[] =>
  [0n, 1n << 22n].map((fpcr) => f(fpcr, BigInt(fpsr.IXC), operands).holds);
