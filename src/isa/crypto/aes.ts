// Cryptographic AES: Arm DDI 0487, C4.1 "Cryptographic AES". The state is FIPS 197's: byte 4 * column + row.

import { row, type Row } from '../encoding.ts';
import type { Semantics, Value } from '../semantics.ts';
import { T } from '../syntax/vectors.ts';
import { byteOrder } from './words.ts';

const state = T('Rd', () => '16b');
const operand = T('Rn', () => '16b');

/** AESShiftRows: row r moves left by r columns; the inverse moves it right. */
const shiftedRows = byteOrder((column, r) => 4 * ((column + r) & 3) + r);
const inverseShiftedRows = byteOrder((column, r) => 4 * ((column - r) & 3) + r);
/** Each column moved up by rows. */
const nextRow = byteOrder((column, r) => 4 * column + ((r + 1) & 3));
const rowAfterNext = byteOrder((column, r) => 4 * column + ((r + 2) & 3));

const single = (
  [
    { name: 'AESE', opcode: '00100', box: 'AES', rows: shiftedRows },
    { name: 'AESD', opcode: '00101', box: 'inverse AES', rows: inverseShiftedRows },
  ] as const
).map(({ name, opcode, box, rows }) =>
  row({
    name,
    pattern: `0100 1110 00 10100 ${opcode} 10 Rn Rd`,
    encoding: `${name}_B_cryptoaes`,
    feature: 'FEAT_AES',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      const keyed = s.xor(s.readV(f.Rd, 128), s.readV(f.Rn, 128));
      s.writeV(f.Rd, s.substituteBytes(s.shuffle(keyed, keyed, rows), box));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [state, operand] }],
  }),
);

/** Each byte times x in GF(2^8). */
function timesX(s: Semantics, vector: Value): Value {
  const constant = (byte: number): Value => s.constant(64, BigInt(byte) * 0x0101_0101_0101_0101n);
  return [0, 1].reduce((result, lane) => {
    const word = s.laneOf(vector, 64, lane);
    const shifted = s.lsl(s.and(word, constant(0x7f)), s.constant(64, 1));
    const carried = s.and(s.lsr(word, s.constant(64, 7)), constant(0x01));
    return s.withLane(result, 64, lane, s.xor(shifted, s.mul(carried, s.constant(64, 0x1b))));
  }, vector);
}

/** AESMixColumns: each row is 2 of itself, 3 of the next, and 1 of the other two. */
function mixColumns(s: Semantics, x: Value): Value {
  const next = s.shuffle(x, x, nextRow);
  const pair = s.xor(x, next);
  return s.xor(s.xor(timesX(s, pair), next), s.shuffle(pair, pair, rowAfterNext));
}

/** AESInvMixColumns is AESMixColumns after 5 of each row and 4 of the one after the next. */
function inverseMixColumns(s: Semantics, x: Value): Value {
  const pair = s.xor(x, s.shuffle(x, x, rowAfterNext));
  return mixColumns(s, s.xor(x, timesX(s, timesX(s, pair))));
}

const mixing = (
  [
    { name: 'AESMC', opcode: '00110', mix: mixColumns },
    { name: 'AESIMC', opcode: '00111', mix: inverseMixColumns },
  ] as const
).map(({ name, opcode, mix }) =>
  row({
    name,
    pattern: `0100 1110 00 10100 ${opcode} 10 Rn Rd`,
    encoding: `${name}_B_cryptoaes`,
    feature: 'FEAT_AES',
    meaning: (s, _k, f) => {
      s.checkFPEnabled();
      s.writeV(f.Rd, mix(s, s.readV(f.Rn, 128)));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [state, operand] }],
  }),
);

export const aes: readonly Row[] = [...single, ...mixing];
