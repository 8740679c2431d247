// FPCompare, FPCompareEQ, FPCompareGE, FPCompareGT, FPMax, FPMin, FPMaxNum and FPMinNum (Arm DDI 0487, "shared/functions/float").

import type { Value } from '../semantics.ts';
import { fpsr, infinity, signBit } from './format.ts';
import {
  also,
  type Context,
  exact,
  firstOf,
  flagsWhere,
  fpZero,
  type Outcome,
  processNaNs,
  type Unpacked,
  unpack,
} from './unpack.ts';

interface Order {
  readonly isUnordered: Value;
  readonly isEqual: Value;
  readonly isLess: Value;
}

/** How two numbers lie; both zeros are equal. */
function orderOf({ w, format }: Context, a: Unpacked, b: Unpacked): Order {
  const bothZero = w.both(a.isZero, b.isZero);
  const magnitude = (bits: Value): Value => w.and(bits, signBit(format) - 1n);
  const [isNegativeA, isNegativeB] = [w.ne(a.sign, 0), w.ne(b.sign, 0)];
  const isSmaller = w.below(magnitude(a.bits), magnitude(b.bits));
  const isLarger = w.below(magnitude(b.bits), magnitude(a.bits));
  const isUnordered = w.either(a.isNaN, b.isNaN);
  const ordered = w.not(isUnordered);
  return {
    isUnordered,
    isEqual: w.both(ordered, w.either(w.eq(a.bits, b.bits), bothZero)),
    isLess: w.both(
      ordered,
      w.not(bothZero),
      w.either(
        w.both(isNegativeA, w.not(isNegativeB)),
        w.both(w.not(isNegativeA), w.not(isNegativeB), isSmaller),
        w.both(isNegativeA, isNegativeB, isLarger),
      ),
    ),
  };
}

/** FPCompare: NZCV in bits 3 to 0. `signals`: a quiet NaN is an Invalid Operation as well. */
export function compare(c: Context, x: Value, y: Value, signals: boolean): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const { isUnordered, isEqual, isLess } = orderOf(c, a, b);
  const isInvalid = signals ? isUnordered : w.either(a.isSignaling, b.isSignaling);
  const nzcv = w.choose(isUnordered, 0b0011, w.choose(isEqual, 0b0110, w.choose(isLess, 0b1000, 0b0010)));
  return also(c, exact(c, nzcv), flagsWhere(c, isInvalid, fpsr.IOC), a.flags, b.flags);
}

/** FPCompareEQ, FPCompareGE, FPCompareGT: 0 or 1. */
export function relate(c: Context, x: Value, y: Value, relation: 'EQ' | 'GE' | 'GT'): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const { isUnordered, isEqual, isLess } = orderOf(c, a, b);
  const isInvalid = relation === 'EQ' ? w.either(a.isSignaling, b.isSignaling) : isUnordered;
  const isGreater = w.not(w.either(isUnordered, isEqual, isLess));
  const holds = { EQ: isEqual, GE: w.either(isGreater, isEqual), GT: isGreater }[relation];
  return also(c, exact(c, w.bit(holds)), flagsWhere(c, isInvalid, fpsr.IOC), a.flags, b.flags);
}

/** FPMax and FPMin. */
export function extreme(c: Context, x: Value, y: Value, which: 'max' | 'min'): Outcome {
  const { w } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const nan = processNaNs(c, [a, b]);
  const { isLess, isEqual } = orderOf(c, a, b);
  const isMax = which === 'max';
  const isGreater = w.not(w.either(isLess, isEqual));
  const sign = isMax ? w.and(a.sign, b.sign) : w.or(a.sign, b.sign);
  const value = w.choose(isMax ? isGreater : isLess, a.bits, b.bits);
  const outcome = firstOf(
    c,
    [
      [nan.isAny, nan],
      [w.both(a.isZero, b.isZero), exact(c, fpZero(c, sign))],
    ],
    exact(c, value),
  );
  return also(c, outcome, a.flags, b.flags);
}

/** FPMaxNum and FPMinNum: one quiet NaN against a number gives the number. */
export function extremeNumber(c: Context, x: Value, y: Value, which: 'max' | 'min'): Outcome {
  const { w, format } = c;
  const [a, b] = [unpack(c, x), unpack(c, y)];
  const isQuiet = ({ isNaN, isSignaling }: Unpacked): Value => w.both(isNaN, w.not(isSignaling));
  const [quietA, quietB] = [isQuiet(a), isQuiet(b)];
  const least = infinity(format) | (which === 'max' ? signBit(format) : 0n);
  const outcome = extreme(
    c,
    w.choose(w.both(quietA, w.not(quietB)), least, x),
    w.choose(w.both(quietB, w.not(quietA)), least, y),
    which,
  );
  return also(c, outcome, a.flags, b.flags);
}
