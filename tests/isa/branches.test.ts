// Branches under the trace reading.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, execute, isAllocated } from './execute.ts';
import { bitsOf, conditionHolds } from './manual.ts';
import { bit, nzcv, parameters, value64 } from './values.ts';

const offset = (imm: number, bits: number): bigint => BigInt.asIntN(bits + 2, BigInt(imm) << 2n);
const imm = (bits: number) => fc.nat(2 ** bits - 1);
const next = (pc: bigint): bigint => bitsOf(pc + 4n, 64);

describe('branches', () => {
  it('B and BL go to PC plus a signed multiple of 4; BL sets X30', () => {
    fc.assert(
      fc.property(imm(26), value64, (imm26, pc) => {
        const target = bitsOf(pc + offset(imm26, 26), 64);
        expect(execute(encode('B', { imm26 }), { pc })).toMatchObject({ pc: target });
        const after = execute(encode('BL', { imm26 }), { pc });
        expect(after.pc).toBe(target);
        expect(after.x[30]).toBe(next(pc));
      }),
      parameters,
    );
  });

  it('B.cond branches where ConditionHolds; AL and NV always', () => {
    fc.assert(
      fc.property(imm(19), fc.nat(15), nzcv, value64, (imm19, cond, flags, pc) => {
        const after = execute(encode('B.cond', { imm19, cond }), { pc, nzcv: flags });
        expect(after.pc).toBe(conditionHolds(cond, flags) ? bitsOf(pc + offset(imm19, 19), 64) : next(pc));
      }),
      parameters,
    );
  });

  it('CBZ and CBNZ compare the W or the X register with zero', () => {
    fc.assert(
      fc.property(bit, imm(19), value64, value64, (sf, imm19, pc, value) => {
        const zero = bitsOf(value, sf ? 64 : 32) === 0n;
        const target = bitsOf(pc + offset(imm19, 19), 64);
        const run = (m: string) => execute(encode(m, { sf, imm19, Rt: 5 }), { pc, x: { 5: value } }).pc;
        expect(run('CBZ')).toBe(zero ? target : next(pc));
        expect(run('CBNZ')).toBe(zero ? next(pc) : target);
      }),
      parameters,
    );
  });

  it('TBZ and TBNZ test bit b5:b40', () => {
    fc.assert(
      fc.property(bit, fc.nat(31), imm(14), value64, value64, (b5, b40, imm14, pc, value) => {
        const set = (value >> BigInt(32 * b5 + b40)) & 1n;
        const target = bitsOf(pc + offset(imm14, 14), 64);
        const run = (m: string) => execute(encode(m, { b5, b40, imm14, Rt: 5 }), { pc, x: { 5: value } }).pc;
        expect(run('TBZ')).toBe(set ? next(pc) : target);
        expect(run('TBNZ')).toBe(set ? target : next(pc));
      }),
      parameters,
    );
  });

  it('BR, BLR and RET go where a register says; BLR X30 reads it before it sets it', () => {
    for (const m of ['BR', 'BLR', 'RET']) {
      const after = execute(encode(m, { Rn: 30 }), { pc: 0x1000n, x: { 30: 0x1234_5678_9abcn } });
      expect(after.pc).toBe(0x1234_5678_9abcn);
      expect(after.x[30]).toBe(m === 'BLR' ? 0x1004n : 0x1234_5678_9abcn);
    }
    const kinds = ['BR', 'BLR', 'RET'].map((m) => execute(encode(m, { Rn: 1 })).events[0]);
    expect(kinds).toMatchObject([{ kind: 'indirect' }, { kind: 'indirect call' }, { kind: 'return' }]);
  });

  it('ERET is for the PE to take; DRPS is UNDEFINED outside Debug state', () => {
    expect(execute(encode('ERET', {})).events).toEqual([{ event: 'ERET' }]);
    expect(execute(encode('DRPS', {}))).toMatchObject({ outcome: { exception: 'UNDEFINED' }, pc: 0x1000n });
  });

  it.each([
    ['BC.cond, without FEAT_HBC', 0x5400_0010],
    ['BRAAZ with op4 not 31', 0xd61f_081e],
    ['RETAA with Rn not 31', 0xd65f_0bdf],
    ['BR with op4 not 0', 0xd61f_0001],
    ['ERET with Rn not 31', 0xd69f_0000],
  ])('%s is unallocated', (_name, word) => {
    expect(isAllocated(word)).toBe(false);
  });
});
