// SHA-512: Arm DDI 0487, C4.1 "Cryptographic three-register SHA 512" and "Cryptographic two-register SHA 512".

import { row, type Row } from '../encoding.ts';
import type { Semantics, Value } from '../semantics.ts';
import type { Operand } from '../syntax.ts';
import { V } from '../syntax/registers.ts';
import { T } from '../syntax/vectors.ts';
import { rotations, rotationsAndShift, sum, vectorOf64 } from './words.ts';

const Q = (field: string): Operand => V(field, () => 16);
const doublewords = (field: string): Operand => T(field, () => '2d');

/** The doublewords of a vector, the lower first. */
type Pair = readonly [Value, Value];
const pairOf = (s: Semantics, n: Value): Pair => {
  const vector = s.readV(n, 128);
  return [s.laneOf(vector, 64, 0), s.laneOf(vector, 64, 1)];
};

/** A function of what Vd, Vn and Vm hold. */
type Part = (s: Semantics, d: Pair, n: Pair, m: Pair) => Pair;

const chosen = (s: Semantics, x: Value, y: Value, z: Value): Value => s.xor(s.and(x, y), s.and(s.not(x), z));

/** Two rounds of the half of the state that holds e to h. */
const hash: Part = (s, w, x, y) => {
  const high = sum(s, chosen(s, y[1], x[0], x[1]), rotations(s, y[1], 14, 18, 41), w[1]);
  const next = s.add(high, y[0]);
  const low = sum(s, chosen(s, next, y[1], x[0]), rotations(s, next, 14, 18, 41), w[0]);
  return [low, high];
};

const agreed = (s: Semantics, x: Value, y: Value, z: Value): Value =>
  s.xor(s.xor(s.and(x, y), s.and(x, z)), s.and(y, z));

/** Two rounds of the half that holds a to d. */
const hash2: Part = (s, w, x, y) => {
  const high = sum(s, agreed(s, x[0], y[1], y[0]), rotations(s, y[0], 28, 34, 39), w[1]);
  const low = sum(s, agreed(s, high, y[0], y[1]), rotations(s, high, 28, 34, 39), w[0]);
  return [low, high];
};

const schedule1: Part = (s, w, x, y) => {
  const part = (n: 0 | 1): Value => sum(s, w[n], rotationsAndShift(s, x[n], 19, 61, 6), y[n]);
  return [part(0), part(1)];
};

const threeRegisters = (
  [
    { name: 'SHA512H', opcode: '00', form: 'QQV', part: hash },
    { name: 'SHA512H2', opcode: '01', form: 'QQV', part: hash2 },
    { name: 'SHA512SU1', opcode: '10', form: 'VVV2', part: schedule1 },
  ] as const
).map(({ name, opcode, form, part }) =>
  row({
    name,
    pattern: `11001110011 Rm 1000 ${opcode} Rn Rd`,
    encoding: `${name}_${form}_cryptosha512_3`,
    feature: 'FEAT_SHA512',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeV(f.Rd, vectorOf64(s, ...part(s, pairOf(s, f.Rd), pairOf(s, f.Rn), pairOf(s, f.Rm))));
    },
    syntax: [
      {
        mnemonic: name.toLowerCase(),
        operands: form === 'QQV' ? [Q('Rd'), Q('Rn'), doublewords('Rm')] : ['Rd', 'Rn', 'Rm'].map(doublewords),
      },
    ],
  }),
);

const schedule0 = row({
  name: 'SHA512SU0',
  pattern: '11001110110000001000 00 Rn Rd',
  encoding: 'SHA512SU0_VV2_cryptosha512_2',
  feature: 'FEAT_SHA512',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    const [w, x] = [pairOf(s, f.Rd), pairOf(s, f.Rn)];
    const low = s.add(w[0], rotationsAndShift(s, w[1], 1, 8, 7));
    s.writeV(f.Rd, vectorOf64(s, low, s.add(w[1], rotationsAndShift(s, x[0], 1, 8, 7))));
  },
  syntax: [{ mnemonic: 'sha512su0', operands: [doublewords('Rd'), doublewords('Rn')] }],
});

export const sha512: readonly Row[] = [...threeRegisters, schedule0];
