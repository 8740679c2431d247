// The instructions of FEAT_FlagM that manipulate the condition flags: Arm DDI 0487, C4.1. FEAT_FlagM2 (AXFLAG, XAFLAG) is left out.

import { row, type Row } from './encoding.ts';
import { bitOf, invert, widen } from './pseudocode.ts';
import type { FlagName } from './semantics.ts';
import { immediate } from './syntax/immediates.ts';
import { W, X } from './syntax/registers.ts';

const RMIF = row({
  name: 'RMIF',
  pattern: '1 0 1 11010000 imm6 00001 Rn 0 mask',
  encoding: 'RMIF_only_rmif',
  feature: 'FEAT_FlagM',
  meaning: (s, _k, f) => {
    const tmp = s.low32(s.ror(s.readX(f.Rn, 64), widen(s, f.imm6, 64)));
    const insert = (name: FlagName, bit: number) =>
      s.select(bitOf(s, f.mask, bit), bitOf(s, tmp, bit), s.readFlag(name));
    s.writeFlags({ N: insert('N', 3), Z: insert('Z', 2), C: insert('C', 1), V: insert('V', 0) });
  },
  syntax: [
    {
      mnemonic: 'rmif',
      operands: [X('Rn'), immediate('imm6', 6, { base: 'decimal' }), immediate('mask', 4, { base: 'decimal' })],
    },
  ],
});

const evaluateIntoFlags = (
  [
    { mnemonic: 'SETF8', sz: '0', bits: 8 },
    { mnemonic: 'SETF16', sz: '1', bits: 16 },
  ] as const
).map(({ mnemonic, sz, bits }) =>
  row({
    name: mnemonic,
    pattern: `0 0 1 11010000 000000 ${sz} 0010 Rn 0 1101`,
    encoding: `${mnemonic}_only_setf`,
    feature: 'FEAT_FlagM',
    meaning: (s, _k, f) => {
      const tmp = s.readX(f.Rn, 32);
      s.writeFlags({
        N: bitOf(s, tmp, bits - 1),
        Z: s.eq(s.zeroExtend(tmp, bits, 32), s.constant(32, 0)),
        V: s.xor(bitOf(s, tmp, bits), bitOf(s, tmp, bits - 1)),
      });
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [W('Rn')] }],
  }),
);

// CRm is (0)(0)(0)(0): CONSTRAINED UNPREDICTABLE otherwise, here UNDEFINED.
const CFINV = row({
  name: 'CFINV',
  pattern: '1101010100 0 00 000 0100 0000 000 11111',
  encoding: 'CFINV_M_pstate',
  feature: 'FEAT_FlagM',
  meaning: (s) => {
    s.writeFlags({ C: invert(s, s.readFlag('C')) });
  },
  syntax: [{ mnemonic: 'cfinv', operands: [] }],
});

export const flags: readonly Row[] = [RMIF, ...evaluateIntoFlags, CFINV];
