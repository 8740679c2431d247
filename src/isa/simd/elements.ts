// Vectors as the Advanced SIMD pages see them: an arrangement of elements, and operations that are defined element by element. Elements
// are words: zero-extended when read, of any bits above their width when written.

import { fpsr } from '../floating-point/format.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { ElementBits, Semantics, Value } from '../semantics.ts';

/** Width of the elements and their number: datasize is the product, 64 or 128. */
export interface Arrangement {
  readonly bits: ElementBits;
  readonly lanes: number;
}

/** esize = 8 << size, in 64 or 128 bits as Q says. */
export function arrangementOf(size: number, Q: number): Arrangement {
  const bits = (8 << size) as ElementBits;
  return { bits, lanes: (Q === 1 ? 128 : 64) / bits };
}

/** Width of an element that size names. */
export const elementBits = (size: number): ElementBits => (8 << size) as ElementBits;

/** Writes a vector of 64 or 128 bits; the upper half of V[n] is cleared by the former. */
export function writeVector(s: Semantics, n: Value, Q: number, vector: Value): void {
  s.writeV(n, Q === 1 ? vector : s.laneOf(vector, 64, 0));
}

/** Writes 64 bits to the lower half of V[n] and clears the upper one, or to the upper half (`part` 1) and keeps the lower one. */
export function writeHalf(s: Semantics, n: Value, part: number, half: Value): void {
  s.writeV(n, part === 1 ? s.withLane(s.readV(n, 128), 64, 1, half) : half);
}

/** The vector whose elements are what `element` gives; `base` is any vector, of which nothing is left where it counts. */
export function mapLanes(
  s: Semantics,
  base: Value,
  { bits, lanes }: Arrangement,
  element: (lane: number) => Value,
): Value {
  let result = base;
  for (let lane = 0; lane < lanes; lane += 1) result = s.withLane(result, bits, lane, element(lane));
  return result;
}

/** The vector whose elements are those at `from` in two vectors of this arrangement, one after the other. */
export function rearranged(
  s: Semantics,
  [n, m]: readonly [Value, Value],
  { bits, lanes }: Arrangement,
  from: (lane: number) => number,
): Value {
  const elementBytes = bits / 8;
  const bytes = Array.from({ length: 16 }, (_, byte) => {
    // What is above the elements does not count.
    const index = from(Math.floor(byte / elementBytes) % lanes);
    const first = index < lanes ? index * elementBytes : 16 + (index - lanes) * elementBytes;
    return first + (byte % elementBytes);
  });
  return s.shuffle(n, m, bytes);
}

/** The even and the odd elements of two vectors, one after the other: the neighbours of pairwise operations. */
export const pairsOf = (
  s: Semantics,
  sources: readonly [Value, Value],
  shape: Arrangement,
): readonly [Value, Value] => [
  rearranged(s, sources, shape, (lane) => 2 * lane),
  rearranged(s, sources, shape, (lane) => 2 * lane + 1),
];

/** The elements of one half of a vector, twice as wide. */
export function lengthened(
  s: Semantics,
  vector: Value,
  bits: ElementBits,
  { part, unsigned }: { readonly part: number; readonly unsigned: boolean },
): Value {
  const lanes = 128 / bits;
  const wide = (2 * bits) as ElementBits;
  const from = (lane: number): number => (part * lanes) / 2 + (lane >> 1);
  // The element twice, then the lower copy is shifted out; or a zero above it.
  if (!unsigned) return s.shiftLanes('rightS', wide, rearranged(s, [vector, vector], { bits, lanes }, from), bits);
  const zero = s.splat(64, s.constant(64, 0));
  return rearranged(s, [vector, zero], { bits, lanes }, (lane) => (lane % 2 === 0 ? from(lane) : lanes));
}

/** The lower halves of elements, together in the lower half of a vector. */
export function shortened(s: Semantics, vector: Value, bits: ElementBits): Value {
  const lanes = 128 / bits;
  return rearranged(s, [vector, vector], { bits, lanes }, (lane) => (2 * lane) % lanes);
}

/** All elements shifted right by a constant of 1 to the width, rounded where asked. */
export function allShiftedRight(
  s: Semantics,
  vector: Value,
  amount: number,
  bits: ElementBits,
  { unsigned, rounding }: { readonly unsigned: boolean; readonly rounding: boolean },
): Value {
  const shift = unsigned ? 'rightU' : 'rightS';
  const floor = s.shiftLanes(shift, bits, vector, amount);
  if (!rounding) return floor;
  const half = s.and(s.shiftLanes(shift, bits, vector, amount - 1), s.splat(bits, s.constant(64, 1)));
  return s.lanes('add', bits, floor, half);
}

/** An element as a signed word. */
export const signed = (s: Semantics, element: Value, bits: ElementBits): Value =>
  bits === 64 ? element : s.signExtend(element, bits, 64);

/** An element as a word of either kind. */
export const extended = (s: Semantics, element: Value, bits: ElementBits, unsigned: boolean): Value =>
  unsigned ? element : signed(s, element, bits);

/** The low bits of a word as an element. */
export const truncated = (s: Semantics, word: Value, bits: ElementBits): Value =>
  bits === 64 ? word : s.and(word, s.constant(64, (1n << BigInt(bits)) - 1n));

/** Lanes that have saturated: FPSR.QC is set once, when the instruction has gone over all of them. */
export class Saturation {
  private any: Value | undefined;
  private readonly s: Semantics;

  constructor(s: Semantics) {
    this.s = s;
  }

  note(condition: Value): void {
    this.any = this.any === undefined ? condition : this.s.or(this.any, condition);
  }

