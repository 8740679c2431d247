// Expressions: what the wasm generators compute with. A constant is folded at once; everything else becomes a node that is
// emitted when a statement needs it, and kept in a local when more than one does.

import { assert } from '../report/assert.ts';
import type { Value, Width } from '../isa/semantics.ts';
import { services } from './services.ts';
import { op, simd, type } from './wasm/opcodes.ts';
import type { Writer } from './wasm/writer.ts';

const kind = { constant: 0, local: 1, unary: 2, binary: 3, select: 4, call: 5, load: 6, vector: 7 } as const;

export interface Node extends Value {
  readonly kind: number;
  readonly width: Width;
  /** Type of a local that holds the value. */
  readonly type: number;
  /** Opcode; for a call the place of the function in the table. */
  readonly code: number;
  readonly a: Node | undefined;
  readonly b: Node | undefined;
  readonly c: Node | undefined;
  readonly isConstant: boolean;
  /** Value of a constant, unsigned. */
  readonly bits: bigint;
  /** Byte offset of a load; lane of a vector instruction, or -1. */
  readonly offset: number;
  /** Nodes and statements that consume this one. */
  uses: number;
  /** The local that holds the value, or -1. */
  local: number;
  /** True where `local` is never assigned again: not a register's. */
  stable: boolean;
}

/** The unary and binary instructions that give a number of the host's floating point: arithmetic, and conversions to it. */
const givesNumber = (code: number): boolean =>
  (code >= op.f32_abs && code <= op.f64_copysign) ||
  (code >= op.f32_convert_i32_s && code <= op.f64_promote_f32) ||
  code === op.f32_reinterpret_i32 ||
  code === op.f64_reinterpret_i64;

const typeOfWidth = (width: Width): number => (width === 64 ? type.i64 : width === 32 ? type.i32 : type.v128);
const numberType = (width: Width): number => (width === 64 ? type.f64 : type.f32);

function typeOf(nodeKind: number, width: Width, code: number, a: Node | undefined): number {
  switch (nodeKind) {
    case kind.unary:
    case kind.binary:
      return givesNumber(code) ? numberType(width) : typeOfWidth(width);
    case kind.select:
      return (a as Node).type;
    case kind.vector:
      return code === simd.f32x4_extract_lane || code === simd.f64x2_extract_lane
        ? numberType(width)
        : typeOfWidth(width);
    default:
      return typeOfWidth(width);
  }
}

function makeNode(
  nodeKind: number,
  width: Width,
  code: number,
  a?: Node,
  b?: Node,
  c?: Node,
  bits = 0n,
  local = -1,
  offset = 0,
  stable = true,
  valueType = typeOf(nodeKind, width, code, a),
): Node {
  if (a) a.uses += 1;
  if (b) b.uses += 1;
  if (c) c.uses += 1;
  const isConstant = nodeKind === kind.constant;
  return { kind: nodeKind, width, type: valueType, code, a, b, c, isConstant, bits, offset, uses: 0, local, stable };
}

/** Value of a 32-bit constant, signed. */
export const intOf = (node: Node): number => Number(BigInt.asIntN(32, node.bits));

const signed = (n: Node): bigint => BigInt.asIntN(n.width, n.bits);

const isConstantOf = (node: Node, value: bigint): boolean => node.isConstant && node.bits === value;

export const constant = (width: Width, value: bigint): Node =>
  makeNode(kind.constant, width, 0, undefined, undefined, undefined, BigInt.asUintN(width, value));

export const constant32 = (value: number): Node => constant(32, BigInt(value));

/** The present value of a local. `stable`: the local is not assigned again while the node is in use. */
export const localValue = (width: Width, local: number, stable: boolean): Node =>
  makeNode(kind.local, width, 0, undefined, undefined, undefined, 0n, local, 0, stable);

/** The same of a local that holds a number of the host. */
export const localNumber = (width: 32 | 64, local: number, stable: boolean): Node =>
  makeNode(kind.local, width, 0, undefined, undefined, undefined, 0n, local, 0, stable, numberType(width));

