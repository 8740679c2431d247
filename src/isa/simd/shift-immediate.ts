// Advanced SIMD shift by immediate and scalar shift by immediate, on integers: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point
// and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { ElementBits, Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { readNumber } from '../syntax/numbers.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, type ArrangementText, T } from '../syntax/vectors.ts';
import {
  allShiftedRight,
  arrangementOf,
  elementBits,
  extended,
  extremes,
  type Lane,
  lengthened,
  mapLanes,
  Saturation,
  shiftedRight,
  shortened,
  truncated,
  writeHalf,
  writeVector,
} from './elements.ts';

/** The highest bit that is set in immh gives the size; -1 where immh is 0, which belongs to the modified immediates. */
export const sizeOfImmh = (immhb: number): number => 31 - Math.clz32(immhb >> 3);
/** 2 * esize - UInt(immh:immb), and UInt(immh:immb) - esize. */
export const rightAmount = (immhb: number): number => 2 * elementBits(sizeOfImmh(immhb)) - immhb;
const leftAmount = (immhb: number): number => immhb - elementBits(sizeOfImmh(immhb));

interface ShiftedLane extends Lane {
  readonly amount: number;
}
/** What becomes of whole vectors; of a scalar, element 0 counts alone. */
type Whole = (c: ShiftedLane & { readonly lanes: number }, n: Value, d: Value) => Value;

const right =
  (rounding: boolean, accumulates: boolean): Whole =>
  ({ s, bits, unsigned, amount }, n, d) => {
    const shifted = allShiftedRight(s, n, amount, bits, { unsigned, rounding });
    return accumulates ? s.lanes('add', bits, d, shifted) : shifted;
  };

const left: Whole = ({ s, bits, amount }, n) => s.shiftLanes('left', bits, n, amount);

/** SLI and SRI leave the bits of the destination where none are shifted in. */
const insertLeft: Whole = ({ s, bits, amount }, n, d) => {
  const kept = s.splat(bits, s.constant(64, (1n << BigInt(amount)) - 1n));
  return s.or(s.shiftLanes('left', bits, n, amount), s.and(d, kept));
};
const insertRight: Whole = ({ s, bits, amount }, n, d) => {
  const kept = s.splat(bits, s.constant(64, -1n << BigInt(bits - amount)));
  return s.or(s.shiftLanes('rightU', bits, n, amount), s.and(d, kept));
};

/** SQSHL and UQSHL (immediate); SQSHLU takes a signed number to an unsigned one. */
const saturatingLeft = (toUnsigned: boolean): Whole => {
  const operation = ({ s, bits, unsigned, saturation, amount }: ShiftedLane, a: Value): Value => {
    const w = wordsOver(s);
    const from = unsigned && !toUnsigned;
    const x = extended(s, a, bits, from);
    const { least, most } = extremes(bits, unsigned || toUnsigned);
    // Beyond these the shifted number is out of range.
    const shiftDown = (limit: bigint): bigint => limit >> BigInt(amount);
    const isAbove = from ? w.below(shiftDown(most), x) : w.less(shiftDown(most), x);
    const isBelow = from ? w.eq(1, 0) : w.less(x, toUnsigned ? 0n : shiftDown(least));
    // A 64-bit unsigned limit is no signed word, but no signed number is above it.
    const tooLarge = toUnsigned && bits === 64 && amount === 0 ? w.eq(1, 0) : isAbove;
    saturation.note(w.either(tooLarge, isBelow));
    return w.choose(isBelow, least, w.choose(tooLarge, most, w.shl(x, amount)));
  };
  return (c, n) => mapLanes(c.s, n, c, (lane) => operation(c, c.s.laneOf(n, c.bits, lane)));
};

interface Page {
  readonly opcode: string;
  readonly names: readonly [string | undefined, string | undefined];
  readonly direction: 'left' | 'right';
  readonly whole: Whole;
  /** Sizes of the scalar form. */
  readonly scalarSizes: readonly number[];
}

const any = [0, 1, 2, 3];
const pages: readonly Page[] = [
  { opcode: '00000', names: ['SSHR', 'USHR'], direction: 'right', whole: right(false, false), scalarSizes: [3] },
  { opcode: '00010', names: ['SSRA', 'USRA'], direction: 'right', whole: right(false, true), scalarSizes: [3] },
  { opcode: '00100', names: ['SRSHR', 'URSHR'], direction: 'right', whole: right(true, false), scalarSizes: [3] },
  { opcode: '00110', names: ['SRSRA', 'URSRA'], direction: 'right', whole: right(true, true), scalarSizes: [3] },
  { opcode: '01000', names: [undefined, 'SRI'], direction: 'right', whole: insertRight, scalarSizes: [3] },
  { opcode: '01010', names: ['SHL', undefined], direction: 'left', whole: left, scalarSizes: [3] },
  { opcode: '01010', names: [undefined, 'SLI'], direction: 'left', whole: insertLeft, scalarSizes: [3] },
  {
    opcode: '01100',
    names: [undefined, 'SQSHLU'],
    direction: 'left',
    whole: saturatingLeft(true),
    scalarSizes: any,
  },
  { opcode: '01110', names: ['SQSHL', 'UQSHL'], direction: 'left', whole: saturatingLeft(false), scalarSizes: any },
];

