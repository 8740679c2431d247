// Logical operations (immediate, shifted register): Arm DDI 0487, C4.1 "Data Processing".

import { decodeBitMasks, isBitMask } from './bit-masks.ts';
import { row, type Row } from './encoding.ts';
import { shiftReg, signAndZero } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import { type Form, never } from './syntax.ts';
import { bitMask, moveWidePreferred } from './syntax/immediates.ts';
import { R, RorSP } from './syntax/registers.ts';
import { shiftAmount } from './syntax/shifts.ts';

/** `opc` as in the encoding; ANDS sets the flags. */
const operations = [
  { mnemonic: 'AND', inverted: 'BIC', opc: '00' },
  { mnemonic: 'ORR', inverted: 'ORN', opc: '01' },
  { mnemonic: 'EOR', inverted: 'EON', opc: '10' },
  { mnemonic: 'ANDS', inverted: 'BICS', opc: '11' },
] as const;

type Mnemonic = (typeof operations)[number]['mnemonic'];

function operate(s: Semantics, mnemonic: Mnemonic, operand1: Value, operand2: Value): Value {
  switch (mnemonic) {
    case 'AND':
      return s.and(operand1, operand2);
    case 'ORR':
      return s.or(operand1, operand2);
    case 'EOR':
      return s.xor(operand1, operand2);
    case 'ANDS': {
      const result = s.and(operand1, operand2);
      const zero = s.constant(32, 0);
      const source = { operation: 'result', x: result, y: s.constant(result.width as 32 | 64, 0) } as const;
      s.writeFlags({ ...signAndZero(s, result), C: zero, V: zero }, source);
      return result;
    }
  }
}

function immediateSyntax(mnemonic: Mnemonic): Form[] {
  const Rd = mnemonic === 'ANDS' ? R('Rd') : RorSP('Rd');
  const aliases: Readonly<Partial<Record<Mnemonic, Form>>> = {
    ANDS: { mnemonic: 'tst', operands: [R('Rn'), bitMask()], where: { Rd: 31 } },
    ORR: {
      mnemonic: 'mov',
      operands: [RorSP('Rd'), bitMask({ of: 'MOV' })],
      where: { Rn: 31 },
      // MOVZ and MOVN do not write the stack pointer.
      when: (f) => f.Rd === 31 || !moveWidePreferred(f),
    },
  };
  const alias = aliases[mnemonic];
  return [
    ...(alias ? [alias] : []),
    { mnemonic: mnemonic.toLowerCase(), operands: [Rd, R('Rn'), bitMask()] },
    // GNU as takes BIC of an immediate for AND of its inverse.
    ...(mnemonic === 'AND'
      ? [{ mnemonic: 'bic', operands: [Rd, R('Rn'), bitMask({ inverted: true })], preferred: never }]
      : []),
  ];
}

function shiftedSyntax(name: string): Form[] {
  const aliases: Readonly<Record<string, Form>> = {
    ANDS: { mnemonic: 'tst', operands: [R('Rn'), R('Rm'), shiftAmount], where: { Rd: 31 } },
    ORR: { mnemonic: 'mov', operands: [R('Rd'), R('Rm')], where: { Rn: 31, shift: 0, imm6: 0 } },
    ORN: { mnemonic: 'mvn', operands: [R('Rd'), R('Rm'), shiftAmount], where: { Rn: 31 } },
  };
  const alias = aliases[name];
  return [
    ...(alias ? [alias] : []),
    { mnemonic: name.toLowerCase(), operands: [R('Rd'), R('Rn'), R('Rm'), shiftAmount] },
  ];
}

const immediate = operations.map(({ mnemonic, opc }) =>
  row({
    name: `${mnemonic} (immediate)`,
    pattern: `sf ${opc} 100100 N immr imms Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}${mnemonic === 'ANDS' ? 'S' : ''}_log_imm`,
    allocated: (f) => (f.sf === 1 || f.N === 0) && isBitMask(f.N, f.imms),
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const imm = decodeBitMasks(s, k.N, f.imms, f.immr, width);
      const result = operate(s, mnemonic, s.readX(f.Rn, width), imm);
      if (mnemonic === 'ANDS') s.writeX(f.Rd, result);
      else s.writeXSP(f.Rd, result);
    },
    syntax: immediateSyntax(mnemonic),
  }),
);

const shifted = operations.flatMap(({ mnemonic, inverted, opc }) =>
  ([0, 1] as const).map((N) => {
    const name = N ? inverted : mnemonic;
    return row({
      name: `${name} (shifted register)`,
      pattern: `sf ${opc} 01010 shift ${N} Rm imm6 Rn Rd`,
      encoding: (f) => `${name}_${f.sf ? 64 : 32}_log_shift`,
      allocated: (f) => f.sf === 1 || f.imm6 < 32,
      meaning: (s, k, f) => {
        const width = k.sf ? 64 : 32;
        const operand2 = shiftReg(s, f.Rm, k.shift, f.imm6, width);
        s.writeX(f.Rd, operate(s, mnemonic, s.readX(f.Rn, width), N ? s.not(operand2) : operand2));
      },
      syntax: shiftedSyntax(name),
    });
  }),
);

export const logical: readonly Row[] = [...immediate, ...shifted];
