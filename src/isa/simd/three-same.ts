// Advanced SIMD three same and scalar three same, on integers: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced
// SIMD".

import { row, type Row } from '../encoding.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { LaneOperation, Semantics, Value } from '../semantics.ts';
import { arrangement, bytes, scalar, T } from '../syntax/vectors.ts';
import {
  arrangementOf,
  elementBits,
  type Lane,
  mapLanes,
  pairsOf,
  Saturation,
  saturatedSum,
  shiftedByRegister,
  signed,
  writeVector,
} from './elements.ts';
import {
  addedProduct,
  doublingHigh,
  type Operation,
  polynomialProduct,
  product,
  roundedDoublingHigh,
  subtractedProduct,
  type Whole as WholeProduct,
} from './products.ts';

/**
 * Without a bit more than the elements have: a + b is 2 (a AND b) + (a EOR b), and 2 (a OR b) - (a EOR b); a - b is (a EOR b) - 2 (b AND NOT a).
 */
const halving =
  (subtract: boolean, rounding: boolean): Whole =>
  ({ s, bits, unsigned }, a, b) => {
    const half = s.shiftLanes(unsigned ? 'rightU' : 'rightS', bits, s.xor(a, b), 1);
    if (subtract) return s.lanes('sub', bits, half, s.and(b, s.not(a)));
    return rounding ? s.lanes('sub', bits, s.or(a, b), half) : s.lanes('add', bits, s.and(a, b), half);
  };

const saturatedLane =
  (subtract: boolean): Operation =>
  ({ s, bits, unsigned, saturation }, a, b) =>
    saturatedSum(s, saturation, [a, b], bits, { unsigned, subtract });

const sum =
  (subtract: boolean): Whole =>
  (c, n, m, d) => {
    const { s, bits, unsigned, saturation } = c;
    if (bits > 16 || c.lanes === 1) return eachLane(saturatedLane(subtract))(c, n, m, d);
    const operation = subtract ? 'sub' : 'add';
    const result = s.lanes(`${operation}Saturating${unsigned ? 'U' : 'S'}`, bits, n, m);
    saturation.noteDifference(result, s.lanes(operation, bits, n, m), c);
    return result;
  };

const byProducts =
  (operation: WholeProduct): Whole =>
  ({ s, bits }, n, m, d) =>
    operation(s, bits, n, m, d);

const shift =
  (saturates: boolean, rounding: boolean): Operation =>
  ({ s, bits, unsigned, saturation }, a, b) => {
    const { result, lost } = shiftedByRegister(s, a, b, bits, { unsigned, rounding });
    if (!saturates) return result;
    const w = wordsOver(s);
    saturation.note(lost);
    const most = unsigned ? (1n << BigInt(bits)) - 1n : (1n << BigInt(bits - 1)) - 1n;
    const limit = unsigned ? w.word(most) : w.choose(w.less(signed(s, a, bits), 0), 1n << BigInt(bits - 1), most);
    return w.choose(lost, limit, result);
  };

/** What becomes of whole vectors; of a scalar, element 0 counts alone. */
type Whole = (c: Lane & { readonly lanes: number }, n: Value, m: Value, d: Value) => Value;

const byLanes =
  (signedOne: LaneOperation, unsignedOne: LaneOperation): Whole =>
  ({ s, bits, unsigned }, n, m) =>
    s.lanes(unsigned ? unsignedOne : signedOne, bits, n, m);

const distance: Whole = ({ s, bits, unsigned }, n, m) => {
  const larger = s.lanes(unsigned ? 'maxU' : 'maxS', bits, n, m);
  return s.lanes('sub', bits, larger, s.lanes(unsigned ? 'minU' : 'minS', bits, n, m));
};
const accumulatedDistance: Whole = (c, n, m, d) => c.s.lanes('add', c.bits, d, distance(c, n, m, d));

/** CMTST, and CMEQ. */
const test: Whole = ({ s, bits, unsigned }, n, m) => {
  if (unsigned) return s.lanes('eq', bits, n, m);
  return s.not(s.lanes('eq', bits, s.and(n, m), s.xor(n, n)));
};

const eachLane =
  (operation: Operation): Whole =>
  (c, n, m, d) => {
    const { s, bits, lanes } = c;
    const at = (vector: Value, lane: number): Value => s.laneOf(vector, bits, lane);
    return mapLanes(s, n, { bits, lanes }, (lane) => operation(c, at(n, lane), at(m, lane), at(d, lane)));
  };

