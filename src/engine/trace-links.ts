// Exits of traces that lead straight to another trace of their page, without a look-up: both are functions of one module, and the word that
// counts the other's rounds tells whether it can still run. Where a trace runs, its whole page is fetched from where it was made from,
// at the same Exception level and under the same checks; so the other one may be looked at for its own lines only.
//
// What is linked is known when the module is complete. An exit leaves room for the link, of instructions that do nothing.

import { cpuLocal, secondLocal } from './emitting.ts';
import { op, type } from './wasm/opcodes.ts';
import { Writer } from './wasm/writer.ts';

export interface TraceLink {
  /** Virtual address, in the page of the trace. */
  readonly target: bigint;
  /** Instructions of the trace that have run. */
  readonly count: number;
  /** In the text of the trace. */
  readonly position: number;
}

/** Room for the longest link. */
export const linkBytes = 32;

/** Lets an exit of `text` lead to a function of its module while the word at `counter` is more than 0. */
export function link(text: Writer, { position, count }: TraceLink, functionIndex: number, counter: number): void {
  const w = new Writer(linkBytes);
  const byte = (...bytes: readonly number[]): void => {
    for (const b of bytes) w.byte(b);
  };
  byte(op.i32_const);
  w.s32(0);
  byte(op.i32_const);
  w.s32(counter);
  byte(op.i32_load, 2, 0, op.i32_lt_s, op.if, type.void);
  byte(op.local_get, cpuLocal, op.local_get, secondLocal, op.i32_const);
  w.s32(count);
  byte(op.i32_sub, op.return_call);
  w.u32(functionIndex);
  byte(op.end);
  text.overwrite(position, w, linkBytes);
}
