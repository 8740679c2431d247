// Advanced SIMD vector x indexed element and scalar x indexed element, on integers: Arm DDI 0487, C4.1 "Data Processing -- Scalar
// Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import type { ElementBits, Value } from '../semantics.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, arrangement, type ArrangementText, scalar, T } from '../syntax/vectors.ts';
import {
  arrangementOf,
  elementBits,
  extended,
  type Lane,
  lengthened,
  mapLanes,
  Saturation,
  truncated,
  writeVector,
} from './elements.ts';
import { indexed, readIndexed } from './indexed.ts';
import {
  addedDoublingLong,
  addedHigh,
  addedProduct,
  doublingHigh,
  doublingLong,
  type Operation,
  product,
  roundedDoublingHigh,
  subtractedDoublingLong,
  subtractedHigh,
  subtractedProduct,
  type Whole,
} from './products.ts';

interface Page {
  readonly name: string;
  readonly U: '0' | '1';
  readonly opcode: string;
  /** On each lane, or on vectors whose elements are as wide as those of the destination. */
  readonly operation?: Operation;
  readonly whole?: Whole;
  /** The elements of the destination are twice as wide. */
  readonly isLong?: boolean;
  readonly hasScalar?: boolean;
  readonly feature?: string;
}

const long = { isLong: true };
const longWithScalar = { isLong: true, hasScalar: true };
const withScalar = { hasScalar: true };
const rounding = { hasScalar: true, feature: 'FEAT_RDM' };

const pages: readonly Page[] = [
  { name: 'MLA', U: '1', opcode: '0000', whole: addedProduct },
  { name: 'MLS', U: '1', opcode: '0100', whole: subtractedProduct },
  { name: 'MUL', U: '0', opcode: '1000', whole: product },
  { name: 'SMLAL', U: '0', opcode: '0010', whole: addedProduct, ...long },
  { name: 'UMLAL', U: '1', opcode: '0010', whole: addedProduct, ...long },
  { name: 'SMLSL', U: '0', opcode: '0110', whole: subtractedProduct, ...long },
  { name: 'UMLSL', U: '1', opcode: '0110', whole: subtractedProduct, ...long },
  { name: 'SMULL', U: '0', opcode: '1010', whole: product, ...long },
  { name: 'UMULL', U: '1', opcode: '1010', whole: product, ...long },
  { name: 'SQDMLAL', U: '0', opcode: '0011', operation: addedDoublingLong, ...longWithScalar },
  { name: 'SQDMLSL', U: '0', opcode: '0111', operation: subtractedDoublingLong, ...longWithScalar },
  { name: 'SQDMULL', U: '0', opcode: '1011', operation: doublingLong, ...longWithScalar },
  { name: 'SQDMULH', U: '0', opcode: '1100', operation: doublingHigh, ...withScalar },
  { name: 'SQRDMULH', U: '0', opcode: '1101', operation: roundedDoublingHigh, ...withScalar },
  { name: 'SQRDMLAH', U: '1', opcode: '1101', operation: addedHigh, ...rounding },
  { name: 'SQRDMLSH', U: '1', opcode: '1111', operation: subtractedHigh, ...rounding },
];

const isSize = (size: number): size is 1 | 2 => size === 1 || size === 2;
const knownSize = ({ size }: { readonly size: number }): 1 | 2 => (size === 1 ? 1 : 2);
const element = indexed((f) => f.size!);
const widened: ArrangementText = (f) => arrangedBy(f.size! + 1, 1);
const wideScalar = V('Rd', (f) => (2 << f.size!) as VectorBytes);

function rowsOf({ name, U, opcode, operation, whole, isLong = false, hasScalar, feature }: Page): Row[] {
  const common = feature === undefined ? {} : { feature };
  const suffix = isLong ? 'L' : 'R';
  const vector = row({
    ...common,
    name: isLong ? `${name}, ${name}2 (by element)` : `${name} (by element)`,
    pattern: `0 Q ${U} 01111 size L Rm ${opcode as '0000'} H 0 Rn Rd`,
    encoding: `${name}_asimdelem_${suffix}`,
    allocated: (f) => isSize(f.size),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(k.size);
      const shape = isLong ? arrangementOf(k.size + 1, 1) : arrangementOf(k.size, k.Q);
      const firstLane = isLong ? k.Q * shape.lanes : 0;
      const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
      const m = readIndexed(s, f.Rm, knownSize(k), k);
      const c: Lane = { s, bits, unsigned: U === '1', saturation: new Saturation(s) };
      const vectors = (): Value => {
        const sources = isLong ? lengthened(s, n, bits, { part: k.Q, unsigned: c.unsigned }) : n;
        return whole!(s, shape.bits, sources, s.splat(shape.bits, extended(s, m, bits, c.unsigned)), d);
      };
      const result = operation
        ? mapLanes(s, n, shape, (lane) =>
            operation(c, s.laneOf(n, bits, firstLane + lane), m, s.laneOf(d, shape.bits, lane)),
          )
        : vectors();
      c.saturation.raise();
      writeVector(s, f.Rd, isLong ? 1 : k.Q, result);
    },
    syntax: [
      {
        mnemonic: (k) => (isLong && k.Q === 1 ? `${name}2` : name).toLowerCase(),
        operands: [T('Rd', isLong ? widened : arrangement), T('Rn', arrangement), element],
      },
    ],
  });
  if (!hasScalar || !operation) return [vector];
  return [
    vector,
    row({
      ...common,
      name: `${name} (scalar, by element)`,
      pattern: `01 ${U} 11111 size L Rm ${opcode as '0000'} H 0 Rn Rd`,
      encoding: `${name}_asisdelem_${suffix}`,
      allocated: (f) => isSize(f.size),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = elementBits(k.size);
        const resultBits = (isLong ? 2 * bits : bits) as ElementBits;
        const at = (n: Value, width: ElementBits): Value => s.laneOf(s.readV(n, 128), width, 0);
        const c: Lane = { s, bits, unsigned: U === '1', saturation: new Saturation(s) };
        const m = readIndexed(s, f.Rm, knownSize(k), k);
        const result = operation(c, at(f.Rn, bits), m, at(f.Rd, resultBits));
        c.saturation.raise();
        s.writeV(f.Rd, truncated(s, result, resultBits));
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: [isLong ? wideScalar : scalar('Rd'), scalar('Rn'), element] }],
    }),
  ];
}

export const byElement: readonly Row[] = pages.flatMap(rowsOf);
