// Bitfield and extract: Arm DDI 0487, C4.1 "Data Processing -- Immediate".
//
// The manual rotates the source and combines it under wmask and tmask of DecodeBitMasks. The same bits come from two shifts: left
// until bit imms is the highest, then right by immr - imms - 1 modulo the width, which brings it to imms - immr (extraction, imms >=
// immr) or to width + imms - immr (insertion into zeros).

import { row, type FieldValues, type Row } from './encoding.ts';
import { widen } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import { type Form, never } from './syntax.ts';
import { R, W } from './syntax/registers.ts';
import { bitNumber, extractedField, insertedField, lslAmount, rightShiftAmount } from './syntax/shifts.ts';

const pattern = (opc: '00' | '01' | '10') => `sf ${opc} 100110 N immr imms Rn Rd` as const;
const allocated = (f: FieldValues<ReturnType<typeof pattern>>): boolean =>
  f.N === f.sf && (f.sf === 1 || (f.immr < 32 && f.imms < 32));

/** The two shift amounts, modulo the width. */
function amounts(s: Semantics, f: { immr: Value; imms: Value }, width: 32 | 64): { left: Value; right: Value } {
  const left = s.not(widen(s, f.imms, width));
  return { left, right: s.add(widen(s, f.immr, width), left) };
}

const inserts = (f: { immr: number; imms: number }): boolean => f.imms < f.immr;
const extracts = (f: { immr: number; imms: number }): boolean => f.imms >= f.immr;
const registers = [R('Rd'), R('Rn')];

/** An extension from a register that is written as W: SXTB, SXTH, SXTW, UXTB, UXTH. */
const extension = (mnemonic: string, sf: 0 | 1, imms: number) =>
  ({ mnemonic, operands: [R('Rd'), W('Rn')], where: { sf, N: sf, immr: 0, imms } }) satisfies Form;

/** SBFM, BFM and UBFM themselves are never preferred. */
const plain = (mnemonic: string) =>
  ({ mnemonic, operands: [...registers, bitNumber('immr'), bitNumber('imms')], preferred: never }) satisfies Form;

const SBFM = row({
  name: 'SBFM',
  pattern: pattern('00'),
  encoding: (f) => (f.sf ? 'SBFM_64M_bitfield' : 'SBFM_32M_bitfield'),
  allocated,
  meaning: (s, k, f) => {
    const width = k.sf ? 64 : 32;
    const { left, right } = amounts(s, f, width);
    s.writeX(f.Rd, s.asr(s.lsl(s.readX(f.Rn, width), left), right));
  },
  syntax: [
    {
      mnemonic: 'asr',
      operands: [...registers, rightShiftAmount],
      when: (f) => f.imms === (f.sf ? 63 : 31),
    },
    ...[extension('sxtb', 0, 7), extension('sxtb', 1, 7), extension('sxth', 0, 15), extension('sxth', 1, 15)],
    extension('sxtw', 1, 31),
    { mnemonic: 'sbfiz', operands: [...registers, ...insertedField], preferred: inserts },
    { mnemonic: 'sbfx', operands: [...registers, ...extractedField], preferred: extracts },
    plain('sbfm'),
  ],
});

const BFM = row({
  name: 'BFM',
  pattern: pattern('01'),
  encoding: (f) => (f.sf ? 'BFM_64M_bitfield' : 'BFM_32M_bitfield'),
  allocated,
  meaning: (s, k, f) => {
    const width = k.sf ? 64 : 32;
    const { left, right } = amounts(s, f, width);
    const field = s.lsr(s.lsl(s.readX(f.Rn, width), left), right);
    const mask = s.lsr(s.lsl(s.constant(width, -1), left), right);
    s.writeX(f.Rd, s.or(s.and(s.readX(f.Rd, width), s.not(mask)), field));
  },
  syntax: [
    { mnemonic: 'bfc', operands: [R('Rd'), ...insertedField], where: { Rn: 31 }, preferred: inserts },
    { mnemonic: 'bfi', operands: [...registers, ...insertedField], preferred: inserts },
    { mnemonic: 'bfxil', operands: [...registers, ...extractedField], preferred: extracts },
    plain('bfm'),
  ],
});

const UBFM = row({
  name: 'UBFM',
  pattern: pattern('10'),
  encoding: (f) => (f.sf ? 'UBFM_64M_bitfield' : 'UBFM_32M_bitfield'),
  allocated,
  meaning: (s, k, f) => {
    const width = k.sf ? 64 : 32;
    const { left, right } = amounts(s, f, width);
    s.writeX(f.Rd, s.lsr(s.lsl(s.readX(f.Rn, width), left), right));
  },
  syntax: [
    {
      mnemonic: 'lsl',
      operands: [...registers, lslAmount],
      preferred: (f) => f.imms !== (f.sf ? 63 : 31) && f.imms + 1 === f.immr,
    },
    { mnemonic: 'lsr', operands: [...registers, rightShiftAmount], when: (f) => f.imms === (f.sf ? 63 : 31) },
    ...[extension('uxtb', 0, 7), extension('uxth', 0, 15)],
    { mnemonic: 'ubfiz', operands: [...registers, ...insertedField], preferred: inserts },
    { mnemonic: 'ubfx', operands: [...registers, ...extractedField], preferred: extracts },
    plain('ubfm'),
  ],
});

const EXTR = row({
  name: 'EXTR',
  pattern: 'sf 00 100111 N 0 Rm imms Rn Rd',
  encoding: (f) => (f.sf ? 'EXTR_64_extract' : 'EXTR_32_extract'),
  allocated: (f) => f.N === f.sf && (f.sf === 1 || f.imms < 32),
  meaning: (s, k, f) => {
    const width = k.sf ? 64 : 32;
    const lsb = widen(s, f.imms, width);
    // One place, then width - 1 - lsb places more: nothing of Rn is left for lsb = 0.
    const high = s.lsl(s.lsl(s.readX(f.Rn, width), s.constant(width, 1)), s.not(lsb));
    s.writeX(f.Rd, s.or(high, s.lsr(s.readX(f.Rm, width), lsb)));
  },
  syntax: [
    { mnemonic: 'ror', operands: [R('Rd'), R('Rn', 'Rm'), bitNumber('imms')], when: (f) => f.Rn === f.Rm },
    { mnemonic: 'extr', operands: [R('Rd'), R('Rn'), R('Rm'), bitNumber('imms')] },
  ],
});

export const bitfield: readonly Row[] = [SBFM, BFM, UBFM, EXTR];
