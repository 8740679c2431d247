// Data processing under the trace reading, against the manual's pseudocode.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, execute, isAllocated } from './execute.ts';
import { addWithCarry, bitReverse, bitsOf, conditionHolds, crc32, decodeBitMasks, extendReg, shift } from './manual.ts';
import { bit, nzcv, parameters, value64 } from './values.ts';

const widthOf = (sf: number): 32 | 64 => (sf ? 64 : 32);
const complement = (value: bigint): bigint => ~value;
const registers = { Rd: 0, Rn: 1, Rm: 2 };
const addSubtracts = ['ADD', 'ADDS', 'SUB', 'SUBS'] as const;

function sum(mnemonic: string, x: bigint, y: bigint, width: number) {
  return mnemonic.startsWith('SUB') ? addWithCarry(x, complement(y), 1n, width) : addWithCarry(x, y, 0n, width);
}

describe('add and subtract', () => {
  it.each(addSubtracts)(
    '%s (immediate) uses the stack pointer as base, and as destination unless it sets the flags',
    (m) => {
      fc.assert(
        fc.property(bit, bit, fc.nat(0xfff), value64, (sf, sh, imm12, sp) => {
          const after = execute(encode(`${m} (immediate)`, { sf, sh, imm12, Rn: 31, Rd: 31 }), { sp });
          const { result, nzcv } = sum(m, sp, BigInt(imm12) << (sh ? 12n : 0n), widthOf(sf));
          expect(after.sp).toBe(m.endsWith('S') ? sp : result);
          expect(after.nzcv).toBe(m.endsWith('S') ? nzcv : 0);
        }),
        parameters,
      );
    },
  );

  it.each(addSubtracts)('%s (shifted register)', (m) => {
    fc.assert(
      fc.property(bit, fc.nat(2), fc.nat(63), value64, value64, (sf, type, amount, x, y) => {
        const width = widthOf(sf);
        const imm6 = amount % width;
        const word = encode(`${m} (shifted register)`, { sf, shift: type, imm6, ...registers });
        const after = execute(word, { x: { 1: x, 2: y } });
        const { result, nzcv } = sum(m, x, shift(y, type, imm6, width), width);
        expect(after.x[0]).toBe(result);
        expect(after.nzcv).toBe(m.endsWith('S') ? nzcv : 0);
      }),
      parameters,
    );
  });

  it.each(addSubtracts)('%s (extended register)', (m) => {
    fc.assert(
      fc.property(bit, fc.nat(7), fc.nat(4), value64, value64, (sf, option, imm3, x, y) => {
        const word = encode(`${m} (extended register)`, { sf, option, imm3, ...registers });
        const after = execute(word, { x: { 1: x, 2: y } });
        const { result, nzcv } = sum(m, x, extendReg(y, option, imm3, widthOf(sf)), widthOf(sf));
        expect(after.x[0]).toBe(result);
        expect(after.nzcv).toBe(m.endsWith('S') ? nzcv : 0);
      }),
      parameters,
    );
  });

  it.each(['ADC', 'ADCS', 'SBC', 'SBCS'])('%s', (m) => {
    fc.assert(
      fc.property(bit, nzcv, value64, value64, (sf, before, x, y) => {
        const after = execute(encode(m, { sf, ...registers }), { x: { 1: x, 2: y }, nzcv: before });
        const carry = before & 2 ? 1n : 0n;
        const sumOf = addWithCarry(x, m.startsWith('SBC') ? complement(y) : y, carry, widthOf(sf));
        expect(after.x[0]).toBe(sumOf.result);
        expect(after.nzcv).toBe(m.endsWith('S') ? sumOf.nzcv : before);
      }),
      parameters,
    );
  });
});