interface Page {
  readonly opcode: string;
  /** Names for U = 0 and U = 1. */
  readonly names: readonly [string | undefined, string | undefined];
  readonly whole: Whole;
  /** Allocated sizes; 3 goes with Q = 1 alone. */
  readonly sizes: readonly number[];
  /** Sizes of the scalar form. */
  readonly scalarSizes?: readonly number[];
  /** The elements of a lane are neighbours in the two sources one after the other. */
  readonly pairwise?: boolean;
}

const any = [0, 1, 2, 3];
const small = [0, 1, 2];

const pages: readonly Page[] = [
  { opcode: '00000', names: ['SHADD', 'UHADD'], whole: halving(false, false), sizes: small },
  { opcode: '00001', names: ['SQADD', 'UQADD'], whole: sum(false), sizes: any, scalarSizes: any },
  { opcode: '00010', names: ['SRHADD', 'URHADD'], whole: halving(false, true), sizes: small },
  { opcode: '00100', names: ['SHSUB', 'UHSUB'], whole: halving(true, false), sizes: small },
  { opcode: '00101', names: ['SQSUB', 'UQSUB'], whole: sum(true), sizes: any, scalarSizes: any },
  { opcode: '00110', names: ['CMGT', 'CMHI'], whole: byLanes('gtS', 'gtU'), sizes: any, scalarSizes: [3] },
  { opcode: '00111', names: ['CMGE', 'CMHS'], whole: byLanes('geS', 'geU'), sizes: any, scalarSizes: [3] },
  { opcode: '01000', names: ['SSHL', 'USHL'], whole: eachLane(shift(false, false)), sizes: any, scalarSizes: [3] },
  { opcode: '01001', names: ['SQSHL', 'UQSHL'], whole: eachLane(shift(true, false)), sizes: any, scalarSizes: any },
  { opcode: '01010', names: ['SRSHL', 'URSHL'], whole: eachLane(shift(false, true)), sizes: any, scalarSizes: [3] },
  { opcode: '01011', names: ['SQRSHL', 'UQRSHL'], whole: eachLane(shift(true, true)), sizes: any, scalarSizes: any },
  { opcode: '01100', names: ['SMAX', 'UMAX'], whole: byLanes('maxS', 'maxU'), sizes: small },
  { opcode: '01101', names: ['SMIN', 'UMIN'], whole: byLanes('minS', 'minU'), sizes: small },
  { opcode: '01110', names: ['SABD', 'UABD'], whole: distance, sizes: small },
  { opcode: '01111', names: ['SABA', 'UABA'], whole: accumulatedDistance, sizes: small },
  { opcode: '10000', names: ['ADD', 'SUB'], whole: byLanes('add', 'sub'), sizes: any, scalarSizes: [3] },
  { opcode: '10001', names: ['CMTST', 'CMEQ'], whole: test, sizes: any, scalarSizes: [3] },
  { opcode: '10010', names: ['MLA', undefined], whole: byProducts(addedProduct), sizes: small },
  { opcode: '10010', names: [undefined, 'MLS'], whole: byProducts(subtractedProduct), sizes: small },
  { opcode: '10011', names: ['MUL', undefined], whole: byProducts(product), sizes: small },
  { opcode: '10011', names: [undefined, 'PMUL'], whole: byProducts(polynomialProduct), sizes: [0] },
  { opcode: '10100', names: ['SMAXP', 'UMAXP'], whole: byLanes('maxS', 'maxU'), sizes: small, pairwise: true },
  { opcode: '10101', names: ['SMINP', 'UMINP'], whole: byLanes('minS', 'minU'), sizes: small, pairwise: true },
  { opcode: '10110', names: ['SQDMULH', undefined], whole: eachLane(doublingHigh), sizes: [1, 2], scalarSizes: [1, 2] },
  {
    opcode: '10110',
    names: [undefined, 'SQRDMULH'],
    whole: eachLane(roundedDoublingHigh),
    sizes: [1, 2],
    scalarSizes: [1, 2],
  },
  { opcode: '10111', names: ['ADDP', undefined], whole: byLanes('add', 'sub'), sizes: any, pairwise: true },
];

