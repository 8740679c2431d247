// Tiny functions of the generators' own code, called: values go in and out by a page of memory.

import { crcTablesOffset } from '../../src/arch/state-layout.ts';
import { Arithmetic } from '../../src/engine/arithmetic.ts';
import { pin, type Node } from '../../src/engine/expression.ts';
import { runtimeModule } from '../../src/engine/runtime.ts';
import { services } from '../../src/engine/services.ts';
import { codeSignature, encodeModule, type ModuleFunction } from '../../src/engine/wasm/module.ts';
import { op } from '../../src/engine/wasm/opcodes.ts';
import { Writer } from '../../src/engine/wasm/writer.ts';
import { crcTables } from '../../src/isa/crc-tables.ts';
import type { Value } from '../../src/isa/semantics.ts';

const memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536, shared: true });
new Int32Array(memory.buffer).set(crcTables, crcTablesOffset / 4);
const never = (): never => {
  throw new Error('not in this test');
};
const others = { access: never, exclusive: never, atomic: never, system: never };

function instance(module: Uint8Array<ArrayBuffer>, imports: Readonly<Record<string, unknown>>): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(module), { h: { memory, ...imports } });
}

/** The functions of the runtime module. */
export const runtime: Readonly<Record<string, CallableFunction>> = instance(runtimeModule(0, Infinity), {
  table: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
  ...others,
  decode: never,
  fetchMiss: never,
  branchTarget: never,
  resolve: never,
}).exports;

/** Instantiates functions of the generators; services may be given, the others must not be called; `tabled` stand in a table of the module. */
export function instantiate(
  functions: readonly ModuleFunction[],
  given: Readonly<Record<string, CallableFunction>> = {},
  tabled: readonly ModuleFunction[] = [],
): Readonly<Record<string, CallableFunction>> & { readonly table?: WebAssembly.Table } {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: services.length });
  // As exports they can stand in a table.
  const reexports = encodeModule(
    [],
    services.map((service) => ({ ...service, isExported: true })),
  );
  const exported = instance(reexports, { table, ...others, ...runtime, ...given }).exports;
  services.forEach(({ name }, place) => {
    table.set(place, exported[name] as CallableFunction);
  });
  const named = functions.map((f, i) => ({ ...f, exportName: `f${i}` }));
  return instance(encodeModule(named, [], tabled), { table }).exports;
}

/** The low bits of a value in the opposite order. */
export function reversedBits(bits: number, value: bigint): bigint {
  let out = 0n;
  for (let n = 0; n < bits; n += 1) out = (out << 1n) | ((value >> BigInt(n)) & 1n);
  return out;
}

export const doublewords = new BigUint64Array(memory.buffer);
const inputs = 0x100;
const outputs = 0x200;

export class Calculator extends Arithmetic {
  /** A value that is known when the function runs. */
  input(n: number, width: 32 | 64): Value {
    return this.loadState(width, inputs * 8 + 8 * n);
  }

  /** Makes the values that `results` asks for, stores them, and returns them as the function does when it runs on these inputs. */
  calculate(values: readonly bigint[], results: () => readonly Value[], isPinned: boolean): bigint[] {
    return this.compile(results, isPinned)(values);
  }

  /** The same as a function of the inputs. */
  compile(results: () => readonly Value[], isPinned: boolean): (values: readonly bigint[]) => bigint[] {
    this.w = new Writer();
    this.resetLocals();
    const made = results() as Node[];
    for (const result of made) result.uses += 1;
    if (isPinned) for (const result of made) pin(result, this.w, this);
    made.forEach((result, i) => {
      this.storeState(outputs * 8 + 8 * i, this.zeroExtended(result));
    });
    this.w.byte(op.i32_const);
    this.w.s32(0);
    const { f0 } = instantiate([{ signature: codeSignature, locals: this.localTypes, body: this.w }]);
    const run = f0 as CallableFunction & ((cpu: number, second: number) => number);
    return (values) => {
      doublewords.set(values, inputs);
      run(0, 0);
      return made.map((_, i) => doublewords[outputs + i] as bigint);
    };
  }

  private zeroExtended(value: Node): Node {
    return value.width === 64 ? value : (this.zeroExtend(value, 32, 64) as Node);
  }
}
