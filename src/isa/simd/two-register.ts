// Advanced SIMD two-register miscellaneous and across lanes, scalar two-register miscellaneous and scalar pairwise, on integers: Arm DDI
// 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { ElementBits, Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, arrangement, type ArrangementText, scalar, T } from '../syntax/vectors.ts';
import {
  arrangementOf,
  elementBits,
  extended,
  extremes,
  type Lane,
  lengthened,
  mapLanes,
  rearranged,
  Saturation,
  shortened,
  signed,
  truncated,
  writeHalf,
  writeVector,
} from './elements.ts';

type Operation = (c: Lane, a: Value, d: Value) => Value;

/** Elements of `bits` in reverse order inside containers: of one element, the container is a word of the vector. */
function reversed(s: Semantics, n: Value, Q: number, size: number, containerBits: number): Value {
  const shape = arrangementOf(size, Q);
  const perContainer = containerBits / shape.bits;
  return rearranged(s, [n, n], shape, (lane) => lane ^ (perContainer - 1));
}

/** Leading zeros, or the leading bits that equal the sign after it. */
const leading: Operation = ({ s, bits, unsigned }, a) => {
  const w = wordsOver(s);
  if (unsigned) return w.sub(w.leadingZeros(a), 64 - bits);
  const x = signed(s, a, bits);
  const differing = w.xor(x, s.asr(x, s.constant(64, 63)));
  return w.sub(w.leadingZeros(differing), 64 - bits + 1);
};

/** What a table of 16 bytes, the lowest first, has for the lower and the upper half of each byte. */
function byHalves(
  s: Semantics,
  bytes: Value,
  entries: readonly number[],
): { readonly low: Value; readonly high: Value } {
  const word = (part: number): Value =>
    s.constant(
      64,
      entries.slice(8 * part, 8 * part + 8).reduceRight((sum, entry) => (sum << 8n) | BigInt(entry), 0n),
    );
  const table = s.withLane(s.splat(64, word(0)), 64, 1, word(1));
  const lowHalves = s.and(bytes, s.splat(8, s.constant(64, 0x0f)));
  return { low: s.lookUp(table, lowHalves), high: s.lookUp(table, s.shiftLanes('rightU', 8, bytes, 4)) };
}

const setBits = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];
const reversedHalves = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

const count: Whole = ({ s }, n) => {
  const { low, high } = byHalves(s, n, setBits);
  return s.lanes('add', 8, low, high);
};
const reverseBits: Whole = ({ s }, n) => {
  const { low, high } = byHalves(s, n, reversedHalves);
  return s.or(s.shiftLanes('left', 8, low, 4), high);
};
/** With all ones where the sign is set, turned and one more. */
const absolute: Whole = ({ s, bits }, n) => {
  const sign = s.shiftLanes('rightS', bits, n, bits - 1);
  return s.lanes('sub', bits, s.xor(n, sign), sign);
};

/** SQABS and SQNEG: the smallest number has no opposite. */
const saturatingAbsolute: Operation = ({ s, bits, unsigned, saturation }, a) => {
  const w = wordsOver(s);
  const x = signed(s, a, bits);
  const { least, most } = extremes(bits, false);
  const isLeast = w.eq(x, least);
  saturation.note(isLeast);
  const negative = w.choose(isLeast, most, w.sub(0, x));
  return unsigned ? negative : w.choose(w.less(x, 0), negative, x);
};

/** SUQADD and USQADD: an element of the other kind is added to the destination. */
const accumulateOther: Operation = ({ s, bits, unsigned, saturation }, a, d) => {
  const w = wordsOver(s);
  const x = extended(s, a, bits, !unsigned);
  const y = extended(s, d, bits, unsigned);
  const sum = w.add(x, y);
  if (bits < 64) return saturation.clamp(sum, bits, unsigned);
  if (unsigned) {
    const isNegative = w.less(x, 0);
    const wraps = w.choose(isNegative, w.bit(w.below(y, w.sub(0, x))), w.bit(w.below(sum, y)));
    const isWrapped = w.ne(wraps, 0);
    saturation.note(isWrapped);
    return w.choose(isWrapped, w.choose(isNegative, 0, -1), sum);
  }
  // An unsigned number is added to a signed one: it can only be too large, and then the distance to the top is less.
  const room = w.sub((1n << 63n) - 1n, y);
  const isAbove = w.below(room, x);
  saturation.note(isAbove);
  return w.choose(isAbove, (1n << 63n) - 1n, sum);
};

