// The values of the trace reading: concrete bits, and the reads from memory on which they depend.
//
// Dependencies are syntactic, as the memory model defines them (Arm DDI 0487, B2.3 "Dependency relations"): the result of an
// operation depends on what its operands depend on, whatever their bits: EOR X0, X0, X0 depends on the old X0. Only a choice tells
// more: its result depends on the operand that was chosen, and has a *pick* dependency on the condition, which orders less.
//
// A value may be *open*: it comes from a read whose value is not known yet. What is computed from it is open, too, unless the
// result is the same for every value: EOR X0, X0, X0 is 0 and still depends on the read.

import { crcTableOf, crcTables } from '../isa/crc-tables.ts';
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
  /** The value is not known, and `bits` mean nothing: a name for it; values of the same name and width are equal. */
  readonly open?: string | undefined;
}

export const independent: Dependencies = { deps: [], picks: [] };

/** The reads of both. */
export function union(a: Reads, b: Reads): Reads {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

export const merge = (a: Dependencies, b: Dependencies): Dependencies => ({
  deps: union(a.deps, b.deps),
  picks: union(a.picks, b.picks),
});

/** All reads on which values depend, be it by a pick. */
export function dependsOn(values: readonly Dependencies[]): Reads {
  return values.reduce<Reads>((all, { deps, picks }) => union(all, union(deps, picks)), []);
}

/** A value of these bits modulo 2^width. */
export function traceValue(width: Width, bits: bigint, { deps, picks }: Dependencies = independent): TraceValue {
  return { width, bits: BigInt.asUintN(width, bits), deps, picks, open: undefined };
}

/** A value that is not known yet, under a name. */
export function openValue(width: Width, open: string, { deps, picks }: Dependencies): TraceValue {
  return { width, bits: 0n, deps, picks, open };
}

/** Names say how an open value is computed; past this length a new name is made up, so that they do not grow in loops. */
const longestName = 160;
let madeUp = 0;

/** Widths are part of the name: a sum of 32 bits that is extended to 64 is not the sum of 64 bits. */
export function openName(operation: string, width: Width, ...operands: readonly TraceValue[]): string {
  const from = operands.map((operand) => `${operand.open ?? operand.bits}:${operand.width}`);
  const name = `${operation}${width}(${from.join()})`;
  if (name.length <= longestName) return name;
  madeUp += 1;
  return `?${madeUp}`;
}

/** Every value that a meaning holds under the trace reading was made here. */
export const concrete = (value: Value): TraceValue => value as TraceValue;

/** A value as the memory or the state gives it, at another width: its low bits, or extended with zeros. */
export function resize(value: TraceValue, width: Width): TraceValue {
  if (value.width === width) return value;
  if (value.open === undefined) return traceValue(width, value.bits, value);
  // Narrowing and widening again is not the same value.
  return openValue(width, width < value.width ? openName('low', width, value) : value.open, value);
}

const signed = ({ width, bits }: TraceValue): bigint => BigInt.asIntN(width, bits);

type Unary = (a: TraceValue) => bigint;
type Binary = (a: TraceValue, b: TraceValue) => bigint;

const unary =
  (name: string, f: Unary, width?: Width) =>
  (a: Value): TraceValue => {
    const x = concrete(a);
    const to = width ?? x.width;
    return x.open === undefined ? traceValue(to, f(x), x) : openValue(to, openName(name, to, x), x);
  };

/** What a binary operation gives whatever the open operand is: bits, or one of the operands. */
type Known = (a: TraceValue, b: TraceValue) => bigint | TraceValue | undefined;

const isSame = (a: TraceValue, b: TraceValue): boolean => a.open !== undefined && a.open === b.open;
const isZero = ({ open, bits }: TraceValue): boolean => open === undefined && bits === 0n;

/** x - x and x ^ x are 0; x - 0 and x ^ 0 are x. */
const cancels: Known = (a, b) => (isSame(a, b) ? 0n : keepsZero(a, b));
/** x + 0, x | 0, x << 0 are x. */
const keepsZero: Known = (a, b) => (isZero(b) ? a : undefined);
const isNeutralZero: Known = (a, b) => (isZero(a) ? b : keepsZero(a, b));
/** x & 0 and x * 0 are 0. */
const absorbsZero: Known = (a, b) => (isZero(a) || isZero(b) ? 0n : undefined);

const binary =
  (name: string, f: Binary, known?: Known, width?: Width) =>
  (a: Value, b: Value): TraceValue => {
    const [x, y] = [concrete(a), concrete(b)];
    const to = width ?? x.width;
    const depends = merge(x, y);
    if (x.open === undefined && y.open === undefined) return traceValue(to, f(x, y), depends);
    const result = known?.(x, y);
    if (typeof result === 'bigint') return traceValue(to, result, depends);
    return openValue(to, result?.open ?? openName(name, to, x, y), depends);
  };

const comparison = (name: string, f: (a: TraceValue, b: TraceValue) => boolean, ofEquals: bigint) =>
  binary(
    name,
    (a, b) => (f(a, b) ? 1n : 0n),
    (a, b) => (isSame(a, b) ? ofEquals : undefined),
    32,
  );

/** A shift takes its amount modulo the width. */
const shift = (name: string, f: (a: TraceValue, amount: bigint) => bigint) =>
  binary(name, (a, amount) => f(a, amount.bits % BigInt(a.width)), keepsZero);

/** Reads that both operands of a choice depend on; what else the choice depends on is known when it is made. */
const common = (a: Reads, b: Reads): Reads => a.filter((read) => b.includes(read));

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

function crcStep(acc: number, data: bigint, bytes: number, castagnoli: boolean): number {
  let crc = acc;
  for (let n = 0; n < bytes; n += 1) {
    const byte = (crc ^ Number((data >> BigInt(8 * n)) & 0xffn)) & 0xff;
    crc = (crc >>> 8) ^ (crcTables[crcTableOf(castagnoli, 1, 0) + byte] as number);
  }
  return crc >>> 0;
}

/** The operations of the semantics interface that compute. */
export const traceOperations = {
  constant: (width, value) => traceValue(width, BigInt(value)),
  add: binary('add', (a, b) => a.bits + b.bits, isNeutralZero),
  sub: binary('sub', (a, b) => a.bits - b.bits, cancels),
  mul: binary('mul', (a, b) => a.bits * b.bits, absorbsZero),
  umulh: binary('umulh', (a, b) => (a.bits * b.bits) >> 64n, absorbsZero),
  smulh: binary('smulh', (a, b) => (signed(a) * signed(b)) >> 64n, absorbsZero),
  udiv: binary('udiv', (a, b) => (b.bits === 0n ? 0n : a.bits / b.bits)),
  sdiv: binary('sdiv', (a, b) => (b.bits === 0n ? 0n : signed(a) / signed(b))),
  and: binary('and', (a, b) => a.bits & b.bits, absorbsZero),
  or: binary('or', (a, b) => a.bits | b.bits, isNeutralZero),
  xor: binary(
    'xor',
    (a, b) => a.bits ^ b.bits,
    (a, b) => cancels(a, b) ?? isNeutralZero(a, b),
  ),
  not: unary('not', (a) => ~a.bits),
  lsl: shift('lsl', (a, amount) => a.bits << amount),
  lsr: shift('lsr', (a, amount) => a.bits >> amount),
  asr: shift('asr', (a, amount) => signed(a) >> amount),
  ror: shift('ror', (a, amount) => (a.bits >> amount) | (a.bits << (BigInt(a.width) - amount))),
  clz: unary('clz', (a) => BigInt(a.bits === 0n ? a.width : a.width - a.bits.toString(2).length)),
  rbit: unary('rbit', reverseBits),
  rev: (a, containerBits) => unary(`rev${containerBits}`, (x) => reverseBytes(x, containerBits))(a),
  eq: comparison('eq', (a, b) => a.bits === b.bits, 1n),
  ne: comparison('ne', (a, b) => a.bits !== b.bits, 0n),
  ltU: comparison('ltU', (a, b) => a.bits < b.bits, 0n),
  ltS: comparison('ltS', (a, b) => signed(a) < signed(b), 0n),
  select: (condition, a, b) => {
    const [decision, x, y] = [concrete(condition), concrete(a), concrete(b)];
    const decided = union(decision.deps, decision.picks);
    if (decision.open === undefined) {
      const chosen = decision.bits !== 0n ? x : y;
      return { ...chosen, picks: union(chosen.picks, decided) };
    }
    return openValue(x.width, openName('select', x.width, decision, x, y), {
      deps: common(x.deps, y.deps),
      picks: union(common(x.picks, y.picks), decided),
    });
  },
  zeroExtend: (a, fromBits, width) => unary(`zeroExtend${fromBits}`, (x) => BigInt.asUintN(fromBits, x.bits), width)(a),
  signExtend: (a, fromBits, width) => unary(`signExtend${fromBits}`, (x) => BigInt.asIntN(fromBits, x.bits), width)(a),
  low32: (a) => resize(concrete(a), 32),
  crc32: (acc, data, bytes, castagnoli) => {
    const step: Binary = (x, y) => BigInt(crcStep(Number(x.bits), y.bits, bytes, castagnoli));
    return binary(`crc32${castagnoli ? 'c' : ''}${bytes}`, step)(acc, data);
  },
} satisfies Partial<Semantics>;
