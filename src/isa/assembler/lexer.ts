// From the text of a source to its statements: comments, tokens, labels.
//
// Statements end at a line's end or at `;`. Comments are `//` to the line's end, `/* … */`, and `#` where it begins a line.

import { type Place, refusal } from './source.ts';

export interface Token {
  readonly kind: 'word' | 'number' | 'decimal' | 'local' | 'string' | 'mark' | 'end';
  /** As written; of a string, what stands between the quotes, escapes resolved, one character per byte. */
  readonly text: string;
  readonly column: number;
  /** Of a number or a character; of a local label (`1b`, `2f`) its number. */
  readonly value: bigint;
}

export interface Statement {
  readonly place: Place;
  /** `name:`, `name = …`, or an operation: an instruction or a directive. */
  readonly kind: 'label' | 'assignment' | 'operation';
  readonly head: Token;
  /** What follows the head; the last token is the end. */
  readonly operands: readonly Token[];
}

const patterns = {
  space: /[ \t\r\f]+/y,
  local: /(\d+)([bf])(?![\w.$])/y,
  decimal: /\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)(?![\w.$])/y,
  number: /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y,
  word: /[A-Za-z_.$][\w.$]*/y,
  string: /"((?:[^"\\]|\\.)*)"/y,
  character: /'(\\.|[^\\])'?/y,
  mark: /<<|>>|[^\s\w"']/y,
};

/** The source with every block comment replaced by blanks, so that lines and columns stay. */
function withoutBlockComments(source: string, file: string): string {
  return source.replace(
    /"(?:[^"\\\n]|\\.)*"|'(?:\\.|[^\\\n])|\/\/.*|\/\*[^]*?(?:\*\/|$)/g,
    (text: string, at: number) => {
      if (!text.startsWith('/*')) return text;
      if (text.length < 4 || !text.endsWith('*/')) {
        const before = source.slice(0, at).split('\n');
        throw refusal({ file, line: before.length }, before.at(-1)!.length + 1, 'the comment is not closed');
      }
      return text.replace(/[^\n]/g, ' ');
    },
  );
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, b: 8, f: 12, '\\': 92, '"': 34, "'": 39 };

const knownEscapes = 'known are \\n \\t \\r \\b \\f \\\\ \\" \\0 and \\x41';

/** The bytes of a string or a character, as characters below 256; undefined for an unknown escape. */
function unescape(text: string): string | undefined {
  if (/\\(?:[^xntrbf\\"'0-7]|x(?![0-9a-fA-F]))/.test(text.replaceAll('\\\\', ''))) return undefined;
  return text.replace(
    /\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(.))|[^\\]+/gs,
    (whole: string, hexadecimal?: string, octal?: string, letter?: string) => {
      if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal.slice(-2), 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (letter === undefined)
        return Array.from(new TextEncoder().encode(whole), (byte) => String.fromCharCode(byte)).join('');
      return String.fromCharCode(escapes[letter]!);
    },
  );
}

function tokenAt(line: string, at: number, place: Place): { token: Token; end: number } {
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(line);
  };
  const column = at + 1;
  const token = (kind: Token['kind'], text: string, value = 0n): Token => ({ kind, text, column, value });
  const local = match(patterns.local);
  // `0b1` is a binary number: the lookahead after the letter keeps it out of here.
  if (local) return { token: token('local', local[0], BigInt(local[1]!)), end: patterns.local.lastIndex };
  const decimal = match(patterns.decimal);
  if (decimal) return { token: token('decimal', decimal[0]), end: patterns.decimal.lastIndex };
  const number = match(patterns.number);
  if (number) {
    const end = patterns.number.lastIndex;
    const text = number[0];
    const octal = /^0[0-9]+$/.test(text);
    if (/[\w$]/.test(line[end] ?? '') || (octal && !/^[0-7]+$/.test(text))) {
      throw refusal(place, column, `malformed number "${/^[\w$]+/.exec(line.slice(at))![0]}"`);
    }
    const value = BigInt(octal ? `0o${text.slice(1)}` : text);
    if (value >> 64n !== 0n) throw refusal(place, column, `${text} does not fit in 64 bits`);
    return { token: token('number', text, value), end };
  }
  const word = match(patterns.word);
  if (word) return { token: token('word', word[0]), end: patterns.word.lastIndex };
  if (line[at] === '"') {
    const string = match(patterns.string);
    if (!string) throw refusal(place, column, 'the string is not closed');
    const text = unescape(string[1]!);
    if (text === undefined) throw refusal(place, column, 'unknown escape in the string', knownEscapes);
    return { token: token('string', text), end: patterns.string.lastIndex };
  }
  if (line[at] === "'") {
    const character = match(patterns.character);
    const text = character ? unescape(character[1]!) : undefined;
    if (character === null || text === undefined) throw refusal(place, column, 'malformed character constant');
    return { token: token('number', character[0], BigInt(text.charCodeAt(0))), end: patterns.character.lastIndex };
  }
  const mark = match(patterns.mark);
  if (!mark) throw refusal(place, column, `unexpected character ${JSON.stringify(line[at])}`);
  return { token: token('mark', mark[0]), end: patterns.mark.lastIndex };
}

/** The tokens of a line, without comment and end. */
function tokensOf(line: string, place: Place): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    patterns.space.lastIndex = at;
    if (patterns.space.test(line)) at = patterns.space.lastIndex;
    if (at >= line.length || line.startsWith('//', at)) return tokens;
    if (tokens.length === 0 && line[at] === '#') return tokens;
    const { token, end } = tokenAt(line, at, place);
    tokens.push(token);
    at = end;
  }
}

/** The labels of a statement, and the assignment or operation after them. */
function* statementsOf(tokens: readonly Token[], end: Token, place: Place): Generator<Statement> {
  let at = 0;
  for (;;) {
    const head = tokens[at];
    if (head === undefined) return;
    const mark = tokens[at + 1];
    const follows = (text: string): boolean => mark?.kind === 'mark' && mark.text === text;
    if ((head.kind === 'word' || head.kind === 'number') && follows(':')) {
      if (head.kind === 'number' && !/^\d+$/.test(head.text))
        throw refusal(place, head.column, `"${head.text}" is no label`);
      yield { place, kind: 'label', head, operands: [] };
      at += 2;
      continue;
    }
    if (head.kind !== 'word') {
      throw refusal(place, head.column, `expected a label, an instruction or a directive, not ${described(head)}`);
    }
    const assignment = follows('=');
    const operands = [...tokens.slice(at + (assignment ? 2 : 1)), end];
    yield { place, kind: assignment ? 'assignment' : 'operation', head, operands };
    return;
  }
}

/** A token as messages name it. */
export function described(token: Token): string {
  if (token.kind === 'end') return 'the end of the line';
  return token.kind === 'string' ? 'a string' : `"${token.text}"`;
}

/** The statements of a source in the order of its text. */
export function statements(source: string, file: string): Statement[] {
  return withoutBlockComments(source, file)
    .split('\n')
    .flatMap((line, n) => {
      const place = { file, line: n + 1 };
      const found: Statement[] = [];
      let part: Token[] = [];
      const finish = (column: number): void => {
        found.push(...statementsOf(part, { kind: 'end', text: '', column, value: 0n }, place));
        part = [];
      };
      for (const token of tokensOf(line, place)) {
        if (token.kind === 'mark' && token.text === ';') finish(token.column);
        else part.push(token);
      }
      finish(line.length + 1);
      return found;
    });
}
