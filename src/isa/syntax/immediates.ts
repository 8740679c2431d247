// Immediates as operands: plain numbers, bit positions, the shifted immediates of add and move wide, the bitmask immediates.

import type { Fields, Operand } from '../syntax.ts';
import { decodeBitMask, encodeBitMask } from './bit-mask-integers.ts';
import { hex, readNumber, signExtend, unsigned64 } from './numbers.ts';
import { widthBySf } from './registers.ts';

/** An unsigned number in one field. */
export function immediate(field: string, bits: number, { base = 'hex' }: { base?: 'hex' | 'decimal' } = {}): Operand {
  return {
    print: (f) => `#${base === 'hex' ? hex(f[field]!) : f[field]!}`,
    read: (reader) => {
      const value = readNumber(reader, { what: 'immediate', least: 0, most: 2 ** bits - 1 });
      return value !== undefined && reader.set(field, value);
    },
  };
}

/** A signed number in one field. */
export function signedImmediate(field: string, bits: number): Operand {
  const [least, most] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return {
    print: (f) => `#${signExtend(f[field]!, bits)}`,
    read: (reader) => {
      const value = readNumber(reader, { what: 'immediate', least, most });
      return value !== undefined && reader.set(field, value & (2 ** bits - 1));
    },
  };
}

/** As `immediate`, and left out where it is `byDefault`. */
export function optionalImmediate(field: string, bits: number, byDefault: number): Operand {
  const operand = immediate(field, bits);
  return {
    print: (f, context) => (f[field] === byDefault ? undefined : operand.print(f, context)),
    read: operand.read,
    omit: (reader) => reader.set(field, byDefault),
  };
}

/** A bit position of the register that sf names, or any other number below the register's width. */
export function bitPosition(
  what: string,
  position: (f: Fields) => number,
  fieldsOf: (position: number, width: number) => Readonly<Record<string, number>>,
): Operand {
  return {
    print: (f) => `#${position(f)}`,
    read: (reader) => {
      const width = widthBySf(reader.fields);
      const value = readNumber(reader, { what, least: 0, most: width - 1 });
      if (value === undefined) return false;
      return Object.entries(fieldsOf(value, width)).every(([name, number]) => reader.set(name, number));
    },
  };
}

const addRange = 'out of range: 0 to 4095, or a multiple of 4096 up to 0xfff000';

/** imm12 and sh of ADD and SUB (immediate): `#0x10`, `#0x10, lsl #12`, `:lo12:symbol`. `negated` is for ADD written as SUB. */
export function addImmediate(negated = false): Operand {
  return {
    print: (f) => `#${hex(f.imm12!)}${f.sh === 1 ? ', lsl #12' : ''}`,
    read: (reader) => {
      const relocation = reader.relocation();
      const number = reader.expression();
      if (number === undefined) return false;
      if (relocation !== undefined && relocation !== 'lo12') return reader.refused(`:${relocation}: is not for an add`);
      const value = relocation === 'lo12' ? number & 0xfffn : negated ? -number : number;
      const fits = (n: bigint): boolean => n >= 0n && n <= 4095n;
      const given = (n: bigint): boolean => reader.set('imm12', Number(n));
      if (reader.sees(',')) {
        if (!fits(value)) return reader.refused(`immediate ${number} is out of range: 0 to 4095`);
        reader.accept(',');
        if (reader.word() !== 'lsl') return reader.expected('lsl');
        reader.next();
        const amount = reader.expression();
        if (amount === undefined) return false;
        if (amount !== 0n && amount !== 12n) return reader.refused(`shift amount ${amount} is neither 0 nor 12`);
        return reader.set('sh', amount === 12n ? 1 : 0) && given(value);
      }
      if (fits(value)) return reader.set('sh', 0) && given(value);
      if (!fits(value >> 12n) || (value & 0xfffn) !== 0n) return reader.refused(`immediate ${number} is ${addRange}`);
      return reader.set('sh', 1) && given(value >> 12n);
    },
  };
}

/** The 64-bit number that a MOVZ, or with `inverted` a MOVN, makes. */
function wideValue(f: Fields, inverted: boolean): bigint {
  const value = BigInt(f.imm16!) << BigInt(16 * f.hw!);
  return BigInt.asUintN(widthBySf(f), inverted ? ~value : value);
}

const notMovable = (value: bigint): string => `immediate ${hex(value)} cannot be made by one MOVZ, MOVN or ORR`;

