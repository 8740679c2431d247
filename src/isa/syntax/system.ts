// Operands of the system instructions: registers by name, PSTATE fields, barrier and prefetch options, operations of SYS.

import type { Fields, Form, Operand } from '../syntax.ts';
import { hex, readNumber } from './numbers.ts';
import { X } from './registers.ts';
import { operationKey, type SystemMnemonic, systemOperations } from './system-operations.ts';

/** An operand that is one of several words, or else a number: DMB, DSB, PRFM. */
function named(
  field: string,
  bits: number,
  names: readonly (string | undefined)[],
  what: string,
  digits: number,
): Operand {
  return {
    print: (f) => names[f[field]!] ?? `#0x${f[field]!.toString(16).padStart(digits, '0')}`,
    read: (reader) => {
      if (reader.atEnd()) return reader.expected(what);
      const word = reader.word();
      const value = word === undefined ? -1 : names.indexOf(word);
      if (value >= 0) {
        reader.next();
        return reader.set(field, value);
      }
      if (word !== undefined) return reader.expected(what);
      const number = readNumber(reader, { what: 'number', least: 0, most: 2 ** bits - 1 });
      return number !== undefined && reader.set(field, number);
    },
  };
}

const barrierNames = [
  undefined, 'oshld', 'oshst', 'osh', undefined, 'nshld', 'nshst', 'nsh',
  undefined, 'ishld', 'ishst', 'ish', undefined, 'ld', 'st', 'sy',
]; // prettier-ignore

/** CRm of DMB and DSB. */
export const barrierOption: Operand = named('CRm', 4, barrierNames, 'a barrier option', 2);

/** CRm of ISB: SY, which is left out, or a number. */
export const isbOption: Operand = {
  print: (f) => (f.CRm === 15 ? undefined : `#${hex(f.CRm!)}`),
  read: named(
    'CRm',
    4,
    Array.from({ length: 16 }, (_, n) => (n === 15 ? 'sy' : undefined)),
    'sy',
    1,
  ).read,
  omit: (reader) => reader.set('CRm', 15),
};

const prefetchNames = Array.from({ length: 32 }, (_, n) => {
  const type = ['pld', 'pli', 'pst'][n >> 3];
  const target = ['l1', 'l2', 'l3'][(n >> 1) & 3];
  return type === undefined || target === undefined ? undefined : `${type}${target}${n & 1 ? 'strm' : 'keep'}`;
});

/** Rt of PRFM and PRFUM. */
export const prefetchOperation: Operand = named('Rt', 5, prefetchNames, 'a prefetch operation', 2);

/** PSTATE fields of MSR (immediate), by op1:op2. */
const pstateNames: Readonly<Record<number, string>> = {
  0b000_011: 'uao', 0b000_100: 'pan', 0b000_101: 'spsel', 0b011_001: 'ssbs', 0b011_010: 'dit', 0b011_100: 'tco',
  0b011_110: 'daifset', 0b011_111: 'daifclr',
}; // prettier-ignore

/** op1 and op2 of MSR (immediate). */
export const pstateField: Operand = {
  print: (f) => pstateNames[(f.op1! << 3) | f.op2!],
  read: (reader) => {
    const word = reader.word();
    const entry = Object.entries(pstateNames).find(([, name]) => name === word);
    if (entry === undefined) return reader.expected('a PSTATE field');
    reader.next();
    const key = Number(entry[0]);
    return reader.set('op1', key >> 3) && reader.set('op2', key & 7);
  },
};

const registerKey = (f: Fields): number =>
  ((2 + f.sysop0!) << 14) | (f.op1! << 11) | (f.CRn! << 7) | (f.CRm! << 3) | f.op2!;

/** Key of S<op0>_<op1>_C<n>_C<m>_<op2>; undefined for another word. */
function genericKey(word: string): number | undefined {
  const match = /^s([0-3])_([0-7])_c(\d|1[0-5])_c(\d|1[0-5])_([0-7])$/.exec(word);
  if (match === null) return undefined;
  const [op0 = 0, op1 = 0, CRn = 0, CRm = 0, op2 = 0] = match.slice(1).map(Number);
  return (op0 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;
}

/** The system register of MSR (register) and MRS. */
export const systemRegister: Operand = {
  print: (f, { names }) =>
    names.nameOf(registerKey(f)) ?? `s${2 + f.sysop0!}_${f.op1!}_c${f.CRn!}_c${f.CRm!}_${f.op2!}`,
  read: (reader) => {
    const word = reader.word();
    if (word === undefined) return reader.expected('a system register');
    const key = genericKey(word) ?? reader.names.keyOf(word);
    if (key === undefined) return reader.expected('a system register');
    reader.next();
    const op0 = key >> 14;
    if (op0 < 2) return reader.refused(`op0 of system register ${word} is neither 2 nor 3`);
    return (
      reader.set('sysop0', op0 - 2) &&
      reader.set('op1', (key >> 11) & 7) &&
      reader.set('CRn', (key >> 7) & 15) &&
      reader.set('CRm', (key >> 3) & 15) &&
      reader.set('op2', key & 7)
    );
  },
};

/** CRn or CRm of SYS: `C7`. */
export function controlRegister(field: string): Operand {
  return {
    print: (f) => `C${f[field]!}`,
    read: (reader) => {
      const number = /^c(\d|1[0-5])$/.exec(reader.word() ?? '')?.[1];
      if (number === undefined) return reader.expected('C0 to C15');
      reader.next();
      return reader.set(field, Number(number));
    },
  };
}

/** Rt where XZR may be left out. */
export const optionalRt: Operand = {
  print: (f, context) => (f.Rt === 31 ? undefined : X('Rt').print(f, context)),
  read: X('Rt').read,
  omit: (reader) => reader.set('Rt', 31),
};

const sysKey = (f: Fields): number => operationKey(f.op1!, f.CRn!, f.CRm!, f.op2!);

/** The operation of IC, DC, AT, TLBI and their kind. */
function operation(mnemonic: SystemMnemonic, register: boolean): Operand {
  const own = systemOperations.filter((o) => o.mnemonic === mnemonic && o.register === register);
  const byKey = new Map(own.map((o) => [o.key, o.name]));
  const byName = new Map(own.map((o) => [o.name, o.key]));
  return {
    print: (f) => byKey.get(sysKey(f)),
    read: (reader) => {
      const key = byName.get(reader.word() ?? '');
      if (key === undefined) return reader.expected(`an operation of ${mnemonic.toUpperCase()}`);
      reader.next();
      return (
        reader.set('op1', key >> 11) &&
        reader.set('CRn', (key >> 7) & 15) &&
        reader.set('CRm', (key >> 3) & 15) &&
        reader.set('op2', key & 7)
      );
    },
  };
}

/** The aliases of SYS. */
export const systemAliases: readonly Form[] = (['ic', 'dc', 'at', 'tlbi', 'cfp', 'dvp', 'cpp'] as const).flatMap(
  (mnemonic) =>
    [true, false].flatMap((register): Form[] => {
      const keys = new Set(
        systemOperations.filter((o) => o.mnemonic === mnemonic && o.register === register).map((o) => o.key),
      );
      if (keys.size === 0) return [];
      return [
        {
          mnemonic,
          operands: [operation(mnemonic, register), ...(register ? [X('Rt')] : [])],
          ...(register ? {} : { where: { Rt: 31 } }),
          preferred: (f) => keys.has(sysKey(f)),
        },
      ];
    }),
);