const isArranged = (f: Fields): boolean => sizeOfImmh(f.immhb!) >= 0 && (sizeOfImmh(f.immhb!) < 3 || f.Q === 1);
export const arranged: ArrangementText = (f) => (isArranged(f) ? arrangedBy(sizeOfImmh(f.immhb!), f.Q!) : undefined);

/** The amount, which is known with immh:immb. */
export const shiftAmount = (amountOf: (immhb: number) => number): Operand => ({
  print: (f) => `#${amountOf(f.immhb!)}`,
  read: (reader) => {
    const wanted = amountOf(reader.fields.immhb!);
    return readNumber(reader, { what: 'shift amount', least: wanted, most: wanted }) !== undefined;
  },
});

export const scalarRegister = (field: string): Operand =>
  V(field, (f) => (1 << Math.max(0, sizeOfImmh(f.immhb!))) as VectorBytes);

function rowsOf(page: Page, U: 0 | 1): Row[] {
  const name = page.names[U];
  if (name === undefined) return [];
  const amountOf = page.direction === 'right' ? rightAmount : leftAmount;
  const laneOf = (s: Semantics, immhb: number): ShiftedLane => ({
    s,
    bits: elementBits(sizeOfImmh(immhb)),
    unsigned: U === 1,
    saturation: new Saturation(s),
    amount: amountOf(immhb),
  });
  return [
    row({
      name: `${name} (immediate, vector)`,
      pattern: `0 Q ${`${U}` as '0'} 011110 immhb ${page.opcode as '00000'} 1 Rn Rd`,
      encoding: `${name}_asimdshf_R`,
      allocated: isArranged,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const c = laneOf(s, k.immhb);
        const shape = arrangementOf(sizeOfImmh(k.immhb), k.Q);
        const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
        const result = page.whole({ ...c, lanes: shape.lanes }, n, d);
        c.saturation.raise();
        writeVector(s, f.Rd, k.Q, result);
      },
      syntax: [
        { mnemonic: name.toLowerCase(), operands: [T('Rd', arranged), T('Rn', arranged), shiftAmount(amountOf)] },
      ],
    }),
    row({
      name: `${name} (immediate, scalar)`,
      pattern: `01 ${`${U}` as '0'} 111110 immhb ${page.opcode as '00000'} 1 Rn Rd`,
      encoding: `${name}_asisdshf_R`,
      allocated: (f) => page.scalarSizes.includes(sizeOfImmh(f.immhb)),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const c = laneOf(s, k.immhb);
        const result = page.whole({ ...c, lanes: 1 }, s.readV(f.Rn, 128), s.readV(f.Rd, 128));
        c.saturation.raise();
        s.writeV(f.Rd, s.laneOf(result, c.bits, 0));
      },
      syntax: [
        {
          mnemonic: name.toLowerCase(),
          operands: [scalarRegister('Rd'), scalarRegister('Rn'), shiftAmount(amountOf)],
        },
      ],
    }),
  ];
}

/** SHRN and its kind: elements of twice the width become elements of size, in the lower or the upper half of the destination. */
interface NarrowPage {
  readonly opcode: string;
  readonly names: readonly [string, string];
  readonly rounding: boolean;
  /** How the shifted number becomes an element; undefined: its low bits do. */
  readonly saturates: readonly [Kind | undefined, Kind | undefined];
}
interface Kind {
  readonly from: 'signed' | 'unsigned';
  readonly to: 'signed' | 'unsigned';
}

const toUnsigned: Kind = { from: 'signed', to: 'unsigned' };
const bothSigned: Kind = { from: 'signed', to: 'signed' };
const bothUnsigned: Kind = { from: 'unsigned', to: 'unsigned' };

const narrowPages: readonly NarrowPage[] = [
  { opcode: '10000', names: ['SHRN', 'SQSHRUN'], rounding: false, saturates: [undefined, toUnsigned] },
  { opcode: '10001', names: ['RSHRN', 'SQRSHRUN'], rounding: true, saturates: [undefined, toUnsigned] },
  { opcode: '10010', names: ['SQSHRN', 'UQSHRN'], rounding: false, saturates: [bothSigned, bothUnsigned] },
  { opcode: '10011', names: ['SQRSHRN', 'UQRSHRN'], rounding: true, saturates: [bothSigned, bothUnsigned] },
];

/** An element of twice the width, shifted and narrowed. */
function narrowed(
  s: Semantics,
  saturation: Saturation,
  element: Value,
  { bits, amount, rounding, kind }: { bits: ElementBits; amount: number; rounding: boolean; kind: Kind },
): Value {
  const wide = (2 * bits) as ElementBits;
  const unsigned = kind.from === 'unsigned';
  const shifted = shiftedRight(s, element, amount, wide, { unsigned, rounding });
  const w = wordsOver(s);
  if (kind.from === 'unsigned') {
    const { most } = extremes(bits, true);
    const isAbove = w.below(most, shifted);
    saturation.note(isAbove);
    return w.choose(isAbove, most, shifted);
  }
  return saturation.clamp(shifted, bits, kind.to === 'unsigned');
}