export const unary = (code: number, width: Width, a: Node): Node => makeNode(kind.unary, width, code, a);

export const clz = (a: Node): Node => {
  if (!a.isConstant) return unary(a.width === 64 ? op.i64_clz : op.i32_clz, a.width, a);
  const bits = a.bits === 0n ? 0 : a.bits.toString(2).length;
  return constant(a.width, BigInt(a.width - bits));
};

/** An operation on two values that is not folded. */
export const binaryNode = (code: number, width: Width, a: Node, b: Node): Node =>
  makeNode(kind.binary, width, code, a, b);

/** A quotient that exists: wasm traps on others. */
export function quotient(code: number, a: Node, b: Node): Node {
  if (!a.isConstant || !b.isConstant) return binaryNode(code, a.width, a, b);
  const isUnsigned = code === op.i64_div_u || code === op.i32_div_u;
  return constant(a.width, isUnsigned ? a.bits / b.bits : signed(a) / signed(b));
}

/** A vector instruction on one or two operands; `lane` is its immediate, -1 without one. */
export const vectorNode = (code: number, width: Width, a: Node, b: Node | undefined, lane: number): Node =>
  makeNode(kind.vector, width, code, a, b, undefined, 0n, -1, lane);

/** A vector instruction on three operands. */
export const ternaryVectorNode = (code: number, a: Node, b: Node, c: Node): Node =>
  makeNode(kind.vector, 128, code, a, b, c, 0n, -1, -1);

/** The bytes of two vectors in the order of `bytes`. */
export const shuffleNode = (a: Node, b: Node, bytes: readonly number[]): Node => {
  const order = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return makeNode(kind.vector, 128, simd.i8x16_shuffle, a, b, undefined, order, -1, -1);
};

/** A read of the state record or of a table: `address` is 32 bits. */
export const stateLoad = (code: number, width: Width, address: Node, offset: number): Node =>
  makeNode(kind.load, width, code, address, undefined, undefined, 0n, -1, offset);

/** A call of a pure function of the runtime. */
export const call = (functionIndex: number, width: Width, args: readonly Node[]): Node =>
  makeNode(kind.call, width, functionIndex, args[0], args[1], args[2]);

export function select(condition: Node, a: Node, b: Node): Node {
  if (condition.isConstant) return condition.bits === 0n ? b : a;
  return choice(condition, a, b) ?? makeNode(kind.select, a.width, op.select, a, b, condition);
}

/** What stands below a node is the same now as when the node's own value was taken. */
const isTransparent = (n: Node): boolean =>
  n.local < 0 || [n.a, n.b, n.c].every((part) => !part || part.isConstant || (part.local >= 0 && part.stable));

/** The operand of an instruction of one; undefined where the node is another. */
export const argumentOf = (n: Node, code: number): Node | undefined =>
  n.kind === kind.unary && n.code === code && isTransparent(n) ? n.a : undefined;

/** The operands of an instruction of two; undefined where the node is another. */
export const binaryArguments = (n: Node, code: number): readonly [Node, Node] | undefined =>
  n.kind === kind.binary && n.code === code && isTransparent(n) ? [n.a as Node, n.b as Node] : undefined;

/** The vector whose lane is extracted, and the number of the lane; undefined where the node is another. */
export const laneArgument = (n: Node, code: number): { readonly vector: Node; readonly lane: number } | undefined =>
  n.kind === kind.vector && n.code === code && isTransparent(n) ? { vector: n.a as Node, lane: n.offset } : undefined;

interface BinaryRule {
  readonly code32: number;
  readonly code64: number;
  /** The vector instruction, of those that exist for 128 bits. */
  readonly code128?: number;
  readonly fold: (a: Node, b: Node) => bigint;
  /** The identity on the right: `a op identity` is `a`. */
  readonly identity?: bigint;
  readonly commutative?: boolean;
  /** The result is a 32-bit 0 or 1. */
  readonly compares?: boolean;
}

