// FEAT_LSE: compare and swap, and the atomic memory operations. Arm DDI 0487, C4.1 "Compare and swap", "Compare and swap
// pair" and "Atomic memory operations". ST<op> is the alias of LD<op> whose destination is the zero register.

import { row, type Row } from './encoding.ts';
import { sizedRegister, sizedWidth } from './loads-stores-syntax.ts';
import { type AccessSize, accessSizes, bytesOf } from './loads-stores-transfer.ts';
import type { AtomicOperation } from './semantics.ts';
import type { Fields, Form, Operand } from './syntax.ts';
import { baseAddress } from './syntax/addresses.ts';
import { evenPair, zeroRegister } from './syntax/registers.ts';

const feature = 'FEAT_LSE';

/** The letters of an order, between stem and size: CASALB. */
function orderLetters(acquire: number, release: number): string {
  return `${acquire ? 'A' : ''}${release ? 'L' : ''}`;
}

/** The title of a page with all four orders: `CASB, CASAB, CASALB, CASLB`. */
function pageOf(stem: string, tail: string): string {
  return ['', 'A', 'AL', 'L'].map((order) => `${stem}${order}${tail}`).join(', ');
}

function compareAndSwap({ tail, size }: AccessSize): Row {
  return row({
    name: pageOf('CAS', tail),
    feature,
    pattern: `${size} 001000 1 L 1 Rs o0 11111 Rn Rt`,
    encoding: (f) => {
      const register = bytesOf(size, f.size) === 8 ? 64 : 32;
      return `CAS${orderLetters(f.L, f.o0)}${tail}_C${register}_comswap`;
    },
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) => {
      const bytes = bytesOf(size, k.size);
      const width = bytes === 8 ? 64 : 32;
      const address = s.readBase(f.Rn);
      const register = s.readX(f.Rs, width);
      const expected = bytes < 4 ? s.zeroExtend(register, bytes === 1 ? 8 : 16, 32) : register;
      const replacement = s.readX(f.Rt, width);
      const order = { acquire: k.L === 1, release: k.o0 === 1 };
      s.writeX(f.Rs, s.compareAndSwap(address, expected, replacement, bytes, order));
    },
    syntax: [
      {
        mnemonic: (k) => `cas${orderLetters(k.L, k.o0)}${tail}`.toLowerCase(),
        operands: [sizedRegister('Rs', size), sizedRegister('Rt', size), baseAddress],
      },
    ],
  });
}

const pairWidth = (f: Fields): 32 | 64 => (f.sz === 1 ? 64 : 32);

const compareAndSwapPair = row({
  name: pageOf('CASP', ''),
  feature,
  pattern: '0 sz 001000 0 L 1 Rs o0 11111 Rn Rt',
  encoding: (f) => `CASP${orderLetters(f.L, f.o0)}_CP${f.sz ? 64 : 32}_comswappr`,
  // An odd register is UNDEFINED. Its successor is never past 31, where the second half of the pair is the zero register.
  allocated: (f) => (f.Rs & 1) === 0 && (f.Rt & 1) === 0,
  meaning: (s, k, f) => {
    const width = k.sz ? 64 : 32;
    const one = s.constant(32, 1);
    const [Rs2, Rt2] = [s.add(f.Rs, one), s.add(f.Rt, one)];
    const address = s.readBase(f.Rn);
    const expected = [s.readX(f.Rs, width), s.readX(Rs2, width)] as const;
    const replacement = [s.readX(f.Rt, width), s.readX(Rt2, width)] as const;
    const order = { acquire: k.L === 1, release: k.o0 === 1 };
    const [first, second] = s.compareAndSwapPair(address, expected, replacement, k.sz ? 8 : 4, order);
    s.writeX(f.Rs, first);
    s.writeX(Rs2, second);
  },
  syntax: [
    {
      mnemonic: (k) => `casp${orderLetters(k.L, k.o0)}`.toLowerCase(),
      operands: [...evenPair('Rs', pairWidth), ...evenPair('Rt', pairWidth), baseAddress],
    },
  ],
});

