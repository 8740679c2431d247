// The trace reading itself: dependencies, and writes that take effect together.

import { describe, expect, it } from 'vitest';
import { executeTrace, type TraceOutcome } from '../../src/engine/trace.ts';
import { traceState, type TraceState } from '../../src/engine/trace-state.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { assert } from '../../src/report/assert.ts';
import { encode } from '../isa/execute.ts';
import { recordingHooks, windowMemory, type Accessed } from './trace-machine.ts';

const decode = makeDecoder(instructionSet);
const base = 0x1000n;

// X1, X3 and X5 hold addresses in the window; accesses are numbered from 0.
const LDR_X0_X1 = 0xf940_0020;
const LDR_X2_X3 = 0xf940_0062;
const LDR_X2_X3_X0 = 0xf860_6862; // LDR X2, [X3, X0]
const STR_X0_X3 = 0xf900_0060;
const STR_X2_X3 = 0xf900_0062;
const STR_X2_X3_X0 = 0xf820_6862; // STR X2, [X3, X0]
const EOR_X0_X0_X0 = encode('EOR (shifted register)', { sf: 1, Rn: 0, Rm: 0, Rd: 0 });
const CBNZ_X0_next = encode('CBNZ', { sf: 1, imm19: 1, Rt: 0 });
const CMP_X0_0 = encode('SUBS (immediate)', { sf: 1, Rn: 0, Rd: 31 });

interface Run {
  readonly state: TraceState;
  readonly accesses: readonly Accessed[];
  readonly outcomes: readonly TraceOutcome[];
  /** Of the last access. */
  readonly address: readonly number[];
  readonly data: readonly number[];
  readonly control: readonly number[];
}

function run(words: readonly number[], overrides: Partial<Parameters<typeof traceState>[0]> = {}): Run {
  const x = [0n, base + 8n, 0n, base + 16n, 0n, base + 24n];
  const state = traceState({ x, pc: 0x8000n, ...overrides });
  const memory = windowMemory(base, new Uint8Array(64));
  const hooks = recordingHooks();
  const outcomes = words.map((word) => {
    const decoded = decode(word);
    assert(decoded !== undefined, `0x${word.toString(16)} is not allocated`);
    return executeTrace(decoded, state, memory, hooks);
  });
  const last = memory.accesses.at(-1);
  return {
    state,
    accesses: memory.accesses,
    outcomes,
    address: last?.address.deps ?? [],
    data: last?.values.flatMap((value) => value.deps) ?? [],
    control: last?.control.deps ?? [],
  };
}

