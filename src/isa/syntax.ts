// Assembler syntax of a row: mnemonic and operands, each of which prints its fields and reads them from text.
//
// The fields of a form are one set for both directions. To print, all are known and the operands make text of them. To read, the
// assembler tries every combination of known fields under which the form has the mnemonic, and the operands fill in the others; an
// operand whose text contradicts a field that is already set does not match.

/** Fields of an instruction word by name, as integers. */
export type Fields = Readonly<Record<string, number>>;

/**
 * Names of system registers, which are for the table of them to know. Keys are op0:op1:CRn:CRm:op2; names are in lower case. A
 * register without a name is written S<op0>_<op1>_C<n>_C<m>_<op2>, and that form is always accepted.
 */
export interface SystemRegisterNames {
  readonly nameOf: (key: number) => string | undefined;
  readonly keyOf: (name: string) => number | undefined;
}

/** What a text depends on beside the fields. */
export interface PrintContext {
  /** Address of the instruction. */
  readonly address: bigint;
  readonly names: SystemRegisterNames;
}

/**
 * The text of an instruction's operands, read from left to right. What does not match is recorded with its position, and the
 * refusal that got furthest among all the forms of a mnemonic is the one that the user sees.
 */
export interface OperandReader extends PrintContext {
  /** The word here, in lower case; undefined where something else stands. */
  readonly word: () => string | undefined;
  /** Steps over the word here. */
  readonly next: () => void;
  /** Steps over this punctuation mark if it is here. */
  readonly accept: (mark: string) => boolean;
  /** Whether this punctuation mark is here. */
  readonly sees: (mark: string) => boolean;
  /** Whether the statement ends here. */
  readonly atEnd: () => boolean;
  /** The value of an expression, which may stand after a `#`; undefined, with the refusal recorded, where there is none. */
  readonly expression: () => bigint | undefined;
  /** A decimal number with or without a fraction, which may stand after a `#`; undefined, with the refusal recorded, where none is. */
  readonly decimal: () => number | undefined;
  /** Steps over a relocation operator, `:lo12:`, and gives its name. */
  readonly relocation: () => string | undefined;
  /** The fields that are set so far; all known fields are set before the first operand is read. */
  readonly fields: Fields;
  /** Sets a field; false if it is set to another value already. */
  readonly set: (field: string, value: number) => boolean;
  /** Records what should stand here. */
  readonly expected: (what: string) => false;
  /** Records why what was just read is refused. */
  readonly refused: (why: string) => false;
}

/** One operand of a form. */
export interface Operand {
  /** Text of the operand for these field values; undefined where it is left out (an optional operand at its default). */
  readonly print: (f: Fields, context: PrintContext) => string | undefined;
  /** Reads the operand's text into its fields; false, with the refusal recorded, if it does not match. */
  readonly read: (reader: OperandReader) => boolean;
  /** Sets the fields of an operand that is left out; absent where it must be written. */
  readonly omit?: (reader: OperandReader) => boolean;
}

/** One way of writing an instruction; `F` are its row's fields, `K` the known ones. */
export interface Form<F = Fields, K = F> {
  /** In lower case; undefined for known fields under which the instruction is not written in this form. */
  readonly mnemonic: string | ((k: K) => string | undefined);
  readonly operands: readonly Operand[];
  /** Fields that this form fixes. */
  readonly where?: { readonly [Name in keyof F]?: number };
  /** Condition on the fields without which this form does not exist. */
  readonly when?: (f: F) => boolean;
  /** Condition on the fields under which the disassembler writes this form; an input-only form is never preferred. */
  readonly preferred?: (f: F) => boolean;
}

/** For a form that is accepted and never printed. */
export const never = (): boolean => false;

/** The form's mnemonic for these fields, if they may be written in this form at all. */
export function mnemonicOf(form: Form, f: Fields): string | undefined {
  return typeof form.mnemonic === 'string' ? form.mnemonic : form.mnemonic(f);
}

/** Whether fields that are set agree with what the form fixes. */
export function agrees(form: Form, f: Fields): boolean {
  return Object.entries(form.where ?? {}).every(([name, value]) => f[name] === undefined || f[name] === value);
}

/** Knows no names: every system register is written in its generic form. */
export const noNames: SystemRegisterNames = { nameOf: () => undefined, keyOf: () => undefined };