describe('logical operations', () => {
  const operations: Readonly<Record<string, (x: bigint, y: bigint) => bigint>> = {
    AND: (x, y) => x & y,
    ORR: (x, y) => x | y,
    EOR: (x, y) => x ^ y,
    ANDS: (x, y) => x & y,
    BIC: (x, y) => x & ~y,
    ORN: (x, y) => x | ~y,
    EON: (x, y) => x ^ ~y,
    BICS: (x, y) => x & ~y,
  };
  const flagsOf = (m: string, result: bigint, width: number): number =>
    m.endsWith('S') ? (result >> BigInt(width - 1) ? 8 : 0) | (result === 0n ? 4 : 0) : 0;

  it.each(['AND', 'ORR', 'EOR', 'ANDS'])('%s (immediate) takes every mask of DecodeBitMasks and no other', (m) => {
    const source = 0x0123_4567_89ab_cdefn;
    for (let n = 0; n < 1 << 14; n += 1) {
      const f = { sf: n >> 13, N: (n >> 12) & 1, immr: (n >> 6) & 63, imms: n & 63 };
      const width = widthOf(f.sf);
      const word = encode(`${m} (immediate)`, { ...f, Rn: 1, Rd: 0 });
      const masks = f.sf === 0 && f.N === 1 ? undefined : decodeBitMasks(f.N, f.imms, f.immr, true, width);
      if (isAllocated(word) !== (masks !== undefined)) expect.fail(`allocation of ${JSON.stringify(f)}`);
      if (!masks || n % 5 !== 0) continue;
      const after = execute(word, { x: { 1: source } });
      const result = bitsOf(operations[m]!(source, masks.wmask), width);
      if (after.x[0] !== result) expect(after.x[0], JSON.stringify(f)).toBe(result);
      expect(after.nzcv).toBe(flagsOf(m, result, width));
    }
  });

  it('ANDS (immediate) to register 31 leaves the stack pointer, ORR (immediate) writes it', () => {
    const f = { sf: 1, N: 1, imms: 7, Rn: 1, Rd: 31 };
    expect(execute(encode('ANDS (immediate)', f), { sp: 5n, x: { 1: 0x180n } }).sp).toBe(5n);
    expect(execute(encode('ORR (immediate)', f), { sp: 5n, x: { 1: 0x100n } }).sp).toBe(0x1ffn);
  });

  it.each(Object.keys(operations))('%s (shifted register)', (m) => {
    fc.assert(
      fc.property(bit, fc.nat(3), fc.nat(63), nzcv, value64, value64, (sf, type, amount, before, x, y) => {
        const width = widthOf(sf);
        const imm6 = amount % width;
        const word = encode(`${m} (shifted register)`, { sf, shift: type, imm6, ...registers });
        const after = execute(word, { x: { 1: x, 2: y }, nzcv: before });
        const result = bitsOf(operations[m]!(x, shift(y, type, imm6, width)), width);
        expect(after.x[0]).toBe(result);
        expect(after.nzcv).toBe(m.endsWith('S') ? flagsOf(m, result, width) : before);
      }),
      parameters,
    );
  });
});

describe('moves, bitfields and addresses', () => {
  it('MOVN, MOVZ and MOVK place 16 bits', () => {
    fc.assert(
      fc.property(bit, fc.nat(3), fc.nat(0xffff), value64, (sf, place, imm16, old) => {
        const width = widthOf(sf);
        const hw = sf ? place : place & 1;
        const imm = BigInt(imm16) << BigInt(16 * hw);
        const run = (m: string) => execute(encode(m, { sf, hw, imm16, Rd: 3 }), { x: { 3: old } }).x[3];
        expect(run('MOVN')).toBe(bitsOf(~imm, width));
        expect(run('MOVZ')).toBe(imm);
        expect(run('MOVK')).toBe(bitsOf((old & ~(0xffffn << BigInt(16 * hw))) | imm, width));
      }),
      parameters,
    );
  });

  it.each(['SBFM', 'BFM', 'UBFM'])('%s combines the rotated source under wmask and tmask', (m) => {
    fc.assert(
      fc.property(bit, fc.nat(63), fc.nat(63), value64, value64, (sf, r, i, source, old) => {
        const width = widthOf(sf);
        const [immr, imms] = [r % width, i % width];
        const { wmask, tmask } = decodeBitMasks(sf, imms, immr, false, width)!;
        const rotated = shift(source, 3, immr, width);
        const dst = m === 'BFM' ? bitsOf(old, width) : 0n;
        const bot = (dst & ~wmask) | (rotated & wmask);
        const sign = m === 'SBFM' && (source >> BigInt(imms)) & 1n ? (1n << BigInt(width)) - 1n : 0n;
        const top = m === 'SBFM' ? sign : dst;
        const after = execute(encode(m, { sf, N: sf, immr, imms, Rn: 1, Rd: 0 }), { x: { 0: old, 1: source } });
        expect(after.x[0]).toBe(bitsOf((top & ~tmask) | (bot & tmask), width));
      }),
      { ...parameters, numRuns: 1000 },
    );
  });

  it('EXTR takes a register out of Rn:Rm', () => {
    fc.assert(
      fc.property(bit, fc.nat(63), value64, value64, (sf, lsb, high, low) => {
        const width = widthOf(sf);
        const imms = lsb % width;
        const concat = (bitsOf(high, width) << BigInt(width)) | bitsOf(low, width);
        const after = execute(encode('EXTR', { sf, N: sf, imms, ...registers }), { x: { 1: high, 2: low } });
        expect(after.x[0]).toBe(bitsOf(concat >> BigInt(imms), width));
      }),
      parameters,
    );
  });

  it('ADR and ADRP reach both ways from PC, modulo 2^64', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(0x7ffff), value64, (immlo, immhi, pc) => {
        const imm = BigInt.asIntN(21, BigInt((immhi << 2) | immlo));
        expect(execute(encode('ADR', { immlo, immhi, Rd: 0 }), { pc }).x[0]).toBe(bitsOf(pc + imm, 64));
        const page = pc - (pc % 4096n);
        expect(execute(encode('ADRP', { immlo, immhi, Rd: 0 }), { pc }).x[0]).toBe(bitsOf(page + imm * 4096n, 64));
      }),
      parameters,
    );
  });
});

