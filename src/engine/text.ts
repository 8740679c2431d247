// The text of one wasm function that is written by hand, as those of the runtime are.

import { naturalAlignment } from './expression.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

/** A function in the making; instructions are appended in stack order. */
export class Text {
  readonly w = new Writer(512);
  readonly locals: number[] = [];
  private readonly parameters: number;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  local(kind: number): number {
    this.locals.push(kind);
    return this.parameters + this.locals.length - 1;
  }
  ops(...codes: number[]): this {
    for (const code of codes) this.w.byte(code);
    return this;
  }
  simd(code: number): this {
    this.w.byte(op.simd);
    this.w.u32(code);
    return this;
  }
  get(local: number): this {
    this.w.byte(op.local_get);
    this.w.u32(local);
    return this;
  }
  set(local: number): this {
    this.w.byte(op.local_set);
    this.w.u32(local);
    return this;
  }
  tee(local: number): this {
    this.w.byte(op.local_tee);
    this.w.u32(local);
    return this;
  }
  i32(value: number): this {
    this.w.byte(op.i32_const);
    this.w.s32(value);
    return this;
  }
  i64(value: bigint): this {
    this.w.byte(op.i64_const);
    this.w.s64(value);
    return this;
  }
  memory(code: number, offset: number): this {
    this.w.byte(code);
    this.w.u32(naturalAlignment(code));
    this.w.u32(offset);
    return this;
  }
  call(index: number): this {
    this.w.byte(op.call);
    this.w.u32(index);
    return this;
  }
  callIndirect(): this {
    this.w.byte(op.call_indirect);
    this.w.u32(codeSignature);
    this.w.u32(0);
    return this;
  }
  returnCallIndirect(): this {
    this.w.byte(op.return_call_indirect);
    this.w.u32(codeSignature);
    this.w.u32(0);
    return this;
  }
  br(depth: number): this {
    this.w.byte(op.br);
    this.w.u32(depth);
    return this;
  }
  brIf(depth: number): this {
    this.w.byte(op.br_if);
    this.w.u32(depth);
    return this;
  }
  nest(kind: number, body: () => void): this {
    this.ops(kind, type.void);
    body();
    return this.ops(op.end);
  }
  done(signature: number, exportName: string): ModuleFunction {
    return { signature, locals: this.locals, body: this.w, exportName, name: exportName };
  }
}
