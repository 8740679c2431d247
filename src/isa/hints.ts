// The hint space: Arm DDI 0487, C4.1 "Hints".
//
// A hint of a feature that is not implemented is a NOP by the architecture: ESB (no FEAT_RAS), PSB, TSB and DGH. CSDB orders speculation
// only. BTI does nothing by itself: that it stands at a branch's target is what counts. They have rows for their names' sake.

import { row, type Row } from './encoding.ts';
import { pointerHint } from './pointer-authentication.ts';
import type { Semantics } from './semantics.ts';
import { type Form, never, type Operand } from './syntax.ts';
import { readNumber } from './syntax/numbers.ts';

interface Hint {
  readonly name: string;
  readonly encoding: string;
  readonly CRm: number;
  readonly op2: number;
  readonly meaning?: (s: Semantics) => void;
}

const named: readonly Hint[] = [
  { name: 'NOP', encoding: 'NOP_HI_hints', CRm: 0b0000, op2: 0b000 },
  { name: 'YIELD', encoding: 'YIELD_HI_hints', CRm: 0b0000, op2: 0b001, meaning: (s) => s.yield() },
  { name: 'WFE', encoding: 'WFE_HI_hints', CRm: 0b0000, op2: 0b010, meaning: (s) => s.wfe() },
  { name: 'WFI', encoding: 'WFI_HI_hints', CRm: 0b0000, op2: 0b011, meaning: (s) => s.wfi() },
  { name: 'SEV', encoding: 'SEV_HI_hints', CRm: 0b0000, op2: 0b100, meaning: (s) => s.sev() },
  { name: 'SEVL', encoding: 'SEVL_HI_hints', CRm: 0b0000, op2: 0b101, meaning: (s) => s.sevl() },
  { name: 'DGH', encoding: 'DGH_HI_hints', CRm: 0b0000, op2: 0b110 },
  { name: 'XPACLRI', encoding: 'XPACLRI_HI_hints', CRm: 0b0000, op2: 0b111 },
  { name: 'PACIA1716', encoding: 'PACIA1716_HI_hints', CRm: 0b0001, op2: 0b000 },
  { name: 'PACIB1716', encoding: 'PACIB1716_HI_hints', CRm: 0b0001, op2: 0b010 },
  { name: 'AUTIA1716', encoding: 'AUTIA1716_HI_hints', CRm: 0b0001, op2: 0b100 },
  { name: 'AUTIB1716', encoding: 'AUTIB1716_HI_hints', CRm: 0b0001, op2: 0b110 },
  { name: 'ESB', encoding: 'ESB_HI_hints', CRm: 0b0010, op2: 0b000 },
  { name: 'PSB CSYNC', encoding: 'PSB_HC_hints', CRm: 0b0010, op2: 0b001 },
  { name: 'TSB CSYNC', encoding: 'TSB_HC_hints', CRm: 0b0010, op2: 0b010 },
  { name: 'CSDB', encoding: 'CSDB_HI_hints', CRm: 0b0010, op2: 0b100 },
  { name: 'PACIAZ', encoding: 'PACIAZ_HI_hints', CRm: 0b0011, op2: 0b000 },
  { name: 'PACIASP', encoding: 'PACIASP_HI_hints', CRm: 0b0011, op2: 0b001 },
  { name: 'PACIBZ', encoding: 'PACIBZ_HI_hints', CRm: 0b0011, op2: 0b010 },
  { name: 'PACIBSP', encoding: 'PACIBSP_HI_hints', CRm: 0b0011, op2: 0b011 },
  { name: 'AUTIAZ', encoding: 'AUTIAZ_HI_hints', CRm: 0b0011, op2: 0b100 },
  { name: 'AUTIASP', encoding: 'AUTIASP_HI_hints', CRm: 0b0011, op2: 0b101 },
  { name: 'AUTIBZ', encoding: 'AUTIBZ_HI_hints', CRm: 0b0011, op2: 0b110 },
  { name: 'AUTIBSP', encoding: 'AUTIBSP_HI_hints', CRm: 0b0011, op2: 0b111 },
  { name: 'BTI', encoding: 'BTI_HB_hints', CRm: 0b0100, op2: 0b000 },
  { name: 'BTI c', encoding: 'BTI_HB_hints', CRm: 0b0100, op2: 0b010 },
  { name: 'BTI j', encoding: 'BTI_HB_hints', CRm: 0b0100, op2: 0b100 },
  { name: 'BTI jc', encoding: 'BTI_HB_hints', CRm: 0b0100, op2: 0b110 },
];

const binary = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** CRm:op2 as the number of a hint. */
const hintNumber: Operand = {
  print: (f) => `#0x${((f.CRm! << 3) | f.op2!).toString(16)}`,
  read: (reader) => {
    const number = readNumber(reader, { what: 'hint', least: 0, most: 127 });
    return number !== undefined && reader.set('CRm', number >> 3) && reader.set('op2', number & 7);
  },
};

/** The second word of `BTI c`, `PSB CSYNC`. */
const secondWord = (word: string): Operand => ({
  print: () => word,
  read: (reader) => {
    if (reader.word() !== word) return reader.expected(word);
    reader.next();
    return true;
  },
});

/** A named hint, which may also be written by its number. */
function syntaxOf({ name, CRm, op2 }: Hint): Form[] {
  const [mnemonic = '', ...words] = name.toLowerCase().split(' ');
  const number: Operand = {
    print: () => `#0x${((CRm << 3) | op2).toString(16)}`,
    read: (reader) => readNumber(reader, { what: 'hint', least: 0, most: 127 }) === ((CRm << 3) | op2),
  };
  return [
    // The disassembler knows the hints of GNU objdump 2.40, which has no DGH.
    { mnemonic, operands: words.map(secondWord), ...(name === 'DGH' && { preferred: never }) },
    { mnemonic: 'hint', operands: [number] },
  ];
}

const namedRows = named.map((hint) => {
  const { name, encoding, CRm, op2, meaning } = hint;
  return row({
    name,
    pattern: `1101010100 0 00 011 0010 ${binary(CRm, 4)} ${binary(op2, 3)} 11111`,
    encoding,
    meaning: meaning ?? pointerHint(name) ?? (() => {}),
    ...(pointerHint(name) === undefined ? {} : { feature: 'FEAT_PAuth' }),
    ...(name.startsWith('BTI') ? { feature: 'FEAT_BTI' } : {}),
    syntax: syntaxOf(hint),
  });
});

const numbersWithName = new Set(named.map(({ CRm, op2 }) => (CRm << 3) | op2));

const HINT = row({
  name: 'HINT',
  pattern: '1101010100 0 00 011 0010 CRm op2 11111',
  encoding: 'HINT_HM_hints',
  allocated: (f) => !numbersWithName.has((f.CRm << 3) | f.op2),
  meaning: () => {},
  // CLEARBHB (FEAT_CLRBHB) has its name in the disassembler, too.
  syntax: [
    { mnemonic: 'clearbhb', operands: [], where: { CRm: 0b0010, op2: 0b110 } },
    { mnemonic: 'hint', operands: [hintNumber] },
  ],
});

export const hints: readonly Row[] = [...namedRows, HINT];
