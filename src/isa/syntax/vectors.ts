// SIMD&FP registers by their vector names: whole, as in `v3.4s`, and an element, as in `v3.d[1]`.

import type { Fields, Operand, OperandReader } from '../syntax.ts';
import { readNumber } from './numbers.ts';
import { V, type VectorBytes } from './registers.ts';

/** The letters of element sizes. */
const elementLetters = ['b', 'h', 's', 'd', 'q'] as const;
export type ElementLetter = (typeof elementLetters)[number];

/** The letter of `size`. */
export const letterOfSize = (size: number): ElementLetter => elementLetters[size] ?? 'd';

/** An arrangement as text: `4s`; undefined where the fields have none. */
export type ArrangementText = (f: Fields) => string | undefined;

/** Elements of 8 << size bits in a register of 64 or 128 bits. */
export const arrangedBy = (size: number, Q: number): string => `${(Q === 1 ? 16 : 8) >> size}${letterOfSize(size)}`;

/** The arrangement of size and Q. */
export const arrangement: ArrangementText = (f) => arrangedBy(f.size ?? 0, f.Q ?? 0);
/** 8b or 16b. */
export const bytes: ArrangementText = (f) => arrangedBy(0, f.Q ?? 0);

/** Reads `v<n>.<suffix>`; the number, or undefined with the refusal recorded. */
function readVector(reader: OperandReader, suffix: string): number | undefined {
  const [, digits, rest] = /^v(0|[1-9]\d?)\.(\w+)$/.exec(reader.word() ?? '') ?? [];
  if (digits === undefined || Number(digits) > 31 || rest !== suffix) {
    reader.expected(`a vector register (v0.${suffix} to v31.${suffix})`);
    return undefined;
  }
  reader.next();
  return Number(digits);
}

/** A vector register in one field, or in several that must be equal. */
export function T(field: string, text: ArrangementText, ...others: readonly string[]): Operand {
  return {
    print: (f) => `v${f[field]!}.${text(f) ?? ''}`,
    read: (reader) => {
      const number = readVector(reader, text(reader.fields) ?? '');
      return number !== undefined && [field, ...others].every((name) => reader.set(name, number));
    },
  };
}

/** The scalar name that size gives a register. */
export const scalar = (field: string): Operand => V(field, (f) => (1 << (f.size ?? 0)) as VectorBytes);

/** Reads `[n]` with n from 0 to `most`. */
function readIndex(reader: OperandReader, most: number, least = 0): number | undefined {
  if (!reader.accept('[')) {
    reader.expected('[');
    return undefined;
  }
  const value = readNumber(reader, { what: 'element', least, most });
  if (value === undefined) return undefined;
  if (reader.accept(']')) return value;
  reader.expected(']');
  return undefined;
}

/** Element `index(f)` of the register in a field, where the fields that are known decide the index. */
export function lane(field: string, letter: ElementLetter, index: (f: Fields) => number): Operand {
  return {
    print: (f) => `v${f[field]!}.${letter}[${index(f)}]`,
    read: (reader) => {
      const number = readVector(reader, letter);
      if (number === undefined) return false;
      const wanted = index(reader.fields);
      return readIndex(reader, wanted, wanted) !== undefined && reader.set(field, number);
    },
  };
}

/** An element of V[m] as the fields name it: `hasM`: in V0 to V15, with the highest bit of Rm as the lowest one of the index. */
export interface ElementOfRm {
  /** What stands between the register and the index: `h`, or `4b` of a dot product. */
  readonly suffix: string;
  readonly index: number;
  readonly hasM: boolean;
}

/** `v3.h[5]`: the element by which a vector is multiplied. */
export const elementOfRm = (of: (f: Fields) => ElementOfRm): Operand => ({
  print: (f) => {
    const { suffix, index, hasM } = of(f);
    const [register, whole] = hasM ? [f.Rm! & 15, 2 * index + (f.Rm! >> 4)] : [f.Rm!, index];
    return `v${register}.${suffix}[${whole}]`;
  },
  read: (reader) => {
    const { suffix, index, hasM } = of(reader.fields);
    const number = readVector(reader, suffix);
    if (number === undefined) return false;
    if (!hasM) return readIndex(reader, index, index) !== undefined && reader.set('Rm', number);
    if (number > 15) return reader.refused('halfwords by which a vector is multiplied are in v0 to v15');
    const read = readIndex(reader, 2 * index + 1, 2 * index);
    return read !== undefined && reader.set('Rm', number | ((read & 1) << 4));
  },
});

/** `{v3.16b, v4.16b}`: as many registers as `count` says, following one another, the first in a field. */
export function vectorList(field: string, count: (f: Fields) => number, text: ArrangementText): Operand {
  return {
    print: (f) => {
      const suffix = text(f) ?? '';
      const name = (n: number): string => `v${(f[field]! + n) % 32}.${suffix}`;
      const length = count(f);
      // As objdump writes them: a range for more than two that do not wrap.
      const last = f[field]! + length - 1;
      if (length > 2 && last < 32) return `{${name(0)}-${name(length - 1)}}`;
      return `{${Array.from({ length }, (_, n) => name(n)).join(', ')}}`;
    },
    read: (reader) => {
      const suffix = text(reader.fields) ?? '';
      const length = count(reader.fields);
      if (!reader.accept('{')) return reader.expected('{');
      const first = readVector(reader, suffix);
      if (first === undefined) return false;
      let read = 1;
      if (length > 1 && reader.accept('-')) {
        const last = readVector(reader, suffix);
        if (last === undefined) return false;
        if (last !== (first + length - 1) % 32) return reader.refused(`the list has ${length} registers`);
        read = length;
      }
      while (reader.accept(',')) {
        const next = readVector(reader, suffix);
        if (next === undefined) return false;
        if (next !== (first + read) % 32) return reader.refused('the registers of a list follow one another');
        read += 1;
      }
      if (!reader.accept('}')) return reader.expected('}');
      return read === length ? reader.set(field, first) : reader.refused(`the list has ${length} registers`);
    },
  };
}

/** `{v3.s, v4.s}[1]`: the same element of each register of a list, where the fields that are known decide the index. */
export function elementList(
  field: string,
  count: (f: Fields) => number,
  letter: (f: Fields) => ElementLetter,
  index: (f: Fields) => number,
): Operand {
  const list = vectorList(field, count, letter);
  return {
    print: (f, context) => `${list.print(f, context)!}[${index(f)}]`,
    read: (reader) => {
      const wanted = index(reader.fields);
      return list.read(reader) && readIndex(reader, wanted, wanted) !== undefined;
    },
  };
}

/** The table of TBL and TBX. */
export const tableList: Operand = vectorList(
  'Rn',
  (f) => f.len! + 1,
  () => '16b',
);
