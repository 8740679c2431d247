// The operations of pointer authentication as functions of generated modules, made of their meaning in src/isa/pointer-authentication.
// In the table of generated code they follow those of floating-point arithmetic.

import { pe } from '../arch/state-layout.ts';
import { slotOf } from '../arch/system-registers.ts';
import { wordsOver } from '../isa/floating-point/words.ts';
import { type PointerOperation, pointerOperations } from '../isa/pointer-authentication/names.ts';
import { keyOf, pointerResult } from '../isa/pointer-authentication/pointer.ts';
import { Arithmetic } from './arithmetic.ts';
import { constant, localValue, type Node } from './expression.ts';
import { firstFloatFunction, floatFunctionCount } from './float-functions.ts';
import { floatSignature, type ModuleFunction } from './wasm/module.ts';
import { Writer } from './wasm/writer.ts';

/** Index, in the table, of the function of an operation: (cpu, pointer, modifier, not used) to the result. */
export const pointerFunctionIndex = (operation: PointerOperation): number =>
  firstFloatFunction + floatFunctionCount + pointerOperations.indexOf(operation);

class PointerFunctionGenerator extends Arithmetic {
  protected override readonly parameters = 4;

  function(operation: PointerOperation): ModuleFunction {
    this.w = new Writer(8192);
    this.resetLocals();
    const [pointer, modifier] = [1, 2].map((local) => localValue(64, local, true)) as [Node, Node];
    const key = keyOf(operation);
    const half = (name: 'Hi' | 'Lo'): Node =>
      key === undefined ? constant(64, 0n) : this.loadState(64, slotOf(`AP${key}Key${name}_EL1`));
    const control = this.zeroExtend(this.loadState(32, pe.pointerControl), 32, 64);
    const context = { w: wordsOver(this), control, key: [half('Hi'), half('Lo')] } as const;
    this.emit(pointerResult(operation, context, pointer, modifier) as Node);
    return { signature: floatSignature, locals: this.localTypes, body: this.w, exportName: operation };
  }
}

/** All of them, in the order of the table. */
export function pointerFunctions(): ModuleFunction[] {
  const generator = new PointerFunctionGenerator();
  return pointerOperations.map((operation) => generator.function(operation));
}
