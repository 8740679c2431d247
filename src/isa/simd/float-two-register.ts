// Advanced SIMD two-register miscellaneous and scalar two-register miscellaneous, on numbers, with their half-precision encodings: Arm DDI
// 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { integerSigns } from '../float-operations.ts';
import { rounding } from '../floating-point/format.ts';
import type { FloatOperation } from '../floating-point/names.ts';
import type { Value } from '../semantics.ts';
import { floatZero } from '../syntax/float-immediates.ts';
import { T } from '../syntax/vectors.ts';
import { truncated, writeVector } from './elements.ts';
import {
  allNumbers,
  floatArrangement,
  floats,
  floatScalar,
  formatBits,
  isFloatArranged,
  type Numbers,
  oneNumber,
  precisions,
} from './float-lanes.ts';

type Operation = (c: Numbers, value: Value) => Value;

const plain =
  (operation: FloatOperation): Operation =>
  (c, value) =>
    c.float(operation, [value]);

const integral =
  (mode: number): Operation =>
  (c, value) =>
    c.float('roundToIntegral', [value, c.s.constant(64, mode)]);

/** With zero, on the side that makes it a relation of the interface. */
const comparedWithZero =
  (operation: FloatOperation, zeroFirst: boolean): Operation =>
  (c, value) => {
    const zero = value.width === 128 ? c.s.splat(64, c.s.constant(64, 0)) : c.s.constant(64, 0);
    return c.mask(c.float(operation, zeroFirst ? [zero, value] : [value, zero]));
  };

interface Page {
  readonly name: string;
  readonly U: '0' | '1';
  /** Bit 23. */
  readonly a: '0' | '1';
  readonly opcode: string;
  readonly operation: Operation;
  readonly forms: 'vector' | 'scalar' | 'both';
  /** Written with a #0.0 after the registers. */
  readonly isComparison?: boolean;
}

const modes = [
  { letter: 'N', a: '0', opcode: '11010', mode: rounding.tieEven },
  { letter: 'M', a: '0', opcode: '11011', mode: rounding.minusInfinity },
  { letter: 'A', a: '0', opcode: '11100', mode: rounding.tieAway },
  { letter: 'P', a: '1', opcode: '11010', mode: rounding.plusInfinity },
  { letter: 'Z', a: '1', opcode: '11011', mode: rounding.zero },
] as const;

const integerConversions: readonly Page[] = integerSigns.flatMap(({ letter, name, bit }) => [
  ...modes.map((to): Page => {
    const operation: Operation = (c, value) =>
      c.float(`to${name}${c.bits}`, [value, c.s.constant(64, 0), c.s.constant(64, to.mode)]);
    return { name: `FCVT${to.letter}${letter}`, U: bit, a: to.a, opcode: to.opcode, operation, forms: 'both' };
  }),
  {
    name: `${letter}CVTF`,
    U: bit,
    a: '0',
    opcode: '11101',
    operation: (c, value) => c.float(`from${name}${c.bits}`, [value, c.s.constant(64, 0)]),
    forms: 'both',
  },
]);

const comparisons: readonly Page[] = (
  [
    { name: 'FCMGT', U: '0', opcode: '01100', operation: comparedWithZero('compareGT', false) },
    { name: 'FCMGE', U: '1', opcode: '01100', operation: comparedWithZero('compareGE', false) },
    { name: 'FCMEQ', U: '0', opcode: '01101', operation: comparedWithZero('compareEQ', false) },
    { name: 'FCMLE', U: '1', opcode: '01101', operation: comparedWithZero('compareGE', true) },
    { name: 'FCMLT', U: '0', opcode: '01110', operation: comparedWithZero('compareGT', true) },
  ] as const
).map((page) => ({ ...page, a: '1', forms: 'both', isComparison: true }));

