// Registers as operands: general-purpose by their 64-bit and 32-bit names, SIMD&FP by their scalar names.

import type { Fields, Operand, OperandReader } from '../syntax.ts';

/** What register number 31 stands for. */
export type Number31 = 'ZR' | 'SP';

/** A width that is fixed or that the known fields decide. */
export type WidthOf = 32 | 64 | ((f: Fields) => 32 | 64);

export const widthBySf = (f: Fields): 32 | 64 => (f.sf === 1 ? 64 : 32);

/** The scalar names of a SIMD&FP register, by the number of bytes. */
export type VectorBytes = 1 | 2 | 4 | 8 | 16;
const vectorLetters: Readonly<Record<VectorBytes, string>> = { 1: 'b', 2: 'h', 4: 's', 8: 'd', 16: 'q' };

/** Other names of general-purpose registers, as GNU as has them. */
const otherNames: Readonly<Record<string, string>> = { fp: 'x29', lr: 'x30', ip0: 'x16', ip1: 'x17' };

/** The register that a word names: `x7`, `wsp`, `lr`, `q31`. */
export type RegisterName =
  | {
      readonly kind: 'general';
      readonly number: number;
      readonly width: 32 | 64;
      readonly number31: Number31 | undefined;
    }
  | { readonly kind: 'vector'; readonly number: number; readonly bytes: VectorBytes };

export function registerNamed(word: string): RegisterName | undefined {
  const name = otherNames[word] ?? word;
  switch (name) {
    case 'sp':
    case 'wsp':
      return { kind: 'general', number: 31, width: name === 'sp' ? 64 : 32, number31: 'SP' };
    case 'xzr':
    case 'wzr':
      return { kind: 'general', number: 31, width: name === 'xzr' ? 64 : 32, number31: 'ZR' };
  }
  const [, letter, digits] = /^([xwbhsdq])(0|[1-9]\d?)$/.exec(name) ?? [];
  if (letter === undefined || digits === undefined) return undefined;
  const number = Number(digits);
  if (letter === 'x' || letter === 'w') {
    if (number > 30) return undefined;
    return { kind: 'general', number, width: letter === 'x' ? 64 : 32, number31: undefined };
  }
  return number > 31 ? undefined : { kind: 'vector', number, bytes: (1 << 'bhsdq'.indexOf(letter)) as VectorBytes };
}

/** Every name of a general-purpose register, for suggestions. */
export const generalNames: readonly string[] = [
  ...Array.from({ length: 31 }, (_, n) => [`x${n}`, `w${n}`]).flat(),
  ...['sp', 'wsp', 'xzr', 'wzr'],
  ...Object.keys(otherNames),
];

export function generalName(number: number, width: 32 | 64, number31: Number31): string {
  if (number < 31) return `${width === 64 ? 'x' : 'w'}${number}`;
  if (number31 === 'SP') return width === 64 ? 'sp' : 'wsp';
  return width === 64 ? 'xzr' : 'wzr';
}

/** Reads a general-purpose register of this width; its number, or undefined with the refusal recorded. */
export function readGeneral(reader: OperandReader, width: 32 | 64, number31: Number31): number | undefined {
  const register = registerNamed(reader.word() ?? '');
  const matches =
    register?.kind === 'general' &&
    register.width === width &&
    (register.number31 === undefined || register.number31 === number31);
  if (!matches) {
    const wrong31 = register?.kind === 'general' && register.width === width;
    reader.expected(`${width === 64 ? 'an X' : 'a W'} register${wrong31 ? ` other than ${reader.word()!}` : ''}`);
    return undefined;
  }
  reader.next();
  return register.number;
}

/** A general-purpose register in one field, or in several that must be equal. */
function general(fields: readonly string[], width: WidthOf, number31: Number31): Operand {
  const widthOf = typeof width === 'function' ? width : () => width;
  return {
    print: (f) => generalName(f[fields[0]!]!, widthOf(f), number31),
    read: (reader) => {
      const number = readGeneral(reader, widthOf(reader.fields), number31);
      return number !== undefined && fields.every((field) => reader.set(field, number));
    },
  };
}

/** X or W as sf says, with the zero register. */
export const R = (...fields: readonly string[]): Operand => general(fields, widthBySf, 'ZR');
/** X or W as sf says, with the stack pointer. */
export const RorSP = (field: string): Operand => general([field], widthBySf, 'SP');
export const X = (field: string): Operand => general([field], 64, 'ZR');
/** X with the stack pointer. */
export const XorSP = (field: string): Operand => general([field], 64, 'SP');
export const W = (field: string): Operand => general([field], 32, 'ZR');
/** X or W as this function of the known fields says. */
export const Rof = (field: string, width: WidthOf): Operand => general([field], width, 'ZR');

/** The zero register, where the pattern holds it. */
export const zeroRegister = (width: (f: Fields) => 32 | 64): Operand => ({
  print: (f) => generalName(31, width(f), 'ZR'),
  read: (reader) => {
    const name = generalName(31, width(reader.fields), 'ZR');
    if (reader.word() !== name) return reader.expected(name);
    reader.next();
    return true;
  },
});

/** A register of even number, and the one after it: the pairs of CASP. */
export function evenPair(field: string, width: (f: Fields) => 32 | 64): readonly [Operand, Operand] {
  return [
    {
      print: Rof(field, width).print,
      read: (reader) => {
        const number = readGeneral(reader, width(reader.fields), 'ZR');
        if (number === undefined) return false;
        return number % 2 === 0
          ? reader.set(field, number)
          : reader.refused('the first register of a pair has an even number');
      },
    },
    {
      print: (f) => generalName(f[field]! + 1, width(f), 'ZR'),
      read: (reader) => {
        const number = readGeneral(reader, width(reader.fields), 'ZR');
        if (number === undefined) return false;
        return number === reader.fields[field]! + 1 || reader.refused('the registers of a pair follow one another');
      },
    },
  ];
}

/** A SIMD&FP register by the scalar name of as many bytes as this function of the known fields says. */
export function V(field: string, bytesOf: (f: Fields) => VectorBytes): Operand {
  return {
    print: (f) => `${vectorLetters[bytesOf(f)]}${f[field]!}`,
    read: (reader) => {
      const register = registerNamed(reader.word() ?? '');
      const bytes = bytesOf(reader.fields);
      if (register?.kind !== 'vector' || register.bytes !== bytes) {
        return reader.expected(`a ${8 * bytes}-bit register (${vectorLetters[bytes]}0 to ${vectorLetters[bytes]}31)`);
      }
      reader.next();
      return reader.set(field, register.number);
    },
  };
}
