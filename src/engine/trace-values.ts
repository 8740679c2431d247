// The values of the trace reading: concrete bits, and the reads from memory on which they depend.
//
// Dependencies are syntactic, as the memory model defines them (Arm DDI 0487, B2.3 "Dependency relations"): the result of an
// operation depends on what its operands depend on, whatever their bits: EOR X0, X0, X0 depends on the old X0. Only a choice tells
// more: its result depends on the operand that was chosen, and has a *pick* dependency on the condition, which orders less.

import type { Semantics, Value, Width } from '../isa/semantics.ts';

/** Numbers of read events, ascending. */
export type Reads = readonly number[];

export interface Dependencies {
  readonly deps: Reads;
  /** Reads that decided which value was taken (CSEL, CCMP). */
  readonly picks: Reads;
}

export interface TraceValue extends Value, Dependencies {
  /** Unsigned. */
  readonly bits: bigint;
}

export const independent: Dependencies = { deps: [], picks: [] };

function union(a: Reads, b: Reads): Reads {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

export const merge = (a: Dependencies, b: Dependencies): Dependencies => ({
  deps: union(a.deps, b.deps),
  picks: union(a.picks, b.picks),
});

/** A value of these bits modulo 2^width. */
export function traceValue(width: Width, bits: bigint, { deps, picks }: Dependencies = independent): TraceValue {
  return { width, bits: BigInt.asUintN(width, bits), deps, picks };
}

/** Every value that a meaning holds under the trace reading was made here. */
export const concrete = (value: Value): TraceValue => value as TraceValue;

/** A value as the memory or the state gives it, at another width: its low bits, or extended with zeros. */
export const resize = (value: TraceValue, width: Width): TraceValue =>
  value.width === width ? value : traceValue(width, value.bits, value);

const signed = ({ width, bits }: TraceValue): bigint => BigInt.asIntN(width, bits);

type Unary = (a: TraceValue) => bigint;
type Binary = (a: TraceValue, b: TraceValue) => bigint;

const unary =
  (f: Unary) =>
  (a: Value): TraceValue => {
    const x = concrete(a);
    return traceValue(x.width, f(x), x);
  };

const binary =
  (f: Binary) =>
  (a: Value, b: Value): TraceValue => {
    const [x, y] = [concrete(a), concrete(b)];
    return traceValue(x.width, f(x, y), merge(x, y));
  };

const comparison =
  (f: (a: TraceValue, b: TraceValue) => boolean) =>
  (a: Value, b: Value): TraceValue => {
    const [x, y] = [concrete(a), concrete(b)];
    return traceValue(32, f(x, y) ? 1n : 0n, merge(x, y));
  };

/** A shift takes its amount modulo the width. */
const shift = (f: (a: TraceValue, amount: bigint) => bigint) =>
  binary((a, amount) => f(a, amount.bits % BigInt(a.width)));

function reverseBits({ width, bits }: TraceValue): bigint {
  let result = 0n;
  for (let bit = 0; bit < width; bit += 1) result = (result << 1n) | ((bits >> BigInt(bit)) & 1n);
  return result;
}

function reverseBytes({ width, bits }: TraceValue, containerBits: number): bigint {
  let result = 0n;
  for (let at = 0; at < width; at += 8) {
    const container = at - (at % containerBits);
    const to = container + containerBits - 8 - (at - container);
    result |= ((bits >> BigInt(at)) & 0xffn) << BigInt(to);
  }
  return result;
}

/** The polynomials of CRC32 and CRC32C, bits reversed, because the instructions reverse what goes in and what comes out. */
const crcPolynomial = 0xedb8_8320;
const castagnoliPolynomial = 0x82f6_3b78;

function crcStep(acc: number, data: bigint, bytes: number, polynomial: number): number {
  let crc = acc;
  for (let byte = 0; byte < bytes; byte += 1) {
    crc ^= Number((data >> BigInt(8 * byte)) & 0xffn);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
  }
  return crc >>> 0;
}

/** The operations of the semantics interface that compute. */
export const traceOperations = {
  constant: (width, value) => traceValue(width, BigInt(value)),
  add: binary((a, b) => a.bits + b.bits),
  sub: binary((a, b) => a.bits - b.bits),
  mul: binary((a, b) => a.bits * b.bits),
  umulh: binary((a, b) => (a.bits * b.bits) >> 64n),
  smulh: binary((a, b) => (signed(a) * signed(b)) >> 64n),
  udiv: binary((a, b) => (b.bits === 0n ? 0n : a.bits / b.bits)),
  sdiv: binary((a, b) => (b.bits === 0n ? 0n : signed(a) / signed(b))),
  and: binary((a, b) => a.bits & b.bits),
  or: binary((a, b) => a.bits | b.bits),
  xor: binary((a, b) => a.bits ^ b.bits),
  not: unary((a) => ~a.bits),
  lsl: shift((a, amount) => a.bits << amount),
  lsr: shift((a, amount) => a.bits >> amount),
  asr: shift((a, amount) => signed(a) >> amount),
  ror: shift((a, amount) => (a.bits >> amount) | (a.bits << (BigInt(a.width) - amount))),
  clz: unary((a) => BigInt(a.bits === 0n ? a.width : a.width - a.bits.toString(2).length)),
  rbit: unary(reverseBits),
  rev: (a, containerBits) => unary((x) => reverseBytes(x, containerBits))(a),
  eq: comparison((a, b) => a.bits === b.bits),
  ne: comparison((a, b) => a.bits !== b.bits),
  ltU: comparison((a, b) => a.bits < b.bits),
  ltS: comparison((a, b) => signed(a) < signed(b)),
  select: (condition, a, b) => {
    const decision = concrete(condition);
    const chosen = concrete(decision.bits !== 0n ? a : b);
    const picks = union(chosen.picks, union(decision.deps, decision.picks));
    return traceValue(chosen.width, chosen.bits, { deps: chosen.deps, picks });
  },
  zeroExtend: (a, fromBits, width) => traceValue(width, BigInt.asUintN(fromBits, concrete(a).bits), concrete(a)),
  signExtend: (a, fromBits, width) => traceValue(width, BigInt.asIntN(fromBits, concrete(a).bits), concrete(a)),
  low32: (a) => resize(concrete(a), 32),
  crc32: (acc, data, bytes, castagnoli) => {
    const [x, y] = [concrete(acc), concrete(data)];
    const polynomial = castagnoli ? castagnoliPolynomial : crcPolynomial;
    return traceValue(32, BigInt(crcStep(Number(x.bits), y.bits, bytes, polynomial)), merge(x, y));
  },
} satisfies Partial<Semantics>;