const isNarrow = (f: Fields): boolean => sizeOfImmh(f.immhb!) >= 0 && sizeOfImmh(f.immhb!) < 3;
const narrowArranged: ArrangementText = (f) => (isNarrow(f) ? arrangedBy(sizeOfImmh(f.immhb!), f.Q!) : undefined);
const wideArranged: ArrangementText = (f) => (isNarrow(f) ? arrangedBy(sizeOfImmh(f.immhb!) + 1, 1) : undefined);

function narrowRows(page: NarrowPage, U: 0 | 1): Row[] {
  const name = page.names[U];
  const kind = page.saturates[U];
  const shapeOf = (immhb: number) => ({ bits: elementBits(sizeOfImmh(immhb)), amount: rightAmount(immhb) });
  const upper = (k: { readonly Q: number }): string => (k.Q === 1 ? `${name.toLowerCase()}2` : name.toLowerCase());
  const vector = row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${`${U}` as '0'} 011110 immhb ${page.opcode as '00000'} 1 Rn Rd`,
    encoding: `${name}_asimdshf_N`,
    allocated: isNarrow,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const { bits, amount } = shapeOf(k.immhb);
      const saturation = new Saturation(s);
      const n = s.readV(f.Rn, 128);
      const { rounding } = page;
      const wide = (2 * bits) as ElementBits;
      const half =
        kind === undefined
          ? shortened(s, allShiftedRight(s, n, amount, wide, { unsigned: true, rounding }), bits)
          : mapLanes(s, n, { bits, lanes: 64 / bits }, (lane) =>
              narrowed(s, saturation, s.laneOf(n, wide, lane), { bits, amount, rounding, kind }),
            );
      saturation.raise();
      writeHalf(s, f.Rd, k.Q, s.laneOf(half, 64, 0));
    },
    syntax: [{ mnemonic: upper, operands: [T('Rd', narrowArranged), T('Rn', wideArranged), shiftAmount(rightAmount)] }],
  });
  if (kind === undefined) return [vector];
  const scalar = row({
    name: `${name} (scalar)`,
    pattern: `01 ${`${U}` as '0'} 111110 immhb ${page.opcode as '00000'} 1 Rn Rd`,
    encoding: `${name}_asisdshf_N`,
    allocated: isNarrow,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const { bits, amount } = shapeOf(k.immhb);
      const saturation = new Saturation(s);
      const element = s.laneOf(s.readV(f.Rn, 128), (2 * bits) as ElementBits, 0);
      const result = narrowed(s, saturation, element, { bits, amount, rounding: page.rounding, kind });
      saturation.raise();
      s.writeV(f.Rd, truncated(s, result, bits));
    },
    syntax: [
      {
        mnemonic: name.toLowerCase(),
        operands: [
          scalarRegister('Rd'),
          V('Rn', (f) => (2 << Math.max(0, sizeOfImmh(f.immhb!))) as VectorBytes),
          shiftAmount(rightAmount),
        ],
      },
    ],
  });
  return [vector, scalar];
}

/** SSHLL and USHLL: the elements of one half, made twice as wide and shifted left. By 0 they are SXTL and UXTL. */
const lengthen = (
  [
    { name: 'SSHLL', alias: 'sxtl', U: '0' },
    { name: 'USHLL', alias: 'uxtl', U: '1' },
  ] as const
).map(({ name, alias, U }) =>
  row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${U} 011110 immhb 10100 1 Rn Rd`,
    encoding: `${name}_asimdshf_L`,
    allocated: isNarrow,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(sizeOfImmh(k.immhb));
      const amount = leftAmount(k.immhb);
      const longer = lengthened(s, s.readV(f.Rn, 128), bits, { part: k.Q, unsigned: U === '1' });
      s.writeV(f.Rd, s.shiftLanes('left', (2 * bits) as ElementBits, longer, amount));
    },
    syntax: [
      {
        mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? `${alias}2` : alias),
        operands: [T('Rd', wideArranged), T('Rn', narrowArranged)],
        when: (f: { readonly immhb: number }) => (f.immhb & (f.immhb - 1)) === 0,
      },
      {
        mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? `${name}2` : name).toLowerCase(),
        operands: [T('Rd', wideArranged), T('Rn', narrowArranged), shiftAmount(leftAmount)],
      },
    ],
  }),
);

export const shiftImmediate: readonly Row[] = [
  ...pages.flatMap((page) => [...rowsOf(page, 0), ...rowsOf(page, 1)]),
  ...narrowPages.flatMap((page) => [...narrowRows(page, 0), ...narrowRows(page, 1)]),
  ...lengthen,
];
