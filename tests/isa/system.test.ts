// Exceptions, hints, barriers and system register access under the trace reading.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceValue } from '../../src/engine/trace-values.ts';
import { encode, execute, isAllocated } from './execute.ts';
import { parameters, value64 } from './values.ts';

const systemFields = fc.record({ op1: fc.nat(7), CRn: fc.nat(15), CRm: fc.nat(15), op2: fc.nat(7) });
type SystemFields = { op1: number; CRn: number; CRm: number; op2: number };
const keyOf = (op0: number, f: SystemFields): number =>
  (op0 << 14) | (f.op1 << 11) | (f.CRn << 7) | (f.CRm << 3) | f.op2;
const keyNZCV = keyOf(3, { op1: 3, CRn: 4, CRm: 2, op2: 0 });

describe('exception generation', () => {
  it.each(['SVC', 'HVC', 'SMC', 'BRK', 'HLT'])('%s hands on its immediate and leaves PC', (m) => {
    for (const imm16 of [0, 1, 0x8000, 0xffff]) {
      expect(execute(encode(m, { imm16 }))).toMatchObject({ outcome: { exception: m, imm16 }, pc: 0x1000n });
    }
  });

  it.each(['DCPS1', 'DCPS2', 'DCPS3', 'UDF'])('%s is UNDEFINED', (m) => {
    expect(execute(encode(m, { imm16: 0xbeef })).outcome).toEqual({ exception: 'UNDEFINED' });
  });
});

describe('the hint space', () => {
  it('is allocated throughout, and a hint without a meaning of its own is a NOP', () => {
    const reported = new Map<number, unknown>();
    for (let number = 0; number < 128; number += 1) {
      const after = execute((0xd503_201f | (number << 5)) >>> 0, { nzcv: 6, x: { 30: 7n, 17: 5n } });
      expect(after).toMatchObject({ outcome: {}, pc: 0x1004n, nzcv: 6 });
      expect(after.x.filter((value) => value !== 0n)).toEqual([5n, 7n]);
      if (after.events.length > 0) reported.set(number, after.events);
    }
    expect([...reported]).toEqual([
      [1, [{ event: 'YIELD' }]],
      [2, [{ event: 'WFE' }]],
      [3, [{ event: 'WFI' }]],
      [4, [{ event: 'SEV' }]],
      [5, [{ event: 'SEVL' }]],
    ]);
  });
});

describe('barriers', () => {
  it('DMB and DSB hand on CRm', () => {
    for (let CRm = 0; CRm < 16; CRm += 1) {
      expect(execute(encode('DMB', { CRm })).events).toEqual([{ event: 'barrier', kind: 'DMB', CRm }]);
      expect(execute(encode('DSB', { CRm })).events).toEqual([{ event: 'barrier', kind: 'DSB', CRm }]);
    }
  });

  it('ISB takes any CRm; SB has no effect that could be seen', () => {
    expect(execute(encode('ISB', { CRm: 3 })).events).toEqual([{ event: 'ISB' }]);
    expect(execute(encode('SB', {}))).toMatchObject({ outcome: {}, pc: 0x1004n, events: [] });
  });
});

describe('system registers and instructions', () => {
  it('MRS and MSR name the register by op0:op1:CRn:CRm:op2', () => {
    fc.assert(
      fc.property(fc.nat(1), systemFields, value64, (sysop0, f, value) => {
        const key = keyOf(2 + sysop0, f);
        fc.pre(key !== keyNZCV);
        const seen: unknown[] = [];
        const MRS = execute(
          encode('MRS', { sysop0, ...f, Rt: 4 }),
          {},
          {
            readSystemRegister: (asked) => {
              seen.push(asked);
              return traceValue(64, value);
            },
          },
        );
        expect(MRS.x[4]).toBe(value);
        execute(
          encode('MSR (register)', { sysop0, ...f, Rt: 4 }),
          { x: { 4: value } },
          {
            writeSystemRegister: (asked, { bits }) => {
              seen.push(asked, bits);
              return undefined;
            },
          },
        );
        expect(seen).toEqual([key, key, value]);
      }),
      parameters,
    );
  });

  it('SYS and SYSL name the instruction with op0 1', () => {
    fc.assert(
      fc.property(systemFields, value64, (f, value) => {
        const seen: unknown[] = [];
        execute(
          encode('SYS', { ...f, Rt: 4 }),
          { x: { 4: value } },
          {
            systemInstruction: (asked, { bits }) => {
              seen.push(asked, bits);
              return undefined;
            },
          },
        );
        const SYSL = execute(
          encode('SYSL', { ...f, Rt: 4 }),
          {},
          {
            systemInstructionWithResult: () => traceValue(64, value),
          },
        );
        expect(seen).toEqual([keyOf(1, f), value]);
        expect(SYSL.x[4]).toBe(value);
      }),
      parameters,
    );
  });

  it('a register that the PE refuses is UNDEFINED and nothing is written', () => {
    const after = execute(encode('MRS', { sysop0: 1, Rt: 4 }), { x: { 4: 9n } });
    expect(after).toMatchObject({ outcome: { exception: 'UNDEFINED' }, pc: 0x1000n });
    expect(after.x[4]).toBe(9n);
  });

  it('NZCV holds the flags in bits 31 to 28, the others are RES0', () => {
    const fields = { sysop0: 1, op1: 3, CRn: 4, CRm: 2, op2: 0, Rt: 4 };
    for (let nzcv = 0; nzcv < 16; nzcv += 1) {
      expect(execute(encode('MRS', fields), { nzcv }).x[4]).toBe(BigInt(nzcv) << 28n);
      const written = { x: { 4: 0x5_0fff_ffffn | (BigInt(nzcv) << 28n) } };
      expect(execute(encode('MSR (register)', fields), written).nzcv).toBe(nzcv);
    }
  });

  it('MSR (immediate) takes the PSTATE fields of Armv8.2 only', () => {
    const allocated: string[] = [];
    for (let n = 0; n < 64; n += 1) {
      const [op1, op2] = [n >> 3, n & 7];
      const word = encode('MSR (immediate)', { op1, op2, CRm: 5 });
      if (!isAllocated(word)) continue;
      allocated.push(`${op1} ${op2}`);
      expect(execute(word).events).toEqual([{ event: 'PSTATE', op1, op2, CRm: 5 }]);
    }
    // UAO, PAN, SPSel, DAIFSet, DAIFClr.
    expect(allocated).toEqual(['0 3', '0 4', '0 5', '3 6', '3 7']);
  });

  it.each([
    ['CFINV with CRm not 0', 0xd500_411f],
    ['XAFLAG, without FEAT_FlagM2', 0xd500_403f],
    ['AXFLAG, without FEAT_FlagM2', 0xd500_405f],
    ['WFET, without FEAT_WFxT', 0xd503_1000],
    ['DSB nXS, without FEAT_XS', 0xd503_323f],
    ['SB with CRm not 0', 0xd503_31ff],
    ['a hint with Rt not 31', 0xd503_2000],
    ['TSTART, without FEAT_TME', 0xd523_3060],
    ['an access with op0 0', 0xd520_0000],
  ])('%s is unallocated', (_name, word) => {
    expect(isAllocated(word)).toBe(false);
  });
});