const amount = (b: Node): bigint => b.bits % BigInt(b.width);

/** Binary operations: their opcodes at both widths, and their meaning on constants. */
export const binaryRules = {
  add: { code32: op.i32_add, code64: op.i64_add, fold: (a, b) => a.bits + b.bits, identity: 0n, commutative: true },
  sub: { code32: op.i32_sub, code64: op.i64_sub, fold: (a, b) => a.bits - b.bits, identity: 0n },
  mul: { code32: op.i32_mul, code64: op.i64_mul, fold: (a, b) => a.bits * b.bits, identity: 1n, commutative: true },
  and: {
    code32: op.i32_and,
    code64: op.i64_and,
    code128: simd.v128_and,
    fold: (a, b) => a.bits & b.bits,
    commutative: true,
  },
  or: {
    code32: op.i32_or,
    code64: op.i64_or,
    code128: simd.v128_or,
    fold: (a, b) => a.bits | b.bits,
    identity: 0n,
    commutative: true,
  },
  xor: {
    code32: op.i32_xor,
    code64: op.i64_xor,
    code128: simd.v128_xor,
    fold: (a, b) => a.bits ^ b.bits,
    identity: 0n,
    commutative: true,
  },
  lsl: { code32: op.i32_shl, code64: op.i64_shl, fold: (a, b) => a.bits << amount(b), identity: 0n },
  lsr: { code32: op.i32_shr_u, code64: op.i64_shr_u, fold: (a, b) => a.bits >> amount(b), identity: 0n },
  asr: { code32: op.i32_shr_s, code64: op.i64_shr_s, fold: (a, b) => signed(a) >> amount(b), identity: 0n },
  ror: {
    code32: op.i32_rotr,
    code64: op.i64_rotr,
    fold: (a, b) => (a.bits >> amount(b)) | (a.bits << (BigInt(a.width) - amount(b))),
    identity: 0n,
  },
  eq: { code32: op.i32_eq, code64: op.i64_eq, fold: (a, b) => (a.bits === b.bits ? 1n : 0n), compares: true },
  ne: { code32: op.i32_ne, code64: op.i64_ne, fold: (a, b) => (a.bits !== b.bits ? 1n : 0n), compares: true },
  ltU: { code32: op.i32_lt_u, code64: op.i64_lt_u, fold: (a, b) => (a.bits < b.bits ? 1n : 0n), compares: true },
  ltS: { code32: op.i32_lt_s, code64: op.i64_lt_s, fold: (a, b) => (signed(a) < signed(b) ? 1n : 0n), compares: true },
} as const satisfies Readonly<Record<string, BinaryRule>>;

export type BinaryName = keyof typeof binaryRules;

const comparisons: ReadonlySet<number> = new Set(
  Object.values(binaryRules).flatMap((rule: BinaryRule) => (rule.compares ? [rule.code32, rule.code64] : [])),
);
const connectives: ReadonlySet<number> = new Set([op.i32_and, op.i32_or]);
/** 0 or 1 by its making. */
function isTruthValue(n: Node): boolean {
  if (n.isConstant) return n.width === 32 && n.bits <= 1n;
  if (n.kind === kind.unary) return n.code === op.i32_eqz;
  if (n.kind !== kind.binary) return false;
  return comparisons.has(n.code) || (connectives.has(n.code) && isTruthValue(n.a as Node) && isTruthValue(n.b as Node));
}

/** The other truth value, in a form that branches take for free. */
const negation = (n: Node): Node => argumentOf(n, op.i32_eqz) ?? unary(op.i32_eqz, 32, n);

