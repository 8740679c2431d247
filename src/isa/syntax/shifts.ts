// Second operands of data-processing instructions: shifted and extended registers, and the positions of bitfields.

import type { Fields, Operand } from '../syntax.ts';
import { bitPosition } from './immediates.ts';
import { readNumber } from './numbers.ts';
import { generalName, readGeneral, widthBySf } from './registers.ts';

const shiftNames = ['lsl', 'lsr', 'asr', 'ror'];
const extendNames = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'];

/** shift and imm6: `lsl #3`, left out for `lsl #0`. */
export const shiftAmount: Operand = {
  print: (f) => (f.shift === 0 && f.imm6 === 0 ? undefined : `${shiftNames[f.shift!]!} #${f.imm6!}`),
  read: (reader) => {
    const name = shiftNames[reader.fields.shift!]!;
    if (reader.word() !== name) return reader.expected(name);
    reader.next();
    const amount = readNumber(reader, { what: 'shift amount', least: 0, most: widthBySf(reader.fields) - 1 });
    return amount !== undefined && reader.set('imm6', amount);
  },
  omit: (reader) => reader.set('shift', 0) && reader.set('imm6', 0),
};

/** The extension that is written LSL, or left out, where one of these registers is the stack pointer. */
const extensionOfSP = (f: Fields): number => (f.sf === 1 ? 0b011 : 0b010);

/** Rm, option and imm3 of ADD and SUB (extended register). `registers` are those that may be the stack pointer. */
export function extendedRegister(registers: readonly string[]): Operand {
  const hasSP = (f: Fields): boolean => registers.some((name) => f[name] === 31);
  const widthOf = (f: Fields): 32 | 64 => (f.sf === 1 && (f.option! & 3) === 3 ? 64 : 32);
  return {
    print: (f) => {
      const register = generalName(f.Rm!, widthOf(f), 'ZR');
      const amount = f.imm3 === 0 ? '' : ` #${f.imm3!}`;
      if (!hasSP(f) || f.option !== extensionOfSP(f)) return `${register}, ${extendNames[f.option!]!}${amount}`;
      return amount === '' ? register : `${register}, lsl${amount}`;
    },
    read: (reader) => {
      const { fields } = reader;
      const Rm = readGeneral(reader, widthOf(fields), 'ZR');
      if (Rm === undefined || !reader.set('Rm', Rm)) return false;
      const likeLsl = fields.option === extensionOfSP(fields) && hasSP(fields);
      if (!reader.accept(',')) {
        return likeLsl ? reader.set('imm3', 0) : reader.expected('an extension');
      }
      const name = extendNames[fields.option!]!;
      const word = reader.word();
      if (word !== name && !(likeLsl && word === 'lsl')) return reader.expected(name);
      reader.next();
      if (reader.atEnd()) return word === 'lsl' ? reader.expected('#') : reader.set('imm3', 0);
      const amount = readNumber(reader, { what: 'shift amount', least: 0, most: 4 });
      return amount !== undefined && reader.set('imm3', amount);
    },
  };
}

/** The amount of LSL (immediate), an alias of UBFM. */
export const lslAmount: Operand = bitPosition(
  'shift amount',
  (f) => widthBySf(f) - 1 - f.imms!,
  (amount, width) => ({ immr: (width - amount) % width, imms: width - 1 - amount }),
);

/** The amount of LSR, ASR (immediate), aliases of UBFM and SBFM. */
export const rightShiftAmount: Operand = bitPosition(
  'shift amount',
  (f) => f.immr!,
  (amount, width) => ({ immr: amount, imms: width - 1 }),
);

/** A bit number in one field, below the width of the registers. */
export const bitNumber = (field: string): Operand =>
  bitPosition(
    'bit position',
    (f) => f[field]!,
    (position) => ({ [field]: position }),
  );

/** lsb and width of a field that is inserted: UBFIZ, SBFIZ, BFI, BFC. */
export const insertedField: readonly Operand[] = [
  bitPosition(
    'lsb',
    (f) => (widthBySf(f) - f.immr!) % widthBySf(f),
    (lsb, width) => ({ immr: (width - lsb) % width }),
  ),
  {
    print: (f) => `#${f.imms! + 1}`,
    read: (reader) => {
      const width = widthBySf(reader.fields);
      const lsb = (width - reader.fields.immr!) % width;
      const count = readNumber(reader, { what: 'field width', least: 1, most: width - lsb });
      return count !== undefined && reader.set('imms', count - 1);
    },
  },
];

/** lsb and width of a field that is extracted: UBFX, SBFX, BFXIL. */
export const extractedField: readonly Operand[] = [
  bitPosition(
    'lsb',
    (f) => f.immr!,
    (lsb) => ({ immr: lsb }),
  ),
  {
    print: (f) => `#${f.imms! - f.immr! + 1}`,
    read: (reader) => {
      const lsb = reader.fields.immr!;
      const count = readNumber(reader, { what: 'field width', least: 1, most: widthBySf(reader.fields) - lsb });
      return count !== undefined && reader.set('imms', lsb + count - 1);
    },
  },
];
