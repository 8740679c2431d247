// Conversion between floating point and integers or fixed-point numbers, and moves between the register files: Arm DDI 0487, C4.1 "Data
// Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from './encoding.ts';
import { F, formatOf, isFormat, knownFormat, letterOf, readFloat, writeFloat } from './float-registers.ts';
import { integerSigns } from './float-operations.ts';
import { rounding } from './floating-point/format.ts';
import type { Semantics, Value } from './semantics.ts';
import type { Fields, Operand } from './syntax.ts';
import { readNumber } from './syntax/numbers.ts';
import { R, X } from './syntax/registers.ts';
import { lane } from './syntax/vectors.ts';

const integerBits = (k: { readonly sf: number }): 32 | 64 => (k.sf ? 64 : 32);

/** X[n] as a word. */
const readInteger = (s: Semantics, n: Value, bits: 32 | 64): Value =>
  bits === 64 ? s.readX(n, 64) : s.zeroExtend(s.readX(n, 32), 32, 64);
const writeInteger = (s: Semantics, n: Value, bits: 32 | 64, value: Value): void => {
  s.writeX(n, bits === 64 ? value : s.low32(value));
};

const toModes = [
  { letter: 'N', rmode: '00', op: '00', mode: rounding.tieEven },
  { letter: 'P', rmode: '01', op: '00', mode: rounding.plusInfinity },
  { letter: 'M', rmode: '10', op: '00', mode: rounding.minusInfinity },
  { letter: 'Z', rmode: '11', op: '00', mode: rounding.zero },
  { letter: 'A', rmode: '00', op: '10', mode: rounding.tieAway },
] as const;

const toInteger = toModes.flatMap(({ letter, rmode, op, mode }) =>
  integerSigns.map((sign) =>
    row({
      name: `FCVT${letter}${sign.letter} (scalar, integer)`,
      pattern: `sf 0 0 11110 ftype 1 ${rmode} ${op}${sign.bit as '0'} 000000 Rn Rd`,
      encoding: (f) => `FCVT${letter}${sign.letter}_${f.sf ? 64 : 32}${letterOf(formatOf(f.ftype))}_float2int`,
      allocated: isFormat,
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const [bits, width] = [knownFormat(k), integerBits(k)];
        const operands = [readFloat(s, f.Rn, bits), s.constant(64, 0), s.constant(64, mode)];
        writeInteger(s, f.Rd, width, s.float(`to${sign.name}${width}`, bits, operands));
      },
      syntax: [{ mnemonic: `fcvt${letter}${sign.letter}`.toLowerCase(), operands: [R('Rd'), F('Rn')] }],
    }),
  ),
);

const fromInteger = integerSigns.map((sign) =>
  row({
    name: `${sign.letter}CVTF (scalar, integer)`,
    pattern: `sf 0 0 11110 ftype 1 00 01${sign.bit as '0'} 000000 Rn Rd`,
    encoding: (f) => `${sign.letter}CVTF_${letterOf(formatOf(f.ftype))}${f.sf ? 64 : 32}_float2int`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [bits, width] = [knownFormat(k), integerBits(k)];
      const operands = [readInteger(s, f.Rn, width), s.constant(64, 0)];
      writeFloat(s, f.Rd, bits, s.float(`from${sign.name}${width}`, bits, operands));
    },
    syntax: [{ mnemonic: `${sign.letter}cvtf`.toLowerCase(), operands: [F('Rd'), R('Rn')] }],
  }),
);

/** The number of fraction bits, of which `scale` holds 64 less. */
const fractionBits: Operand = {
  print: (f) => `#${64 - f.scale!}`,
  read: (reader) => {
    const most = reader.fields.sf === 1 ? 64 : 32;
    const value = readNumber(reader, { what: 'number of fraction bits', least: 1, most });
    return value !== undefined && reader.set('scale', 64 - value);
  },
};

/** A W register holds no more than 32 fraction bits. */
const isScale = (f: Fields): boolean => isFormat({ ftype: f.ftype! }) && (f.sf === 1 || f.scale! >= 32);

const fractions = (s: Semantics, scale: Value): Value => s.sub(s.constant(64, 64), s.zeroExtend(scale, 32, 64));

