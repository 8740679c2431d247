// Assembler syntax of a row: mnemonic and operands, each of which prints its fields and parses its text.

/** One operand of a form. */
export interface Operand {
  /** Text of the operand for these field values; undefined where it is left out (an optional operand at its default). */
  readonly print: (f: Readonly<Record<string, number>>, address: number) => string | undefined;
}

/** One way of writing an instruction. */
export interface Form {
  readonly mnemonic: string;
}
