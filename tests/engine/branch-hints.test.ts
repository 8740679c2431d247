import { describe, expect, it } from 'vitest';
import { services } from '../../src/engine/services.ts';
import { codeSignature, encodeModule } from '../../src/engine/wasm/module.ts';
import { op, type } from '../../src/engine/wasm/opcodes.ts';
import { Writer } from '../../src/engine/wasm/writer.ts';

/** Reads what Writer writes. */
function reader(bytes: Uint8Array): { at: number; byte(): number; u32(): number; skip(count: number): void } {
  return {
    at: 0,
    byte() {
      return bytes[this.at++] as number;
    },
    u32() {
      for (let value = 0, shift = 0; ; shift += 7) {
        const next = this.byte();
        value |= (next & 0x7f) << shift;
        if (next < 0x80) return value;
      }
    },
    skip(count) {
      this.at += count;
    },
  };
}

/** The bodies of a module's functions. */
function bodiesOf(module: Uint8Array): Uint8Array[] {
  const r = reader(module);
  r.skip(8);
  for (;;) {
    const id = r.byte();
    const length = r.u32();
    if (id !== 10) {
      r.skip(length);
      continue;
    }
    return Array.from({ length: r.u32() }, () => {
      const size = r.u32();
      r.skip(size);
      return module.slice(r.at - size, r.at);
    });
  }
}

/** The hints of a module: function index, and offset and value of each. */
function hintsOf(module: Uint8Array<ArrayBuffer>): { readonly index: number; readonly hints: [number, number][] }[] {
  const sections = WebAssembly.Module.customSections(new WebAssembly.Module(module), 'metadata.code.branch_hint');
  expect(sections).toHaveLength(1);
  const r = reader(new Uint8Array(sections[0] as ArrayBuffer));
  return Array.from({ length: r.u32() }, () => ({
    index: r.u32(),
    hints: Array.from({ length: r.u32() }, (): [number, number] => {
      const offset = r.u32();
      expect(r.u32()).toBe(1);
      return [offset, r.byte()];
    }),
  }));
}

/** Twice `if (p0) return 1`, of which a text that was written apart has the second; the second and the last branch are seldom taken. */
function hintedBody(): Writer {
  const inner = new Writer();
  const branch = (w: Writer, isSeldom: boolean): void => {
    w.byte(op.local_get);
    w.u32(0);
    if (isSeldom) w.hintSeldom();
    w.byte(op.if);
    w.byte(type.void);
    w.byte(op.i32_const);
    w.s32(1);
    w.byte(op.return);
    w.byte(op.end);
  };
  branch(inner, true);
  const outer = new Writer();
  branch(outer, false);
  outer.append(inner);
  branch(outer, true);
  outer.byte(op.i32_const);
  outer.s32(7);
  return outer;
}

describe('branch hints', () => {
  const unhinted = new Writer();
  unhinted.byte(op.i32_const);
  unhinted.s32(3);
  // Enough locals for the header of the body to be longer than usual.
  const locals = Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? type.i32 : type.i64));
  const module = encodeModule(
    [
      { signature: codeSignature, locals: [], body: unhinted, exportName: 'unhinted' },
      { signature: codeSignature, locals, body: hintedBody(), exportName: 'hinted' },
    ],
    services,
  );

  it('stand at the branches that are seldom taken, wherever the text has been put together', () => {
    const [hinted, ...others] = hintsOf(module);
    expect(others).toEqual([]);
    expect(hinted?.index).toBe(services.length + 1);
    const body = bodiesOf(module)[1] as Uint8Array;
    const branches = [...body.keys()].filter((at) => body[at] === op.if && body[at + 1] === type.void);
    expect(branches).toHaveLength(3);
    expect(hinted?.hints).toEqual([
      [branches[1], 0],
      [branches[2], 0],
    ]);
  });

  it('are left out where there is nothing to say', () => {
    const plain = encodeModule([{ signature: codeSignature, locals: [], body: unhinted }]);
    const sections = WebAssembly.Module.customSections(new WebAssembly.Module(plain), 'metadata.code.branch_hint');
    expect(sections).toEqual([]);
  });
});