describe('multiplication and division', () => {
  it('MADD, MSUB and the long forms', () => {
    fc.assert(
      fc.property(bit, value64, value64, value64, (sf, n, m, a) => {
        const x = { 1: n, 2: m, 3: a };
        const run = (name: string, fields = {}) =>
          execute(encode(name, { ...fields, ...registers, Ra: 3 }), { x }).x[0];
        const unsigned = bitsOf(n, 32) * bitsOf(m, 32);
        const signed = BigInt.asIntN(32, n) * BigInt.asIntN(32, m);
        expect(run('MADD', { sf })).toBe(bitsOf(a + n * m, widthOf(sf)));
        expect(run('MSUB', { sf })).toBe(bitsOf(a - n * m, widthOf(sf)));
        expect(run('UMADDL')).toBe(bitsOf(a + unsigned, 64));
        expect(run('UMSUBL')).toBe(bitsOf(a - unsigned, 64));
        expect(run('SMADDL')).toBe(bitsOf(a + signed, 64));
        expect(run('SMSUBL')).toBe(bitsOf(a - signed, 64));
      }),
      parameters,
    );
  });

  it('UMULH and SMULH give the high half', () => {
    fc.assert(
      fc.property(value64, value64, (n, m) => {
        const x = { 1: n, 2: m };
        const signed = BigInt.asIntN(64, n) * BigInt.asIntN(64, m);
        expect(execute(encode('UMULH', registers), { x }).x[0]).toBe((n * m) >> 64n);
        expect(execute(encode('SMULH', registers), { x }).x[0]).toBe(bitsOf(signed >> 64n, 64));
      }),
      parameters,
    );
  });

  it('UDIV and SDIV round towards zero, give 0 for the divisor 0 and the minimum for the minimum by -1', () => {
    fc.assert(
      fc.property(bit, value64, value64, (sf, n, m) => {
        const width = widthOf(sf);
        const x = { 1: n, 2: m };
        const [un, um] = [bitsOf(n, width), bitsOf(m, width)];
        const [sn, sm] = [BigInt.asIntN(width, n), BigInt.asIntN(width, m)];
        expect(execute(encode('UDIV', { sf, ...registers }), { x }).x[0]).toBe(um === 0n ? 0n : un / um);
        expect(execute(encode('SDIV', { sf, ...registers }), { x }).x[0]).toBe(sm === 0n ? 0n : bitsOf(sn / sm, width));
      }),
      parameters,
    );
    const minimum = execute(encode('SDIV', { sf: 1, ...registers }), { x: { 1: 1n << 63n, 2: (1n << 64n) - 1n } });
    expect(minimum.x[0]).toBe(1n << 63n);
  });
});

