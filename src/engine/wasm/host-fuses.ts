// Whether the host rounds a product and a sum once. WebAssembly leaves that open (relaxed_madd of the relaxed SIMD proposal): V8 does where
// the processor can, and Node 20 has the instruction behind a flag. It is found out by trying, for the result is the same in every run of a process.

import { setFlagsFromString } from 'node:v8';
import { assert } from '../../report/assert.ts';
import { op, simd, type } from './opcodes.ts';
import { Writer } from './writer.ts';

/** (a, b, c) → a * b + c by relaxed_madd, as the one function of a module, exported as `f`. */
function moduleOfOne(): Uint8Array<ArrayBuffer> {
  const body = new Writer();
  const instruction = (code: number): void => {
    body.byte(op.simd);
    body.u32(code);
  };
  body.byte(0); // no locals
  for (let parameter = 0; parameter < 3; parameter += 1) {
    body.byte(op.local_get);
    body.u32(parameter);
    instruction(simd.f64x2_splat);
  }
  instruction(simd.f64x2_relaxed_madd);
  instruction(simd.f64x2_extract_lane);
  body.byte(0);
  body.byte(op.end);

  const out = new Writer();
  const section = (id: number, ...bytes: readonly number[]): void => {
    out.byte(id);
    out.u32(bytes.length);
    for (const byte of bytes) out.byte(byte);
  };
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte);
  section(1, 1, 0x60, 3, type.f64, type.f64, type.f64, 1, type.f64);
  section(3, 1, 0);
  section(7, 1, 1, 'f'.charCodeAt(0), 0x00, 0);
  section(10, 1, body.length, ...body.take());
  return out.take();
}

function tryIt(): boolean {
  const module = moduleOfOne();
  if (!WebAssembly.validate(module)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (!WebAssembly.validate(module)) return false;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(module), {}).exports;
  assert(typeof f === 'function', 'the module exports its function');
  // (1 + 2^-30)^2 is 1 + 2^-29 + 2^-60: rounded, the last part is lost.
  const factor = 1 + 2 ** -30;
  return (f as CallableFunction & ((...numbers: readonly number[]) => number))(factor, factor, -(1 + 2 ** -29)) !== 0;
}

let known: boolean | undefined;

export function hostFuses(): boolean {
  known ??= tryIt();
  return known;
}
