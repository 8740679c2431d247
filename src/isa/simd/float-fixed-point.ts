// Conversions between numbers and fixed-point numbers, of the Advanced SIMD shift by immediate and scalar shift by immediate classes: Arm
// DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { integerSigns } from '../float-operations.ts';
import { rounding } from '../floating-point/format.ts';
import type { Semantics, Value } from '../semantics.ts';
import { T } from '../syntax/vectors.ts';
import { arrangementOf, truncated } from './elements.ts';
import { writeFloats } from './float-lanes.ts';
import { arranged, rightAmount, scalarRegister, shiftAmount, sizeOfImmh } from './shift-immediate.ts';

type Bits = 16 | 32 | 64;

/** There are no numbers of a byte. */
const isFloat = ({ immhb }: { readonly immhb: number }): boolean => sizeOfImmh(immhb) >= 1;
const bitsOf = ({ immhb }: { readonly immhb: number }): Bits => (8 << sizeOfImmh(immhb)) as Bits;

const pages = integerSigns.flatMap(({ letter, name, bit }) => [
  {
    name: `${letter}CVTF`,
    U: bit,
    opcode: '11100',
    convert: (s: Semantics, bits: Bits, value: Value, fractionBits: Value): Value =>
      s.float(`from${name}${bits}`, bits, [value, fractionBits]),
  },
  {
    name: `FCVTZ${letter}`,
    U: bit,
    opcode: '11111',
    convert: (s: Semantics, bits: Bits, value: Value, fractionBits: Value): Value =>
      s.float(`to${name}${bits}`, bits, [value, fractionBits, s.constant(64, rounding.zero)]),
  },
]);

export const floatFixedPoint: readonly Row[] = pages.flatMap(({ name, U, opcode, convert }) => [
  row({
    name: `${name} (vector, fixed-point)`,
    pattern: `0 Q ${U} 011110 immhb ${opcode as '00000'} 1 Rn Rd`,
    encoding: `${name}_asimdshf_C`,
    allocated: (f) => isFloat(f) && (bitsOf(f) < 64 || f.Q === 1),
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = bitsOf(k);
      const n = s.readV(f.Rn, 128);
      const fractionBits = s.constant(64, rightAmount(k.immhb));
      writeFloats(s, { n: f.Rd, Q: k.Q, shape: arrangementOf(sizeOfImmh(k.immhb), k.Q) }, (lane) =>
        convert(s, bits, s.laneOf(n, bits, lane), fractionBits),
      );
    },
    syntax: [
      { mnemonic: name.toLowerCase(), operands: [T('Rd', arranged), T('Rn', arranged), shiftAmount(rightAmount)] },
    ],
  }),
  row({
    name: `${name} (scalar, fixed-point of a SIMD&FP register)`,
    pattern: `01 ${U} 111110 immhb ${opcode as '00000'} 1 Rn Rd`,
    encoding: `${name}_asisdshf_C`,
    allocated: isFloat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = bitsOf(k);
      const value = s.laneOf(s.readV(f.Rn, 128), bits, 0);
      s.writeV(f.Rd, truncated(s, convert(s, bits, value, s.constant(64, rightAmount(k.immhb))), bits));
    },
    syntax: [
      {
        mnemonic: name.toLowerCase(),
        operands: [scalarRegister('Rd'), scalarRegister('Rn'), shiftAmount(rightAmount)],
      },
    ],
  }),
]);
