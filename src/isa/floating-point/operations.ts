// The floating-point operations by name: what an instruction may ask of the semantics interface. Operands and results are words whose low
// bits hold a number of the format; conversions to integers have the integer there.

import type { Value } from '../semantics.ts';
import { add, multiply, multiplyAdd, step } from './add-multiply.ts';
import { compare, extreme, extremeNumber, relate } from './compare.ts';
import { convert, fromFixed, type IntegerKind, roundToIntegral, toFixed, widenHalf } from './convert.ts';
import { divide, squareRoot } from './divide.ts';
import { reciprocal, reciprocalExponent, reciprocalRoot } from './estimate.ts';
import { type FormatBits, formats } from './format.ts';
import { type FloatOperation, type IntegerName, integerNames } from './names.ts';
import type { Context, Outcome } from './unpack.ts';

/** One to three operands, as the name of the operation in the manual takes them. */
type Operation = (c: Context, a: Value, b: Value, d: Value) => Outcome;

const kindOf = (name: IntegerName): IntegerKind => ({
  bits: Number(name.slice(-2)) as IntegerKind['bits'],
  unsigned: name.startsWith('Unsigned'),
});

const forIntegers = <Prefix extends string>(prefix: Prefix, make: (kind: IntegerKind) => Operation) =>
  Object.fromEntries(integerNames.map((name) => [`${prefix}${name}`, make(kindOf(name))])) as Record<
    `${Prefix}${IntegerName}`,
    Operation
  >;

const operations: Readonly<Record<FloatOperation, Operation>> = {
  add: (c, a, b) => add(c, a, b),
  sub: (c, a, b) => add(c, a, b, true),
  mul: (c, a, b) => multiply(c, a, b),
  mulX: (c, a, b) => multiply(c, a, b, true),
  div: (c, a, b) => divide(c, a, b),
  sqrt: (c, a) => squareRoot(c, a),
  /** Addend first. */
  mulAdd: (c, a, b, d) => multiplyAdd(c, a, b, d),
  /** The factors are half-precision numbers. */
  mulAddHalf: (c, a, b, d) => multiplyAdd(c, a, widenHalf(c, b), widenHalf(c, d)),
  recipStep: (c, a, b) => step(c, a, b, 'reciprocal'),
  rsqrtStep: (c, a, b) => step(c, a, b, 'square root'),
  max: (c, a, b) => extreme(c, a, b, 'max'),
  min: (c, a, b) => extreme(c, a, b, 'min'),
  maxNum: (c, a, b) => extremeNumber(c, a, b, 'max'),
  minNum: (c, a, b) => extremeNumber(c, a, b, 'min'),
  /** NZCV. */
  compareQuiet: (c, a, b) => compare(c, a, b, false),
  compareSignaling: (c, a, b) => compare(c, a, b, true),
  /** 0 or 1. */
  compareEQ: (c, a, b) => relate(c, a, b, 'EQ'),
  compareGE: (c, a, b) => relate(c, a, b, 'GE'),
  compareGT: (c, a, b) => relate(c, a, b, 'GT'),
  recipEstimate: (c, a) => reciprocal(c, a),
  rsqrtEstimate: (c, a) => reciprocalRoot(c, a),
  recipExponent: (c, a) => reciprocalExponent(c, a),
  /** To another format, rounded as the second operand says. */
  convertTo16: (c, a, mode) => convert(c, a, formats[16], mode),
  convertTo32: (c, a, mode) => convert(c, a, formats[32], mode),
  convertTo64: (c, a, mode) => convert(c, a, formats[64], mode),
  /** Rounded as the second operand says. */
  roundToIntegral: (c, a, mode) => roundToIntegral(c, a, mode, false),
  roundToIntegralExact: (c, a, mode) => roundToIntegral(c, a, mode, true),
  /** The second operand is the number of fraction bits, the third of `to` the rounding. */
  ...forIntegers('to', (kind) => (c, a, fractionBits, mode) => toFixed(c, a, fractionBits, kind, mode)),
  ...forIntegers('from', (kind) => (c, a, fractionBits) => fromFixed(c, a, fractionBits, kind)),
};

/** How many operands an engine passes; the rest are 0. */
export const floatOperands = 3;

/** The formats for which an operation exists: no conversion goes to its own format, and half-precision factors go with single precision. */
export const hasFormat = (operation: FloatOperation, bits: FormatBits): boolean =>
  operation !== `convertTo${bits}` && (operation !== 'mulAddHalf' || bits === 32);

/** Carries an operation out. */
export const floatOutcome = (
  operation: FloatOperation,
  c: Context,
  [a, b, d]: readonly [Value, Value, Value],
): Outcome => operations[operation](c, a, b, d);
