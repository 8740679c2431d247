// From a mnemonic and the text of its operands to the instruction word.
//
// Every form of every row is tried under every combination of known fields that gives it the mnemonic. All the candidates agree
// where several match: the aliases' conditions see to it; forms that are only read come last.

import { assert } from '../../report/assert.ts';
import { knownCombinations, type Row } from '../encoding.ts';
import { everyInstruction } from '../instruction-set.ts';
import { agrees, type Form, mnemonicOf, never } from '../syntax.ts';
import type { Token } from './lexer.ts';
import { noTrouble, operandReader, type ReaderContext, refusalOf } from './operand-reader.ts';
import { hint } from '../../report/suggestion.ts';
import { type Place, refusal } from './source.ts';

interface Candidate {
  readonly row: Row;
  readonly form: Form;
  /** Known fields, and those that the form fixes. */
  readonly preset: Readonly<Record<string, number>>;
}

interface WrittenForm {
  readonly row: Row;
  readonly form: Form;
}

let formsByMnemonic: ReadonlyMap<string, readonly WrittenForm[]> | undefined;
const candidatesByMnemonic = new Map<string, readonly Candidate[]>();

/** Every form under each mnemonic that it can have; those that are only read come last. */
function everyForm(): ReadonlyMap<string, readonly WrittenForm[]> {
  if (formsByMnemonic !== undefined) return formsByMnemonic;
  const all = everyInstruction.flatMap((row) => row.syntax.map((form) => ({ row, form })));
  const map = new Map<string, WrittenForm[]>();
  for (const written of [
    ...all.filter(({ form }) => form.preferred !== never),
    ...all.filter(({ form }) => form.preferred === never),
  ]) {
    for (const mnemonic of mnemonicsOf(written)) {
      const list = map.get(mnemonic);
      if (list === undefined) map.set(mnemonic, [written]);
      else list.push(written);
    }
  }
  formsByMnemonic = map;
  return map;
}

function mnemonicsOf({ row, form }: WrittenForm): ReadonlySet<string> {
  if (typeof form.mnemonic === 'string') return new Set([form.mnemonic]);
  const all = knownCombinations(row).map((known) => (agrees(form, known) ? mnemonicOf(form, known) : undefined));
  return new Set(all.filter((mnemonic) => mnemonic !== undefined));
}

function candidatesOf(mnemonic: string): readonly Candidate[] | undefined {
  const made = candidatesByMnemonic.get(mnemonic);
  if (made !== undefined) return made;
  const candidates = everyForm()
    .get(mnemonic)
    ?.flatMap(({ row, form }) =>
      knownCombinations(row)
        .filter((known) => agrees(form, known) && mnemonicOf(form, known) === mnemonic)
        .map((known) => ({ row, form, preset: { ...known, ...form.where } as Record<string, number> })),
    );
  if (candidates !== undefined) candidatesByMnemonic.set(mnemonic, candidates);
  return candidates;
}

/** The instruction word of a statement; a UserError that says what is wrong with it otherwise. */
export function encode(head: Token, operands: readonly Token[], place: Place, context: ReaderContext): number {
  const mnemonic = head.text.toLowerCase();
  const forms = candidatesOf(mnemonic);
  if (forms === undefined) {
    throw refusal(place, head.column, `no instruction "${head.text}"`, hint(mnemonic, everyForm().keys()));
  }
  const trouble = noTrouble(operands);
  for (const candidate of forms) {
    const word = encodeAs(candidate, operands, context, trouble);
    if (word !== undefined) return word;
  }
  throw refusalOf(trouble, place, mnemonic.toUpperCase());
}

function encodeAs(
  { row, form, preset }: Candidate,
  operands: readonly Token[],
  context: ReaderContext,
  trouble: ReturnType<typeof noTrouble>,
): number | undefined {
  const reader = operandReader(operands, context, preset, trouble);
  for (const [n, operand] of form.operands.entries()) {
    if (reader.atEnd() && operand.omit !== undefined) {
      if (!operand.omit(reader)) return undefined;
      continue;
    }
    if (n > 0 && !reader.accept(',')) {
      reader.expected(',');
      return undefined;
    }
    if (!operand.read(reader)) return undefined;
  }
  if (!reader.atEnd()) {
    reader.expected('the end of the statement');
    return undefined;
  }
  if (form.when?.(reader.fields) === false || !row.allocated(reader.fields)) return undefined;
  return row.fields.reduce((word, { name, lsb, width }) => {
    const value = reader.fields[name];
    assert(value !== undefined && value >>> 0 < 2 ** width, `${row.name}: field ${name} is not read from the text`);
    return (word | (value << lsb)) >>> 0;
  }, row.value);
}