describe('shifts and bit operations', () => {
  it.each([
    ['LSLV', 0],
    ['LSRV', 1],
    ['ASRV', 2],
    ['RORV', 3],
  ] as const)('%s takes the amount modulo the width', (m, type) => {
    fc.assert(
      fc.property(bit, value64, value64, (sf, n, amount) => {
        const width = widthOf(sf);
        const after = execute(encode(m, { sf, ...registers }), { x: { 1: n, 2: amount } });
        expect(after.x[0]).toBe(shift(n, type, Number(amount % BigInt(width)), width));
      }),
      parameters,
    );
  });

  it('RBIT, CLZ, CLS and the byte reversals', () => {
    const bytes = (value: bigint, from: number, count: number): bigint =>
      Array.from({ length: count }, (_, n) => (value >> BigInt(8 * (from + n))) & 0xffn).reduce(
        (r, b) => (r << 8n) | b,
        0n,
      );
    const reversed = (value: bigint, container: number, width: number): bigint =>
      Array.from({ length: width / container }, (_, n) => n).reduce(
        (r, n) => r | (bytes(value, (n * container) / 8, container / 8) << BigInt(n * container)),
        0n,
      );
    fc.assert(
      fc.property(bit, value64, (sf, value) => {
        const width = widthOf(sf);
        const run = (m: string, fields = {}) =>
          execute(encode(m, { ...fields, Rn: 1, Rd: 0 }), { x: { 1: value } }).x[0];
        const text = bitsOf(value, width).toString(2).padStart(width, '0');
        expect(run('RBIT', { sf })).toBe(bitReverse(bitsOf(value, width), width));
        expect(run('CLZ', { sf })).toBe(BigInt(/^0*/.exec(text)![0].length));
        expect(run('CLS', { sf })).toBe(BigInt(/^(0*|1*)/.exec(text)![0].length || /^1*/.exec(text)![0].length) - 1n);
        expect(run('REV16', { sf })).toBe(reversed(value, 16, width));
        expect(run('REV32')).toBe(reversed(value, 32, 64));
        const word = sf ? 0xdac0_0c20 : 0x5ac0_0820;
        expect(execute(word, { x: { 1: value } }).x[0]).toBe(reversed(value, width, width));
      }),
      parameters,
    );
  });

  it.each([
    ['B', 8],
    ['H', 16],
    ['W', 32],
    ['X', 64],
  ] as const)('CRC32%s, of %i bits, and its CRC32C divide the reversed message by the polynomial', (letter, size) => {
    fc.assert(
      fc.property(value64, value64, (acc, value) => {
        const x = { 1: acc, 2: value };
        expect(execute(encode(`CRC32${letter}`, registers), { x }).x[0]).toBe(crc32(acc, value, size, false));
        expect(execute(encode(`CRC32C${letter}`, registers), { x }).x[0]).toBe(crc32(acc, value, size, true));
      }),
      parameters,
    );
  });
});

