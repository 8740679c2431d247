// An instruction as herd7 writes it where it is a value.

import { disassemble } from '../../isa/disassembler.ts';

/** `B.EQ .+8`: capitals, and targets relative to the instruction. */
export function instructionText(word: number): string {
  const text = disassemble(word, 0n).toUpperCase().replace(/\s+/g, ' ').replace(/, /g, ',');
  return text.replace(
    /^((?:B(?:\.\w+|L)?|CBN?Z \w+,|TBN?Z \w+,#\w+,) ?)(-?)(?:0X)([0-9A-F]+)$/,
    (_, head: string, sign: string, target: string) => {
      const offset = BigInt.asIntN(64, BigInt(`0x${target}`));
      return `${head}.${sign === '-' || offset < 0n ? '' : '+'}${sign === '-' ? -offset : offset}`;
    },
  );
}
