// The operations of floating-point arithmetic as functions of generated modules: one for each operation and format, made of the meaning
// that they have in src/isa/floating-point. In the table of functions that generated code calls they follow the services.

import { slotOf } from '../arch/system-registers.ts';
import { type FormatBits, formats } from '../isa/floating-point/format.ts';
import { type FloatOperation, floatOperations } from '../isa/floating-point/names.ts';
import { floatOutcome, hasFormat } from '../isa/floating-point/operations.ts';
import { wordsOver } from '../isa/floating-point/words.ts';
import { Arithmetic } from './arithmetic.ts';
import { type Node, localValue } from './expression.ts';
import { controlOf, hostFloat } from './host-float.ts';
import { services } from './services.ts';
import { floatSignature, type ModuleFunction } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** Offsets of FPCR and FPSR in the record. */
export const fpcrOffset = slotOf('FPCR');
export const fpsrOffset = slotOf('FPSR');

const formatBits = [16, 32, 64] as const;

/** Every function that there is, in the order of the table. */
const places: readonly (readonly [FloatOperation, FormatBits])[] = floatOperations.flatMap((operation) =>
  formatBits.filter((bits) => hasFormat(operation, bits)).map((bits) => [operation, bits] as const),
);

/** The place of the first function in the table. */
export const firstFloatFunction = services.length;
export const floatFunctionCount = places.length;

const nameOf = (operation: FloatOperation, bits: FormatBits): string => `${operation}:${bits}`;

const indexByName = new Map(places.map(([operation, bits], n) => [nameOf(operation, bits), firstFloatFunction + n]));

/** Index, in the table, of the function of an operation. */
export const floatFunctionIndex = (operation: FloatOperation, bits: FormatBits): number =>
  indexByName.get(nameOf(operation, bits)) as number;

/** Names under which a module exports them, in the order of the table. */
export const floatFunctionNames: readonly string[] = places.map(([operation, bits]) => nameOf(operation, bits));

class FloatFunctionGenerator extends Arithmetic {
  protected override readonly parameters = 4;

  function(operation: FloatOperation, bits: FormatBits): ModuleFunction {
    this.w = new Writer(2048);
    this.resetLocals();
    const [a, b, d] = [1, 2, 3].map((local) => localValue(64, local, true)) as [Node, Node, Node];
    // The module that the build writes beside the program serves every host.
    const control = controlOf(this, this.loadState(64, fpcrOffset), this.loadState(64, fpsrOffset), false);
    const host = hostFloat(this, operation, bits, [a, b, d], { ...control, takesZeros: true });
    if (host) {
      this.emit(host.holds);
      this.block(op.if, () => {
        this.arm(() => {
          this.emit(host.value);
          this.w.byte(op.return);
        });
      });
    }
    const fpcr = this.loadState(64, fpcrOffset);
    const c = { w: wordsOver(this), format: formats[bits], fpcr };
    const { value, flags } = floatOutcome(operation, c, [a, b, d]);
    this.storeState(fpsrOffset, this.or(this.loadState(64, fpsrOffset), flags) as Node);
    this.emit(value as Node);
    return {
      signature: floatSignature,
      locals: this.localTypes,
      body: this.w,
      exportName: nameOf(operation, bits),
    };
  }
}

/** All of them, in the order of the table. */
export function floatFunctions(): ModuleFunction[] {
  const generator = new FloatFunctionGenerator();
  return places.map(([operation, bits]) => generator.function(operation, bits));
}
