// Advanced SIMD three different and scalar three different: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".
// PMULL of doublewords belongs to the Cryptographic Extension.

import { row, type Row } from '../encoding.ts';
import type { ElementBits, Value } from '../semantics.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, arrangement, type ArrangementText, scalar, T } from '../syntax/vectors.ts';
import {
  arrangementOf,
  elementBits,
  type Lane,
  lengthened,
  mapLanes,
  Saturation,
  truncated,
  writeHalf,
} from './elements.ts';
import {
  addedDoublingLong,
  addedProduct,
  doublingLong,
  type Operation,
  polynomialProduct,
  product,
  subtractedDoublingLong,
  subtractedProduct,
  type Whole,
} from './products.ts';

const sum: Whole = (s, bits, a, b) => s.lanes('add', bits, a, b);
const difference: Whole = (s, bits, a, b) => s.lanes('sub', bits, a, b);
/** With a distance, which has been taken before it was made wider: it fits its element as an unsigned number. */
const distance: Whole = (_s, _bits, a) => a;
const addedDistance: Whole = (s, bits, a, _b, d) => s.lanes('add', bits, d, a);

/** Which sources have elements as wide as those of the destination: none, or the first one. */
type Shape = 'long' | 'wide';

interface Page {
  readonly opcode: string;
  readonly names: readonly [string, string | undefined];
  readonly shape: Shape;
  /** On each lane, or on vectors whose elements are as wide as those of the destination. */
  readonly operation?: Operation;
  readonly whole?: Whole;
  readonly isDistance?: boolean;
  /** Coefficients have no sign. */
  readonly isPolynomial?: boolean;
  readonly sizes: readonly number[];
  readonly hasScalar?: boolean;
}

const small = [0, 1, 2];
const pages: readonly Page[] = [
  { opcode: '0000', names: ['SADDL', 'UADDL'], shape: 'long', whole: sum, sizes: small },
  { opcode: '0001', names: ['SADDW', 'UADDW'], shape: 'wide', whole: sum, sizes: small },
  { opcode: '0010', names: ['SSUBL', 'USUBL'], shape: 'long', whole: difference, sizes: small },
  { opcode: '0011', names: ['SSUBW', 'USUBW'], shape: 'wide', whole: difference, sizes: small },
  { opcode: '0101', names: ['SABAL', 'UABAL'], shape: 'long', whole: addedDistance, isDistance: true, sizes: small },
  { opcode: '0111', names: ['SABDL', 'UABDL'], shape: 'long', whole: distance, isDistance: true, sizes: small },
  { opcode: '1000', names: ['SMLAL', 'UMLAL'], shape: 'long', whole: addedProduct, sizes: small },
  { opcode: '1010', names: ['SMLSL', 'UMLSL'], shape: 'long', whole: subtractedProduct, sizes: small },
  { opcode: '1100', names: ['SMULL', 'UMULL'], shape: 'long', whole: product, sizes: small },
  {
    opcode: '1110',
    names: ['PMULL', undefined],
    shape: 'long',
    whole: polynomialProduct,
    sizes: [0],
    isPolynomial: true,
  },
  {
    opcode: '1001',
    names: ['SQDMLAL', undefined],
    shape: 'long',
    operation: addedDoublingLong,
    sizes: [1, 2],
    hasScalar: true,
  },
  {
    opcode: '1011',
    names: ['SQDMLSL', undefined],
    shape: 'long',
    operation: subtractedDoublingLong,
    sizes: [1, 2],
    hasScalar: true,
  },
  {
    opcode: '1101',
    names: ['SQDMULL', undefined],
    shape: 'long',
    operation: doublingLong,
    sizes: [1, 2],
    hasScalar: true,
  },
];

/** Elements of twice the width, in all of a register. */
const widened: ArrangementText = (f) => arrangedBy(f.size! + 1, 1);
const wideScalar = (field: string) => V(field, (f) => (2 << f.size!) as VectorBytes);

/** The form that works on the upper halves has a 2 in its name. */
const mnemonicOf =
  (name: string) =>
  (k: { readonly Q: number }): string =>
    (k.Q === 1 ? `${name}2` : name).toLowerCase();

