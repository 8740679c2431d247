// The columns of an x86 test: `MOV [x],$1` in Intel's order of operands (X86), or `movl $1,(x)` in AT&T's (X86_64).

import type { Decoded } from '../../isa/decoder.ts';
import { makeX86Code, type X86Code } from '../x86-thread.ts';
import {
  decodedX86,
  type X86Bytes,
  type X86Instruction,
  x86Meanings,
  type X86Operand,
  noOperand,
} from '../x86-instructions.ts';
import { generalRegister } from '../x86-registers.ts';
import type { Column, LitmusTest, Spot } from './test.ts';
import { clipped, refuse } from './text.ts';
import { hint } from '../../report/suggestion.ts';

export interface X86Column {
  readonly thread: number;
  readonly base: bigint;
  readonly code: X86Code;
  readonly labels: ReadonlyMap<string, bigint>;
}

/** Address and size of a variable. */
export type VariableOf = (name: string) => { readonly address: bigint; readonly bytes: number } | undefined;

const wordBytes = 4n;
const firstAddress = 0x70_4000_0000n;
const threadBytes = 0x1_0000n;

export const readX86Columns = (test: LitmusTest, variableOf: VariableOf): X86Column[] =>
  test.columns.map((column) => readColumn(column, test.architecture === 'X86', variableOf));

function readColumn(column: Column, isIntel: boolean, variableOf: VariableOf): X86Column {
  const base = firstAddress + BigInt(column.thread) * threadBytes;
  const labels = new Map<string, bigint>();
  let end = base;
  for (const line of column.lines) {
    if (line.kind === 'instruction') end += wordBytes;
    else if (labels.has(line.name)) throw refuse(line.at, `label ${line.name} is defined already`);
    else labels.set(line.name, end);
  }
  const instructions: Decoded[] = [];
  const texts: string[] = [];
  for (const line of column.lines) {
    if (line.kind !== 'instruction') continue;
    instructions.push(decodedX86(readInstruction(line.text, line.at, isIntel, labels, variableOf)));
    texts.push(line.text);
  }
  return { thread: column.thread, base, code: makeX86Code(base, instructions, texts), labels };
}

/** Size suffixes of AT&T's mnemonics. */
const suffixes: Readonly<Record<string, X86Bytes>> = { B: 1, W: 2, L: 4, Q: 8 };
const lockable: ReadonlySet<string> = new Set([
  'ADD',
  'SUB',
  'AND',
  'OR',
  'XOR',
  'INC',
  'DEC',
  'XADD',
  'CMPXCHG',
  'XCHG',
]);

function readInstruction(
  text: string,
  at: Spot,
  isIntel: boolean,
  labels: ReadonlyMap<string, bigint>,
  variableOf: VariableOf,
): X86Instruction {
  const [, lock, word, rest] = /^(lock\s+)?([a-z]+)\s*(.*)$/i.exec(text) ?? [];
  if (word === undefined || rest === undefined) throw refuse(at, `"${clipped(text)}" is no instruction`);
  const { mnemonic, suffix } = splitMnemonic(word.toUpperCase(), at);
  const isLocked = lock !== undefined;
  const { operands: count } = x86Meanings.get(mnemonic)!;
  if (mnemonic.startsWith('J')) {
    const target = labels.get(rest.trim());
    if (target === undefined) throw refuse(at, `there is no label "${clipped(rest.trim())}" in this column`);
    return { mnemonic, isLocked, bytes: 4, first: noOperand, second: noOperand, target };
  }
  const parts = rest.trim() === '' ? [] : rest.split(/,(?![^(]*\))/).map((part) => part.trim());
  if (parts.length !== count) throw refuse(at, `${mnemonic} has ${count} operands, not ${parts.length}`);
  const read = parts.map((part) => readOperand(part, at, variableOf));
  const operands = isIntel ? read : [...read].reverse();
  const memories = operands.filter(({ operand }) => operand.kind === 'memory');
  if (memories.length > 1) throw refuse(at, `${mnemonic}: at most one operand is in memory`);
  const isBare = operands[0]?.operand.kind === 'immediate' && mnemonic !== 'CMP';
  if (
    isBare ||
    (mnemonic === 'XADD' || mnemonic === 'CMPXCHG' || mnemonic === 'XCHG'
      ? operands[1]?.operand.kind === 'immediate'
      : false)
  ) {
    throw refuse(at, `${mnemonic} does not write to a number`);
  }
  if (isLocked && (!lockable.has(mnemonic) || operands[0]?.operand.kind !== 'memory') && mnemonic !== 'XCHG') {
    throw refuse(at, `LOCK is for instructions that modify memory`);
  }
  const registerBytes = operands.flatMap(({ operand, bytes }) => (operand.kind === 'register' ? [bytes!] : []));
  if (new Set(registerBytes).size > 1) throw refuse(at, `${mnemonic}: the registers differ in size`);
  const bytes = suffix ?? registerBytes[0] ?? memories[0]?.bytes ?? 4;
  if (registerBytes.some((size) => size !== bytes))
    throw refuse(at, `${mnemonic}: the register is not of ${bytes} bytes`);
  const [first = noOperand, second = noOperand] = operands.map(({ operand }) => operand);
  return { mnemonic, isLocked, bytes, first, second, target: undefined };
}

