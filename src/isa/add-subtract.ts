// Add and subtract (immediate, shifted register, extended register, with carry): Arm DDI 0487, C4.1 "Data Processing".

import { row, type Row } from './encoding.ts';
import { addition, addWithCarry, extendReg, shiftReg, subtraction, widen } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import { type Form, never, type Operand } from './syntax.ts';
import { addImmediate } from './syntax/immediates.ts';
import { R, RorSP } from './syntax/registers.ts';
import { extendedRegister, shiftAmount } from './syntax/shifts.ts';

/** `bits` are op (subtract) and S (set the flags) of the encoding. */
const operations = [
  { mnemonic: 'ADD', bits: '0 0', subtract: false, setFlags: false },
  { mnemonic: 'ADDS', bits: '0 1', subtract: false, setFlags: true },
  { mnemonic: 'SUB', bits: '1 0', subtract: true, setFlags: false },
  { mnemonic: 'SUBS', bits: '1 1', subtract: true, setFlags: true },
] as const;

type Operation = (typeof operations)[number];

/** The sum or the difference, with the flags where the operation sets them. */
function operate(s: Semantics, { subtract, setFlags }: Operation, operand1: Value, operand2: Value): Value {
  if (!setFlags) return subtract ? s.sub(operand1, operand2) : s.add(operand1, operand2);
  const { result, flags } = subtract ? subtraction(s, operand1, operand2) : addition(s, operand1, operand2);
  s.writeFlags(flags, { operation: subtract ? 'subtraction' : 'addition', x: operand1, y: operand2 });
  return result;
}

/** CMN and CMP: the result goes to the zero register. */
function comparison({ subtract, setFlags }: Operation, operands: readonly Operand[], preferred?: typeof never): Form[] {
  if (!setFlags) return [];
  return [{ mnemonic: subtract ? 'cmp' : 'cmn', operands, where: { Rd: 31 }, ...(preferred && { preferred }) }];
}

const opposites = { ADD: 'SUB', ADDS: 'SUBS', SUB: 'ADD', SUBS: 'ADDS' } as const;

function immediateSyntax(operation: Operation): Form[] {
  const { mnemonic, setFlags } = operation;
  const Rd = setFlags ? R('Rd') : RorSP('Rd');
  const moveSP: Form = {
    mnemonic: 'mov',
    operands: [RorSP('Rd'), RorSP('Rn')],
    where: { sh: 0, imm12: 0 },
    when: (f) => f.Rd === 31 || f.Rn === 31,
  };
  // GNU as takes a negative immediate for the opposite operation.
  const opposite = operations.find((o) => o.mnemonic === opposites[mnemonic])!;
  return [
    ...comparison(operation, [RorSP('Rn'), addImmediate()]),
    ...(mnemonic === 'ADD' ? [moveSP] : []),
    { mnemonic: mnemonic.toLowerCase(), operands: [Rd, RorSP('Rn'), addImmediate()] },
    ...comparison(opposite, [RorSP('Rn'), addImmediate(true)], never),
    { mnemonic: opposite.mnemonic.toLowerCase(), operands: [Rd, RorSP('Rn'), addImmediate(true)], preferred: never },
  ];
}

function shiftedSyntax(operation: Operation): Form[] {
  const mnemonic = operation.mnemonic.toLowerCase();
  const operand2 = [R('Rm'), shiftAmount];
  const negation: Form = {
    mnemonic: operation.setFlags ? 'negs' : 'neg',
    operands: [R('Rd'), ...operand2],
    where: { Rn: 31 },
  };
  return [
    ...comparison(operation, [R('Rn'), ...operand2]),
    ...(operation.subtract ? [negation] : []),
    { mnemonic, operands: [R('Rd'), R('Rn'), ...operand2] },
  ];
}