/** A choice among truth values one of which is known, as after conditional comparisons: their conjunction, or their disjunction. */
function choice(condition: Node, a: Node, b: Node): Node | undefined {
  if (!isTruthValue(condition) || !isTruthValue(a) || !isTruthValue(b)) return undefined;
  if (a.isConstant) return a.bits === 0n ? binary('and', negation(condition), b) : binary('or', condition, b);
  if (b.isConstant) return b.bits === 0n ? binary('and', condition, a) : binary('or', negation(condition), a);
  return undefined;
}

/** The same value by its making. */
const isSame = (a: Node, b: Node): boolean =>
  a === b || (a.kind === kind.unary && b.kind === kind.unary && a.code === b.code && a.a === b.a);

/** Masks that are an operand of the host's instructions. */
const mostMask = 2n ** 31n - 1n;
const wordMask = 2n ** 32n - 1n;

/**
 * Shifts by constants: two of them to the left are one, a field that is brought to bit 0 is masked, and what leaves at one end and comes in
 * at the other is rotated.
 */
function ofShifts(name: BinaryName, a: Node, b: Node): Node | undefined {
  const isWide = a.width === 64;
  const [shifted, left] = binaryArguments(a, isWide ? op.i64_shl : op.i32_shl) ?? [];
  if (!shifted || !left?.isConstant) return undefined;
  if (name === 'lsl' && b.isConstant && amount(left) + amount(b) < BigInt(a.width))
    return binary('lsl', shifted, constant(a.width, amount(left) + amount(b)));
  if (name === 'lsr' && b.isConstant && amount(b) >= amount(left)) {
    const mask = (1n << (BigInt(a.width) - amount(b))) - 1n;
    if (mask > mostMask && mask !== wordMask) return undefined;
    const field = binary('lsr', shifted, constant(a.width, amount(b) - amount(left)));
    return binary('and', field, constant(a.width, mask));
  }
  if (name !== 'or') return undefined;
  const [other, right] = binaryArguments(b, isWide ? op.i64_shr_u : op.i32_shr_u) ?? [];
  if (!other || !right?.isConstant || amount(left) + amount(right) !== BigInt(a.width)) return undefined;
  return isSame(shifted, other) ? binary('ror', other, right) : undefined;
}

export function binary(name: BinaryName, a: Node, b: Node): Node {
  const rule: BinaryRule = binaryRules[name];
  const width = rule.compares ? 32 : a.width;
  assert(a.width === b.width, `${name} of ${a.width} and ${b.width} bits`);
  if (a.isConstant && b.isConstant) return constant(width, rule.fold(a, b));
  if (rule.identity !== undefined) {
    if (isConstantOf(b, rule.identity)) return a;
    if (rule.commutative && isConstantOf(a, rule.identity)) return b;
  }
  if (name === 'xor' && isConstantOf(b, 1n) && isTruthValue(a)) return negation(a);
  const shifted = ofShifts(name, a, b);
  if (shifted) return shifted;
  if (name === 'and' && (isConstantOf(a, 0n) || isConstantOf(b, 0n))) return constant(width, 0n);
  if (name === 'and' && isConstantOf(b, (1n << BigInt(width)) - 1n)) return a;
  if (a.width === 128) {
    assert(rule.code128 !== undefined, `${name} works on vectors`);
    return vectorNode(rule.code128, 128, a, b, -1);
  }
  return binaryNode(a.width === 64 ? rule.code64 : rule.code32, width, a, b);
}

/** Allocates the locals of one wasm function, after its parameters. */
export interface Locals {
  allocate(kindOfLocal: number): number;
  /** True inside an arm that not every path takes: what is computed there is not kept for later. */
  readonly inArm: boolean;
  /** The value of a node is in a local from here on. */
  keep(node: Node, local: number, stable: boolean): void;
}

/** Alignment hints (log2) of loads and stores by opcode; a hint, not a promise. */
export function naturalAlignment(code: number): number {
  switch (code) {
    case op.i32_load8_u:
    case op.i32_load8_s:
    case op.i64_load8_u:
    case op.i32_store8:
    case op.i64_store8:
      return 0;
    case op.i32_load16_u:
    case op.i64_load16_u:
    case op.i32_store16:
    case op.i64_store16:
      return 1;
    case op.i64_load:
    case op.i64_store:
      return 3;
    default:
      return 2;
  }
}