  raise(): void {
    if (this.any === undefined) return;
    this.s.raiseFPSR(this.s.select(this.any, this.s.constant(64, fpsr.QC), this.s.constant(64, 0)));
  }

  /** Notes the lanes of a vector in which two vectors differ. */
  noteDifference(a: Value, b: Value, { bits, lanes }: Arrangement): void {
    const { s } = this;
    const difference = s.xor(a, b);
    const low = s.laneOf(difference, 64, 0);
    const whole = bits * lanes === 128 ? s.or(low, s.laneOf(difference, 64, 1)) : low;
    this.note(s.ne(whole, s.constant(64, 0)));
  }

  /** SatQ of a signed word that is exact: to an element of this width. */
  clamp(word: Value, bits: ElementBits, unsigned: boolean): Value {
    const w = wordsOver(this.s);
    const width = BigInt(bits);
    const least = unsigned ? 0n : -(1n << (width - 1n));
    const most = unsigned ? (1n << width) - 1n : (1n << (width - 1n)) - 1n;
    const isBelow = w.less(word, least);
    const isAbove = w.less(most, word);
    this.note(w.either(isBelow, isAbove));
    return w.choose(isBelow, least, w.choose(isAbove, most, word));
  }
}

/** What an operation of one lane works with. */
export interface Lane {
  readonly s: Semantics;
  readonly bits: ElementBits;
  readonly unsigned: boolean;
  readonly saturation: Saturation;
}

/** The largest and the smallest element of a kind. */
export const extremes = (bits: ElementBits, unsigned: boolean): { readonly least: bigint; readonly most: bigint } => {
  const width = BigInt(bits);
  return unsigned
    ? { least: 0n, most: (1n << width) - 1n }
    : { least: -(1n << (width - 1n)), most: (1n << (width - 1n)) - 1n };
};

/** The sum or the difference of two elements, saturated. */
export function saturatedSum(
  s: Semantics,
  saturation: Saturation,
  [a, b]: readonly [Value, Value],
  bits: ElementBits,
  { unsigned, subtract }: { readonly unsigned: boolean; readonly subtract: boolean },
): Value {
  const w = wordsOver(s);
  const [x, y] = [extended(s, a, bits, unsigned), extended(s, b, bits, unsigned)];
  const sum = subtract ? w.sub(x, y) : w.add(x, y);
  if (bits < 64) return saturation.clamp(sum, bits, unsigned);
  if (unsigned) {
    const wraps = subtract ? w.below(x, y) : w.below(sum, x);
    saturation.note(wraps);
    return w.choose(wraps, subtract ? 0 : -1, sum);
  }
  // Overflow: the operands agree in sign (after the sign of y is turned for a difference), and the result does not.
  const turned = subtract ? w.xor(y, -1) : y;
  const overflow = w.less(w.and(w.xor(x, sum), w.xor(turned, sum)), 0);
  saturation.note(overflow);
  return w.choose(overflow, w.choose(w.less(x, 0), 1n << 63n, (1n << 63n) - 1n), sum);
}

/**
 * `value` shifted left by a signed amount, the low byte of `amount`: right where it is negative, rounded where asked. The result is exact
 * but for bits above the element; `lost` tells that it does not fit (SQSHL and its kind saturate then).
 */
export function shiftedByRegister(
  s: Semantics,
  value: Value,
  amount: Value,
  bits: ElementBits,
  { unsigned, rounding }: { readonly unsigned: boolean; readonly rounding: boolean },
): { readonly result: Value; readonly lost: Value } {
  const w = wordsOver(s);
  const x = extended(s, value, bits, unsigned);
  const by = s.signExtend(amount, 8, 64);
  const isRight = w.less(by, 0);
  const right = w.sub(0, by);
  // To the left: the element has moved out when a shift back does not bring it.
  const isFarLeft = w.less(bits - 1, by);
  const left = w.choose(isFarLeft, 0, w.shlBy(x, by));
  const leftElement = extended(s, truncated(s, left, bits), bits, unsigned);
  const back = unsigned ? w.shrBy(leftElement, by) : s.asr(leftElement, by);
  const lost = w.choose(isFarLeft, w.bit(w.ne(x, 0)), w.bit(w.ne(back, x)));
  // To the right: by 64 at the most, in two steps, so that the bit that rounds is the lowest of the first one.
  const far = w.choose(w.less(right, 65), right, 65);
  const one = w.sub(far, 1);
  const shiftOnce = (word: Value, count: Value): Value => {
    const near = unsigned ? w.shrBy(word, count) : s.asr(word, count);
    const all = unsigned ? w.word(0) : s.asr(word, s.constant(64, 63));
    return w.choose(w.less(count, 64), near, all);
  };
  const half = shiftOnce(x, one);
  const floor = shiftOnce(x, far);
  const rounded = rounding ? w.add(floor, w.and(half, 1)) : floor;
  return {
    result: w.choose(isRight, rounded, left),
    lost: w.both(w.not(isRight), w.ne(lost, 0)),
  };
}

/** Shifted right by a constant of 1 to the width, rounded where asked. */
export function shiftedRight(
  s: Semantics,
  value: Value,
  amount: number,
  bits: ElementBits,
  { unsigned, rounding }: { readonly unsigned: boolean; readonly rounding: boolean },
): Value {
  const w = wordsOver(s);
  const x = extended(s, value, bits, unsigned);
  const shift = (word: Value, count: number): Value => {
    if (count > 63) return unsigned ? w.word(0) : s.asr(word, s.constant(64, 63));
    return unsigned ? w.shr(word, count) : s.asr(word, s.constant(64, count));
  };
  const floor = shift(x, amount);
  return rounding ? w.add(floor, w.and(shift(x, amount - 1), 1)) : floor;
}
