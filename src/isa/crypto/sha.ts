// SHA-1 and SHA-256: Arm DDI 0487, C4.1 "Cryptographic three-register SHA" and "Cryptographic two-register SHA". Words are those of
// FIPS 180-4, the first of four in the lowest element.

import { row, type Row } from '../encoding.ts';
import type { Semantics, Value } from '../semantics.ts';
import type { Operand } from '../syntax.ts';
import { V } from '../syntax/registers.ts';
import { T } from '../syntax/vectors.ts';
import { choose, majority, parity, rotateLeft, rotations, rotationsAndShift, sum, vectorOf, words } from './words.ts';

const Q = (field: string): Operand => V(field, () => 16);
const S = (field: string): Operand => V(field, () => 4);
const words4 = (field: string): Operand => T(field, () => '4s');

type Choice = (s: Semantics, x: Value, y: Value, z: Value) => Value;

/** Four rounds of SHA-1: a, b, c, d in Qd, e in Sn, the schedule in Vm. */
function sha1Rounds(s: Semantics, state: Value, e: Value, schedule: Value, f: Choice): Value {
  let x = words(s, state);
  let y = e;
  for (const word of words(s, schedule)) {
    const [x0, x1, x2, x3] = x as [Value, Value, Value, Value];
    const next = sum(s, y, rotateLeft(s, x0, 5), f(s, x1, x2, x3), word);
    x = [next, x0, rotateLeft(s, x1, 30), x2];
    y = x3;
  }
  return vectorOf(s, x);
}

const sha1Hash = (
  [
    { name: 'SHA1C', opcode: '000', f: choose },
    { name: 'SHA1P', opcode: '001', f: parity },
    { name: 'SHA1M', opcode: '010', f: majority },
  ] as const
).map((page) =>
  row({
    name: page.name,
    pattern: `01011110 00 0 Rm 0 ${page.opcode} 00 Rn Rd`,
    encoding: `${page.name}_QSV_cryptosha3`,
    feature: 'FEAT_SHA1',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeV(f.Rd, sha1Rounds(s, s.readV(f.Rd, 128), s.readV(f.Rn, 32), s.readV(f.Rm, 128), page.f));
    },
    syntax: [{ mnemonic: page.name.toLowerCase(), operands: [Q('Rd'), S('Rn'), words4('Rm')] }],
  }),
);

/** SHA256hash: four rounds; which half of the state is the result is the caller's to take. */
function sha256Rounds(s: Semantics, low: Value, high: Value, schedule: Value): readonly [Value, Value] {
  let x = words(s, low);
  let y = words(s, high);
  for (const word of words(s, schedule)) {
    const [x0, x1, x2, x3] = x as [Value, Value, Value, Value];
    const [y0, y1, y2, y3] = y as [Value, Value, Value, Value];
    const t = sum(s, y3, rotations(s, y0, 6, 11, 25), choose(s, y0, y1, y2), word);
    const next = sum(s, t, rotations(s, x0, 2, 13, 22), majority(s, x0, x1, x2));
    x = [next, x0, x1, x2];
    y = [s.add(x3, t), y0, y1, y2];
  }
  return [vectorOf(s, x), vectorOf(s, y)];
}

type Schedule = (s: Semantics, a: readonly Value[], b: readonly Value[], c: readonly Value[]) => Value[];

const sha1Schedule0: Schedule = (s, a, b, c) =>
  [a[2]!, a[3]!, b[0]!, b[1]!].map((word, n) => parity(s, word, a[n]!, c[n]!));

const sha1Schedule1: Schedule = (s, a, b) => {
  const t = a.map((word, n) => (n < 3 ? s.xor(word, b[n + 1]!) : word));
  return t.map((word, n) => {
    const rotated = rotateLeft(s, word, 1);
    return n < 3 ? rotated : s.xor(rotated, rotateLeft(s, t[0]!, 2));
  });
};

const sha256Schedule0: Schedule = (s, a, b) =>
  [a[1]!, a[2]!, a[3]!, b[0]!].map((word, n) => s.add(rotationsAndShift(s, word, 7, 18, 3), a[n]!));

const sha256Schedule1: Schedule = (s, a, b, c) => {
  const added = [b[1]!, b[2]!, b[3]!, c[0]!];
  const next = (word: Value, n: number): Value => sum(s, rotationsAndShift(s, word, 17, 19, 10), a[n]!, added[n]!);
  const first = [next(c[2]!, 0), next(c[3]!, 1)];
  return [...first, next(first[0]!, 2), next(first[1]!, 3)];
};

const sha256Hash = (
  [
    { name: 'SHA256H', opcode: '100', half: 0 },
    { name: 'SHA256H2', opcode: '101', half: 1 },
  ] as const
).map(({ name, opcode, half }) =>
  row({
    name,
    pattern: `01011110 00 0 Rm 0 ${opcode} 00 Rn Rd`,
    encoding: `${name}_QQV_cryptosha3`,
    feature: 'FEAT_SHA256',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      const [d, n] = [s.readV(f.Rd, 128), s.readV(f.Rn, 128)];
      const [low, high] = half === 0 ? [d, n] : [n, d];
      s.writeV(f.Rd, sha256Rounds(s, low, high, s.readV(f.Rm, 128))[half]);
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [Q('Rd'), Q('Rn'), words4('Rm')] }],
  }),
);

const schedulesOfThree = (
  [
    { name: 'SHA1SU0', opcode: '011', feature: 'FEAT_SHA1', schedule: sha1Schedule0 },
    { name: 'SHA256SU1', opcode: '110', feature: 'FEAT_SHA256', schedule: sha256Schedule1 },
  ] as const
).map(({ name, opcode, feature, schedule }) =>
  row({
    name,
    pattern: `01011110 00 0 Rm 0 ${opcode} 00 Rn Rd`,
    encoding: `${name}_VVV_cryptosha3`,
    feature,
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      const [d, n, m] = [f.Rd, f.Rn, f.Rm].map((register) => words(s, s.readV(register, 128)));
      s.writeV(f.Rd, vectorOf(s, schedule(s, d!, n!, m!)));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [words4('Rd'), words4('Rn'), words4('Rm')] }],
  }),
);

const schedulesOfTwo = (
  [
    { name: 'SHA1SU1', opcode: '00001', feature: 'FEAT_SHA1', schedule: sha1Schedule1 },
    { name: 'SHA256SU0', opcode: '00010', feature: 'FEAT_SHA256', schedule: sha256Schedule0 },
  ] as const
).map(({ name, opcode, feature, schedule }) =>
  row({
    name,
    pattern: `01011110 00 10100 ${opcode} 10 Rn Rd`,
    encoding: `${name}_VV_cryptosha2`,
    feature,
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      const [d, n] = [f.Rd, f.Rn].map((register) => words(s, s.readV(register, 128)));
      s.writeV(f.Rd, vectorOf(s, schedule(s, d!, n!, [])));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [words4('Rd'), words4('Rn')] }],
  }),
);

const sha1Fixed = row({
  name: 'SHA1H',
  pattern: '01011110 00 10100 00000 10 Rn Rd',
  encoding: 'SHA1H_SS_cryptosha2',
  feature: 'FEAT_SHA1',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    s.writeV(f.Rd, rotateLeft(s, s.readV(f.Rn, 32), 30));
  },
  syntax: [{ mnemonic: 'sha1h', operands: [S('Rd'), S('Rn')] }],
});

export const sha: readonly Row[] = [...sha1Hash, ...sha256Hash, ...schedulesOfThree, sha1Fixed, ...schedulesOfTwo];
