// ComputePAC of FEAT_PACQARMA5: the tweakable block cipher QARMA-64 of R. Avanzi (IACR ToSC 2017/1) with 5 rounds and the box sigma2, in
// the words of Arm DDI 0487, "ComputePAC". A block is 16 cells of four bits; cell n of the pseudocode is bits 4n+3 to 4n.

import type { Value } from '../semantics.ts';
import type { Words } from '../floating-point/words.ts';

const cells = Array.from({ length: 16 }, (_, n) => n);
const rounds = 5;

const alpha = 0xc0ac_29b7_c97c_50ddn;
/** Digits of pi, as the constants of the rounds. */
const roundConstants = [
  0n,
  0x1319_8a2e_0370_7344n,
  0xa409_3822_299f_31d0n,
  0x082e_fa98_ec4e_6c89n,
  0x4528_21e6_38d0_1377n,
] as const;

const box = [0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa];
/** From which cell each cell comes, of the state and of the tweak. */
const cellShuffle = [13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15];
const tweakShuffle = [4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9];
/** The cells of the tweak that are also stepped by a shift register, where they arrive. */
const steppedCells = [2, 4, 7, 11, 12, 14, 15];

const inverse = (permutation: readonly number[]): number[] => permutation.map((_, n) => permutation.indexOf(n));

/** The same four bits in each of these cells. */
const inCells = (bits: number, which: readonly number[] = cells): bigint =>
  which.reduce((sum, cell) => sum | (BigInt(bits) << BigInt(4 * cell)), 0n);

/** Moves cells; those that go the same way go together. */
function moveCells(w: Words, x: Value, from: readonly number[]): Value {
  const distances = [...new Set(from.map((source, to) => to - source))];
  return distances
    .map((distance) => {
      const sources = from.filter((source, to) => to - source === distance);
      const moving = w.and(x, inCells(0xf, sources));
      return distance < 0 ? w.shr(moving, -4 * distance) : w.shl(moving, 4 * distance);
    })
    .reduce((moved, part) => w.or(moved, part));
}

/** Each cell through a box: the bits of a result are sums (without carry) of products of the bits of the cell. */
function substituteCells(w: Words, x: Value, table: readonly number[]): Value {
  const bit = [0, 1, 2, 3].map((n) => w.and(w.shr(x, n), inCells(1)));
  const products: Value[] = [w.word(inCells(1))];
  for (let set = 1; set < 16; set += 1) {
    const lowest = set & -set;
    const rest = set ^ lowest;
    const factor = bit[Math.log2(lowest)]!;
    products.push(rest === 0 ? factor : w.and(factor, products[rest]!));
  }
  return [0, 1, 2, 3]
    .map((n) => {
      // The coefficient of a product is the sum of the results for all of its subsets.
      const terms = products.filter((_, set) => {
        const subsets = table.filter((_value, subset) => (subset & ~set) === 0);
        return subsets.reduce((sum, value) => sum ^ (value >> n), 0) & 1;
      });
      return w.shl(
        terms.reduce((sum, term) => w.xor(sum, term)),
        n,
      );
    })
    .reduce((result, part) => w.or(result, part));
}

/** Each cell rotated left by one bit, or two. */
function rotateCells(w: Words, x: Value, by: 1 | 2): Value {
  const high = (0xf << by) & 0xf;
  return w.or(w.and(w.shl(x, by), inCells(high)), w.and(w.shr(x, 4 - by), inCells(0xf ^ high)));
}

const rotate = (w: Words, x: Value, by: number): Value => w.or(w.shl(x, by), w.shr(x, 64 - by));

/** PACMult: a row of the result is the next and the last rotated by 1, and the one between them by 2. */
function multiply(w: Words, x: Value): Value {
  const neighbours = w.xor(rotate(w, x, 16), rotate(w, x, 48));
  return w.xor(rotateCells(w, neighbours, 1), rotateCells(w, rotate(w, x, 32), 2));
}

/** The shift register of a cell of the tweak: the sum of its two lowest bits comes in at the top. */
const stepCell = (cell: number): number => (cell >> 1) | (((cell ^ (cell >> 1)) & 1) << 3);

/** Steps the cells of `which`. */
function stepCells(w: Words, x: Value, which: readonly number[], isForwards: boolean): Value {
  const table = Array.from({ length: 16 }, (_, cell) => stepCell(cell));
  const stepped = substituteCells(w, x, isForwards ? table : inverse(table));
  return w.or(
    w.and(stepped, inCells(0xf, which)),
    w.and(
      x,
      inCells(
        0xf,
        cells.filter((n) => !which.includes(n)),
      ),
    ),
  );
}

const nextTweak = (w: Words, tweak: Value): Value =>
  stepCells(w, moveCells(w, tweak, tweakShuffle), steppedCells, true);
const previousTweak = (w: Words, tweak: Value): Value =>
  moveCells(w, stepCells(w, tweak, steppedCells, false), inverse(tweakShuffle));

/** ComputePAC(data, modifier, key0, key1): key0 is the high half of a key register, key1 the low half. */
export function computePac(w: Words, data: Value, modifier: Value, key0: Value, key1: Value): Value {
  const shuffle = (x: Value): Value => moveCells(w, x, cellShuffle);
  const shuffleBack = (x: Value): Value => moveCells(w, x, inverse(cellShuffle));
  const substitute = (x: Value): Value => substituteCells(w, x, box);
  const substituteBack = (x: Value): Value => substituteCells(w, x, inverse(box));
  const add = (x: Value, ...others: readonly (Value | bigint)[]): Value =>
    others.reduce<Value>((sum, other) => w.xor(sum, other), x);

  // key0<0>:key0<63:2>:(key0<63> EOR key0<1>).
  const modifiedKey0 = w.xor(w.or(w.shl(key0, 63), w.shr(key0, 1)), w.shr(key0, 63));
  let tweak = modifier;
  let x = w.xor(data, key0);
  for (let round = 0; round < rounds; round += 1) {
    x = add(x, key1, tweak, roundConstants[round]!);
    if (round > 0) x = multiply(w, shuffle(x));
    x = substitute(x);
    tweak = nextTweak(w, tweak);
  }
  x = substitute(multiply(w, shuffle(add(x, modifiedKey0, tweak))));
  x = add(multiply(w, shuffle(x)), key1);
  x = multiply(w, substituteBack(shuffleBack(x)));
  x = add(shuffleBack(x), key0, tweak);
  for (let round = rounds - 1; round >= 0; round -= 1) {
    x = substituteBack(x);
    if (round > 0) x = shuffleBack(multiply(w, x));
    tweak = previousTweak(w, tweak);
    x = add(x, key1, tweak, roundConstants[round]!, alpha);
  }
  return add(x, modifiedKey0);
}
