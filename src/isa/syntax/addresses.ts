// Addresses as operands: labels, and the addressing modes of loads and stores.

import type { Fields, Operand, OperandReader } from '../syntax.ts';
import { hex, readNumber, signExtend, unsigned64 } from './numbers.ts';
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

const close = (reader: OperandReader): boolean => reader.accept(']') || reader.expected(']');
const base = (f: Fields): string => generalName(f.Rn!, 64, 'SP');

/** `[Xn|SP]`, also written `[Xn|SP, #0]`. */
export const baseAddress: Operand = {
  print: (f) => `[${base(f)}]`,
  read: (reader) => {
    if (!readBase(reader)) return false;
    if (reader.accept(',') && readNumber(reader, { what: 'offset', least: 0, most: 0 }) === undefined) return false;
    return close(reader);
  },
};

/** An immediate offset: its field, whether it is signed, and the bytes that one step of it moves. */
export interface Offset {
  readonly field: string;
  readonly bits: number;
  readonly signed: boolean;
  readonly scale: (f: Fields) => number;
}

const offsetOf = (o: Offset, f: Fields): number =>
  (o.signed ? signExtend(f[o.field]!, o.bits) : f[o.field]!) * o.scale(f);

function readOffset(reader: OperandReader, o: Offset): boolean {
  const step = o.scale(reader.fields);
  const relocation = reader.relocation();
  if (relocation !== undefined) {
    if (o.signed || !relocation.endsWith('lo12')) return reader.refused(`:${relocation}: is not for this address`);
    const value = reader.expression();
    if (value === undefined) return false;
    const low = Number(value & 0xfffn);
    if (low % step !== 0) return reader.refused(`:lo12: gives ${low}, which is not a multiple of ${step}`);
    return reader.set(o.field, low / step);
  }
  const [least, most] = o.signed ? [-(2 ** (o.bits - 1)), 2 ** (o.bits - 1) - 1] : [0, 2 ** o.bits - 1];
  const value = readNumber(reader, { what: 'offset', least: least * step, most: most * step, step });
  return value !== undefined && reader.set(o.field, (value / step) & (2 ** o.bits - 1));
}

/** `[Xn|SP{, #imm}]`. */
export function offsetAddress(o: Offset): Operand {
  return {
    print: (f) => (f[o.field] === 0 ? `[${base(f)}]` : `[${base(f)}, #${offsetOf(o, f)}]`),
    read: (reader) => {
      if (!readBase(reader)) return false;
      if (reader.accept(']'))
        return reader.sees('!') || reader.sees(',') ? reader.expected('the end') : reader.set(o.field, 0);
      if (!reader.accept(',')) return reader.expected(', or ]');
      return readOffset(reader, o) && close(reader) && (!reader.sees('!') || reader.expected('the end'));
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
      return readOffset(reader, o) && close(reader) && (reader.accept('!') || reader.expected('!'));
    },
  };
}

/** `[Xn|SP], #imm`. */
export function postIndexed(o: Offset): Operand {
  return {
    print: (f) => `[${base(f)}], #${offsetOf(o, f)}`,
    read: (reader) => {
      if (!readBase(reader) || !close(reader)) return false;
      return reader.accept(',') ? readOffset(reader, o) : reader.expected(',');
    },
  };
}

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
      if (reader.accept(']'))
        return fields.option === 0b011 ? reader.set('S', 0) : reader.expected(', and an extension');
      if (!reader.accept(',')) return reader.expected(', or ]');
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
