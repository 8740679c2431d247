// SHA-3: Arm DDI 0487, C4.1 "Cryptographic four-register" (EOR3, BCAX), "Cryptographic three-register SHA 512" (RAX1) and
// "Cryptographic three-register, imm6" (XAR).

import { row, type Row } from '../encoding.ts';
import { widen } from '../pseudocode.ts';
import type { Semantics, Value } from '../semantics.ts';
import { immediate } from '../syntax/immediates.ts';
import { T } from '../syntax/vectors.ts';
import { rotateLeft, vectorOf64 } from './words.ts';

const fourRegisters = (
  [
    { name: 'EOR3', Op0: '00', f: (s: Semantics, n: Value, m: Value, a: Value) => s.xor(s.xor(n, m), a) },
    { name: 'BCAX', Op0: '01', f: (s: Semantics, n: Value, m: Value, a: Value) => s.xor(n, s.and(m, s.not(a))) },
  ] as const
).map((page) =>
  row({
    name: page.name,
    pattern: `110011100 ${page.Op0} Rm 0 Ra Rn Rd`,
    encoding: `${page.name}_VVV16_crypto4`,
    feature: 'FEAT_SHA3',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeV(f.Rd, page.f(s, s.readV(f.Rn, 128), s.readV(f.Rm, 128), s.readV(f.Ra, 128)));
    },
    syntax: [
      { mnemonic: page.name.toLowerCase(), operands: ['Rd', 'Rn', 'Rm', 'Ra'].map((field) => T(field, () => '16b')) },
    ],
  }),
);

const doublewords = ['Rd', 'Rn', 'Rm'].map((field) => T(field, () => '2d'));

/** Each doubleword of a vector through a function. */
const eachDoubleword = (s: Semantics, vector: Value, f: (word: Value) => Value): Value =>
  vectorOf64(s, f(s.laneOf(vector, 64, 0)), f(s.laneOf(vector, 64, 1)));

const rotateAndExclusiveOr = row({
  name: 'RAX1',
  pattern: '11001110011 Rm 1000 11 Rn Rd',
  encoding: 'RAX1_VVV2_cryptosha512_3',
  feature: 'FEAT_SHA3',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    const rotated = eachDoubleword(s, s.readV(f.Rm, 128), (word) => rotateLeft(s, word, 1));
    s.writeV(f.Rd, s.xor(s.readV(f.Rn, 128), rotated));
  },
  syntax: [{ mnemonic: 'rax1', operands: doublewords }],
});

const exclusiveOrAndRotate = row({
  name: 'XAR',
  pattern: '11001110100 Rm imm6 Rn Rd',
  encoding: 'XAR_VVV2_crypto3_imm6',
  feature: 'FEAT_SHA3',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    const by = widen(s, f.imm6, 64);
    s.writeV(
      f.Rd,
      eachDoubleword(s, s.xor(s.readV(f.Rn, 128), s.readV(f.Rm, 128)), (word) => s.ror(word, by)),
    );
  },
  syntax: [{ mnemonic: 'xar', operands: [...doublewords, immediate('imm6', 6, { base: 'decimal' })] }],
});

export const sha3: readonly Row[] = [...fourRegisters, rotateAndExclusiveOr, exclusiveOrAndRotate];
