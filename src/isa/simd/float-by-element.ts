// Advanced SIMD vector x indexed element and scalar x indexed element, on numbers, and the products of half-precision numbers that are
// added to single-precision ones (FEAT_FHM): Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { fpNeg } from '../float-operations.ts';
import type { Semantics, Value } from '../semantics.ts';
import { arrangedBy, type ArrangementText, T } from '../syntax/vectors.ts';
import { arrangementOf, truncated, writeVector } from './elements.ts';
import {
  allNumbers,
  floatArrangement,
  floats,
  floatScalar,
  formatBits,
  isFloatArranged,
  oneNumber,
  precisions,
  sizeOfFormat,
  writeFloats,
} from './float-lanes.ts';
import { fusedAdd, fusedSubtract, type NumberArithmetic, plain } from './float-three-same.ts';
import { indexed, readIndexed } from './indexed.ts';

const pages: readonly {
  readonly name: string;
  readonly U: '0' | '1';
  readonly opcode: string;
  readonly operation: NumberArithmetic;
}[] = [
  { name: 'FMLA', U: '0', opcode: '0001', operation: fusedAdd },
  { name: 'FMLS', U: '0', opcode: '0101', operation: fusedSubtract },
  { name: 'FMUL', U: '0', opcode: '1001', operation: plain('mul') },
  { name: 'FMULX', U: '1', opcode: '1001', operation: plain('mulX') },
];

/** There are two doubles in a register, and so L is 0. */
const hasIndex = (f: { readonly sz?: number; readonly L: number }): boolean => f.sz !== 1 || f.L === 0;
const element = indexed((f) => sizeOfFormat(f));

const products = pages.flatMap(({ name, U, opcode, operation }) =>
  precisions.flatMap(({ isHalf, feature }) => {
    const mnemonic = name.toLowerCase();
    const fields = `${isHalf ? '00' : '1 sz'} L Rm ${opcode} H 0 Rn Rd`;
    const letters = isHalf ? 'RH_H' : 'R_SD';
    const title = isHalf ? ', half-precision' : '';
    return [
      row({
        ...feature,
        name: `${name} (by element${title})`,
        pattern: `0 Q ${U} 01111 ${fields}`,
        encoding: `${name}_asimdelem_${letters}`,
        allocated: (f) => isFloatArranged(f) && hasIndex(f),
        meaning: (s, k, f) => {
          s.checkFPEnabled();
          const shape = floatArrangement(k, k.Q);
          const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
          const m = readIndexed(s, f.Rm, sizeOfFormat(k), k);
          writeVector(s, f.Rd, k.Q, operation(allNumbers(s, shape), n, s.splat(shape.bits, m), d));
        },
        syntax: [{ mnemonic, operands: [T('Rd', floats), T('Rn', floats), element] }],
      }),
      row({
        ...feature,
        name: `${name} (scalar, by element${title})`,
        pattern: `01 ${U} 11111 ${fields}`,
        encoding: `${name}_asisdelem_${letters}`,
        allocated: hasIndex,
        meaning: (s, k, f) => {
          s.checkFPEnabled();
          const bits = formatBits(k);
          const m = readIndexed(s, f.Rm, sizeOfFormat(k), k);
          const at = (n: Value): Value => s.laneOf(s.readV(n, 128), bits, 0);
          s.writeV(f.Rd, truncated(s, operation(oneNumber(s, bits), at(f.Rn), m, at(f.Rd)), bits));
        },
        syntax: [{ mnemonic, operands: [floatScalar('Rd'), floatScalar('Rn'), element] }],
      }),
    ];
  }),
);

/** The half-precision elements of FMLAL are those of the lower or the upper part of n. */
const longPages = [
  { name: 'FMLAL', part: 0, U: '0', S: '0', opcode: '11101', elementOpcode: '0000', subtracts: false },
  { name: 'FMLSL', part: 0, U: '0', S: '1', opcode: '11101', elementOpcode: '0100', subtracts: true },
  { name: 'FMLAL2', part: 1, U: '1', S: '0', opcode: '11001', elementOpcode: '1000', subtracts: false },
  { name: 'FMLSL2', part: 1, U: '1', S: '1', opcode: '11001', elementOpcode: '1100', subtracts: true },
] as const;

/** FPMulAddH, or with the first factor negated. */
const halfProduct = (s: Semantics, subtracts: boolean, d: Value, a: Value, b: Value): Value =>
  s.float('mulAddHalf', 32, [d, subtracts ? fpNeg(s, a, 16) : a, b]);

const singles: ArrangementText = (f) => arrangedBy(2, f.Q!);
const halves: ArrangementText = (f) => (f.Q === 1 ? '4h' : '2h');
const halfElement = indexed(() => 1);

const longProducts = longPages.flatMap(({ name, part, U, S, opcode, elementOpcode, subtracts }) => [
  row({
    name: `${name} (vector)`,
    feature: 'FEAT_FHM',
    pattern: `0 Q ${U} 01110 ${S} 0 1 Rm ${opcode} 1 Rn Rd`,
    encoding: `${name}_asimdsame_F`,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(2, k.Q);
      const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
      const half = (from: Value, lane: number): Value => s.laneOf(from, 16, part * shape.lanes + lane);
      writeFloats(s, { n: f.Rd, Q: k.Q, shape }, (lane) =>
        halfProduct(s, subtracts, s.laneOf(d, 32, lane), half(n, lane), half(m, lane)),
      );
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', singles), T('Rn', halves), T('Rm', halves)] }],
  }),
  row({
    name: `${name} (by element)`,
    feature: 'FEAT_FHM',
    pattern: `0 Q ${U} 01111 10 L Rm ${elementOpcode} H 0 Rn Rd`,
    encoding: `${name}_asimdelem_LH`,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(2, k.Q);
      const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
      const m = readIndexed(s, f.Rm, 1, k);
      writeFloats(s, { n: f.Rd, Q: k.Q, shape }, (lane) =>
        halfProduct(s, subtracts, s.laneOf(d, 32, lane), s.laneOf(n, 16, part * shape.lanes + lane), m),
      );
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', singles), T('Rn', halves), halfElement] }],
  }),
]);

export const floatByElement: readonly Row[] = [...products, ...longProducts];