/** What becomes of whole vectors; of a scalar, element 0 counts alone. */
type Whole = (c: Lane & { readonly lanes: number }, n: Value, d: Value) => Value;

const eachLane =
  (operation: Operation): Whole =>
  (c, n, d) => {
    const { s, bits, lanes } = c;
    const at = (vector: Value, lane: number): Value => s.laneOf(vector, bits, lane);
    return mapLanes(s, n, { bits, lanes }, (lane) => operation(c, at(n, lane), at(d, lane)));
  };

const invert: Whole = ({ s }, n) => s.not(n);
const negate: Whole = ({ s, bits }, n) => s.lanes('sub', bits, s.xor(n, n), n);

/** With zero, which is on the left where there is no relation the other way. */
const compareZero =
  (relation: 'gtS' | 'geS' | 'eq', zeroFirst = false): Whole =>
  ({ s, bits }, n) => {
    const zero = s.xor(n, n);
    return zeroFirst ? s.lanes(relation, bits, zero, n) : s.lanes(relation, bits, n, zero);
  };

interface Page {
  readonly name: string;
  readonly U: 0 | 1;
  readonly opcode: string;
  readonly whole: Whole;
  readonly sizes: readonly number[];
  readonly scalarSizes?: readonly number[];
  /** Written with a #0 after the registers. */
  readonly isComparison?: boolean;
  /** Elements are bytes whatever size says: RBIT and NOT share an opcode. */
  readonly bytesOnly?: boolean;
}

const any = [0, 1, 2, 3];
const small = [0, 1, 2];
const pages: readonly Page[] = [
  { name: 'SUQADD', U: 0, opcode: '00011', whole: eachLane(accumulateOther), sizes: any, scalarSizes: any },
  { name: 'USQADD', U: 1, opcode: '00011', whole: eachLane(accumulateOther), sizes: any, scalarSizes: any },
  { name: 'CLS', U: 0, opcode: '00100', whole: eachLane(leading), sizes: small },
  { name: 'CLZ', U: 1, opcode: '00100', whole: eachLane(leading), sizes: small },
  { name: 'CNT', U: 0, opcode: '00101', whole: count, sizes: [0] },
  { name: 'NOT', U: 1, opcode: '00101', whole: invert, sizes: [0] },
  { name: 'RBIT', U: 1, opcode: '00101', whole: reverseBits, sizes: [1], bytesOnly: true },
  { name: 'SQABS', U: 0, opcode: '00111', whole: eachLane(saturatingAbsolute), sizes: any, scalarSizes: any },
  { name: 'SQNEG', U: 1, opcode: '00111', whole: eachLane(saturatingAbsolute), sizes: any, scalarSizes: any },
  {
    name: 'CMGT',
    U: 0,
    opcode: '01000',
    whole: compareZero('gtS'),
    sizes: any,
    scalarSizes: [3],
    isComparison: true,
  },
  {
    name: 'CMGE',
    U: 1,
    opcode: '01000',
    whole: compareZero('geS'),
    sizes: any,
    scalarSizes: [3],
    isComparison: true,
  },
  {
    name: 'CMEQ',
    U: 0,
    opcode: '01001',
    whole: compareZero('eq'),
    sizes: any,
    scalarSizes: [3],
    isComparison: true,
  },
  {
    name: 'CMLE',
    U: 1,
    opcode: '01001',
    whole: compareZero('geS', true),
    sizes: any,
    scalarSizes: [3],
    isComparison: true,
  },
  {
    name: 'CMLT',
    U: 0,
    opcode: '01010',
    whole: compareZero('gtS', true),
    sizes: any,
    scalarSizes: [3],
    isComparison: true,
  },
  { name: 'ABS', U: 0, opcode: '01011', whole: absolute, sizes: any, scalarSizes: [3] },
  { name: 'NEG', U: 1, opcode: '01011', whole: negate, sizes: any, scalarSizes: [3] },
];

