// Advanced SIMD three same and scalar three same, on numbers, with their half-precision encodings: Arm DDI 0487, C4.1 "Data Processing --
// Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { fpAbs, fpNeg } from '../float-operations.ts';

import type { FloatOperation } from '../floating-point/names.ts';
import type { Value } from '../semantics.ts';
import { T } from '../syntax/vectors.ts';
import { truncated } from './elements.ts';
import {
  floatArrangement,
  type FloatLane,
  floats,
  floatScalar,
  formatBits,
  isFloatArranged,
  mask,
  precisions,
  writeFloats,
} from './float-lanes.ts';

/** The element of the destination; `d` is what it held before. */
export type LaneArithmetic = (c: FloatLane, a: Value, b: Value, d: Value) => Value;

export const plain =
  (operation: FloatOperation): LaneArithmetic =>
  ({ s, bits }, a, b) =>
    s.float(operation, bits, [a, b]);

const compared =
  (operation: FloatOperation): LaneArithmetic =>
  (c, a, b) =>
    mask(c, c.s.float(operation, c.bits, [a, b]));

const comparedAbsolute =
  (operation: FloatOperation): LaneArithmetic =>
  (c, a, b, d) =>
    compared(operation)(c, fpAbs(c.s, a, c.bits), fpAbs(c.s, b, c.bits), d);

export const fusedAdd: LaneArithmetic = ({ s, bits }, a, b, d) => s.float('mulAdd', bits, [d, a, b]);
export const fusedSubtract: LaneArithmetic = (c, a, b, d) => fusedAdd(c, fpNeg(c.s, a, c.bits), b, d);

const distance: LaneArithmetic = ({ s, bits }, a, b) => fpAbs(s, s.float('sub', bits, [a, b]), bits);

interface Page {
  readonly name: string;
  readonly U: '0' | '1';
  /** Bit 23. */
  readonly a: '0' | '1';
  /** The three lowest bits: those above them are of the encoding. */
  readonly opcode: string;
  readonly operation: LaneArithmetic;
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
        const c: FloatLane = { s, bits: shape.bits };
        const at = (from: Value, lane: number): Value => s.laneOf(from, shape.bits, lane);
        /** Element of the sources one after the other. */
        const joined = (lane: number): Value => (lane < shape.lanes ? at(n, lane) : at(m, lane - shape.lanes));
        writeFloats(s, { n: f.Rd, Q: k.Q, shape }, (lane) => {
          const [x, y] = pairwise ? [joined(2 * lane), joined(2 * lane + 1)] : [at(n, lane), at(m, lane)];
          return operation(c, x, y, at(d, lane));
        });
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
        s.writeV(f.Rd, truncated(s, operation({ s, bits }, at(f.Rn), at(f.Rm), at(f.Rd)), bits));
      },
      syntax: [{ mnemonic, operands: [floatScalar('Rd'), floatScalar('Rn'), floatScalar('Rm')] }],
    });
    return [vector, scalar];
  });
}

export const floatThreeSame: readonly Row[] = pages.flatMap(rowsOf);