function rowsOf(page: Page, U: 0 | 1): Row[] {
  const name = page.names[U];
  if (name === undefined) return [];
  const { operation, whole, shape, sizes, isDistance } = page;
  const isUnsigned = U === 1 || page.isPolynomial === true;
  const isWide = shape === 'wide';
  const vector = row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${`${U}` as '0'} 01110 size 1 Rm ${page.opcode as '0000'} 00 Rn Rd`,
    encoding: `${name}_asimddiff_${isWide ? 'W' : 'L'}`,
    allocated: (f) => sizes.includes(f.size),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(k.size);
      const wide = arrangementOf(k.size + 1, 1);
      const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
      const c: Lane = { s, bits, unsigned: U === 1, saturation: new Saturation(s) };
      /** An element of the half that Q names. */
      const narrow = (vector: Value, lane: number): Value => s.laneOf(vector, bits, k.Q * wide.lanes + lane);
      const longer = (vector: Value, unsigned = isUnsigned): Value =>
        lengthened(s, vector, bits, { part: k.Q, unsigned });
      const distances = (): Value => {
        const [larger, smaller] = U === 1 ? (['maxU', 'minU'] as const) : (['maxS', 'minS'] as const);
        return longer(s.lanes('sub', bits, s.lanes(larger, bits, n, m), s.lanes(smaller, bits, n, m)), true);
      };
      const vectors = (): Value =>
        isDistance
          ? whole!(s, wide.bits, distances(), m, d)
          : whole!(s, wide.bits, isWide ? n : longer(n), longer(m), d);
      const result = operation
        ? mapLanes(s, n, wide, (lane) => operation(c, narrow(n, lane), narrow(m, lane), s.laneOf(d, wide.bits, lane)))
        : vectors();
      c.saturation.raise();
      s.writeV(f.Rd, result);
    },
    syntax: [
      {
        mnemonic: mnemonicOf(name),
        operands: [T('Rd', widened), T('Rn', isWide ? widened : arrangement), T('Rm', arrangement)],
      },
    ],
  });
  if (!page.hasScalar || !operation) return [vector];
  return [
    vector,
    row({
      name: `${name} (scalar)`,
      pattern: `01 ${`${U}` as '0'} 11110 size 1 Rm ${page.opcode as '0000'} 00 Rn Rd`,
      encoding: `${name}_asisddiff_only`,
      allocated: (f) => sizes.includes(f.size),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = elementBits(k.size);
        const wide = (2 * bits) as ElementBits;
        const c: Lane = { s, bits, unsigned: U === 1, saturation: new Saturation(s) };
        const at = (n: Value, width: ElementBits): Value => s.laneOf(s.readV(n, 128), width, 0);
        const result = operation(c, at(f.Rn, bits), at(f.Rm, bits), at(f.Rd, wide));
        c.saturation.raise();
        s.writeV(f.Rd, truncated(s, result, wide));
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: [wideScalar('Rd'), scalar('Rn'), scalar('Rm')] }],
    }),
  ];
}

/** ADDHN and its kind: the high halves of sums, in the lower or the upper half of the destination. */
const highNarrow = (
  [
    { name: 'ADDHN', U: '0', opcode: '0100', operation: 'add' },
    { name: 'RADDHN', U: '1', opcode: '0100', operation: 'add' },
    { name: 'SUBHN', U: '0', opcode: '0110', operation: 'sub' },
    { name: 'RSUBHN', U: '1', opcode: '0110', operation: 'sub' },
  ] as const
).map(({ name, U, opcode, operation }) =>
  row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${U} 01110 size 1 Rm ${opcode} 00 Rn Rd`,
    encoding: `${name}_asimddiff_N`,
    allocated: (f) => f.size < 3,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(k.size);
      const wide = (2 * bits) as ElementBits;
      const [n, m] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128)];
      const half = mapLanes(s, n, { bits, lanes: 64 / bits }, (lane) => {
        const whole = s[operation](s.laneOf(n, wide, lane), s.laneOf(m, wide, lane));
        const rounded = U === '1' ? s.add(whole, s.constant(64, 1n << BigInt(bits - 1))) : whole;
        return s.lsr(rounded, s.constant(64, bits));
      });
      writeHalf(s, f.Rd, k.Q, s.laneOf(half, 64, 0));
    },
    syntax: [{ mnemonic: mnemonicOf(name), operands: [T('Rd', arrangement), T('Rn', widened), T('Rm', widened)] }],
  }),
);

export const threeDifferent: readonly Row[] = [
  ...pages.flatMap((page) => [...rowsOf(page, 0), ...rowsOf(page, 1)]),
  ...highNarrow,
];
