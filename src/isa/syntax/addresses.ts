// Addresses as operands: labels, and the addressing modes of loads and stores.

import type { Fields, Operand, OperandReader } from '../syntax.ts';
import { hex, inRange, readNumber, signExtend, unsigned64 } from './numbers.ts';
import { generalName, readGeneral } from './registers.ts';

/** A PC-relative address: `bits` bits of a signed offset in units of `unit` bytes. */
function pcRelative(
  { bits, unit, page }: { bits: number; unit: number; page: boolean },
  offsetOf: (f: Fields) => number,
  fieldsOf: (offset: number) => Readonly<Record<string, number>>,
): Operand {
  const origin = (address: bigint): bigint => (page ? address & ~0xfffn : address);
  const size = BigInt(unit);
  return {
    print: (f, { address }) => hex(unsigned64(origin(address) + BigInt(signExtend(offsetOf(f), bits)) * size)),
    read: (reader) => {
      const relocation = reader.relocation();
      if (relocation !== undefined && !(page && relocation.startsWith('pg_hi21'))) {
        return reader.refused(`:${relocation}: is not for this instruction`);
      }
      const target = reader.expression();
      if (target === undefined) return false;
      const distance = BigInt.asIntN(64, origin(target) - origin(reader.address));
      if (distance % size !== 0n) {
        return reader.refused(
          `${hex(unsigned64(target))} is ${distance} bytes away, which is not a multiple of ${unit}`,
        );
      }
      const reach = (1n << BigInt(bits - 1)) * size;
      if (distance < -reach || distance >= reach) {
        return reader.refused(
          `${hex(unsigned64(target))} is out of range: ${distance} bytes away, where ${-reach} to ${reach - size} can be reached`,
        );
      }
      const fields = fieldsOf(Number(BigInt.asUintN(bits, distance / size)));
      return Object.entries(fields).every(([name, value]) => reader.set(name, value));
    },
  };
}

/** A label of a branch or of a literal load: a word offset in this field. */
export const label = (field: string, bits: number): Operand =>
  pcRelative(
    { bits, unit: 4, page: false },
    (f) => f[field]!,
    (offset) => ({ [field]: offset }),
  );

const immhiImmlo = (f: Fields): number => (f.immhi! << 2) | f.immlo!;
const toImmhiImmlo = (offset: number): Readonly<Record<string, number>> => ({ immhi: offset >>> 2, immlo: offset & 3 });
/** The address of ADR. */
export const byteLabel: Operand = pcRelative({ bits: 21, unit: 1, page: false }, immhiImmlo, toImmhiImmlo);
/** The page of ADRP. */
export const pageLabel: Operand = pcRelative({ bits: 21, unit: 4096, page: true }, immhiImmlo, toImmhiImmlo);

/** Reads `[Xn|SP`. */
function readBase(reader: OperandReader): boolean {
  if (!reader.accept('[')) return reader.expected('[');
  const Rn = readGeneral(reader, 64, 'SP');
  return Rn !== undefined && reader.set('Rn', Rn);
}

function neitherCommaNorBracket(reader: OperandReader): false {
  reader.expected(',');
  return reader.expected(']');
}

const close = (reader: OperandReader): boolean => reader.accept(']') || reader.expected(']');
const base = (f: Fields): string => generalName(f.Rn!, 64, 'SP');

/** `[Xn|SP]`, also written `[Xn|SP, #0]`. */
export const baseAddress: Operand = {
  print: (f) => `[${base(f)}]`,
  read: (reader) => {
    if (!readBase(reader)) return false;
    if (reader.accept(',')) {
      const offset = reader.expression();
      if (offset === undefined) return false;
      if (offset !== 0n) return reader.refused('the address of this instruction has no offset');
    }
    return close(reader);
  },
};

/** An immediate offset: its field, whether it is signed, and the bytes that one step of it moves. */
export interface Offset {
  readonly field: string;
  readonly bits: number;
  readonly signed: boolean;
  readonly scale: (f: Fields) => number;
  /** Other offsets that a form of the same mnemonic takes, for messages. */
  readonly others?: string;
}

const offsetOf = (o: Offset, f: Fields): number =>
  (o.signed ? signExtend(f[o.field]!, o.bits) : f[o.field]!) * o.scale(f);

/**
 * Reads the text of an offset, and gives what checks and sets it: a form whose brackets or exclamation mark do not match says
 * nothing about the range.
 */
function readOffset(reader: OperandReader, o: Offset): (() => boolean) | undefined {
  const step = o.scale(reader.fields);
  const relocation = reader.relocation();
  const value = reader.expression();
  if (value === undefined) return undefined;
  if (relocation === undefined) {
    const [least, most] = o.signed ? [-(2 ** (o.bits - 1)), 2 ** (o.bits - 1) - 1] : [0, 2 ** o.bits - 1];
    return () => {
      const { others } = o;
      const range = { what: 'offset', least: least * step, most: most * step, step };
      const offset = inRange(reader, value, others === undefined ? range : { ...range, others });
      return offset !== undefined && reader.set(o.field, (offset / step) & (2 ** o.bits - 1));
    };
  }
  return () => {
    if (o.signed || relocation !== 'lo12') return reader.refused(`:${relocation}: is not for this address`);
    const low = Number(value & 0xfffn);
    if (low % step !== 0) return reader.refused(`:lo12: gives ${low}, which is not a multiple of ${step}`);
    return reader.set(o.field, low / step);
  };
}

