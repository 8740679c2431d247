// Advanced SIMD copy and scalar copy: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import type { ElementBits, Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { Rof, V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, type ArrangementText, lane, letterOfSize, T } from '../syntax/vectors.ts';
import { arrangementOf, elementBits, signed, writeVector } from './elements.ts';

/** The lowest bit that is set in imm5 gives the size, the bits above it are the index. */
const sizeOf = (imm5: number): number => Math.log2(imm5 & -imm5);
const indexOf = (imm5: number): number => imm5 >> (sizeOf(imm5) + 1);

const hasSize = ({ elements }: { readonly elements: number }): boolean => (elements & 15) !== 0;
const isArranged = ({ elements, Q }: { readonly elements: number; readonly Q: number }): boolean =>
  hasSize({ elements }) && (sizeOf(elements) < 3 || Q === 1);

const arranged: ArrangementText = (f) =>
  isArranged({ elements: f.elements!, Q: f.Q! }) ? arrangedBy(sizeOf(f.elements!), f.Q!) : undefined;

/** `v3.s[1]`, whose letter and index imm5 decides. */
function indexed(field: string, index: (f: Fields) => number): Operand {
  const of = (f: Fields): Operand => lane(field, letterOfSize(sizeOf(f.elements!)), index);
  return { print: (f, context) => of(f).print(f, context), read: (reader) => of(reader.fields).read(reader) };
}
const element = (field: string): Operand => indexed(field, (f) => indexOf(f.elements!));

/** The general-purpose register that holds an element: W for all but doublewords. */
const registerBits = (bits: ElementBits): 32 | 64 => (bits === 64 ? 64 : 32);
const readElement = (s: Semantics, n: Value, bits: ElementBits): Value =>
  bits === 64 ? s.readX(n, 64) : s.zeroExtend(s.readX(n, 32), 32, 64);
const general = (field: string): Operand => Rof(field, (f) => registerBits(elementBits(sizeOf(f.elements!))));

const duplicateElement = row({
  name: 'DUP (element)',
  pattern: '0 Q 0 01110000 elements 0 0000 1 Rn Rd',
  encoding: 'DUP_asimdins_DV_v',
  allocated: isArranged,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const shape = arrangementOf(sizeOf(k.elements), k.Q);
    const n = s.readV(f.Rn, 128);
    const value = s.laneOf(n, shape.bits, indexOf(k.elements));
    writeVector(s, f.Rd, k.Q, s.splat(shape.bits, value));
  },
  syntax: [{ mnemonic: 'dup', operands: [T('Rd', arranged), element('Rn')] }],
});

const duplicateScalar = row({
  name: 'DUP (element, scalar)',
  pattern: '01 0 11110000 elements 0 0000 1 Rn Rd',
  encoding: 'DUP_asisdone_only',
  allocated: hasSize,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    s.writeV(f.Rd, s.laneOf(s.readV(f.Rn, 128), elementBits(sizeOf(k.elements)), indexOf(k.elements)));
  },
  syntax: [
    {
      mnemonic: 'mov',
      operands: [V('Rd', (f) => (1 << sizeOf(f.elements!)) as VectorBytes), element('Rn')],
    },
    {
      mnemonic: 'dup',
      operands: [V('Rd', (f) => (1 << sizeOf(f.elements!)) as VectorBytes), element('Rn')],
      preferred: () => false,
    },
  ],
});

const duplicateGeneral = row({
  name: 'DUP (general)',
  pattern: '0 Q 0 01110000 elements 0 0001 1 Rn Rd',
  encoding: 'DUP_asimdins_DR_r',
  allocated: isArranged,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const shape = arrangementOf(sizeOf(k.elements), k.Q);
    const value = readElement(s, f.Rn, shape.bits);
    writeVector(s, f.Rd, k.Q, s.splat(shape.bits, value));
  },
  syntax: [{ mnemonic: 'dup', operands: [T('Rd', arranged), general('Rn')] }],
});

const moveToGeneral = (
  [
    { name: 'SMOV', imm4: '0101', sizes: [0, 1], wideSizes: [0, 1, 2] },
    { name: 'UMOV', imm4: '0111', sizes: [0, 1, 2], wideSizes: [3] },
  ] as const
).map(({ name, imm4, sizes, wideSizes }) =>
  row({
    name,
    pattern: `0 Q 0 01110000 elements 0 ${imm4} 1 Rn Rd`,
    encoding: (f) => `${name}_asimdins_${f.Q ? 'X_x' : 'W_w'}`,
    allocated: (f) => hasSize(f) && ((f.Q ? wideSizes : sizes) as readonly number[]).includes(sizeOf(f.elements)),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = elementBits(sizeOf(k.elements));
      const value = s.laneOf(s.readV(f.Rn, 128), bits, indexOf(k.elements));
      const result = name === 'SMOV' ? signed(s, value, bits) : value;
      s.writeX(f.Rd, k.Q ? result : s.low32(result));
    },
    syntax: [
      ...(name === 'UMOV'
        ? [
            {
              mnemonic: 'mov',
              operands: [Rof('Rd', (f: Fields) => (f.Q ? 64 : 32)), element('Rn')],
              when: (f: { readonly elements: number }) => sizeOf(f.elements) >= 2,
            },
          ]
        : []),
      { mnemonic: name.toLowerCase(), operands: [Rof('Rd', (f) => (f.Q ? 64 : 32)), element('Rn')] },
    ],
  }),
);

const insertGeneral = row({
  name: 'INS (general)',
  pattern: '0 1 0 01110000 elements 0 0011 1 Rn Rd',
  encoding: 'INS_asimdins_IR_r',
  allocated: hasSize,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = elementBits(sizeOf(k.elements));
    s.writeV(f.Rd, s.withLane(s.readV(f.Rd, 128), bits, indexOf(k.elements), readElement(s, f.Rn, bits)));
  },
  syntax: [
    { mnemonic: 'mov', operands: [element('Rd'), general('Rn')] },
    { mnemonic: 'ins', operands: [element('Rd'), general('Rn')], preferred: () => false },
  ],
});

/** The low bits of imm4 below the size are ignored. */
const sourceIndex = (f: Fields): number => f.element! >> sizeOf(f.elements!);

const insertElement = row({
  name: 'INS (element)',
  pattern: '0 1 1 01110000 elements 0 element 1 Rn Rd',
  encoding: 'INS_asimdins_IV_v',
  allocated: hasSize,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const bits = elementBits(sizeOf(k.elements));
    const value = s.laneOf(s.readV(f.Rn, 128), bits, k.element >> sizeOf(k.elements));
    s.writeV(f.Rd, s.withLane(s.readV(f.Rd, 128), bits, indexOf(k.elements), value));
  },
  syntax: [
    { mnemonic: 'mov', operands: [element('Rd'), indexed('Rn', sourceIndex)] },
    { mnemonic: 'ins', operands: [element('Rd'), indexed('Rn', sourceIndex)], preferred: () => false },
  ],
});

export const copy: readonly Row[] = [
  duplicateScalar,
  duplicateElement,
  duplicateGeneral,
  ...moveToGeneral,
  insertGeneral,
  insertElement,
];
