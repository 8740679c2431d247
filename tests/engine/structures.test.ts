// Load/store structures where a whole vector would hide it: faults, alignment, and the accesses that memory sees.

import { describe, expect, test } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { executeTrace } from '../../src/engine/trace.ts';
import { traceState, type TraceException } from '../../src/engine/trace-state.ts';
import { traceValue } from '../../src/engine/trace-values.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';
import { recordingHooks, windowMemory, type WindowMemory } from './trace-machine.ts';

const code = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
const data = { va: 0x20_0000, pa: ramBase + 0x20_0000, sizeBytes: 0x2000, executable: false };
const end = BigInt(data.va + data.sizeBytes);
const brk = 0xd420_0000;

const wordOf = (text: string): number => new DataView(assemble(text, { base: 0 }).bytes.buffer).getUint32(0, true);

interface Ended {
  readonly EC: number;
  readonly DFSC: number;
  readonly FAR: bigint;
  readonly x0: bigint;
  readonly v: readonly bigint[];
}

const vectorWord = (m: El0Machine, n: number): number => (m.pe.base + record.vector + 16 * n) >>> 3;

/** Runs one instruction with X0 as given and Vn.D[0] = n, up to the exception that it or the BRK after it takes. */
function run(m: El0Machine, text: string, x0: bigint, strict = false): Ended {
  m.renewEngine();
  m.enterEl0();
  if (strict) m.pe.writeRegister('SCTLR_EL1', m.pe.readRegister('SCTLR_EL1') | 2n);
  m.views.words.set([wordOf(text), brk], code.pa >>> 2);
  for (let n = 0; n < 32; n += 1) m.views.doublewords.set([BigInt(n), BigInt(n) << 32n], vectorWord(m, n));
  m.views.doublewords[(m.pe.base + record.x) >>> 3] = x0;
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va);
  while (m.pe.currentEl() === 0) expect(m.engine.run(m.pe, 10)).toBe(exit.redirect);
  const esr = Number(m.pe.readRegister('ESR_EL1'));
  return {
    EC: esr >>> 26,
    DFSC: esr & 0x3f,
    FAR: m.pe.readRegister('FAR_EL1'),
    x0: m.views.doublewords[(m.pe.base + record.x) >>> 3]!,
    v: Array.from({ length: 32 }, (_, n) => m.views.doublewords[vectorWord(m, n)]!),
  };
}

const untouched = Array.from({ length: 32 }, (_, n) => BigInt(n));

describe.each(['step', 'translate'] as const)('the %s engine', (mode) => {
  const m = el0Machine(mode, [code, data]);

  test.each([
    ['ld4 {v30.4s, v31.4s, v0.4s, v1.4s}, [x0], #64', 64n],
    ['ld3 {v2.8b, v3.8b, v4.8b}, [x0], #24', 24n],
    ['ld1 {v4.16b-v7.16b}, [x0], #64', 64n],
    ['ld2 {v8.h, v9.h}[3], [x0], #4', 4n],
    ['ld4r {v8.2d-v11.2d}, [x0], #32', 32n],
  ])('%s that runs into an unmapped page names its first byte and writes no register', (text, bytes) => {
    const x0 = end - bytes / 2n;
    expect(run(m, text, x0)).toEqual({ EC: 0x24, DFSC: 7, FAR: end, x0, v: untouched });
    expect(run(m, text, end - bytes)).toMatchObject({ EC: 0x3c, x0: end });
  });

  test('a store that runs into an unmapped page does not move its base', () => {
    const x0 = end - 24n;
    expect(run(m, 'st3 {v0.4s-v2.4s}, [x0], #48', x0)).toMatchObject({ EC: 0x24, FAR: end, x0 });
  });

  test.each([
    ['ld1 {v0.4s, v1.4s}, [x0]', 4n],
    ['st1 {v0.8h}, [x0]', 2n],
    ['ld2 {v0.2d, v1.2d}, [x0]', 8n],
    ['ld3 {v0.s-v2.s}[1], [x0]', 4n],
    ['ld4r {v0.8h-v3.8h}, [x0]', 2n],
  ])('SCTLR_EL1.A asks %s for the alignment of an element, of %i bytes', (text, bytes) => {
    const aligned = BigInt(data.va) + 0xffcn + (bytes === 8n ? 4n : 0n);
    expect(run(m, text, aligned, true).EC).toBe(0x3c);
    const misaligned = aligned + bytes / 2n;
    expect(run(m, text, misaligned, true)).toMatchObject({ EC: 0x24, DFSC: 0x21, FAR: misaligned, v: untouched });
    expect(run(m, text, misaligned).EC).toBe(0x3c);
  });

  test('elements of bytes are aligned wherever they are', () => {
    expect(run(m, 'ld1 {v0.16b}, [x0]', BigInt(data.va) + 0xff7n, true).EC).toBe(0x3c);
  });
});