/** `[Xn|SP{, #imm}]`. */
export function offsetAddress(o: Offset): Operand {
  return {
    print: (f) => (f[o.field] === 0 ? `[${base(f)}]` : `[${base(f)}, #${offsetOf(o, f)}]`),
    read: (reader) => {
      if (!readBase(reader)) return false;
      if (reader.accept(']')) return !reader.sees('!') && !reader.sees(',') && reader.set(o.field, 0);
      if (!reader.accept(',')) return neitherCommaNorBracket(reader);
      const check = readOffset(reader, o);
      return check !== undefined && close(reader) && !reader.sees('!') && check();
    },
  };
}

/** `[Xn|SP, #imm]!`. */
export function preIndexed(o: Offset): Operand {
  return {
    print: (f) => `[${base(f)}, #${offsetOf(o, f)}]!`,
    read: (reader) => {
      if (!readBase(reader)) return false;
      if (!reader.accept(',')) return reader.expected(',');
      const check = readOffset(reader, o);
      return check !== undefined && close(reader) && reader.accept('!') && check();
    },
  };
}

/** `[Xn|SP]!`: moved by nothing. */
export const unmovedBase: Operand = {
  print: (f) => `[${base(f)}]!`,
  read: (reader) => readBase(reader) && close(reader) && reader.accept('!'),
};

/** `[Xn|SP], #imm`. */
export function postIndexed(o: Offset): Operand {
  return {
    print: (f) => `[${base(f)}], #${offsetOf(o, f)}`,
    read: (reader) => {
      if (!readBase(reader) || !close(reader) || !reader.accept(',')) return false;
      return readOffset(reader, o)?.() ?? false;
    },
  };
}

/** The offset that the instruction moves its base by, and no other. */
function readMove(reader: OperandReader, move: number): (() => boolean) | undefined {
  const value = reader.expression();
  if (value === undefined) return undefined;
  return () => value === BigInt(move) || reader.refused(`offset ${value}, where only ${move} is possible`);
}

/** `[Xn|SP, #-bytes]!`. */
export const movedBefore = (bytes: (f: Fields) => number): Operand => ({
  print: (f) => `[${base(f)}, #${-bytes(f)}]!`,
  read: (reader) => {
    if (!readBase(reader)) return false;
    if (!reader.accept(',')) return reader.expected(',');
    const check = readMove(reader, -bytes(reader.fields));
    return check !== undefined && close(reader) && reader.accept('!') && check();
  },
});

/** `[Xn|SP], #bytes`. */
export const movedAfter = (bytes: (f: Fields) => number): Operand => ({
  print: (f) => `[${base(f)}], #${bytes(f)}`,
  read: (reader) => {
    if (!readBase(reader) || !close(reader) || !reader.accept(',')) return false;
    return readMove(reader, bytes(reader.fields))?.() ?? false;
  },
});

/** `[Xn|SP], Xm`. */
export const movedByRegister: Operand = {
  print: (f) => `[${base(f)}], ${generalName(f.Rm!, 64, 'ZR')}`,
  read: (reader) => {
    if (!readBase(reader) || !close(reader) || !reader.accept(',')) return false;
    const Rm = readGeneral(reader, 64, 'ZR');
    return Rm !== undefined && reader.set('Rm', Rm);
  },
};

const offsetExtends: Readonly<Record<number, string>> = { 0b010: 'uxtw', 0b011: 'lsl', 0b110: 'sxtw', 0b111: 'sxtx' };

/** `[Xn|SP, Rm{, extend {#amount}}]`; `log2Bytes` is the amount where S is set. */
export function registerOffset(log2Bytes: (f: Fields) => number): Operand {
  const widthOf = (f: Fields): 32 | 64 => ((f.option! & 1) === 1 ? 64 : 32);
  return {
    print: (f) => {
      const Rm = generalName(f.Rm!, widthOf(f), 'ZR');
      if (f.option === 0b011 && f.S === 0) return `[${base(f)}, ${Rm}]`;
      return `[${base(f)}, ${Rm}, ${offsetExtends[f.option!]!}${f.S === 1 ? ` #${log2Bytes(f)}` : ''}]`;
    },
    read: (reader) => {
      const { fields } = reader;
      if (!readBase(reader)) return false;
      if (!reader.accept(',')) return reader.expected(',');
      const Rm = readGeneral(reader, widthOf(fields), 'ZR');
      if (Rm === undefined || !reader.set('Rm', Rm)) return false;
      if (reader.accept(']')) return fields.option === 0b011 ? reader.set('S', 0) : reader.expected('an extension');
      if (!reader.accept(',')) return neitherCommaNorBracket(reader);
      const extend = offsetExtends[fields.option!]!;
      if (reader.word() !== extend) return reader.expected(extend);
      reader.next();
      if (reader.accept(']')) return extend !== 'lsl' && reader.set('S', 0);
      const shift = log2Bytes(fields);
      const amount = readNumber(reader, { what: 'shift amount', least: 0, most: shift });
      if (amount === undefined) return false;
      if (amount !== 0 && amount !== shift) return reader.refused(`shift amount ${amount} is neither 0 nor ${shift}`);
      // For bytes, `#0` written out is S = 1.
      return reader.set('S', shift === 0 || amount > 0 ? 1 : 0) && close(reader);
    },
  };
}