describe('conditions and flags', () => {
  const condition = fc.nat(15);

  it('CSEL, CSINC, CSINV and CSNEG', () => {
    fc.assert(
      fc.property(bit, condition, nzcv, value64, value64, (sf, cond, before, n, m) => {
        const run = (name: string) =>
          execute(encode(name, { sf, cond, ...registers }), { x: { 1: n, 2: m }, nzcv: before }).x[0];
        const chosen = (otherwise: bigint) => bitsOf(conditionHolds(cond, before) ? n : otherwise, widthOf(sf));
        expect(run('CSEL')).toBe(chosen(m));
        expect(run('CSINC')).toBe(chosen(m + 1n));
        expect(run('CSINV')).toBe(chosen(~m));
        expect(run('CSNEG')).toBe(chosen(-m));
      }),
      parameters,
    );
  });

  it('CCMP and CCMN compare where the condition holds and otherwise take the field', () => {
    fc.assert(
      fc.property(bit, condition, nzcv, nzcv, value64, value64, fc.nat(31), (sf, cond, before, field, n, m, imm5) => {
        const width = widthOf(sf);
        const fields = { sf, cond, nzcv: field, Rn: 1 };
        const run = (name: string, operand: Record<string, number>) =>
          execute(encode(name, { ...fields, ...operand }), { x: { 1: n, 2: m }, nzcv: before }).nzcv;
        const flags = (compared: { nzcv: number }) => (conditionHolds(cond, before) ? compared.nzcv : field);
        expect(run('CCMP (register)', { Rm: 2 })).toBe(flags(sum('SUBS', n, m, width)));
        expect(run('CCMN (register)', { Rm: 2 })).toBe(flags(sum('ADDS', n, m, width)));
        expect(run('CCMP (immediate)', { imm5 })).toBe(flags(sum('SUBS', n, BigInt(imm5), width)));
        expect(run('CCMN (immediate)', { imm5 })).toBe(flags(sum('ADDS', n, BigInt(imm5), width)));
      }),
      parameters,
    );
  });

  it('RMIF, SETF8, SETF16 and CFINV', () => {
    fc.assert(
      fc.property(value64, nzcv, nzcv, fc.nat(63), (n, before, mask, imm6) => {
        const x = { 1: n };
        const rotated = Number(shift(n, 3, imm6, 64) & 15n);
        const RMIF = execute(encode('RMIF', { imm6, mask, Rn: 1 }), { x, nzcv: before });
        expect(RMIF.nzcv).toBe((before & ~mask) | (rotated & mask));
        for (const size of [8, 16]) {
          const at = (index: number) => Number((n >> BigInt(index)) & 1n);
          const zero = bitsOf(n, size) === 0n ? 4 : 0;
          const expected = (at(size - 1) << 3) | zero | (before & 2) | (at(size) ^ at(size - 1));
          expect(execute(encode(`SETF${size}`, { Rn: 1 }), { x, nzcv: before }).nzcv).toBe(expected);
        }
        expect(execute(encode('CFINV', {}), { nzcv: before }).nzcv).toBe(before ^ 2);
      }),
      parameters,
    );
  });
});

describe('register 31 and unallocated encodings', () => {
  it('reads as zero and discards what is written, outside the forms that take the stack pointer', () => {
    const after = execute(encode('ADD (shifted register)', { sf: 1, Rn: 31, Rm: 31, Rd: 31 }), { sp: 64n });
    expect(after.sp).toBe(64n);
    expect(
      execute(encode('ORR (shifted register)', { sf: 1, Rn: 31, Rm: 31, Rd: 4 }), { sp: 64n, x: { 4: 9n } }).x[4],
    ).toBe(0n);
  });

  it.each([
    ['ADD (shifted register)', { shift: 3 }],
    ['ADD (shifted register)', { sf: 0, imm6: 32 }],
    ['SUB (extended register)', { imm3: 5 }],
    ['EOR (shifted register)', { sf: 0, imm6: 63 }],
    ['ORR (immediate)', { sf: 0, N: 1 }],
    ['ORR (immediate)', { sf: 1, N: 1, imms: 63 }],
    ['MOVZ', { sf: 0, hw: 2 }],
    ['UBFM', { sf: 1, N: 0 }],
    ['UBFM', { sf: 0, N: 1 }],
    ['SBFM', { sf: 0, N: 0, immr: 32 }],
    ['BFM', { sf: 0, N: 0, imms: 32 }],
    ['EXTR', { sf: 0, N: 0, imms: 32 }],
    ['EXTR', { sf: 1, N: 0 }],
  ])('%s with %j is unallocated', (name, fields) => {
    expect(isAllocated(encode(name, fields))).toBe(false);
  });

  it.each([
    ['MOV wide with opc 01', 0x3280_0000],
    ['CRC32X with sf 0', 0x1ac0_4c00],
    ['CRC32B with sf 1', 0x9ac0_4000],
    ['REV (64-bit) with sf 0', 0x5ac0_0c00],
    ['SMULH with Ra 0, should be one', 0x9b40_0000],
    ['XPACI with Rn not 31', 0xdac1_43c0],
    ['ADDG, without FEAT_MTE', 0x9180_0000],
    ['CSSC CTZ', 0xdac0_1800],
    ['ADDS with carry and a nonzero opcode', 0xba00_0800],
    ['CCMP with o3 1', 0xfa40_0010],
  ])('%s is unallocated', (_name, word) => {
    expect(isAllocated(word)).toBe(false);
  });
});
