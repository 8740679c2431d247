// An instruction's row: its page in the manual, its bit pattern, the variants that are allocated, its meaning and its syntax.
//
// Patterns are the manual's encoding diagrams read from bit 31 down: `sf 0 0 100010 sh imm12 Rn Rd`. A field's name fixes its width
// and its binding time. *Known* fields (sf, size, opc, shift…) decide what kind of operation it is: every engine knows their values,
// and a step function is made for each allocated combination. *Operand* fields (registers and immediates) are values: constants
// to the translator, taken from the instruction word at run time to the stepper.

import { assert } from '../report/assert.ts';
import type { Semantics, Value } from './semantics.ts';
import type { Form } from './syntax.ts';

const knownWidths = {
  sf: 1, op: 1, S: 1, sh: 1, N: 1, A: 1, R: 1, L: 1, V: 1, Z: 1, M: 1, o0: 1, o1: 1, o2: 1, o3: 1, U: 1, sz: 1, C: 1, b: 1,
  size: 2, opc: 2, opc1: 2, opt: 1, hw: 2, shift: 2, option: 3, cond: 4, ftype: 2, mode: 2, order: 2, pac: 1, T: 1, H: 1, W: 1, K: 1,
  Q: 1, a: 1, len: 2, rot: 2,
  /** imm5 and imm4 of the pages that name elements, immh:immb of the shifts: they decide how wide elements are, and which. */
  elements: 5, element: 4, immhb: 7, cmode: 4,
} as const; // prettier-ignore

const operandWidths = {
  Rd: 5, Rn: 5, Rm: 5, Rt: 5, Rt2: 5, Rs: 5, Ra: 5,
  imm3: 3, scale: 6, imm4: 4, imm5: 5, imm6: 6, imm7: 7, imm8: 8, imm9: 9, imm12: 12, imm14: 14, imm16: 16, imm19: 19, imm26: 26,
  immr: 6, imms: 6, immlo: 2, immhi: 19, nzcv: 4, mask: 4, b40: 5, b5: 1,
  op1: 3, op2: 3, CRn: 4, CRm: 4, sysop0: 1,
} as const; // prettier-ignore

type KnownName = keyof typeof knownWidths;
type OperandName = keyof typeof operandWidths;

type Words<P extends string> = P extends `${infer Head} ${infer Tail}` ? Head | Words<Tail> : P;

/** Known and operand fields of a pattern, by name. */
export type Known<P extends string> = { readonly [Name in Words<P> & KnownName]: number };
export type Operands<P extends string> = { readonly [Name in Words<P> & OperandName]: Value };
/** All fields of a word as integers, as the decoder, the assembler and the disassembler see them. */
export type FieldValues<P extends string> = { readonly [Name in Words<P> & (KnownName | OperandName)]: number };

export interface Field {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
  readonly known: boolean;
}

/** What a row's author writes. */
export interface RowText<P extends string> {
  /** The manual's page: `ADD (immediate)`. */
  readonly name: string;
  readonly pattern: P;
  /** The manual's encoding name for these field values: `ADD_64_addsub_imm`. */
  readonly encoding: string | ((f: FieldValues<P>) => string);
  /** Absent for the base of Armv8.0. */
  readonly feature?: string;
  /** False for field values that the manual leaves unallocated or UNDEFINED; left out, all are allocated. */
  readonly allocated?: (f: FieldValues<P>) => boolean;
  /** The known fields decide; the operands are values. */
  readonly meaning: (s: Semantics, k: Known<P>, f: Operands<P>) => void;
  /** Assembler syntax, the preferred form for disassembly first. */
  readonly syntax?: readonly Form<FieldValues<P>, Known<P>>[];
}

/** A row as the engines use it: the author's text with the pattern parsed. */
export interface Row {
  readonly name: string;
  readonly pattern: string;
  readonly mask: number;
  readonly value: number;
  readonly fields: readonly Field[];
  readonly feature: string | undefined;
  readonly encoding: (f: Readonly<Record<string, number>>) => string;
  readonly allocated: (f: Readonly<Record<string, number>>) => boolean;
  readonly meaning: (s: Semantics, k: Readonly<Record<string, number>>, f: Readonly<Record<string, Value>>) => void;
  readonly syntax: readonly Form[];
}

/** Makes a row from its text; asserts that the pattern has 32 bits and that every field name is in the tables above. */
export function row<const P extends string>(text: RowText<P>): Row {
  let bit = 32;
  let mask = 0;
  let value = 0;
  const fields: Field[] = [];
  for (const token of text.pattern.split(' ')) {
    if (/^[01]+$/.test(token)) {
      for (const digit of token) {
        bit -= 1;
        mask |= 1 << bit;
        if (digit === '1') value |= 1 << bit;
      }
      continue;
    }
    const known: number | undefined = (knownWidths as Readonly<Record<string, number>>)[token];
    const width = known ?? (operandWidths as Readonly<Record<string, number>>)[token];
    assert(width !== undefined, `${text.name}: unknown field ${token}`);
    bit -= width;
    fields.push({ name: token, lsb: bit, width, known: known !== undefined });
  }
  assert(bit === 0, `${text.name}: the pattern has ${32 - bit} bits`);
  const { encoding, allocated, meaning, syntax } = text as unknown as Pick<Row, 'meaning'> &
    Partial<Pick<Row, 'allocated' | 'syntax'>> & { encoding: string | Row['encoding'] };
  return {
    name: text.name,
    pattern: text.pattern,
    mask: mask >>> 0,
    value: value >>> 0,
    fields,
    feature: text.feature,
    encoding: typeof encoding === 'string' ? () => encoding : encoding,
    allocated: allocated ?? (() => true),
    meaning,
    syntax: syntax ?? [],
  };
}

/** The fields of a word under a row, as integers. */
export function fieldsOf(r: Row, word: number): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { name, lsb, width } of r.fields) values[name] = (word >>> lsb) & ((1 << width) - 1);
  return values;
}

/** The combinations of known field values that are allocated for some operands, as integers in the order of counting. */
export function knownCombinations(r: Row): Record<string, number>[] {
  const known = r.fields.filter((field) => field.known);
  const bits = known.reduce((sum, field) => sum + field.width, 0);
  const combinations: Record<string, number>[] = [];
  for (let n = 0; n < 1 << bits; n += 1) {
    const values: Record<string, number> = {};
    let rest = n;
    for (const { name, width } of [...known].reverse()) {
      values[name] = rest & ((1 << width) - 1);
      rest >>= width;
    }
    combinations.push(values);
  }
  return combinations;
}
