// Move wide (immediate): Arm DDI 0487, C4.1 "Data Processing -- Immediate".

import { row, type FieldValues, type Row } from './encoding.ts';
import { widen } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import { shiftedWide, wideImmediate } from './syntax/immediates.ts';
import { R } from './syntax/registers.ts';

const pattern = (opc: '00' | '10' | '11') => `sf ${opc} 100101 hw imm16 Rd` as const;
const allocated = (f: FieldValues<ReturnType<typeof pattern>>): boolean => f.sf === 1 || f.hw < 2;

/** imm16 at the position that hw gives. */
const place = (s: Semantics, imm16: Value, hw: number, width: 32 | 64): Value =>
  s.lsl(widen(s, imm16, width), s.constant(width, 16 * hw));

const MOVN = row({
  name: 'MOVN',
  pattern: pattern('00'),
  encoding: (f) => `MOVN_${f.sf ? 64 : 32}_movewide`,
  allocated,
  meaning: (s, k, f) => {
    s.writeX(f.Rd, s.not(place(s, f.imm16, k.hw, k.sf ? 64 : 32)));
  },
  syntax: [
    {
      mnemonic: 'mov',
      operands: [R('Rd'), wideImmediate(true)],
      when: (f) => !(f.imm16 === 0 && f.hw !== 0) && !(f.sf === 0 && f.imm16 === 0xffff),
    },
    { mnemonic: 'movn', operands: [R('Rd'), shiftedWide] },
  ],
});

const MOVZ = row({
  name: 'MOVZ',
  pattern: pattern('10'),
  encoding: (f) => `MOVZ_${f.sf ? 64 : 32}_movewide`,
  allocated,
  meaning: (s, k, f) => {
    s.writeX(f.Rd, place(s, f.imm16, k.hw, k.sf ? 64 : 32));
  },
  syntax: [
    { mnemonic: 'mov', operands: [R('Rd'), wideImmediate(false)], when: (f) => !(f.imm16 === 0 && f.hw !== 0) },
    { mnemonic: 'movz', operands: [R('Rd'), shiftedWide] },
  ],
});

const MOVK = row({
  name: 'MOVK',
  pattern: pattern('11'),
  encoding: (f) => `MOVK_${f.sf ? 64 : 32}_movewide`,
  allocated,
  meaning: (s, k, f) => {
    const width = k.sf ? 64 : 32;
    const others = s.constant(width, ~(0xffffn << BigInt(16 * k.hw)));
    s.writeX(f.Rd, s.or(s.and(s.readX(f.Rd, width), others), place(s, f.imm16, k.hw, width)));
  },
  syntax: [{ mnemonic: 'movk', operands: [R('Rd'), shiftedWide] }],
});

export const moveWide: readonly Row[] = [MOVN, MOVZ, MOVK];
