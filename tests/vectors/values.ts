// The operand values worth trying on every instruction, and how a random field is drawn.

import type { Random } from './random.ts';

/** [high word, low word] of the 64-bit edge values. */
const EDGE_VALUES: readonly (readonly [high: number, low: number])[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [0xffffffff, 0xffffffff],
  [0xffffffff, 0xfffffffe],
  // The smallest and the largest signed values of 64, 32, 16 and 8 bits; the latter three zero- and sign-extended.
  [0x80000000, 0],
  [0x7fffffff, 0xffffffff],
  [0, 0x80000000],
  [0xffffffff, 0x80000000],
  [0, 0x7fffffff],
  [0, 0x8000],
  [0xffffffff, 0xffff8000],
  [0, 0x7fff],
  [0, 0x80],
  [0xffffffff, 0xffffff80],
  [0, 0x7f],
  // The largest unsigned values, and one more.
  [0, 0xffffffff],
  [1, 0],
  [0, 0xffff],
  [0, 0x10000],
  [0, 0xff],
  [0, 0x100],
  // Shift amounts around the two widths.
  [0, 31],
  [0, 32],
  [0, 63],
  [0, 64],
  // Alternating patterns.
  [0x55555555, 0x55555555],
  [0xaaaaaaaa, 0xaaaaaaaa],
  [0x00ff00ff, 0x00ff00ff],
  [0x01234567, 0x89abcdef],
  [0xfedcba98, 0x76543210],
];

/** Fills `to` with 64-bit values, low word first: edges, edges in one word only, repetitions, random words. */
export function fillWithValues(to: Uint32Array, random: Random): void {
  for (let i = 0; i + 1 < to.length; i += 2) {
    const draw = random.below(100);
    const edge = EDGE_VALUES[random.below(EDGE_VALUES.length)] ?? [0, 0];
    let [high, low]: readonly [number, number] = edge;
    if (draw >= 40) {
      high = random.word();
      if (draw >= 55) low = random.word();
    }
    if (draw >= 90 && i > 0) {
      const other = 2 * random.below(i / 2);
      low = to[other] ?? 0;
      high = to[other + 1] ?? 0;
    }
    to[i] = low;
    to[i + 1] = high;
  }
}

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** What is worth trying in each field. */
  readonly fractions: readonly bigint[];
  readonly exponents: readonly number[];
}

function formatOf(exponentBits: number, fractionBits: number): Format {
  const ones = (1n << BigInt(fractionBits)) - 1n;
  const half = 1n << BigInt(fractionBits - 1);
  const maxExponent = 2 ** exponentBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  return {
    exponentBits,
    fractionBits,
    fractions: [0n, 1n, ones, ones - 1n, half, half - 1n],
    exponents: [0, 0, 1, 1, 2, maxExponent - 1, maxExponent, maxExponent, bias, bias - 1, bias + 1],
  };
}

const FORMATS = { 16: formatOf(5, 10), 32: formatOf(8, 23), 64: formatOf(11, 52) } as const;

/** A number of a format: zeros, infinities, NaNs of both kinds, the ends of the ranges, numbers near 1, near each other, any bits. */
function drawFloat(bits: 16 | 32 | 64, earlier: readonly bigint[], random: Random): bigint {
  const { exponentBits, fractionBits, fractions, exponents } = FORMATS[bits];
  const maxExponent = 2 ** exponentBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const anyFraction = (): bigint => {
    const high = random.word();
    const low = random.word();
    if (fractionBits < 32) return BigInt(low & (2 ** fractionBits - 1));
    return BigInt((high & (2 ** (fractionBits - 32) - 1)) * 2 ** 32 + low);
  };
  const edgeFraction = (): bigint =>
    random.chance(50) ? (fractions[random.below(fractions.length)] ?? 0n) : anyFraction();
  const draw = random.below(100);
  if (draw < 10 && earlier.length > 0) return (earlier[random.below(earlier.length)] ?? 0n) ^ BigInt(random.below(3));
  let exponent = random.below(maxExponent + 1);
  if (draw < 50) exponent = exponents[random.below(exponents.length)] ?? 0;
  // Where integers end: the widths of integer registers, and the digits of the format.
  else if (draw < 75) exponent = Math.min(maxExponent - 1, bias + random.below(70) - 3);
  const sign = random.below(2);
  const fraction = draw < 75 ? edgeFraction() : anyFraction();
  return (BigInt(sign * 2 ** exponentBits + exponent) << BigInt(fractionBits)) | fraction;
}

/** Fills `to`, 64 bits after 64 bits, with numbers of a format. */
export function fillWithFloats(to: BigUint64Array, bits: 16 | 32 | 64, random: Random): void {
  const numbers: bigint[] = [];
  for (let i = 0; i < to.length; i++) {
    let word = 0n;
    for (let at = 0; at < 64; at += bits) {
      const number = drawFloat(bits, numbers, random);
      numbers.push(number);
      word |= number << BigInt(at);
    }
    to[i] = word;
  }
}

const REGISTER_FIELD = /^R[a-z]2?$/;

export function isRegisterField(name: string): boolean {
  return REGISTER_FIELD.test(name);
}

/** A register number: often 31, often one that the word already names. */
export function drawRegister(earlier: readonly number[], random: Random): number {
  const draw = random.below(100);
  if (draw < 10) return 31;
  if (draw < 25 && earlier.length > 0) return earlier[random.below(earlier.length)] ?? 31;
  return random.below(31);
}

/** An immediate: its edges (none, one, all, the sign bit and its neighbours) or any value. */
export function drawImmediate(width: number, random: Random): number {
  const sign = 2 ** (width - 1);
  const edges = [0, 1, 2 ** width - 1, 2 ** width - 2, sign, sign - 1];
  const draw = random.below(100);
  if (draw < 40) return (edges[random.below(edges.length)] ?? 0) % 2 ** width;
  return random.word() % 2 ** width;
}
