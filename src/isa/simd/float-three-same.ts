// Advanced SIMD three same and scalar three same, on numbers, with their half-precision encodings: Arm DDI 0487, C4.1 "Data Processing --
// Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import type { FloatOperation } from '../floating-point/names.ts';
import type { Value } from '../semantics.ts';
import { T } from '../syntax/vectors.ts';
import { pairsOf, truncated, writeVector } from './elements.ts';
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

/** What the destination becomes; `d` is what it held before. */
export type NumberArithmetic = (c: Numbers, a: Value, b: Value, d: Value) => Value;

export const plain =
  (operation: FloatOperation): NumberArithmetic =>
  (c, a, b) =>
    c.float(operation, [a, b]);

const compared =
  (operation: FloatOperation): NumberArithmetic =>
  (c, a, b) =>
    c.mask(c.float(operation, [a, b]));

const comparedAbsolute =
  (operation: FloatOperation): NumberArithmetic =>
  (c, a, b, d) =>
    compared(operation)(c, c.absolute(a), c.absolute(b), d);

export const fusedAdd: NumberArithmetic = (c, a, b, d) => c.float('mulAdd', [d, a, b]);
export const fusedSubtract: NumberArithmetic = (c, a, b, d) => fusedAdd(c, c.negate(a), b, d);

const distance: NumberArithmetic = (c, a, b) => c.absolute(c.float('sub', [a, b]));

interface Page {
  readonly name: string;
  readonly U: '0' | '1';
  /** Bit 23. */
  readonly a: '0' | '1';
  /** The three lowest bits: those above them are of the encoding. */
  readonly opcode: string;
  readonly operation: NumberArithmetic;
  readonly hasScalar?: boolean;
  /** The elements of a lane are neighbours in the two sources one after the other. */
  readonly pairwise?: boolean;
}

const pages: readonly Page[] = [
  { name: 'FMAXNM', U: '0', a: '0', opcode: '000', operation: plain('maxNum') },
  { name: 'FMLA', U: '0', a: '0', opcode: '001', operation: fusedAdd },
  { name: 'FADD', U: '0', a: '0', opcode: '010', operation: plain('add') },
  { name: 'FMULX', U: '0', a: '0', opcode: '011', operation: plain('mulX'), hasScalar: true },
  { name: 'FCMEQ', U: '0', a: '0', opcode: '100', operation: compared('compareEQ'), hasScalar: true },
  { name: 'FMAX', U: '0', a: '0', opcode: '110', operation: plain('max') },
  { name: 'FRECPS', U: '0', a: '0', opcode: '111', operation: plain('recipStep'), hasScalar: true },
  { name: 'FMINNM', U: '0', a: '1', opcode: '000', operation: plain('minNum') },
  { name: 'FMLS', U: '0', a: '1', opcode: '001', operation: fusedSubtract },
  { name: 'FSUB', U: '0', a: '1', opcode: '010', operation: plain('sub') },
  { name: 'FMIN', U: '0', a: '1', opcode: '110', operation: plain('min') },
  { name: 'FRSQRTS', U: '0', a: '1', opcode: '111', operation: plain('rsqrtStep'), hasScalar: true },
  { name: 'FMAXNMP', U: '1', a: '0', opcode: '000', operation: plain('maxNum'), pairwise: true },
  { name: 'FADDP', U: '1', a: '0', opcode: '010', operation: plain('add'), pairwise: true },
  { name: 'FMUL', U: '1', a: '0', opcode: '011', operation: plain('mul') },
  { name: 'FCMGE', U: '1', a: '0', opcode: '100', operation: compared('compareGE'), hasScalar: true },
  { name: 'FACGE', U: '1', a: '0', opcode: '101', operation: comparedAbsolute('compareGE'), hasScalar: true },
  { name: 'FMAXP', U: '1', a: '0', opcode: '110', operation: plain('max'), pairwise: true },
  { name: 'FDIV', U: '1', a: '0', opcode: '111', operation: plain('div') },
  { name: 'FMINNMP', U: '1', a: '1', opcode: '000', operation: plain('minNum'), pairwise: true },
  { name: 'FABD', U: '1', a: '1', opcode: '010', operation: distance, hasScalar: true },
  { name: 'FCMGT', U: '1', a: '1', opcode: '100', operation: compared('compareGT'), hasScalar: true },
  { name: 'FACGT', U: '1', a: '1', opcode: '101', operation: comparedAbsolute('compareGT'), hasScalar: true },
  { name: 'FMINP', U: '1', a: '1', opcode: '110', operation: plain('min'), pairwise: true },
];

function rowsOf({ name, U, a, opcode, operation, hasScalar, pairwise }: Page): Row[] {
  const mnemonic = name.toLowerCase();
  return precisions.flatMap(({ isHalf, suffix, feature }) => {
    const fields = isHalf ? `${a} 10 Rm 00${opcode} 1 Rn Rd` : `${a} sz 1 Rm 11${opcode} 1 Rn Rd`;
    const vector = row({
      ...feature,
      name: isHalf ? `${name} (vector, half-precision)` : `${name} (vector)`,
      pattern: `0 Q ${U} 01110 ${fields}`,
      encoding: `${name}_asimdsame${suffix}_only`,
      allocated: isFloatArranged,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const shape = floatArrangement(k, k.Q);
        const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
        const [x, y] = pairwise ? pairsOf(s, [n, m], shape) : [n, m];
        writeVector(s, f.Rd, k.Q, operation(allNumbers(s, shape), x, y, d));
      },
      syntax: [{ mnemonic, operands: [T('Rd', floats), T('Rn', floats), T('Rm', floats)] }],
    });
    if (!hasScalar) return [vector];
    const scalar = row({
      ...feature,
      name: isHalf ? `${name} (scalar, half-precision)` : `${name} (scalar)`,
      pattern: `01 ${U} 11110 ${fields}`,
      encoding: `${name}_asisdsame${suffix}_only`,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = formatBits(k);
        const at = (n: Value): Value => s.laneOf(s.readV(n, 128), bits, 0);
        s.writeV(f.Rd, truncated(s, operation(oneNumber(s, bits), at(f.Rn), at(f.Rm), at(f.Rd)), bits));
      },
      syntax: [{ mnemonic, operands: [floatScalar('Rd'), floatScalar('Rn'), floatScalar('Rm')] }],
    });
    return [vector, scalar];
  });
}

export const floatThreeSame: readonly Row[] = pages.flatMap(rowsOf);
