// Data-processing (3 source), multiplication: Arm DDI 0487, C4.1 "Data Processing -- Register".

import { row, type Row } from './encoding.ts';
import { R, W, X } from './syntax/registers.ts';

const multiplyAdd = (
  [
    { mnemonic: 'MADD', o0: '0' },
    { mnemonic: 'MSUB', o0: '1' },
  ] as const
).map(({ mnemonic, o0 }) =>
  row({
    name: mnemonic,
    pattern: `sf 00 11011 000 Rm ${o0} Ra Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}A_dp_3src`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const product = s.mul(s.readX(f.Rn, width), s.readX(f.Rm, width));
      const operand3 = s.readX(f.Ra, width);
      s.writeX(f.Rd, mnemonic === 'MSUB' ? s.sub(operand3, product) : s.add(operand3, product));
    },
    syntax: [
      { mnemonic: mnemonic === 'MADD' ? 'mul' : 'mneg', operands: [R('Rd'), R('Rn'), R('Rm')], where: { Ra: 31 } },
      { mnemonic: mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn'), R('Rm'), R('Ra')] },
    ],
  }),
);

const multiplyAddLong = (
  [
    { mnemonic: 'SMADDL', unsigned: false, subtract: false, U: '0', o0: '0' },
    { mnemonic: 'SMSUBL', unsigned: false, subtract: true, U: '0', o0: '1' },
    { mnemonic: 'UMADDL', unsigned: true, subtract: false, U: '1', o0: '0' },
    { mnemonic: 'UMSUBL', unsigned: true, subtract: true, U: '1', o0: '1' },
  ] as const
).map(({ mnemonic, unsigned, subtract, U, o0 }) =>
  row({
    name: mnemonic,
    pattern: `1 00 11011 ${U} 01 Rm ${o0} Ra Rn Rd`,
    encoding: `${mnemonic}_64WA_dp_3src`,
    meaning: (s, _k, f) => {
      const operand1 = s.readX(f.Rn, 32);
      const operand2 = s.readX(f.Rm, 32);
      const product = unsigned
        ? s.mul(s.zeroExtend(operand1, 32, 64), s.zeroExtend(operand2, 32, 64))
        : s.mul(s.signExtend(operand1, 32, 64), s.signExtend(operand2, 32, 64));
      const operand3 = s.readX(f.Ra, 64);
      s.writeX(f.Rd, subtract ? s.sub(operand3, product) : s.add(operand3, product));
    },
    syntax: [
      {
        mnemonic: `${unsigned ? 'u' : 's'}${subtract ? 'mnegl' : 'mull'}`,
        operands: [X('Rd'), W('Rn'), W('Rm')],
        where: { Ra: 31 },
      },
      { mnemonic: mnemonic.toLowerCase(), operands: [X('Rd'), W('Rn'), W('Rm'), X('Ra')] },
    ],
  }),
);

// Ra is (1)(1)(1)(1)(1): CONSTRAINED UNPREDICTABLE otherwise, here UNDEFINED.
const SMULH = row({
  name: 'SMULH',
  pattern: '1 00 11011 010 Rm 0 11111 Rn Rd',
  encoding: 'SMULH_64_dp_3src',
  meaning: (s, _k, f) => {
    s.writeX(f.Rd, s.smulh(s.readX(f.Rn, 64), s.readX(f.Rm, 64)));
  },
  syntax: [{ mnemonic: 'smulh', operands: [X('Rd'), X('Rn'), X('Rm')] }],
});

const UMULH = row({
  name: 'UMULH',
  pattern: '1 00 11011 110 Rm 0 11111 Rn Rd',
  encoding: 'UMULH_64_dp_3src',
  meaning: (s, _k, f) => {
    s.writeX(f.Rd, s.umulh(s.readX(f.Rn, 64), s.readX(f.Rm, 64)));
  },
  syntax: [{ mnemonic: 'umulh', operands: [X('Rd'), X('Rn'), X('Rm')] }],
});

export const multiply: readonly Row[] = [...multiplyAdd, ...multiplyAddLong, SMULH, UMULH];
