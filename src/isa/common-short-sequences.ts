// FEAT_CSSC, common short sequence compression: Arm DDI 0487, C4.1 "Data-processing (1 source)", "(2 source)" and "Min/max (immediate)".
//
// Minimum and maximum depend on both operands, whichever is the result, so they are made of arithmetic and not of a choice.

import { row, type Row } from './encoding.ts';
import type { Semantics, Value } from './semantics.ts';
import { immediate, signedImmediate } from './syntax/immediates.ts';
import { R } from './syntax/registers.ts';

const feature = 'FEAT_CSSC';

/** BitCount(x), by sums of neighbouring groups of bits. */
function bitCount(s: Semantics, x: Value): Value {
  const width = x.width as 32 | 64;
  const all = width === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  const constant = (value: bigint | number) => s.constant(width, BigInt.asUintN(width, BigInt(value)));
  const shifted = (value: Value, amount: number) => s.lsr(value, constant(amount));
  const [pairs, fours, bytes] = [all / 3n, all / 5n, all / 17n].map(constant) as [Value, Value, Value];
  const twos = s.sub(x, s.and(shifted(x, 1), pairs));
  const nibbles = s.add(s.and(twos, fours), s.and(shifted(twos, 2), fours));
  const sums = s.and(s.add(nibbles, shifted(nibbles, 4)), bytes);
  return shifted(s.mul(sums, constant(all / 255n)), width - 8);
}

/** Abs(x): the sign, as a mask, is taken off. */
function absolute(s: Semantics, x: Value): Value {
  const width = x.width as 32 | 64;
  const mask = s.asr(x, s.constant(width, width - 1));
  return s.sub(s.xor(x, mask), mask);
}

const unary = (
  [
    { mnemonic: 'CTZ', opcode: '000110', result: (s: Semantics, x: Value) => s.clz(s.rbit(x)) },
    { mnemonic: 'CNT', opcode: '000111', result: bitCount },
    { mnemonic: 'ABS', opcode: '001000', result: absolute },
  ] as const
).map(({ mnemonic, opcode, result }) =>
  row({
    name: mnemonic,
    feature,
    pattern: `sf 1 0 11010110 00000 ${opcode} Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_dp_1src`,
    meaning: (s, k, f) => s.writeX(f.Rd, result(s, s.readX(f.Rn, k.sf ? 64 : 32))),
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn')] }],
  }),
);

const orders = [
  { mnemonic: 'SMAX', bits: '00', isSigned: true, takesLess: false },
  { mnemonic: 'UMAX', bits: '01', isSigned: false, takesLess: false },
  { mnemonic: 'SMIN', bits: '10', isSigned: true, takesLess: true },
  { mnemonic: 'UMIN', bits: '11', isSigned: false, takesLess: true },
] as const;
type Order = (typeof orders)[number];

/** The lesser or the greater of both. */
function extreme(s: Semantics, { isSigned, takesLess }: Order, a: Value, b: Value): Value {
  const width = a.width as 32 | 64;
  const isLess = isSigned ? s.ltS(a, b) : s.ltU(a, b);
  const takesFirst = s.sub(s.constant(width, 0), s.zeroExtend(isLess, 32, width));
  const difference = s.and(s.xor(a, b), takesFirst);
  return s.xor(takesLess ? b : a, difference);
}

const ofRegisters = orders.map((order) =>
  row({
    name: `${order.mnemonic} (register)`,
    feature,
    pattern: `sf 0 0 11010110 Rm 0110 ${order.bits} Rn Rd`,
    encoding: (f) => `${order.mnemonic}_${f.sf ? 64 : 32}_dp_2src`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      s.writeX(f.Rd, extreme(s, order, s.readX(f.Rn, width), s.readX(f.Rm, width)));
    },
    syntax: [{ mnemonic: order.mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn'), R('Rm')] }],
  }),
);

const ofImmediate = orders.map((order) =>
  row({
    name: `${order.mnemonic} (immediate)`,
    feature,
    pattern: `sf 0 0 1000111 00 ${order.bits} imm8 Rn Rd`,
    encoding: (f) => `${order.mnemonic}_${f.sf ? 64 : 32}${order.isSigned ? '' : 'U'}_minmax_imm`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const immediateValue = order.isSigned ? s.signExtend(f.imm8, 8, width) : s.zeroExtend(f.imm8, 8, width);
      s.writeX(f.Rd, extreme(s, order, s.readX(f.Rn, width), immediateValue));
    },
    syntax: [
      {
        mnemonic: order.mnemonic.toLowerCase(),
        operands: [
          R('Rd'),
          R('Rn'),
          order.isSigned ? signedImmediate('imm8', 8) : immediate('imm8', 8, { base: 'decimal' }),
        ],
      },
    ],
  }),
);

export const commonShortSequences: readonly Row[] = [...unary, ...ofRegisters, ...ofImmediate];