const zero: Operand = {
  print: () => '#0',
  read: (reader) => {
    const value = reader.expression();
    return value !== undefined && (value === 0n || reader.refused('a comparison is with 0 only'));
  },
};

const suffix = (page: Page): string => (page.isComparison ? '_Z' : '_R');

function rowsOf(page: Page): Row[] {
  const { name, U, opcode, whole, sizes, scalarSizes } = page;
  const byteText: ArrangementText = (f) => arrangedBy(0, f.Q ?? 0);
  const text = page.bytesOnly ? byteText : arrangement;
  const contextOf = (s: Semantics, bits: ElementBits, lanes: number): Lane & { readonly lanes: number } => ({
    s,
    bits,
    lanes,
    unsigned: U === 1,
    saturation: new Saturation(s),
  });
  const operands = (register: (field: string) => Operand): readonly Operand[] => [
    register('Rd'),
    register('Rn'),
    ...(page.isComparison ? [zero] : []),
  ];
  const title = page.isComparison ? `${name} (zero` : `${name} (`;
  const vector = row({
    name: `${title}${page.isComparison ? ', ' : ''}vector)`,
    pattern: `0 Q ${`${U}` as '0'} 01110 size 10000 ${opcode as '00000'} 10 Rn Rd`,
    encoding: `${name}_asimdmisc${suffix(page)}`,
    allocated: (f) => sizes.includes(f.size) && (f.size < 3 || f.Q === 1),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(page.bytesOnly ? 0 : k.size, k.Q);
      const c = contextOf(s, shape.bits, shape.lanes);
      const result = whole(c, s.readV(f.Rn, 128), s.readV(f.Rd, 128));
      c.saturation.raise();
      writeVector(s, f.Rd, k.Q, result);
    },
    syntax: [
      ...(name === 'NOT' ? [{ mnemonic: 'mvn', operands: operands((field) => T(field, text)) }] : []),
      { mnemonic: name.toLowerCase(), operands: operands((field) => T(field, text)) },
    ],
  });
  if (!scalarSizes) return [vector];
  return [
    vector,
    row({
      name: `${title}${page.isComparison ? ', ' : ''}scalar)`,
      pattern: `01 ${`${U}` as '0'} 11110 size 10000 ${opcode as '00000'} 10 Rn Rd`,
      encoding: `${name}_asisdmisc${suffix(page)}`,
      allocated: (f) => scalarSizes.includes(f.size),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const c = contextOf(s, elementBits(k.size), 1);
        const result = whole(c, s.readV(f.Rn, 128), s.readV(f.Rd, 128));
        c.saturation.raise();
        s.writeV(f.Rd, s.laneOf(result, c.bits, 0));
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: operands(scalar) }],
    }),
  ];
}

const reverse = (
  [
    { name: 'REV64', U: '0', opcode: '00000', container: 64, sizes: [0, 1, 2] },
    { name: 'REV32', U: '1', opcode: '00000', container: 32, sizes: [0, 1] },
    { name: 'REV16', U: '0', opcode: '00001', container: 16, sizes: [0] },
  ] as const
).map(({ name, U, opcode, container, sizes }) =>
  row({
    name: `${name} (vector)`,
    pattern: `0 Q ${U} 01110 size 10000 ${opcode} 10 Rn Rd`,
    encoding: `${name}_asimdmisc_R`,
    allocated: (f) => (sizes as readonly number[]).includes(f.size),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      writeVector(s, f.Rd, k.Q, reversed(s, s.readV(f.Rn, 128), k.Q, k.size, container));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', arrangement), T('Rn', arrangement)] }],
  }),
);