const pages: readonly Page[] = [
  { name: 'FRINTN', U: '0', a: '0', opcode: '11000', operation: integral(rounding.tieEven), forms: 'vector' },
  { name: 'FRINTM', U: '0', a: '0', opcode: '11001', operation: integral(rounding.minusInfinity), forms: 'vector' },
  { name: 'FRINTP', U: '0', a: '1', opcode: '11000', operation: integral(rounding.plusInfinity), forms: 'vector' },
  { name: 'FRINTZ', U: '0', a: '1', opcode: '11001', operation: integral(rounding.zero), forms: 'vector' },
  { name: 'FRINTA', U: '1', a: '0', opcode: '11000', operation: integral(rounding.tieAway), forms: 'vector' },
  {
    name: 'FRINTX',
    U: '1',
    a: '0',
    opcode: '11001',
    operation: (c, value) => c.float('roundToIntegralExact', [value, c.s.roundingMode()]),
    forms: 'vector',
  },
  {
    name: 'FRINTI',
    U: '1',
    a: '1',
    opcode: '11001',
    operation: (c, value) => c.float('roundToIntegral', [value, c.s.roundingMode()]),
    forms: 'vector',
  },
  { name: 'FABS', U: '0', a: '1', opcode: '01111', operation: (c, value) => c.absolute(value), forms: 'vector' },
  { name: 'FNEG', U: '1', a: '1', opcode: '01111', operation: (c, value) => c.negate(value), forms: 'vector' },
  { name: 'FSQRT', U: '1', a: '1', opcode: '11111', operation: plain('sqrt'), forms: 'vector' },
  { name: 'FRECPE', U: '0', a: '1', opcode: '11101', operation: plain('recipEstimate'), forms: 'both' },
  { name: 'FRSQRTE', U: '1', a: '1', opcode: '11101', operation: plain('rsqrtEstimate'), forms: 'both' },
  { name: 'FRECPX', U: '0', a: '1', opcode: '11111', operation: plain('recipExponent'), forms: 'scalar' },
  ...comparisons,
  ...integerConversions,
];

function rowsOf({ name, U, a, opcode, operation, forms, isComparison }: Page): Row[] {
  const mnemonic = name.toLowerCase();
  const zero = isComparison ? [floatZero] : [];
  const withZero = isComparison ? ', zero' : '';
  return precisions.flatMap(({ isHalf, suffix, feature }) => {
    const fields = isHalf ? `${a} 1 11100 ${opcode} 10 Rn Rd` : `${a} sz 10000 ${opcode} 10 Rn Rd`;
    const title = `${withZero}${isHalf ? ', half-precision' : ''}`;
    const letters = isComparison ? 'FZ' : 'R';
    const vector = row({
      ...feature,
      name: `${name} (vector${title})`,
      pattern: `0 Q ${U} 01110 ${fields}`,
      encoding: `${name}_asimdmisc${suffix}_${letters}`,
      allocated: isFloatArranged,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const shape = floatArrangement(k, k.Q);
        const n = s.readV(f.Rn, 128);
        writeVector(s, f.Rd, k.Q, operation(allNumbers(s, shape), n));
      },
      syntax: [{ mnemonic, operands: [T('Rd', floats), T('Rn', floats), ...zero] }],
    });
    const scalar = row({
      ...feature,
      name: `${name} (scalar${title})`,
      pattern: `01 ${U} 11110 ${fields}`,
      encoding: `${name}_asisdmisc${suffix}_${letters}`,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = formatBits(k);
        s.writeV(f.Rd, truncated(s, operation(oneNumber(s, bits), s.laneOf(s.readV(f.Rn, 128), bits, 0)), bits));
      },
      syntax: [{ mnemonic, operands: [floatScalar('Rd'), floatScalar('Rn'), ...zero] }],
    });
    return forms === 'both' ? [vector, scalar] : forms === 'vector' ? [vector] : [scalar];
  });
}

export const floatTwoRegister: readonly Row[] = pages.flatMap(rowsOf);
