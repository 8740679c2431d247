// Advanced SIMD across lanes and scalar pairwise, on numbers, with their half-precision encodings: Arm DDI 0487, C4.1 "Data Processing --
// Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import type { FormatBits } from '../floating-point/format.ts';
import type { FloatOperation } from '../floating-point/names.ts';
import type { Semantics, Value } from '../semantics.ts';
import { arrangedBy, type ArrangementText, T } from '../syntax/vectors.ts';
import { truncated } from './elements.ts';
import { floatArrangement, floats, floatScalar, formatBits } from './float-lanes.ts';

/** Reduce: the lower half of the elements with the upper one, each of them reduced before. */
function reduce(s: Semantics, operation: FloatOperation, bits: FormatBits, elements: readonly Value[]): Value {
  if (elements.length === 1) return elements[0]!;
  const middle = elements.length / 2;
  const low = reduce(s, operation, bits, elements.slice(0, middle));
  const high = reduce(s, operation, bits, elements.slice(middle));
  return s.float(operation, bits, [low, high]);
}

const extremes = [
  { name: 'FMAXNM', a: '0', opcode: '01100', operation: 'maxNum' },
  { name: 'FMINNM', a: '1', opcode: '01100', operation: 'minNum' },
  { name: 'FMAX', a: '0', opcode: '01111', operation: 'max' },
  { name: 'FMIN', a: '1', opcode: '01111', operation: 'min' },
] as const;

/** U tells half precision, 0, from the others; sz is then there as well, and 0. */
const classes = [
  { U: '0', sz: '0', letters: 'H', feature: { feature: 'FEAT_FP16' } },
  { U: '1', sz: 'sz', letters: 'SD', feature: {} },
] as const;

const across = extremes.flatMap(({ name, a, opcode, operation }) =>
  classes.map(({ U, letters, feature }) =>
    row({
      ...feature,
      name: letters === 'H' ? `${name}V (half-precision)` : `${name}V`,
      // A vector of two is left to the pairwise instructions, and so there are no doubles here.
      pattern:
        letters === 'H'
          ? `0 Q ${U} 01110 ${a} 0 11000 ${opcode} 10 Rn Rd`
          : `0 1 ${U} 01110 ${a} sz 11000 ${opcode} 10 Rn Rd`,
      encoding: `${name}V_asimdall_only_${letters}`,
      allocated: (f) => letters === 'H' || f.sz === 0,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const { bits, lanes } = floatArrangement(k, letters === 'H' ? k.Q : 1);
        const n = s.readV(f.Rn, 128);
        const elements = Array.from({ length: lanes }, (_, lane) => s.laneOf(n, bits, lane));
        s.writeV(f.Rd, truncated(s, reduce(s, operation, bits, elements), bits));
      },
      syntax: [
        {
          mnemonic: `${name}v`.toLowerCase(),
          operands: [floatScalar('Rd'), T('Rn', letters === 'H' ? floats : () => '4s')],
        },
      ],
    }),
  ),
);

/** Two elements. */
const pair: ArrangementText = (f) => (f.sz === undefined ? '2h' : arrangedBy(2 + f.sz, f.sz));

const pairwise = [...extremes, { name: 'FADD', a: '0', opcode: '01101', operation: 'add' } as const].flatMap(
  ({ name, a, opcode, operation }) =>
    classes.map(({ U, sz, letters, feature }) =>
      row({
        ...feature,
        name: letters === 'H' ? `${name}P (scalar, half-precision)` : `${name}P (scalar)`,
        pattern: `01 ${U} 11110 ${a} ${sz} 11000 ${opcode} 10 Rn Rd`,
        encoding: `${name}P_asisdpair_only_${letters}`,
        meaning: (s, k, f) => {
          s.checkFPEnabled();
          const bits = formatBits(k);
          const n = s.readV(f.Rn, 128);
          const result = s.float(operation, bits, [s.laneOf(n, bits, 0), s.laneOf(n, bits, 1)]);
          s.writeV(f.Rd, truncated(s, result, bits));
        },
        syntax: [{ mnemonic: `${name}p`.toLowerCase(), operands: [floatScalar('Rd'), T('Rn', pair)] }],
      }),
    ),
);

export const floatAcross: readonly Row[] = [...across, ...pairwise];
