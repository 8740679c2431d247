// The words in which floating-point arithmetic is written: integer operations of the semantics interface on 64-bit values, with constants
// as numbers. Conditions are 32-bit values, 0 or 1. Everything is evaluated, whatever the operands: a choice takes one of two results.

import type { Semantics, Value } from '../semantics.ts';

/** The part of the semantics interface that computes, without an effect. */
export type Computation = Pick<
  Semantics,
  | 'constant'
  | 'add'
  | 'sub'
  | 'mul'
  | 'umulh'
  | 'udiv'
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'lsl'
  | 'lsr'
  | 'clz'
  | 'eq'
  | 'ne'
  | 'ltU'
  | 'ltS'
  | 'select'
  | 'zeroExtend'
  | 'low32'
>;

export type Term = Value | number | bigint;

/** 64-bit integer arithmetic; a shift by 64 or more gives 0. */
export interface Words {
  word(value: Term): Value;
  add(a: Term, b: Term): Value;
  sub(a: Term, b: Term): Value;
  mul(a: Term, b: Term): Value;
  /** High half of the unsigned product. */
  mulHigh(a: Term, b: Term): Value;
  div(a: Term, b: Term): Value;
  and(a: Term, b: Term): Value;
  or(a: Term, b: Term): Value;
  xor(a: Term, b: Term): Value;
  /** Shifts by a constant of 0 to 63. */
  shl(a: Term, amount: number): Value;
  shr(a: Term, amount: number): Value;
  /** Shifts by 0 to 63: the amount is taken modulo 64. */
  shlBy(a: Term, amount: Term): Value;
  shrBy(a: Term, amount: Term): Value;
  leadingZeros(a: Term): Value;
  eq(a: Term, b: Term): Value;
  ne(a: Term, b: Term): Value;
  /** Unsigned and signed less-than. */
  below(a: Term, b: Term): Value;
  less(a: Term, b: Term): Value;
  choose(condition: Value, a: Term, b: Term): Value;
  /** 0 or 1 as a word. */
  bit(condition: Value): Value;
  // Conditions.
  both(...conditions: readonly Value[]): Value;
  either(...conditions: readonly Value[]): Value;
  not(condition: Value): Value;
  differ(a: Value, b: Value): Value;
}

export function wordsOver(s: Computation): Words {
  const word = (value: Term): Value => (typeof value === 'object' ? value : s.constant(64, value));
  const lift =
    (f: (a: Value, b: Value) => Value) =>
    (a: Term, b: Term): Value =>
      f(word(a), word(b));
  const one = s.constant(32, 1);
  return {
    word,
    add: lift(s.add.bind(s)),
    sub: lift(s.sub.bind(s)),
    mul: lift(s.mul.bind(s)),
    mulHigh: lift(s.umulh.bind(s)),
    div: lift(s.udiv.bind(s)),
    and: lift(s.and.bind(s)),
    or: lift(s.or.bind(s)),
    xor: lift(s.xor.bind(s)),
    shl: (a, amount) => s.lsl(word(a), s.constant(64, amount)),
    shr: (a, amount) => s.lsr(word(a), s.constant(64, amount)),
    shlBy: lift(s.lsl.bind(s)),
    shrBy: lift(s.lsr.bind(s)),
    leadingZeros: (a) => s.clz(word(a)),
    eq: lift(s.eq.bind(s)),
    ne: lift(s.ne.bind(s)),
    below: lift(s.ltU.bind(s)),
    less: lift(s.ltS.bind(s)),
    choose: (condition, a, b) => s.select(condition, word(a), word(b)),
    bit: (condition) => s.zeroExtend(condition, 32, 64),
    both: (...conditions) => conditions.reduce((a, b) => s.and(a, b)),
    either: (...conditions) => conditions.reduce((a, b) => s.or(a, b)),
    not: (condition) => s.xor(condition, one),
    differ: (a, b) => s.xor(a, b),
  };
}

/** `a` shifted right by 0 to 63, with every bit that falls out kept in bit 0 of the result. */
export function shiftRightJam(w: Words, a: Value, amount: Value): Value {
  const shifted = w.shrBy(a, amount);
  const lost = w.ne(w.shlBy(shifted, amount), a);
  return w.or(shifted, w.bit(lost));
}

/** The smaller of two signed words. */
export const least = (w: Words, a: Term, b: Term): Value => w.choose(w.less(a, b), a, b);
