// Floating-point data-processing (1, 2 and 3 source), conditional select and immediate: Arm DDI 0487, C4.1 "Data Processing -- Scalar
// Floating-Point and Advanced SIMD".

import { row, type Row } from './encoding.ts';
import { F, formatOf, isFormat, knownFormat, letterOf, readFloat, writeFloat } from './float-registers.ts';
import { expandImmediate, fpNeg, type OneSource, oneSourceOperations } from './float-operations.ts';
import type { FloatOperation } from './floating-point/names.ts';
import { conditionHolds } from './pseudocode.ts';
import { cond } from './syntax/conditions.ts';
import { floatImmediate } from './syntax/float-immediates.ts';
import { V } from './syntax/registers.ts';

const oneSourcePages: readonly { readonly mnemonic: string; readonly opcode: string; readonly result: OneSource }[] = [
  { mnemonic: 'FMOV', opcode: '000000', result: (_s, value) => value },
  { mnemonic: 'FABS', opcode: '000001', result: oneSourceOperations.FABS },
  { mnemonic: 'FNEG', opcode: '000010', result: oneSourceOperations.FNEG },
  { mnemonic: 'FSQRT', opcode: '000011', result: oneSourceOperations.FSQRT },
  { mnemonic: 'FRINTN', opcode: '001000', result: oneSourceOperations.FRINTN },
  { mnemonic: 'FRINTP', opcode: '001001', result: oneSourceOperations.FRINTP },
  { mnemonic: 'FRINTM', opcode: '001010', result: oneSourceOperations.FRINTM },
  { mnemonic: 'FRINTZ', opcode: '001011', result: oneSourceOperations.FRINTZ },
  { mnemonic: 'FRINTA', opcode: '001100', result: oneSourceOperations.FRINTA },
  { mnemonic: 'FRINTX', opcode: '001110', result: oneSourceOperations.FRINTX },
  { mnemonic: 'FRINTI', opcode: '001111', result: oneSourceOperations.FRINTI },
];

const oneSource = oneSourcePages.map(({ mnemonic, opcode, result }) =>
  row({
    name: mnemonic === 'FMOV' ? 'FMOV (register)' : `${mnemonic} (scalar)`,
    pattern: `0 0 0 11110 ftype 1 ${opcode as '000000'} 10000 Rn Rd`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}_floatdp1`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      writeFloat(s, f.Rd, bits, result(s, readFloat(s, f.Rn, bits), bits));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rd'), F('Rn')] }],
  }),
);

/** The format that opc of FCVT names. */
const convert = row({
  name: 'FCVT',
  pattern: '0 0 0 11110 ftype 1 0001 opc 10000 Rn Rd',
  encoding: (f) => `FCVT_${letterOf(formatOf(f.opc))}${letterOf(formatOf(f.ftype))}_floatdp1`,
  allocated: (f) => isFormat(f) && formatOf(f.opc) !== undefined && f.opc !== f.ftype,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const to = formatOf(k.opc) ?? 64;
    const bits = knownFormat(k);
    writeFloat(s, f.Rd, to, s.float(`convertTo${to}`, bits, [readFloat(s, f.Rn, bits), s.roundingMode()]));
  },
  syntax: [{ mnemonic: 'fcvt', operands: [V('Rd', (f) => ((formatOf(f.opc) ?? 64) / 8) as 2 | 4 | 8), F('Rn')] }],
});

const twoSource = (
  [
    { mnemonic: 'FMUL', opcode: '0000', operation: 'mul' },
    { mnemonic: 'FDIV', opcode: '0001', operation: 'div' },
    { mnemonic: 'FADD', opcode: '0010', operation: 'add' },
    { mnemonic: 'FSUB', opcode: '0011', operation: 'sub' },
    { mnemonic: 'FMAX', opcode: '0100', operation: 'max' },
    { mnemonic: 'FMIN', opcode: '0101', operation: 'min' },
    { mnemonic: 'FMAXNM', opcode: '0110', operation: 'maxNum' },
    { mnemonic: 'FMINNM', opcode: '0111', operation: 'minNum' },
    { mnemonic: 'FNMUL', opcode: '1000', operation: 'mul' },
  ] as const satisfies readonly { mnemonic: string; opcode: string; operation: FloatOperation }[]
).map(({ mnemonic, opcode, operation }) =>
  row({
    name: `${mnemonic} (scalar)`,
    pattern: `0 0 0 11110 ftype 1 Rm ${opcode} 10 Rn Rd`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}_floatdp2`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      const result = s.float(operation, bits, [readFloat(s, f.Rn, bits), readFloat(s, f.Rm, bits)]);
      writeFloat(s, f.Rd, bits, mnemonic === 'FNMUL' ? fpNeg(s, result, bits) : result);
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rd'), F('Rn'), F('Rm')] }],
  }),
);

const threeSource = (
  [
    { mnemonic: 'FMADD', o1: '0', o0: '0', negatesAddend: false, negatesProduct: false },
    { mnemonic: 'FMSUB', o1: '0', o0: '1', negatesAddend: false, negatesProduct: true },
    { mnemonic: 'FNMADD', o1: '1', o0: '0', negatesAddend: true, negatesProduct: true },
    { mnemonic: 'FNMSUB', o1: '1', o0: '1', negatesAddend: true, negatesProduct: false },
  ] as const
).map(({ mnemonic, o1, o0, negatesAddend, negatesProduct }) =>
  row({
    name: mnemonic,
    pattern: `0 0 0 11111 ftype ${o1} Rm ${o0} Ra Rn Rd`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}_floatdp3`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      const addend = readFloat(s, f.Ra, bits);
      const operand1 = readFloat(s, f.Rn, bits);
      const result = s.float('mulAdd', bits, [
        negatesAddend ? fpNeg(s, addend, bits) : addend,
        negatesProduct ? fpNeg(s, operand1, bits) : operand1,
        readFloat(s, f.Rm, bits),
      ]);
      writeFloat(s, f.Rd, bits, result);
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rd'), F('Rn'), F('Rm'), F('Ra')] }],
  }),
);

const select = row({
  name: 'FCSEL',
  pattern: '0 0 0 11110 ftype 1 Rm cond 11 Rn Rd',
  encoding: (f) => `FCSEL_${letterOf(formatOf(f.ftype))}_floatsel`,
  allocated: isFormat,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = knownFormat(k);
    const [n, m] = [readFloat(s, f.Rn, bits), readFloat(s, f.Rm, bits)];
    writeFloat(s, f.Rd, bits, s.select(conditionHolds(s, k.cond), n, m));
  },
  syntax: [{ mnemonic: 'fcsel', operands: [F('Rd'), F('Rn'), F('Rm'), cond] }],
});

const immediate = row({
  name: 'FMOV (scalar, immediate)',
  pattern: '0 0 0 11110 ftype 1 imm8 100 00000 Rd',
  encoding: (f) => `FMOV_${letterOf(formatOf(f.ftype))}_floatimm`,
  allocated: isFormat,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = knownFormat(k);
    writeFloat(s, f.Rd, bits, expandImmediate(s, f.imm8, bits));
  },
  syntax: [{ mnemonic: 'fmov', operands: [F('Rd'), floatImmediate] }],
});

export const floatDataProcessing: readonly Row[] = [
  ...oneSource,
  convert,
  ...twoSource,
  ...threeSource,
  select,
  immediate,
];
