// Functions of the manual's shared pseudocode that several groups use (Arm DDI 0487, J1), over the semantics interface.

import type { Flags, Semantics, Value } from './semantics.ts';

/** N and Z of a result. */
export function signAndZero(s: Semantics, result: Value): Pick<Flags, 'N' | 'Z'> {
  const zero = s.constant(result.width as 32 | 64, 0);
  return { N: s.ltS(result, zero), Z: s.eq(result, zero) };
}

/** AddWithCarry(x, y, '0'). */
export function addition(s: Semantics, x: Value, y: Value): { result: Value; flags: Flags } {
  const result = s.add(x, y);
  const overflow = s.and(s.xor(x, result), s.xor(y, result));
  const zero = s.constant(x.width as 32 | 64, 0);
  return { result, flags: { ...signAndZero(s, result), C: s.ltU(result, x), V: s.ltS(overflow, zero) } };
}

/** AddWithCarry(x, NOT(y), '1'). */
export function subtraction(s: Semantics, x: Value, y: Value): { result: Value; flags: Flags } {
  const result = s.sub(x, y);
  const overflow = s.and(s.xor(x, y), s.xor(x, result));
  const zero = s.constant(x.width as 32 | 64, 0);
  const borrow = s.ltU(x, y);
  return {
    result,
    flags: { N: s.ltS(result, zero), Z: s.eq(x, y), C: invert(s, borrow), V: s.ltS(overflow, zero) },
  };
}

/** AddWithCarry(x, y, carry): `carry` is 32-bit 0 or 1. */
export function addWithCarry(s: Semantics, x: Value, y: Value, carry: Value): { result: Value; flags: Flags } {
  const zero = s.constant(x.width as 32 | 64, 0);
  const partial = s.add(x, y);
  const result = s.add(partial, widen(s, carry, x.width as 32 | 64));
  const overflow = s.and(s.xor(x, result), s.xor(y, result));
  const carryOut = s.or(s.ltU(partial, x), s.ltU(result, partial));
  return { result, flags: { ...signAndZero(s, result), C: carryOut, V: s.ltS(overflow, zero) } };
}

/** The other value of a 0-or-1. */
export function invert(s: Semantics, bit: Value): Value {
  return s.xor(bit, s.constant(32, 1));
}

/** Bit `index` of a value, as 32-bit 0 or 1. */
export function bitOf(s: Semantics, value: Value, index: number): Value {
  const shifted = index === 0 ? value : s.lsr(value, s.constant(value.width as 32 | 64, index));
  return s.and(s.low32(shifted), s.constant(32, 1));
}

/** ConditionHolds(cond): 32-bit 0 or 1. */
export function conditionHolds(s: Semantics, cond: number): Value {
  const base = ((): Value => {
    const source = s.flagSource?.();
    const isComparison = source !== undefined && source.operation !== 'addition';
    switch (cond >> 1) {
      case 0: // EQ, NE
        return s.readFlag('Z');
      case 1: // CS, CC
        return s.readFlag('C');
      case 2: // MI, PL
        return s.readFlag('N');
      case 3: // VS, VC
        return s.readFlag('V');
      case 4: // HI, LS
        if (source?.operation === 'subtraction') return s.ltU(source.y, source.x);
        return s.and(s.readFlag('C'), invert(s, s.readFlag('Z')));
      case 5: // GE, LT
        if (isComparison) return invert(s, s.ltS(source.x, source.y));
        return s.eq(s.readFlag('N'), s.readFlag('V'));
      case 6: // GT, LE
        if (isComparison) return s.ltS(source.y, source.x);
        return s.and(s.eq(s.readFlag('N'), s.readFlag('V')), invert(s, s.readFlag('Z')));
      default: // AL, NV
        return s.constant(32, 1);
    }
  })();
  return (cond & 1) === 1 && cond !== 15 ? invert(s, base) : base;
}

/** ShiftReg(reg, shiftType, amount): `shift` as in the encoding, 0 LSL, 1 LSR, 2 ASR, 3 ROR; `amount` below the width. */
export function shiftReg(s: Semantics, reg: Value, shift: number, amount: Value, width: 32 | 64): Value {
  const operand = s.readX(reg, width);
  const distance = widen(s, amount, width);
  switch (shift) {
    case 0:
      return s.lsl(operand, distance);
    case 1:
      return s.lsr(operand, distance);
    case 2:
      return s.asr(operand, distance);
    default:
      return s.ror(operand, distance);
  }
}

/**
 * ExtendReg(reg, extendType, shift): `option` as in the encoding, UXTB 0 to SXTX 7.
 * UXTX and SXTX, and in a 32-bit operation UXTW and SXTW, take the register as it is.
 */
export function extendReg(s: Semantics, reg: Value, option: number, shift: Value, width: 32 | 64): Value {
  const operand = s.readX(reg, width);
  const bits = ([8, 16, 32, 64] as const)[(option & 3) as 0 | 1 | 2 | 3];
  const extended = ((): Value => {
    if (bits === 64 || bits === width) return operand;
    return option & 4 ? s.signExtend(operand, bits, width) : s.zeroExtend(operand, bits, width);
  })();
  return s.lsl(extended, widen(s, shift, width));
}

/** An operand field, or a 0-or-1, as a value of the given width. */
export function widen(s: Pick<Semantics, 'zeroExtend'>, field: Value, width: 32 | 64): Value {
  return width === 64 ? s.zeroExtend(field, 32, 64) : field;
}

/** SignExtend of the low `bits` bits of a 32-bit field to 64 bits, shifted left by `shift`: offsets of branches and loads. */
export function signedOffset(s: Semantics, field: Value, bits: number, shift: number): Value {
  const atTop = s.lsl(s.zeroExtend(field, 32, 64), s.constant(64, 64 - bits));
  return s.asr(atTop, s.constant(64, 64 - bits - shift));
}