/** The host compares where it branches: that costs less than to keep what has come out. */
const isComparison = (node: Node): boolean =>
  node.kind === kind.binary && comparisons.has(node.code) && [node.a, node.b].every(isAtHand);
const isAtHand = (n: Node | undefined): boolean => n !== undefined && (n.isConstant || (n.local >= 0 && n.stable));

/** Emits the value of a node on the stack; keeps it in a local when it is used again. */
export function emit(node: Node, w: Writer, locals: Locals): void {
  if (node.local >= 0) {
    w.byte(op.local_get);
    w.u32(node.local);
    return;
  }
  if (node.kind === kind.constant) {
    emitConstant(node, w);
    return;
  }
  if (node.a) emit(node.a, w, locals);
  if (node.b) emit(node.b, w, locals);
  if (node.c) emit(node.c, w, locals);
  if (node.kind === kind.call) {
    w.byte(op.i32_const);
    w.s32(node.code);
    w.byte(op.call_indirect);
    w.u32((services[node.code] as (typeof services)[number]).signature);
    w.u32(0);
  } else if (node.kind === kind.vector) {
    w.byte(op.simd);
    w.u32(node.code);
    if (node.offset >= 0) w.byte(node.offset);
    if (node.code === simd.i8x16_shuffle) emitBytes(node.bits, w);
  } else if (node.kind === kind.load) {
    if (node.width === 128) {
      w.byte(op.simd);
      w.u32(simd.v128_load);
      w.u32(0);
    } else {
      w.byte(node.code);
      w.u32(naturalAlignment(node.code));
    }
    w.u32(node.offset);
  } else {
    w.byte(node.code);
  }
  if (node.uses > 1 && !locals.inArm && !isComparison(node)) {
    const local = locals.allocate(node.type);
    w.byte(op.local_tee);
    w.u32(local);
    locals.keep(node, local, node.stable);
  }
}

function emitConstant(node: Node, w: Writer): void {
  if (node.width === 64) {
    w.byte(op.i64_const);
    w.s64(node.bits);
  } else if (node.width === 32) {
    w.byte(op.i32_const);
    w.s32(intOf(node));
  } else {
    w.byte(op.simd);
    w.u32(simd.v128_const);
    emitBytes(node.bits, w);
  }
}

/** An immediate of 16 bytes. */
function emitBytes(bits: bigint, w: Writer): void {
  for (let i = 0n; i < 16n; i += 1n) w.byte(Number((bits >> (8n * i)) & 0xffn));
}

/** Brings the node into a local that is not assigned again, and returns that local. */
export function settle(node: Node, w: Writer, locals: Locals): number {
  if (node.local >= 0 && node.stable) return node.local;
  emit(node, w, locals);
  if (node.local >= 0 && node.stable) {
    w.byte(op.drop);
    return node.local;
  }
  const local = locals.allocate(node.type);
  w.byte(op.local_set);
  w.u32(local);
  if (!node.isConstant && !locals.inArm) {
    locals.keep(node, local, true);
  }
  return local;
}

/**
 * Makes a node independent of registers and memory that may change before it is emitted: whatever it reads, and whatever is
 * shared, is brought into locals; the operations on top of these stay symbolic, and cost nothing if the value is never needed.
 */
export function pin(node: Node, w: Writer, locals: Locals): void {
  if (node.isConstant || (node.local >= 0 && node.stable)) return;
  if (node.uses > 1 || node.kind === kind.local || node.kind === kind.load || node.kind === kind.call) {
    settle(node, w, locals);
    return;
  }
  if (node.a) pin(node.a, w, locals);
  if (node.b) pin(node.b, w, locals);
  if (node.c) pin(node.c, w, locals);
}
