// Advanced SIMD three-register extension and scalar three-register extension on integers, with the dot products by element: FEAT_RDM and
// FEAT_DotProd (Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD").

import { row, type Row } from '../encoding.ts';
import type { Semantics, Value } from '../semantics.ts';
import { arrangedBy, arrangement, type ArrangementText, bytes, elementOfRm, scalar, T } from '../syntax/vectors.ts';
import {
  arrangementOf,
  elementBits,
  extended,
  type Lane,
  mapLanes,
  Saturation,
  truncated,
  writeVector,
} from './elements.ts';
import { readIndexed } from './indexed.ts';
import { addedHigh, subtractedHigh } from './products.ts';

const roundingAccumulate = (
  [
    { name: 'SQRDMLAH', opcode: '0000', operation: addedHigh },
    { name: 'SQRDMLSH', opcode: '0001', operation: subtractedHigh },
  ] as const
).flatMap(({ name, opcode, operation }) => [
  row({
    name: `${name} (vector)`,
    feature: 'FEAT_RDM',
    pattern: `0 Q 1 01110 size 0 Rm 1 ${opcode} 1 Rn Rd`,
    encoding: `${name}_asimdsame2_only`,
    allocated: (f) => f.size === 1 || f.size === 2,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(k.size, k.Q);
      const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
      const c: Lane = { s, bits: shape.bits, unsigned: false, saturation: new Saturation(s) };
      const at = (vector: Value, lane: number): Value => s.laneOf(vector, shape.bits, lane);
      const result = mapLanes(s, n, shape, (lane) => operation(c, at(n, lane), at(m, lane), at(d, lane)));
      c.saturation.raise();
      writeVector(s, f.Rd, k.Q, result);
    },
    syntax: [
      { mnemonic: name.toLowerCase(), operands: [T('Rd', arrangement), T('Rn', arrangement), T('Rm', arrangement)] },
    ],
  }),
  row({
    name: `${name} (scalar)`,
    feature: 'FEAT_RDM',
    pattern: `01 1 11110 size 0 Rm 1 ${opcode} 1 Rn Rd`,
    encoding: `${name}_asisdsame2_only`,
    allocated: (f) => f.size === 1 || f.size === 2,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(k.size);
      const c: Lane = { s, bits, unsigned: false, saturation: new Saturation(s) };
      const at = (n: Value): Value => s.laneOf(s.readV(n, 128), bits, 0);
      const result = operation(c, at(f.Rn), at(f.Rm), at(f.Rd));
      c.saturation.raise();
      s.writeV(f.Rd, truncated(s, result, bits));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [scalar('Rd'), scalar('Rn'), scalar('Rm')] }],
  }),
]);

/** The sum of four products of bytes, added to a word. */
function dotProduct(s: Semantics, d: Value, a: readonly Value[], b: readonly Value[], unsigned: boolean): Value {
  const term = (byte: Value): Value => extended(s, byte, 8, unsigned);
  return a.reduce((sum, byte, i) => s.add(sum, s.mul(term(byte), term(b[i]!))), d);
}

/** The four bytes of a word of a vector. */
const bytesOf = (s: Semantics, vector: Value, word: number): Value[] =>
  [0, 1, 2, 3].map((byte) => s.laneOf(vector, 8, 4 * word + byte));

const words: ArrangementText = (f) => arrangedBy(2, f.Q!);

const dotProducts = (
  [
    { name: 'SDOT', U: '0' },
    { name: 'UDOT', U: '1' },
  ] as const
).flatMap(({ name, U }) => {
  return [
    row({
      name: `${name} (vector)`,
      feature: 'FEAT_DotProd',
      pattern: `0 Q ${U} 01110 10 0 Rm 1 0010 1 Rn Rd`,
      encoding: `${name}_asimdsame2_D`,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
        const result = mapLanes(s, n, arrangementOf(2, k.Q), (lane) =>
          dotProduct(s, s.laneOf(d, 32, lane), bytesOf(s, n, lane), bytesOf(s, m, lane), U === '1'),
        );
        writeVector(s, f.Rd, k.Q, result);
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', words), T('Rn', bytes), T('Rm', bytes)] }],
    }),
    row({
      name: `${name} (by element)`,
      feature: 'FEAT_DotProd',
      pattern: `0 Q ${U} 01111 10 L Rm 1110 H 0 Rn Rd`,
      encoding: `${name}_asimdelem_D`,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
        const m = readIndexed(s, f.Rm, 2, k);
        const factors = [0, 8, 16, 24].map((lsb) => truncated(s, s.lsr(m, s.constant(64, lsb)), 8));
        const result = mapLanes(s, n, arrangementOf(2, k.Q), (lane) =>
          dotProduct(s, s.laneOf(d, 32, lane), bytesOf(s, n, lane), factors, U === '1'),
        );
        writeVector(s, f.Rd, k.Q, result);
      },
      syntax: [
        {
          mnemonic: name.toLowerCase(),
          operands: [
            T('Rd', words),
            T('Rn', bytes),
            elementOfRm((f) => ({ suffix: '4b', index: 2 * f.H! + f.L!, hasM: false })),
          ],
        },
      ],
    }),
  ];
});

export const threeSameExtra: readonly Row[] = [...roundingAccumulate, ...dotProducts];