describe('dependencies', () => {
  it('a loaded address gives an address dependency, also through EOR X0, X0, X0', () => {
    expect(run([LDR_X0_X1, EOR_X0_X0_X0, LDR_X2_X3_X0])).toMatchObject({ address: [0], control: [] });
    expect(run([LDR_X0_X1, EOR_X0_X0_X0, STR_X2_X3_X0])).toMatchObject({ address: [0], data: [], control: [] });
  });

  it('a loaded value that is stored gives a data dependency, also in part', () => {
    expect(run([LDR_X0_X1, STR_X0_X3])).toMatchObject({ address: [], data: [0], control: [] });
    const MOVK = encode('MOVK', { sf: 1, hw: 1, imm16: 7, Rd: 0 });
    expect(run([LDR_X0_X1, MOVK, STR_X0_X3]).data).toEqual([0]);
  });

  it('an overwritten register forgets, and the zero register never remembers', () => {
    const MOVZ = encode('MOVZ', { sf: 1, Rd: 0 });
    expect(run([LDR_X0_X1, MOVZ, STR_X0_X3]).data).toEqual([]);
    const ADD_XZR_X0 = encode('ADD (shifted register)', { sf: 1, Rn: 0, Rm: 0, Rd: 31 });
    const MOV_X2_XZR = encode('ORR (shifted register)', { sf: 1, Rn: 31, Rm: 31, Rd: 2 });
    expect(run([LDR_X0_X1, ADD_XZR_X0, MOV_X2_XZR, STR_X2_X3]).data).toEqual([]);
  });

  it('a read does not hand on the dependencies of its own address', () => {
    expect(run([LDR_X0_X1, LDR_X2_X3_X0, 0xf900_00a2])).toMatchObject({ address: [], data: [1] }); // STR X2, [X5]
  });

  it('two reads meet in one value', () => {
    const ADD = encode('ADD (shifted register)', { sf: 1, Rn: 0, Rm: 2, Rd: 2 });
    expect(run([LDR_X0_X1, LDR_X2_X3, ADD, STR_X2_X3]).data).toEqual([0, 1]);
  });

  it('a conditional branch gives control dependencies to all that follows, taken or not', () => {
    expect(run([LDR_X0_X1, CBNZ_X0_next, STR_X2_X3])).toMatchObject({ address: [], data: [], control: [0] });
    const taken = encode('CBZ', { sf: 1, imm19: 1, Rt: 0 });
    expect(run([LDR_X0_X1, taken, STR_X2_X3]).control).toEqual([0]);
    expect(run([CBNZ_X0_next, LDR_X0_X1, LDR_X2_X3]).control).toEqual([]);
  });

  it('the flags carry dependencies to B.cond, and AL depends on nothing', () => {
    const B = (cond: number) => encode('B.cond', { imm19: 1, cond });
    expect(run([LDR_X0_X1, CMP_X0_0, B(0), STR_X2_X3]).control).toEqual([0]);
    expect(run([LDR_X0_X1, CMP_X0_0, B(14), STR_X2_X3]).control).toEqual([]);
  });

  it('the target of an indirect branch gives control dependencies', () => {
    expect(run([LDR_X0_X1, encode('BR', { Rn: 0 }), STR_X2_X3]).control).toEqual([0]);
  });

  it('NZCV carries dependencies both ways', () => {
    const NZCV = { sysop0: 1, op1: 3, CRn: 4, CRm: 2, op2: 0 };
    expect(run([LDR_X0_X1, CMP_X0_0, encode('MRS', { ...NZCV, Rt: 2 }), STR_X2_X3]).data).toEqual([0]);
    const MSR = encode('MSR (register)', { ...NZCV, Rt: 0 });
    expect(run([LDR_X0_X1, MSR, encode('B.cond', { imm19: 1, cond: 4 }), STR_X2_X3]).control).toEqual([0]);
  });

  it('CSEL hands on the chosen register, and picks by the condition', () => {
    // X0 = read 0, X2 = read 1 is compared with 0: EQ holds.
    const CMP_X2_0 = encode('SUBS (immediate)', { sf: 1, Rn: 2, Rd: 31 });
    const CSEL = (cond: number) => encode('CSEL', { sf: 1, cond, Rn: 0, Rm: 4, Rd: 0 });
    const stored = (cond: number) =>
      run([LDR_X0_X1, LDR_X2_X3, CMP_X2_0, CSEL(cond), STR_X0_X3]).accesses[2]!.values[0];
    expect(stored(0)).toMatchObject({ deps: [0], picks: [1] });
    expect(stored(1)).toMatchObject({ deps: [], picks: [1] });
  });

  it('a pick goes through arithmetic into an address and through a branch', () => {
    const CSEL = encode('CSEL', { sf: 1, cond: 0, Rn: 4, Rm: 4, Rd: 0 });
    expect(run([LDR_X0_X1, CMP_X0_0, CSEL, LDR_X2_X3_X0]).accesses[1]!.address).toMatchObject({ deps: [], picks: [0] });
    const branched = run([LDR_X0_X1, CMP_X0_0, CSEL, CBNZ_X0_next, STR_X2_X3]);
    expect(branched.accesses[1]!.control).toMatchObject({ deps: [], picks: [0] });
  });

  it('the status of a store-exclusive depends on no read, the old value of an atomic on its own', () => {
    const LDXR_X0_X1 = 0xc85f_7c20;
    const STXR_W4_X0_X1 = 0xc804_7c20;
    const exclusive = run([LDXR_X0_X1, STXR_W4_X0_X1, encode('CBNZ', { sf: 0, imm19: 1, Rt: 4 }), STR_X2_X3]);
    expect(exclusive.accesses.map(({ kind }) => kind)).toEqual(['load exclusive', 'store exclusive', 'store']);
    expect(exclusive.accesses[1]!.values[0]).toMatchObject({ deps: [0] });
    expect(exclusive.control).toEqual([]);
    const LDADD_X4_X0_X1 = 0xf824_0020;
    expect(run([LDADD_X4_X0_X1, STR_X0_X3]).data).toEqual([0]);
  });
});

describe('an instruction', () => {
  it('writes nothing when its access faults, not even the base register', () => {
    const LDR_X0_X1_post = 0xf840_8420; // LDR X0, [X1], #8
    const unmapped = run([LDR_X0_X1_post], { x: [7n, 0x9000n] });
    expect(unmapped.outcomes).toEqual([{ exception: 'Data Abort', address: 0x9000n, fault: 'translation' }]);
    expect([unmapped.state.readX(0).bits, unmapped.state.readX(1).bits]).toEqual([7n, 0x9000n]);
    expect(unmapped.state.pc).toBe(0x8000n);
    const mapped = run([LDR_X0_X1_post], { x: [7n, base] });
    expect([mapped.state.readX(0).bits, mapped.state.readX(1).bits]).toEqual([0n, base + 8n]);
  });

  it('checks the alignment of the stack pointer as a base only where SCTLR_ELx.SA asks for it', () => {
    const LDR_X0_SP = 0xf940_03e0;
    expect(run([LDR_X0_SP], { sp: base + 8n, checksSPAlignment: true }).outcomes).toEqual([
      { exception: 'SP alignment' },
    ]);
    expect(run([LDR_X0_SP], { sp: base + 16n, checksSPAlignment: true }).outcomes).toEqual([{}]);
    expect(run([LDR_X0_SP], { sp: base + 8n }).outcomes).toEqual([{}]);
  });

  it('traps an access to SIMD&FP registers before it touches memory', () => {
    const LDR_Q0_X1 = 0x3dc0_0020;
    const trapped = run([LDR_Q0_X1], { trapsFP: true });
    expect(trapped.outcomes).toEqual([{ exception: 'FP trap' }]);
    expect(trapped.accesses).toEqual([]);
  });

  it('of 32 bits clears the upper half of its destination', () => {
    const after = run([encode('ADD (immediate)', { sf: 0, imm12: 1, Rn: 0, Rd: 0 })], { x: [0xffff_ffff_ffff_fffen] });
    expect(after.state.readX(0)).toMatchObject({ width: 64, bits: 0xffff_ffffn });
  });

  it('passes on a fault of the engine itself', () => {
    const decoded = decode(LDR_X0_X1)!;
    const memory = windowMemory(base, new Uint8Array(64));
    const broken = {
      ...memory,
      load: () => {
        throw new Error('broken');
      },
    };
    expect(() => executeTrace(decoded, traceState({}), broken, recordingHooks())).toThrow('broken');
  });
});