/** Elements of twice the width, half as many. */
const widened: ArrangementText = (f) => arrangedBy(f.size! + 1, f.Q!);

/** SADDLP and SADALP: sums of neighbours, twice as wide. */
const pairwiseLong = (
  [
    { name: 'SADDLP', U: '0', opcode: '00010' },
    { name: 'UADDLP', U: '1', opcode: '00010' },
    { name: 'SADALP', U: '0', opcode: '00110' },
    { name: 'UADALP', U: '1', opcode: '00110' },
  ] as const
).map(({ name, U, opcode }) =>
  row({
    name,
    pattern: `0 Q ${U} 01110 size 10000 ${opcode} 10 Rn Rd`,
    encoding: `${name}_asimdmisc_P`,
    allocated: (f) => f.size < 3,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const wide = arrangementOf(k.size + 1, k.Q);
      const [n, d] = [s.readV(f.Rn, 128), s.readV(f.Rd, 128)];
      const { bits } = arrangementOf(k.size, k.Q);
      const shift = U === '1' ? 'rightU' : 'rightS';
      const odd = s.shiftLanes(shift, wide.bits, n, bits);
      const even = s.shiftLanes(shift, wide.bits, s.shiftLanes('left', wide.bits, n, bits), bits);
      const sum = s.lanes('add', wide.bits, even, odd);
      writeVector(s, f.Rd, k.Q, opcode === '00110' ? s.lanes('add', wide.bits, d, sum) : sum);
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', widened), T('Rn', arrangement)] }],
  }),
);

const wideRegister: ArrangementText = (f) => arrangedBy(f.size! + 1, 1);

/** XTN and its kind: elements of half the width, in the lower or the upper half of the destination. */
const narrow = (
  [
    { name: 'XTN', U: '0', opcode: '10010', from: undefined, toUnsigned: false },
    { name: 'SQXTUN', U: '1', opcode: '10010', from: 'signed', toUnsigned: true },
    { name: 'SQXTN', U: '0', opcode: '10100', from: 'signed', toUnsigned: false },
    { name: 'UQXTN', U: '1', opcode: '10100', from: 'unsigned', toUnsigned: true },
  ] as const
).flatMap(({ name, U, opcode, from, toUnsigned }) => {
  const narrowed = (s: Semantics, saturation: Saturation, element: Value, bits: ElementBits): Value => {
    if (from === 'signed') return saturation.clamp(signed(s, element, (2 * bits) as ElementBits), bits, toUnsigned);
    const w = wordsOver(s);
    const { most } = extremes(bits, true);
    const isAbove = w.below(most, element);
    saturation.note(isAbove);
    return w.choose(isAbove, most, element);
  };
  const vector = row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${U} 01110 size 10000 ${opcode} 10 Rn Rd`,
    encoding: `${name}_asimdmisc_N`,
    allocated: (f) => f.size < 3,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(k.size);
      const saturation = new Saturation(s);
      const n = s.readV(f.Rn, 128);
      const half =
        from === undefined
          ? shortened(s, n, bits)
          : mapLanes(s, n, { bits, lanes: 64 / bits }, (lane) =>
              narrowed(s, saturation, s.laneOf(n, (2 * bits) as ElementBits, lane), bits),
            );
      saturation.raise();
      writeHalf(s, f.Rd, k.Q, s.laneOf(half, 64, 0));
    },
    syntax: [
      {
        mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? `${name}2` : name).toLowerCase(),
        operands: [T('Rd', arrangement), T('Rn', wideRegister)],
      },
    ],
  });
  if (from === undefined) return [vector];
  return [
    vector,
    row({
      name: `${name} (scalar)`,
      pattern: `01 ${U} 11110 size 10000 ${opcode} 10 Rn Rd`,
      encoding: `${name}_asisdmisc_N`,
      allocated: (f) => f.size < 3,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const bits = elementBits(k.size);
        const saturation = new Saturation(s);
        const element = s.laneOf(s.readV(f.Rn, 128), (2 * bits) as ElementBits, 0);
        const result = narrowed(s, saturation, element, bits);
        saturation.raise();
        s.writeV(f.Rd, truncated(s, result, bits));
      },
      syntax: [
        {
          mnemonic: name.toLowerCase(),
          operands: [scalar('Rd'), V('Rn', (f) => (2 << (f.size ?? 0)) as VectorBytes)],
        },
      ],
    }),
  ];
});

/** The amount of SHLL is the width of the elements. */
const elementWidth: Operand = {
  print: (f) => `#${elementBits(f.size!)}`,
  read: (reader) => {
    const value = reader.expression();
    const bits = elementBits(reader.fields.size!);
    return value !== undefined && (value === BigInt(bits) || reader.refused(`elements are shifted by ${bits}`));
  },
};

const shiftLong = row({
  name: 'SHLL, SHLL2',
  pattern: '0 Q 1 01110 size 10000 10011 10 Rn Rd',
  encoding: 'SHLL_asimdmisc_S',
  allocated: (f) => f.size < 3,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = elementBits(k.size);
    const longer = lengthened(s, s.readV(f.Rn, 128), bits, { part: k.Q, unsigned: true });
    s.writeV(f.Rd, s.shiftLanes('left', (2 * bits) as ElementBits, longer, bits));
  },
  syntax: [
    {
      mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? 'shll2' : 'shll'),
      operands: [T('Rd', wideRegister), T('Rn', arrangement), elementWidth],
    },
  ],
});

