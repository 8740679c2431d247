// The print reading of the rows: an instruction word as text in the style of GNU objdump, without its comments.

import { assert } from '../report/assert.ts';
import { type Decoder, makeDecoder } from './decoder.ts';
import { instructionSet } from './instruction-set.ts';
import { agrees, mnemonicOf, noNames, type Form, type PrintContext, type SystemRegisterNames } from './syntax.ts';

const decodeOfCores = makeDecoder(instructionSet);

/** The text of a form for these fields; undefined where the disassembler does not write them in this form. */
function print(form: Form, f: Readonly<Record<string, number>>, context: PrintContext): string | undefined {
  if (!agrees(form, f) || form.when?.(f) === false || form.preferred?.(f) === false) return undefined;
  const mnemonic = mnemonicOf(form, f);
  if (mnemonic === undefined) return undefined;
  const operands = form.operands.map((operand) => operand.print(f, context)).filter((text) => text !== undefined);
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(', ')}`;
}

/**
 * The instruction at an address: `add x0, x1, #0x10`. Branch targets are absolute addresses. A word that is not allocated is
 * `.inst 0x…`, which the assembler reads back; without `decode` these are the words that no core has.
 */
export function disassemble(
  word: number,
  address: bigint | number,
  names: SystemRegisterNames = noNames,
  decode: Decoder = decodeOfCores,
): string {
  const decoded = decode(word >>> 0);
  if (decoded === undefined) return `.inst 0x${(word >>> 0).toString(16).padStart(8, '0')}`;
  const context = { address: BigInt(address), names };
  for (const form of decoded.row.syntax) {
    const text = print(form, decoded.fields, context);
    if (text !== undefined) return text;
  }
  assert(false, `${decoded.row.name}: no form for 0x${(word >>> 0).toString(16)}`);
}