const decode = makeDecoder(instructionSet);

/** Runs one instruction under the trace reading, with X0 the base of 64 bytes of memory and V1 the result of an earlier read. */
function trace(text: string): {
  memory: WindowMemory;
  state: ReturnType<typeof traceState>;
  exception?: TraceException;
} {
  const memory = windowMemory(
    0x1000n,
    Uint8Array.from({ length: 64 }, (_, n) => n),
  );
  const state = traceState({ x: [0x1000n] });
  state.writeV(1, traceValue(128, 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n, { deps: [77], picks: [] }));
  const outcome = executeTrace(decode(wordOf(text))!, state, memory, recordingHooks());
  return outcome.exception ? { memory, state, exception: outcome } : { memory, state };
}

const accesses = (memory: WindowMemory): string[] =>
  memory.accesses.map(({ kind, address, bytes }) => `${kind} ${bytes} at ${address.bits - 0x1000n}`);

describe('the trace reading', () => {
  test('makes an access of each element, in ascending order of address', () => {
    expect(accesses(trace('ld1 {v0.2d, v1.2d}, [x0]').memory)).toEqual([0, 8, 16, 24].map((at) => `load 8 at ${at}`));
    expect(accesses(trace('st2 {v0.4h, v1.4h}, [x0]').memory)).toEqual(
      [0, 2, 4, 6, 8, 10, 12, 14].map((at) => `store 2 at ${at}`),
    );
    expect(accesses(trace('ld3 {v0.s-v2.s}[2], [x0]').memory)).toEqual([0, 4, 8].map((at) => `load 4 at ${at}`));
    expect(accesses(trace('ld1r {v0.4s}, [x0]').memory)).toEqual(['load 4 at 0']);
  });

  test('lets a register depend on its own elements, and an element that is stored on its own register', () => {
    const { state } = trace('ld2 {v2.2d, v3.2d}, [x0]');
    const [first, second] = [state.readV(2), state.readV(3)];
    expect([first.deps.length, second.deps.length]).toEqual([2, 2]);
    expect(first.deps.some((read) => second.deps.includes(read))).toBe(false);
    const { memory } = trace('st2 {v0.2d, v1.2d}, [x0]');
    expect(memory.accesses.map(({ values }) => values[0]!.deps)).toEqual([[], [77], [], [77]]);
  });

  test('keeps the dependencies of a register of which one element is loaded, and no others', () => {
    const dependencies = (text: string): boolean => trace(text).state.readV(1).deps.includes(77);
    expect(dependencies('ld1 {v1.s}[0], [x0]')).toBe(true);
    expect(dependencies('ld1r {v1.4s}, [x0]')).toBe(false);
    expect(dependencies('ld4 {v0.2d-v3.2d}, [x0]')).toBe(false);
  });

  test('writes no register where a later element faults', () => {
    const { state, exception } = trace('ld4 {v1.2d-v4.2d}, [x0], #64');
    expect(exception).toBeUndefined();
    expect(state.readX(0).bits).toBe(0x1040n);
    const late = executeTrace(
      decode(wordOf('ld4 {v1.2d-v4.2d}, [x0], #64'))!,
      state,
      windowMemory(0x1040n, new Uint8Array(40)),
      recordingHooks(),
    );
    expect(late).toMatchObject({ exception: 'Data Abort', address: 0x1068n });
    expect(state.readX(0).bits).toBe(0x1040n);
  });
});