const acrossPages = [
  { name: 'SADDLV', U: '0', opcode: '00011', kind: 'long' },
  { name: 'UADDLV', U: '1', opcode: '00011', kind: 'long' },
  { name: 'SMAXV', U: '0', opcode: '01010', kind: 'max' },
  { name: 'UMAXV', U: '1', opcode: '01010', kind: 'max' },
  { name: 'SMINV', U: '0', opcode: '11010', kind: 'min' },
  { name: 'UMINV', U: '1', opcode: '11010', kind: 'min' },
  { name: 'ADDV', U: '0', opcode: '11011', kind: 'sum' },
] as const;

const across = acrossPages.map(({ name, U, opcode, kind }) =>
  row({
    name,
    pattern: `0 Q ${U} 01110 size 11000 ${opcode} 10 Rn Rd`,
    encoding: `${name}_asimdall_only`,
    allocated: (f) => f.size < 2 || (f.size === 2 && f.Q === 1),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(k.size, k.Q);
      const n = s.readV(f.Rn, 128);
      const elements = Array.from({ length: shape.lanes }, (_, lane) =>
        extended(s, s.laneOf(n, shape.bits, lane), shape.bits, U === '1'),
      );
      const result = elements.reduce((a, b) => {
        if (kind === 'sum' || kind === 'long') return s.add(a, b);
        const isLess = s.ltS(a, b);
        return kind === 'max' ? s.select(isLess, b, a) : s.select(isLess, a, b);
      });
      s.writeV(f.Rd, truncated(s, result, kind === 'long' ? ((2 * shape.bits) as ElementBits) : shape.bits));
    },
    syntax: [
      {
        mnemonic: name.toLowerCase(),
        operands: [
          V('Rd', (f: Fields) => ((kind === 'long' ? 2 : 1) << (f.size ?? 0)) as VectorBytes),
          T('Rn', arrangement),
        ],
      },
    ],
  }),
);

const scalarPair = row({
  name: 'ADDP (scalar)',
  pattern: '01 0 11110 11 11000 11011 10 Rn Rd',
  encoding: 'ADDP_asisdpair_only',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    const n = s.readV(f.Rn, 128);
    s.writeV(f.Rd, s.add(s.laneOf(n, 64, 0), s.laneOf(n, 64, 1)));
  },
  syntax: [{ mnemonic: 'addp', operands: [V('Rd', () => 8), T('Rn', () => '2d')] }],
});

export const twoRegister: readonly Row[] = [
  ...reverse,
  ...pairwiseLong,
  ...pages.flatMap(rowsOf),
  ...narrow,
  shiftLong,
  ...across,
  scalarPair,
];
