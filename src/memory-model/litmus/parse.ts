// From the text of a litmus test to the test (herd7's manual, "Litmus test sources"): its name, information, initial state, columns and
// condition, in this order. Nothing is checked here that is not syntax: program.ts knows what the words mean.

import { readColumns } from './columns.ts';
import { readEnding } from './condition.ts';
import { readInitialState } from './initial-state.ts';
import type { Architecture, LitmusTest } from './test.ts';
import { generalRegister, registerName } from '../x86-registers.ts';
import { clipped, makeSource, refuse, type Source } from './text.ts';

const architectures: readonly Architecture[] = ['AArch64', 'X86_64', 'X86'];

/** A64: in capitals, and a W register as the lower half of the X register that it is printed as. */
function a64RegisterName(text: string): string {
  const name = text.toUpperCase();
  if (/^W(?:\d{1,2}|SP|ZR)$/.test(name)) return name === 'WSP' ? 'SP' : `X${name.slice(1)}`;
  return name === 'LR' ? 'X30' : isA64Register(name) ? name : text;
}

const isA64Register = (text: string): boolean => /^(?:[WXBHSDQV]\d{1,2}|[WX]ZR|W?SP|LR)$/i.test(text);

/** x86: the widest register of the architecture, in the letters of herd7. */
const x86RegisterName =
  (bytes: 4 | 8) =>
  (text: string): string => {
    const register = generalRegister(text.replace('%', ''));
    if (register === undefined) return text;
    const name = registerName({ number: register.number, bytes });
    return bytes === 8 ? name.toLowerCase() : name;
  };

const isX86Register = (text: string): boolean => generalRegister(text.replace('%', '')) !== undefined;

const registers: Readonly<Record<Architecture, Pick<Source, 'registerName' | 'isRegister'>>> = {
  AArch64: { registerName: a64RegisterName, isRegister: isA64Register },
  X86_64: { registerName: x86RegisterName(8), isRegister: isX86Register },
  X86: { registerName: x86RegisterName(4), isRegister: isX86Register },
};

/** Names that are used for the same. */
const otherNames: Readonly<Record<string, Architecture>> = { ARM64: 'AArch64', X86_64: 'X86_64', x86_64: 'X86_64' };

/** The largest test is some 10 KB; a file this long is something else. */
const longestBytes = 1 << 20;

/** Parses a test; a UserError names file, line and column of what is wrong. */
export function parseLitmus(text: string, file: string): LitmusTest {
  const start = { file, line: 1, column: 1 };
  if (text.length > longestBytes) throw refuse(start, `longer than ${longestBytes} bytes: no litmus test`);
  const source = makeSource(text.replace(/^\uFEFF/, '').replaceAll('\r', ' '), file);
  const { architecture, name, end: headEnd } = readFirstLine(source);
  const open = openingBrace(source, headEnd);
  const { documentation, info } = readHeader(source.text.slice(headEnd, open));
  const named: Source = { ...source, ...registers[architecture] };
  const { items, end } = readInitialState(named, open);
  const { columns, end: columnsEnd } = readColumns(named, end);
  const ending = readEnding(named, columnsEnd);
  return { architecture, name, file, documentation, info, initial: items, columns, ...ending };
}

function readFirstLine(source: Source): { architecture: Architecture; name: string; end: number } {
  const { text } = source;
  const first = /\s*(\S+)[ \t]*([^\n]*)/y;
  first.lastIndex = 0;
  const match = first.exec(text);
  if (match === null) throw refuse(source.spot(0), 'the file is empty: no litmus test');
  const word = match[1]!;
  const architecture = architectures.find((known) => known === word) ?? otherNames[word];
  const at = source.spot(match[0].indexOf(word));
  if (architecture === undefined) {
    throw refuse(at, `a test for "${clipped(word)}"`, `known are ${architectures.join(', ')}`);
  }
  const name = match[2]!.trim().replace(/\.litmus$/, '');
  if (name === '') throw refuse(at, 'the test has no name');
  return { architecture, name, end: first.lastIndex };
}

/** The brace that opens the initial state: the first one outside quotes. */
function openingBrace(source: Source, from: number): number {
  const found = /"[^"]*"|\{/g;
  found.lastIndex = from;
  for (let match = found.exec(source.text); match !== null; match = found.exec(source.text)) {
    if (match[0] === '{') return match.index;
  }
  throw refuse(source.spot(from), 'the test has no initial state: "{" is missing');
}

/** The quoted documentation, and the lines `Key=value`. */
function readHeader(header: string): { documentation: string; info: Map<string, string> } {
  const info = new Map<string, string>();
  const quotes: string[] = [];
  const lines = header.replace(/"([^"]*)"/g, (_, quote: string) => {
    quotes.push(quote);
    return '';
  });
  for (const line of lines.split('\n')) {
    const [, key, value] = /^\s*([A-Za-z][\w ]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) info.set(key.toLowerCase(), value);
  }
  return { documentation: quotes.join(' '), info };
}