const operations = [
  { stem: 'LDADD', bits: '0 000', operation: 'ADD' },
  { stem: 'LDCLR', bits: '0 001', operation: 'BIC' },
  { stem: 'LDEOR', bits: '0 010', operation: 'EOR' },
  { stem: 'LDSET', bits: '0 011', operation: 'ORR' },
  { stem: 'LDSMAX', bits: '0 100', operation: 'SMAX' },
  { stem: 'LDSMIN', bits: '0 101', operation: 'SMIN' },
  { stem: 'LDUMAX', bits: '0 110', operation: 'UMAX' },
  { stem: 'LDUMIN', bits: '0 111', operation: 'UMIN' },
  { stem: 'SWP', bits: '1 000', operation: 'SWP' },
] as const satisfies readonly { stem: string; bits: string; operation: AtomicOperation }[];
type Operation = (typeof operations)[number];

function atomicForm(stem: string, tail: string, size: AccessSize['size'], Rt: Operand): Form {
  return {
    mnemonic: (k) => `${stem}${orderLetters(k.A!, k.R!)}${tail}`.toLowerCase(),
    operands: [sizedRegister('Rs', size), Rt, baseAddress],
  };
}

/** ST<op> is preferred where neither a register nor acquire semantics are asked for. */
function atomicSyntax(stem: string, tail: string, size: AccessSize['size']): Form[] {
  const store: Form = {
    mnemonic: (k) => `${stem.replace('LD', 'ST')}${orderLetters(0, k.R!)}${tail}`.toLowerCase(),
    operands: [sizedRegister('Rs', size), baseAddress],
    where: { A: 0, Rt: 31 },
  };
  return [...(stem === 'SWP' ? [] : [store]), atomicForm(stem, tail, size, sizedRegister('Rt', size))];
}

/**
 * LD<op> or SWP. The acquire of A == '1' is lost when the destination is the zero register (`A == '1' && t != 31`), which a
 * meaning cannot ask of an operand: so that case is a row of its own, whose Rt is part of the pattern.
 */
function atomic({ stem, bits, operation }: Operation, { tail, size }: AccessSize, Rt: 'Rt' | '11111'): Row {
  const acquireIsLost = Rt === '11111';
  return row({
    name: pageOf(stem, tail),
    feature,
    pattern: `${size} 111 0 00 A R 1 Rs ${bits} 00 Rn ${Rt}`,
    encoding: (f) => `${stem}${orderLetters(f.A, f.R)}${tail}_${bytesOf(size, f.size) === 8 ? 64 : 32}_memop`,
    allocated: (f) => (size !== 'size' || f.size >= 2) && (acquireIsLost ? f.A === 1 : f.A === 0 || f.Rt !== 31),
    meaning: (s, k, f) => {
      const bytes = bytesOf(size, k.size);
      const address = s.readBase(f.Rn);
      const operand = s.readX(f.Rs, bytes === 8 ? 64 : 32);
      const order = { acquire: k.A === 1 && !acquireIsLost, release: k.R === 1 };
      const value = s.atomic(operation, address, operand, bytes, order);
      if (!acquireIsLost) s.writeX(f.Rt, value);
    },
    syntax: acquireIsLost
      ? [
          atomicForm(
            stem,
            tail,
            size,
            zeroRegister((f) => sizedWidth(size, f)),
          ),
        ]
      : atomicSyntax(stem, tail, size),
  });
}

export const atomics: readonly Row[] = [
  ...accessSizes.map(compareAndSwap),
  compareAndSwapPair,
  ...operations.flatMap((operation) =>
    accessSizes.flatMap((size) => [atomic(operation, size, 'Rt'), atomic(operation, size, '11111')]),
  ),
];