const fixedPoint = integerSigns.flatMap((sign) => [
  row({
    name: `${sign.letter}CVTF (scalar, fixed-point)`,
    pattern: `sf 0 0 11110 ftype 0 00 01${sign.bit as '0'} scale Rn Rd`,
    encoding: (f) => `${sign.letter}CVTF_${letterOf(formatOf(f.ftype))}${f.sf ? 64 : 32}_float2fix`,
    allocated: isScale,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [bits, width] = [knownFormat(k), integerBits(k)];
      const operands = [readInteger(s, f.Rn, width), fractions(s, f.scale)];
      writeFloat(s, f.Rd, bits, s.float(`from${sign.name}${width}`, bits, operands));
    },
    syntax: [{ mnemonic: `${sign.letter}cvtf`.toLowerCase(), operands: [F('Rd'), R('Rn'), fractionBits] }],
  }),
  row({
    name: `FCVTZ${sign.letter} (scalar, fixed-point)`,
    pattern: `sf 0 0 11110 ftype 0 11 00${sign.bit as '0'} scale Rn Rd`,
    encoding: (f) => `FCVTZ${sign.letter}_${f.sf ? 64 : 32}${letterOf(formatOf(f.ftype))}_float2fix`,
    allocated: isScale,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [bits, width] = [knownFormat(k), integerBits(k)];
      const operands = [readFloat(s, f.Rn, bits), fractions(s, f.scale), s.constant(64, rounding.zero)];
      writeInteger(s, f.Rd, width, s.float(`to${sign.name}${width}`, bits, operands));
    },
    syntax: [{ mnemonic: `fcvtz${sign.letter}`.toLowerCase(), operands: [R('Rd'), F('Rn'), fractionBits] }],
  }),
]);

/** Vn.D[1]. */
const topHalf = (field: string): Operand => lane(field, 'd', () => 1);

/** Bits are moved as they are; a half-precision number goes to either width, the others to their own. */
const isMove = (f: { readonly sf: number; readonly ftype: number }): boolean => f.ftype === 3 || f.ftype === f.sf;

const moves = [
  row({
    name: 'FMOV (general) to general-purpose',
    pattern: 'sf 0 0 11110 ftype 1 00 110 000000 Rn Rd',
    encoding: (f) => `FMOV_${f.sf ? 64 : 32}${letterOf(formatOf(f.ftype))}_float2int`,
    allocated: isMove,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      writeInteger(s, f.Rd, integerBits(k), readFloat(s, f.Rn, knownFormat(k)));
    },
    syntax: [{ mnemonic: 'fmov', operands: [R('Rd'), F('Rn')] }],
  }),
  row({
    name: 'FMOV (general) from general-purpose',
    pattern: 'sf 0 0 11110 ftype 1 00 111 000000 Rn Rd',
    encoding: (f) => `FMOV_${letterOf(formatOf(f.ftype))}${f.sf ? 64 : 32}_float2int`,
    allocated: isMove,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      const value = readInteger(s, f.Rn, integerBits(k));
      writeFloat(s, f.Rd, bits, bits === 16 ? s.and(value, s.constant(64, 0xffff)) : value);
    },
    syntax: [{ mnemonic: 'fmov', operands: [F('Rd'), R('Rn')] }],
  }),
  row({
    name: 'FMOV (general) from top half',
    pattern: '1 0 0 11110 10 1 01 110 000000 Rn Rd',
    encoding: 'FMOV_64VX_float2int',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeX(f.Rd, s.laneOf(s.readV(f.Rn, 128), 64, 1));
    },
    syntax: [{ mnemonic: 'fmov', operands: [X('Rd'), topHalf('Rn')] }],
  }),
  row({
    name: 'FMOV (general) to top half',
    pattern: '1 0 0 11110 10 1 01 111 000000 Rn Rd',
    encoding: 'FMOV_V64I_float2int',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeV(f.Rd, s.withLane(s.readV(f.Rd, 128), 64, 1, s.readX(f.Rn, 64)));
    },
    syntax: [{ mnemonic: 'fmov', operands: [topHalf('Rd'), X('Rn')] }],
  }),
];

export const floatConversion: readonly Row[] = [...toInteger, ...fromInteger, ...fixedPoint, ...moves];