function splitMnemonic(word: string, at: Spot): { readonly mnemonic: string; readonly suffix: X86Bytes | undefined } {
  if (x86Meanings.has(word)) return { mnemonic: word, suffix: undefined };
  const [stem, suffix] = [word.slice(0, -1), suffixes[word.at(-1)!]];
  if (suffix !== undefined && (x86Meanings.get(stem)?.operands ?? 0) > 0) return { mnemonic: stem, suffix };
  throw refuse(at, `no instruction "${word}"`, hint(word, x86Meanings.keys()));
}

interface ReadOperand {
  readonly operand: X86Operand;
  /** Of a register, or of the variable that is named. */
  readonly bytes: X86Bytes | undefined;
}

/** `%eax`, `EAX`, `$1`, `[x]`, `(x)`, `x`, `[EAX+4]`, `4(%rax)`. */
function readOperand(text: string, at: Spot, variableOf: VariableOf): ReadOperand {
  const register = generalRegister(text.replace(/^%/, ''));
  if (register !== undefined) return { operand: { kind: 'register', number: register.number }, bytes: register.bytes };
  const immediate = /^\$?(-?(?:0x[0-9a-f]{1,16}|\d{1,20}))$/i.exec(text)?.[1];
  if (immediate !== undefined) {
    return { operand: { kind: 'immediate', value: numberOf(immediate) }, bytes: undefined };
  }
  const address = /^\$(\w+)$/.exec(text)?.[1];
  const named = address === undefined ? undefined : variableOf(address);
  if (named !== undefined) return { operand: { kind: 'immediate', value: named.address }, bytes: 8 };
  const [, before, inside, after] =
    /^(-?\w*)\(\s*%?(\w+)\s*\)()$/.exec(text) ??
    /^()\[\s*(\w+)\s*(?:([+-]\s*\w+)\s*)?\]$/.exec(text) ??
    /^()(\w+)()$/.exec(text) ??
    [];
  const displacement = (before || after || '0').replace(/[\s+]/g, '');
  const base = inside === undefined ? undefined : generalRegister(inside);
  if (inside !== undefined && /^-?(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(displacement)) {
    const offset = numberOf(displacement);
    if (base?.bytes === 8 || base?.bytes === 4) {
      return { operand: { kind: 'memory', base: base.number, displacement: offset }, bytes: undefined };
    }
    const variable = variableOf(inside);
    if (base === undefined && variable !== undefined) {
      const bytes = ([1, 2, 4, 8] as const).find((size) => size === variable.bytes);
      return { operand: { kind: 'memory', base: undefined, displacement: variable.address + offset }, bytes };
    }
  }
  throw refuse(at, `"${clipped(text)}" is no operand`, 'as in EAX, %eax, $1, [x], (x)');
}

const numberOf = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));

/** Variables that the columns speak of. */
export function* x86Names(test: LitmusTest): Generator<string> {
  for (const { lines } of test.columns) {
    for (const line of lines) {
      if (line.kind !== 'instruction' || /^\s*j/i.test(line.text)) continue;
      const operands = line.text.replace(/^(lock\s+)?[a-z]+/i, '');
      for (const [name] of operands.matchAll(/(?<![\w%])[A-Za-z_]\w*/g))
        if (generalRegister(name) === undefined) yield name;
    }
  }
}
