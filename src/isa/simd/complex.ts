// FEAT_FCMA: vectors of complex numbers, the real part of each in an element of even number and the imaginary one in the next (Arm DDI 0487,
// FCADD, FCMLA and FCMLA (by element)).

import { row, type Row } from '../encoding.ts';
import { fpNeg } from '../float-operations.ts';
import type { FormatBits } from '../floating-point/format.ts';
import type { Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { readNumber } from '../syntax/numbers.ts';
import { arrangement, elementOfRm, letterOfSize, T } from '../syntax/vectors.ts';
import { type Arrangement, arrangementOf } from './elements.ts';
import { writeFloats } from './float-lanes.ts';

interface Complex {
  readonly real: Value;
  readonly imaginary: Value;
}

type Part = keyof Complex;
const partOf = (lane: number): Part => (lane % 2 === 0 ? 'real' : 'imaginary');

const complexOf = (s: Semantics, vector: Value, bits: FormatBits, lane: number): Complex => ({
  real: s.laneOf(vector, bits, lane & ~1),
  imaginary: s.laneOf(vector, bits, lane | 1),
});

/** The rotation in degrees, which is known with the encoding. */
const rotation = (of: (f: Fields) => number): Operand => ({
  print: (f) => `#${of(f)}`,
  read: (reader) => {
    const wanted = of(reader.fields);
    return readNumber(reader, { what: 'rotation', least: wanted, most: wanted }) !== undefined;
  },
});

/** Half, single and double precision; two doubles, and no vector of one. */
const isComplex = (f: { readonly size: number; readonly Q: number }): boolean =>
  f.size !== 0 && (f.size < 3 || f.Q === 1);
const bitsOf = (size: number): FormatBits => (8 << size) as FormatBits;

/** FCADD: n + m * i, or n - m * i. */
const additions = (
  [
    { degrees: 90, bit: '0', negated: 'imaginary' },
    { degrees: 270, bit: '1', negated: 'real' },
  ] as const
).map(({ degrees, bit, negated }) =>
  row({
    name: `FCADD (#${degrees})`,
    feature: 'FEAT_FCMA',
    pattern: `0 Q 1 01110 size 0 Rm 111 ${bit} 01 Rn Rd`,
    encoding: 'FCADD_asimdsame2_C',
    allocated: isComplex,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = bitsOf(k.size);
      const [n, m] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128)];
      writeFloats(s, { n: f.Rd, Q: k.Q, shape: arrangementOf(k.size, k.Q) }, (lane) => {
        const other: Part = partOf(lane) === 'real' ? 'imaginary' : 'real';
        const part = complexOf(s, m, bits, lane)[other];
        return s.float('add', bits, [s.laneOf(n, bits, lane), other === negated ? fpNeg(s, part, bits) : part]);
      });
    },
    syntax: [
      {
        mnemonic: 'fcadd',
        operands: [T('Rd', arrangement), T('Rn', arrangement), T('Rm', arrangement), rotation(() => degrees)],
      },
    ],
  }),
);

/** Which part of n is multiplied, by which parts of m, and with which signs, for the real and the imaginary part of the result. */
const rotations: readonly {
  readonly n: Part;
  readonly real: readonly [part: Part, isNegated: boolean];
  readonly imaginary: readonly [part: Part, isNegated: boolean];
}[] = [
  { n: 'real', real: ['real', false], imaginary: ['imaginary', false] },
  { n: 'imaginary', real: ['imaginary', true], imaginary: ['real', false] },
  { n: 'real', real: ['real', true], imaginary: ['imaginary', true] },
  { n: 'imaginary', real: ['imaginary', false], imaginary: ['real', true] },
];

/** FCMLA: half of the products of complex numbers, rotated by 90 degrees `rot` times and added to d. */
function multiplyAdd(
  s: Semantics,
  f: { readonly Rd: Value; readonly Rn: Value },
  { rot, Q, shape }: { readonly rot: number; readonly Q: number; readonly shape: Arrangement },
  factor: (lane: number) => Complex,
): void {
  const bits = shape.bits as FormatBits;
  const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
  const turn = rotations[rot]!;
  writeFloats(s, { n: f.Rd, Q, shape }, (lane) => {
    const [part, isNegated] = turn[partOf(lane)];
    const m = factor(lane)[part];
    const operand = isNegated ? fpNeg(s, m, bits) : m;
    return s.float('mulAdd', bits, [s.laneOf(d, bits, lane), complexOf(s, n, bits, lane)[turn.n], operand]);
  });
}

const turned = rotation((f) => 90 * f.rot!);

const products = row({
  name: 'FCMLA (vector)',
  feature: 'FEAT_FCMA',
  pattern: '0 Q 1 01110 size 0 Rm 110 rot 1 Rn Rd',
  encoding: 'FCMLA_asimdsame2_C',
  allocated: isComplex,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const shape = arrangementOf(k.size, k.Q);
    const m = s.readV(f.Rm, 128);
    multiplyAdd(s, f, { rot: k.rot, Q: k.Q, shape }, (lane) => complexOf(s, m, bitsOf(k.size), lane));
  },
  syntax: [{ mnemonic: 'fcmla', operands: [T('Rd', arrangement), T('Rn', arrangement), T('Rm', arrangement), turned] }],
});

/** Halves: H:L, of the lower half of a register alone where the vector is one. Singles: H. */
const isIndexed = (f: { readonly size: number; readonly Q: number; readonly H: number; readonly L: number }): boolean =>
  (f.size === 1 && (f.Q === 1 || f.H === 0)) || (f.size === 2 && f.Q === 1 && f.L === 0);

const productsByElement = row({
  name: 'FCMLA (by element)',
  feature: 'FEAT_FCMA',
  pattern: '0 Q 1 01111 size L Rm 0 rot 1 H 0 Rn Rd',
  encoding: (f) => `FCMLA_asimdelem_C_${f.size === 1 ? 'H' : 'S'}`,
  allocated: isIndexed,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = bitsOf(k.size);
    const m = s.readV(f.Rm, 128);
    const index = k.size === 1 ? 2 * k.H + k.L : k.H;
    const pair = complexOf(s, m, bits, 2 * index);
    multiplyAdd(s, f, { rot: k.rot, Q: k.Q, shape: arrangementOf(k.size, k.Q) }, () => pair);
  },
  syntax: [
    {
      mnemonic: 'fcmla',
      operands: [
        T('Rd', arrangement),
        T('Rn', arrangement),
        elementOfRm((f) => ({
          suffix: letterOfSize(f.size!),
          index: f.size === 1 ? 2 * f.H! + f.L! : f.H!,
          hasM: false,
        })),
        turned,
      ],
    },
  ],
});

export const complex: readonly Row[] = [...additions, products, productsByElement];