/** The number that the aliases MOV (wide immediate) and MOV (inverted wide immediate) write. */
export function wideImmediate(inverted: boolean): Operand {
  return {
    print: (f) => `#${hex(wideValue(f, inverted))}`,
    read: (reader) => {
      const number = reader.expression();
      if (number === undefined) return false;
      const width = widthBySf(reader.fields);
      if (!isOfWidth(number, width)) return reader.refused(`immediate ${number} does not fit in ${width} bits`);
      const value = BigInt.asUintN(width, inverted ? ~number : number);
      const hw = reader.fields.hw!;
      const imm16 = (value >> BigInt(16 * hw)) & 0xffffn;
      if (imm16 << BigInt(16 * hw) !== value || (value === 0n && hw > 0)) {
        return reader.refused(notMovable(number));
      }
      return reader.set('imm16', Number(imm16));
    },
  };
}

/** Which 16 bits of the value `:abs_g0:` and its kind take: MOVZ and MOVK of a symbol's address. */
const absoluteGroups: Readonly<Record<string, number>> = {
  abs_g0: 0, abs_g0_nc: 0, abs_g1: 1, abs_g1_nc: 1, abs_g2: 2, abs_g2_nc: 2, abs_g3: 3,
}; // prettier-ignore

/** imm16 and hw as MOVZ, MOVN and MOVK write them: `#0x12, lsl #16`, `#:abs_g1:symbol`. */
export const shiftedWide: Operand = {
  print: (f) => `#${hex(f.imm16!)}${f.hw === 0 ? '' : `, lsl #${16 * f.hw!}`}`,
  read: (reader) => {
    const relocation = reader.relocation();
    if (relocation !== undefined) {
      const group = absoluteGroups[relocation];
      if (group === undefined) return reader.refused(`:${relocation}: is not for a move`);
      const value = reader.expression();
      if (value === undefined) return false;
      const rest = unsigned64(value) >> BigInt(16 * group);
      if (!relocation.endsWith('_nc') && rest > 0xffffn) {
        return reader.refused(
          `${hex(unsigned64(value))} does not fit in the ${16 * (group + 1)} bits of :${relocation}:`,
        );
      }
      return reader.set('hw', group) && reader.set('imm16', Number(rest & 0xffffn));
    }
    const value = readNumber(reader, { what: 'immediate', least: 0, most: 0xffff });
    if (value === undefined) return false;
    if (!reader.accept(',')) return reader.set('hw', 0) && reader.set('imm16', value);
    if (reader.word() !== 'lsl') return reader.expected('lsl');
    reader.next();
    const most = widthBySf(reader.fields) - 16;
    const amount = readNumber(reader, { what: 'shift amount', least: 0, most, step: 16 });
    return amount !== undefined && reader.set('hw', amount / 16) && reader.set('imm16', value);
  },
};

/** Whether a number is one of this width, read as unsigned or as signed. */
export function isOfWidth(value: bigint, width: number): boolean {
  return BigInt.asUintN(width, value) === value || BigInt.asIntN(width, value) === value;
}

/** The value of N, imms and immr. */
function bitMaskOf(f: Fields): bigint {
  const width = widthBySf(f);
  return decodeBitMask(f.N!, f.imms!, f.immr!, width);
}

/** N, imms and immr as the value that they stand for; `inverted` is for BIC written as AND. */
export function bitMask({
  inverted = false,
  of = 'bitmask',
}: { inverted?: boolean; of?: 'bitmask' | 'MOV' } = {}): Operand {
  return {
    print: (f) => `#${hex(bitMaskOf(f))}`,
    read: (reader) => {
      const number = reader.expression();
      if (number === undefined) return false;
      const width = widthBySf(reader.fields);
      if (!isOfWidth(number, width)) return reader.refused(`immediate ${number} does not fit in ${width} bits`);
      const encoded = encodeBitMask(BigInt.asUintN(width, inverted ? ~number : number), width);
      if (encoded === undefined) {
        return reader.refused(
          of === 'MOV' ? notMovable(number) : `immediate ${hex(number)} is not a bitmask immediate`,
        );
      }
      return reader.set('N', encoded.N) && reader.set('imms', encoded.imms) && reader.set('immr', encoded.immr);
    },
  };
}

/** MoveWidePreferred: the bitmask immediate is written as MOVZ or MOVN, so that ORR is not a MOV. */
export function moveWidePreferred(f: Fields): boolean {
  const width = widthBySf(f);
  const value = bitMaskOf(f);
  return [value, BigInt.asUintN(width, ~value)].some((n) =>
    Array.from({ length: width / 16 }, (_, hw) => 0xffffn << BigInt(16 * hw)).some((part) => (n & ~part) === 0n),
  );
}
