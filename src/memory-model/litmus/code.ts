// The columns of an AArch64 test as machine code: labels, and herd7's ways of writing what GNU writes otherwise.

import { encode } from '../../isa/assembler/instructions.ts';
import type { Scope } from '../../isa/assembler/expressions.ts';
import { statements } from '../../isa/assembler/lexer.ts';
import type { SystemRegisterNames } from '../../isa/syntax.ts';
import type { Column, LitmusTest, Spot } from './test.ts';
import { clipped, refuse } from './text.ts';

/** The code of a column: of a thread, or of its handler of exceptions. */
export interface ThreadCode {
  readonly thread: number;
  readonly isHandler: boolean;
  readonly base: bigint;
  readonly bytes: Uint8Array;
  /** Addresses of its labels. */
  readonly labels: ReadonlyMap<string, bigint>;
}

/** What the text of the columns may speak of besides its own labels. */
export interface CodeContext {
  readonly names: SystemRegisterNames;
  readonly addressOf: (variable: string) => bigint | undefined;
}

const wordBytes = 4;
const firstAddress = 0x70_4000_0000n;
/** More than any column is long, and little enough that a handler can name the labels of its thread. */
const columnBytes = 0x8000n;

/** A thread, then its handler. */
const columnBase = ({ thread, isHandler }: Column): bigint =>
  firstAddress + BigInt(2 * thread + (isHandler ? 1 : 0)) * columnBytes;

/** A thread and its handler share their labels. */
export function assembleColumns(test: LitmusTest, context: CodeContext): ThreadCode[] {
  const labelsOf = new Map<number, Map<string, bigint>>();
  const sizes = test.columns.map((column) => {
    const labels = labelsOf.get(column.thread) ?? new Map<string, bigint>();
    labelsOf.set(column.thread, labels);
    return placeLabels(column, labels);
  });
  return test.columns.map((column, n) => {
    const chosen = chooseRegisters(test, column.thread);
    return assembleColumn(column, sizes[n]!, { ...context, labels: labelsOf.get(column.thread)!, chosen });
  });
}

/** What belongs to a thread. */
interface ThreadContext extends CodeContext {
  readonly labels: ReadonlyMap<string, bigint>;
  readonly chosen: ReadonlyMap<string, number>;
}

/** Notes where the labels of a column are; its size in bytes. */
function placeLabels(column: Column, labels: Map<string, bigint>): number {
  const base = columnBase(column);
  let end = base;
  for (const line of column.lines) {
    if (line.kind === 'instruction') end += BigInt(wordBytes);
    else if (labels.has(line.name)) throw refuse(line.at, `label ${line.name} is defined already`);
    else labels.set(line.name, end);
  }
  if (end - base > columnBytes) throw refuse(column.at, `P${column.thread} is too long`);
  return Number(end - base);
}

function assembleColumn(column: Column, size: number, context: ThreadContext): ThreadCode {
  const base = columnBase(column);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const { labels, chosen } = context;
  let offset = 0;
  for (const line of column.lines) {
    if (line.kind !== 'instruction') continue;
    const symbol = (name: string) => labels.get(name) ?? context.addressOf(name);
    const dot = base + BigInt(offset);
    view.setUint32(offset, encodeLine(inGnuSyntax(line.text, chosen), line.at, dot, symbol, context.names), true);
    offset += wordBytes;
  }
  return { thread: column.thread, isHandler: column.isHandler, base, bytes, labels };
}

/** Words of instructions that speak of no symbol and no address, by their text. */
const knownWords = new Map<string, number>();
/** A campaign of thousands of tests has some thousand different instructions. */
const mostKnownWords = 20_000;

/** The word of one instruction; a UserError at its place otherwise. */
export function encodeLine(
  text: string,
  at: Spot,
  dot: bigint,
  symbol: (name: string) => bigint | undefined,
  names: SystemRegisterNames,
): number {
  const known = knownWords.get(text);
  if (known !== undefined) return known;
  let isFixed = !text.includes('.');
  const scope: Scope = {
    dot,
    symbol: (name) => {
      isFixed = false;
      return symbol(name);
    },
    local: () => undefined,
  };
  // The assembler sees the instruction where it stands in the file, so that its refusals name that place.
  const placed = `${'\n'.repeat(at.line - 1)}${' '.repeat(at.column - 1)}${text}`;
  const [statement, more] = statements(placed, at.file);
  if (statement?.kind !== 'operation' || more !== undefined) throw refuse(at, `"${clipped(text)}" is no instruction`);
  if (statement.head.text.startsWith('.')) throw refuse(at, `${statement.head.text}: directives have no meaning here`);
  const word = encode(statement.head, statement.operands, statement.place, { address: dot, names, scope });
  if (isFixed && knownWords.size < mostKnownWords) knownWords.set(text, word);
  return word;
}

/** An index register is a W register where it is extended as one. */
const extendedIndex = /(\[\s*[xX]\d+\s*,\s*)[xX](\d+|[zZ][rR])(\s*,\s*[su]xtw\b)/gi;

/** `X%a`: a register that the test leaves to be chosen. */
const symbolicRegister = /([XWxw]?)%(\w+)/g;

/** The GCS instructions are aliases of SYS and SYSL (Arm DDI 0487, C5.9). */
const stackInstruction = /^\s*GCS(PUSHM|POPM|SS1|SS2)\b\s*(\w*)\s*$/i;
const stackOperations: Readonly<Record<string, { readonly op2: number; readonly hasResult: boolean }>> = {
  PUSHM: { op2: 0, hasResult: false },
  POPM: { op2: 1, hasResult: true },
  SS1: { op2: 2, hasResult: false },
  SS2: { op2: 3, hasResult: true },
};

function stackInstructionText(name: string, register: string): string {
  const { op2, hasResult } = stackOperations[name.toUpperCase()]!;
  const operation = `#3,C7,C7,#${op2}`;
  return hasResult ? `SYSL ${register || 'XZR'},${operation}` : `SYS ${operation},${register}`;
}

/** What herd7 accepts and GNU does not, in GNU's words. */
function inGnuSyntax(text: string, chosen: ReadonlyMap<string, number>): string {
  const [, stackName, stackRegister = ''] = stackInstruction.exec(text) ?? [];
  if (stackName !== undefined) return stackInstructionText(stackName, stackRegister);
  if (!text.includes('%') && !/xtw/i.test(text)) return text;
  return text
    .replace(symbolicRegister, (_, size: string, name: string) => `${size || 'X'}${chosen.get(name)!}`)
    .replace(extendedIndex, '$1W$2$3');
}

/** Free registers for the symbolic ones of a thread. */
export function chooseRegisters(test: LitmusTest, thread: number): ReadonlyMap<string, number> {
  const columns = test.columns.filter((column) => column.thread === thread);
  const lines = columns.flatMap((column) => column.lines);
  const text = lines.map((line) => (line.kind === 'instruction' ? line.text : '')).join(' ');
  const taken = new Set([...text.matchAll(/\b[xw](\d+)\b/gi)].map((match) => Number(match[1])));
  const free = Array.from({ length: 30 }, (_, n) => n).filter((n) => !taken.has(n));
  const chosen = new Map<string, number>();
  for (const [, , name] of text.matchAll(symbolicRegister)) {
    if (chosen.has(name!)) continue;
    const register = free.pop();
    if (register === undefined) throw refuse(columns[0]!.at, `P${thread} has more symbolic registers than there are`);
    chosen.set(name!, register);
  }
  return chosen;
}
