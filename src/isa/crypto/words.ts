// What the cryptographic pages share: vectors as words of 32 bits, the functions of the hash algorithms, orders of bytes.

import type { Semantics, Value } from '../semantics.ts';

/** The bytes of a 4 by 4 state, column after column, each from where `from` says. */
export const byteOrder = (from: (column: number, row: number) => number): readonly number[] =>
  Array.from({ length: 16 }, (_, n) => from(n >> 2, n & 3));

/** Elements of 32 bits, the lowest first. */
export const words = (s: Semantics, vector: Value): Value[] =>
  [0, 1, 2, 3].map((lane) => s.low32(s.laneOf(vector, 32, lane)));

/** The vector of four words. */
export function vectorOf(s: Semantics, [first, ...others]: readonly Value[]): Value {
  return others.reduce<Value>((vector, word, n) => s.withLane(vector, 32, n + 1, word), s.splat(32, first!));
}

/** The vector of two doublewords, the lower first. */
export const vectorOf64 = (s: Semantics, low: Value, high: Value): Value => s.withLane(s.splat(64, low), 64, 1, high);

const rotateRight = (s: Semantics, word: Value, by: number): Value =>
  s.ror(word, s.constant(word.width as 32 | 64, by));
export const rotateLeft = (s: Semantics, word: Value, by: number): Value => rotateRight(s, word, word.width - by);
const shiftRight = (s: Semantics, word: Value, by: number): Value => s.lsr(word, s.constant(word.width as 32 | 64, by));

export const sum = (s: Semantics, first: Value, ...others: readonly Value[]): Value =>
  others.reduce((total, word) => s.add(total, word), first);
export const parity = (s: Semantics, x: Value, y: Value, z: Value): Value => s.xor(s.xor(x, y), z);
export const choose = (s: Semantics, x: Value, y: Value, z: Value): Value => s.xor(s.and(s.xor(y, z), x), z);
export const majority = (s: Semantics, x: Value, y: Value, z: Value): Value => s.or(s.and(x, y), s.and(s.or(x, y), z));

/** The word rotated right by each of these amounts, added without carry. */
export function rotations(s: Semantics, word: Value, ...amounts: readonly [number, number, number]): Value {
  const [a, b, c] = amounts.map((by) => rotateRight(s, word, by));
  return parity(s, a!, b!, c!);
}

/** The word rotated right by two amounts and shifted right by a third one, added without carry. */
export function rotationsAndShift(s: Semantics, word: Value, ...[a, b, c]: readonly [number, number, number]): Value {
  return parity(s, rotateRight(s, word, a), rotateRight(s, word, b), shiftRight(s, word, c));
}