function vectorRow(page: Page, U: 0 | 1): Row[] {
  const name = page.names[U];
  if (name === undefined) return [];
  return [
    row({
      name: `${name} (vector)`,
      pattern: `0 Q ${`${U}` as '0'} 01110 size 1 Rm ${page.opcode as '00000'} 1 Rn Rd`,
      encoding: `${name}_asimdsame_only`,
      allocated: (f) => page.sizes.includes(f.size) && (f.size < 3 || f.Q === 1),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const shape = arrangementOf(k.size, k.Q);
        const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
        const c = { s, ...shape, unsigned: U === 1, saturation: new Saturation(s) };
        const [x, y] = page.pairwise ? pairsOf(s, [n, m], shape) : [n, m];
        const result = page.whole(c, x, y, d);
        c.saturation.raise();
        writeVector(s, f.Rd, k.Q, result);
      },
      syntax: [
        { mnemonic: name.toLowerCase(), operands: [T('Rd', arrangement), T('Rn', arrangement), T('Rm', arrangement)] },
      ],
    }),
  ];
}

function scalarRow(page: Page, U: 0 | 1): Row[] {
  const name = page.names[U];
  const sizes = page.scalarSizes;
  if (name === undefined || sizes === undefined) return [];
  return [
    row({
      name: `${name} (scalar)`,
      pattern: `01 ${`${U}` as '0'} 11110 size 1 Rm ${page.opcode as '00000'} 1 Rn Rd`,
      encoding: `${name}_asisdsame_only`,
      allocated: (f) => sizes.includes(f.size),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = elementBits(k.size);
        const c = { s, bits, lanes: 1, unsigned: U === 1, saturation: new Saturation(s) };
        const result = page.whole(c, s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128));
        c.saturation.raise();
        s.writeV(f.Rd, s.laneOf(result, bits, 0));
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: [scalar('Rd'), scalar('Rn'), scalar('Rm')] }],
    }),
  ];
}

/** AND to BIF work on whole registers: their size is part of the opcode. */
const logicalPages = [
  { name: 'AND', U: '0', size: '00' },
  { name: 'BIC', U: '0', size: '01' },
  { name: 'ORR', U: '0', size: '10' },
  { name: 'ORN', U: '0', size: '11' },
  { name: 'EOR', U: '1', size: '00' },
  { name: 'BSL', U: '1', size: '01' },
  { name: 'BIT', U: '1', size: '10' },
  { name: 'BIF', U: '1', size: '11' },
] as const;

/** On 128 bits at once. */
function logical(s: Semantics, name: (typeof logicalPages)[number]['name'], n: Value, m: Value, d: Value): Value {
  switch (name) {
    case 'AND':
      return s.and(n, m);
    case 'BIC':
      return s.and(n, s.not(m));
    case 'ORR':
      return s.or(n, m);
    case 'ORN':
      return s.or(n, s.not(m));
    case 'EOR':
      return s.xor(n, m);
    case 'BSL':
      return s.xor(m, s.and(s.xor(m, n), d));
    case 'BIT':
      return s.xor(d, s.and(s.xor(d, n), m));
    case 'BIF':
      return s.xor(d, s.and(s.xor(d, n), s.not(m)));
  }
}

const logicalRows = logicalPages.map(({ name, U, size }) =>
  row({
    name: `${name} (vector)`,
    pattern: `0 Q ${U} 01110 ${size} 1 Rm 00011 1 Rn Rd`,
    encoding: `${name}_asimdsame_only`,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [n, m, d] = [s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
      writeVector(s, f.Rd, k.Q, logical(s, name, n, m, d));
    },
    syntax: [
      ...(name === 'ORR'
        ? [
            {
              mnemonic: 'mov',
              operands: [T('Rd', bytes), T('Rn', bytes, 'Rm')],
              when: (f: { readonly Rn: number; readonly Rm: number }) => f.Rn === f.Rm,
            },
          ]
        : []),
      { mnemonic: name.toLowerCase(), operands: [T('Rd', bytes), T('Rn', bytes), T('Rm', bytes)] },
    ],
  }),
);

export const threeSame: readonly Row[] = [
  ...logicalRows,
  ...pages.flatMap((page) => [...vectorRow(page, 0), ...vectorRow(page, 1)]),
  ...pages.flatMap((page) => [...scalarRow(page, 0), ...scalarRow(page, 1)]),
];