function extendedSyntax(operation: Operation): Form[] {
  const { mnemonic, setFlags } = operation;
  const Rd = setFlags ? R('Rd') : RorSP('Rd');
  const Rm = extendedRegister(setFlags ? ['Rn'] : ['Rd', 'Rn']);
  return [
    ...comparison(operation, [RorSP('Rn'), Rm]),
    { mnemonic: mnemonic.toLowerCase(), operands: [Rd, RorSP('Rn'), Rm] },
  ];
}

const immediate = operations.map((operation) =>
  row({
    name: `${operation.mnemonic} (immediate)`,
    pattern: `sf ${operation.bits} 100010 sh imm12 Rn Rd`,
    encoding: (f) => `${operation.mnemonic}_${f.sf ? 64 : 32}${operation.setFlags ? 'S' : ''}_addsub_imm`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const imm = s.lsl(widen(s, f.imm12, width), s.constant(width, k.sh ? 12 : 0));
      const result = operate(s, operation, s.readXSP(f.Rn, width), imm);
      if (operation.setFlags) s.writeX(f.Rd, result);
      else s.writeXSP(f.Rd, result);
    },
    syntax: immediateSyntax(operation),
  }),
);

const shifted = operations.map((operation) =>
  row({
    name: `${operation.mnemonic} (shifted register)`,
    pattern: `sf ${operation.bits} 01011 shift 0 Rm imm6 Rn Rd`,
    encoding: (f) => `${operation.mnemonic}_${f.sf ? 64 : 32}_addsub_shift`,
    allocated: (f) => f.shift !== 3 && (f.sf === 1 || f.imm6 < 32),
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const operand2 = shiftReg(s, f.Rm, k.shift, f.imm6, width);
      s.writeX(f.Rd, operate(s, operation, s.readX(f.Rn, width), operand2));
    },
    syntax: shiftedSyntax(operation),
  }),
);

const extended = operations.map((operation) =>
  row({
    name: `${operation.mnemonic} (extended register)`,
    pattern: `sf ${operation.bits} 01011 00 1 Rm option imm3 Rn Rd`,
    encoding: (f) => `${operation.mnemonic}_${f.sf ? 64 : 32}${operation.setFlags ? 'S' : ''}_addsub_ext`,
    allocated: (f) => f.imm3 <= 4,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const operand2 = extendReg(s, f.Rm, k.option, f.imm3, width);
      const result = operate(s, operation, s.readXSP(f.Rn, width), operand2);
      if (operation.setFlags) s.writeX(f.Rd, result);
      else s.writeXSP(f.Rd, result);
    },
    syntax: extendedSyntax(operation),
  }),
);

const withCarry = (
  [
    { mnemonic: 'ADC', bits: '0 0', subtract: false, setFlags: false },
    { mnemonic: 'ADCS', bits: '0 1', subtract: false, setFlags: true },
    { mnemonic: 'SBC', bits: '1 0', subtract: true, setFlags: false },
    { mnemonic: 'SBCS', bits: '1 1', subtract: true, setFlags: true },
  ] as const
).map(({ mnemonic, bits, subtract, setFlags }) =>
  row({
    name: mnemonic,
    pattern: `sf ${bits} 11010000 Rm 000000 Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_addsub_carry`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const operand1 = s.readX(f.Rn, width);
      const register2 = s.readX(f.Rm, width);
      const operand2 = subtract ? s.not(register2) : register2;
      const carry = s.readFlag('C');
      if (setFlags) {
        const { result, flags } = addWithCarry(s, operand1, operand2, carry);
        s.writeFlags(flags);
        s.writeX(f.Rd, result);
      } else {
        s.writeX(f.Rd, s.add(s.add(operand1, operand2), widen(s, carry, width)));
      }
    },
    syntax: [
      ...(subtract ? [{ mnemonic: setFlags ? 'ngcs' : 'ngc', operands: [R('Rd'), R('Rm')], where: { Rn: 31 } }] : []),
      { mnemonic: mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn'), R('Rm')] },
    ],
  }),
);

export const addSubtract: readonly Row[] = [...immediate, ...shifted, ...extended, ...withCarry];
