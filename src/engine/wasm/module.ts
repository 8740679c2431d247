// Encodes a WebAssembly module: imports, functions, a table, exports and code (WebAssembly core specification 2.0, 5.5).
// Every function that the engines make has one of the few signatures of `signatures`.

import { branchHints } from './branch-hints.ts';
import { op, type } from './opcodes.ts';
import { Writer } from './writer.ts';

/** Function types, by their index in each module. */
const signatures = [
  { parameters: [type.i32, type.i32], results: [type.i32] },
  { parameters: [type.i32], results: [type.i32] },
  { parameters: [type.i64], results: [type.i64] },
  { parameters: [type.i64, type.i64], results: [type.i64] },
  { parameters: [type.i32, type.i64, type.i64, type.i64], results: [type.i64] },
  { parameters: [type.v128], results: [type.v128] },
  { parameters: [type.i32, type.i32, type.i64, type.i64], results: [] },
] as const;

/** Index of (i32, i32) → i32: blocks, step functions and services. */
export const codeSignature = 0;
export const unarySignature = 1;
export const i64UnarySignature = 2;
export const i64BinarySignature = 3;
/** (i32, i64, i64, i64) → i64: the record's address and up to three operands of a floating-point operation. */
export const floatSignature = 4;
export const vectorUnarySignature = 5;

/** (i32, i32, i64, i64) → nothing: the record's address, and an operation that gives flags. */
export const flagsSignature = 6;

export interface ImportedFunction {
  readonly name: string;
  readonly signature: number;
  /** The module exports it too: as a function that can stand in a table. */
  readonly isExported?: boolean;
}

export interface ModuleFunction {
  readonly signature: number;
  /** Types of the locals after the parameters. */
  readonly locals: readonly number[];
  /** Instructions without the final `end`. */
  readonly body: Writer;
  readonly exportName?: string;
  /** What a profile calls it: an entry of the name section. */
  readonly name?: string;
}

function section(out: Writer, id: number, fill: (w: Writer) => void): void {
  const content = new Writer();
  fill(content);
  out.byte(id);
  out.u32(content.length);
  out.append(content);
}

function functionBody({ locals, body }: ModuleFunction): Writer {
  const w = new Writer(body.length + 64);
  const runs: [number, number][] = [];
  for (const local of locals) {
    const last = runs.at(-1);
    if (last && last[1] === local) last[0] += 1;
    else runs.push([1, local]);
  }
  w.u32(runs.length);
  for (const [count, kind] of runs) {
    w.u32(count);
    w.byte(kind);
  }
  w.append(body);
  w.byte(0x0b);
  return w;
}

/** Pages of 64 KiB in 4 GiB: the declared maximum of the shared memory. */
const maxMemoryPages = 65536;

/** Indices of tables: of the one that is imported, and of the module's own. */
export const importedTable = 0;
export const ownTable = 1;

/**
 * `imports` come from the module name `h`, beside the shared memory `h.memory` and a table `h.table`. Where functions are given for it, the module
 * has a table of its own, the export `table`, with a place for each of them.
 */
export function encodeModule(
  exportable: readonly ModuleFunction[],
  imports: readonly ImportedFunction[] = [],
  tabled: readonly ModuleFunction[] = [],
): Uint8Array<ArrayBuffer> {
  const functions = [...exportable, ...tabled];
  const out = new Writer(4096);
  for (const b of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(b);
  section(out, 1, (w) => {
    w.u32(signatures.length);
    for (const { parameters, results } of signatures) {
      w.byte(0x60);
      w.u32(parameters.length);
      for (const p of parameters) w.byte(p);
      w.u32(results.length);
      for (const r of results) w.byte(r);
    }
  });
  section(out, 2, (w) => {
    w.u32(imports.length + 2);
    for (const { name, signature } of imports) {
      w.name('h');
      w.name(name);
      w.byte(0x00);
      w.u32(signature);
    }
    w.name('h');
    w.name('memory');
    w.byte(0x02);
    w.byte(0x03);
    w.u32(1);
    w.u32(maxMemoryPages);
    w.name('h');
    w.name('table');
    w.byte(0x01);
    w.byte(type.funcref);
    w.byte(0x00);
    w.u32(1);
  });
  section(out, 3, (w) => {
    w.u32(functions.length);
    for (const f of functions) w.u32(f.signature);
  });
  if (tabled.length > 0)
    section(out, 4, (w) => {
      w.u32(1);
      w.byte(type.funcref);
      w.byte(0x01);
      w.u32(tabled.length);
      w.u32(tabled.length);
    });
  section(out, 7, (w) => {
    const exported = [
      ...imports.map(({ name, isExported }) => (isExported ? name : undefined)),
      ...functions.map(({ exportName }) => exportName),
    ].flatMap((name, i) => (name === undefined ? [] : [{ name, i }]));
    w.u32(exported.length + (tabled.length > 0 ? 1 : 0));
    for (const { name, i } of exported) {
      w.name(name);
      w.byte(0x00);
      w.u32(i);
    }
    if (tabled.length === 0) return;
    w.name('table');
    w.byte(0x01);
    w.u32(ownTable);
  });
  if (tabled.length > 0)
    section(out, 9, (w) => {
      w.u32(1);
      // Active, with the index of the table, of functions.
      w.byte(0x02);
      w.u32(ownTable);
      w.byte(op.i32_const);
      w.s32(0);
      w.byte(op.end);
      w.byte(0x00);
      w.u32(tabled.length);
      tabled.forEach((_, n) => {
        w.u32(imports.length + exportable.length + n);
      });
    });
  const bodies = functions.map(functionBody);
  const hinted = bodies.flatMap(({ seldom }, i) =>
    seldom.length === 0 ? [] : [{ seldom, index: imports.length + i }],
  );
  if (hinted.length > 0) section(out, 0, branchHints(hinted));
  section(out, 10, (w) => {
    w.u32(bodies.length);
    for (const body of bodies) {
      w.u32(body.length);
      w.append(body);
    }
  });
  const named = functions.flatMap(({ name }, i) => (name === undefined ? [] : [{ name, i }]));
  if (named.length > 0) section(out, 0, nameSection(named, imports.length));
  return out.take();
}

/** The custom section `name` with the names of functions (core specification, appendix 7.4.1). */
const nameSection =
  (named: readonly { readonly name: string; readonly i: number }[], firstIndex: number) =>
  (w: Writer): void => {
    w.name('name');
    section(w, 1, (names) => {
      names.u32(named.length);
      for (const { name, i } of named) {
        names.u32(firstIndex + i);
        names.name(name);
      }
    });
  };
