// The text of a litmus test: comments, and the tokens of its initial state and condition. Columns of assembly are left to columns.ts.

import { refusal } from '../../isa/assembler/source.ts';
import type { UserError } from '../../report/user-error.ts';
import type { Spot } from './test.ts';

/** Deepest nesting of parentheses and negations: what no test written by hand comes near to, and no stack runs out of. */
const deepestNesting = 200;

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'mark' | 'end';
  readonly text: string;
  readonly value: bigint;
  readonly at: Spot;
  /** Where it begins and where it ends in the text. */
  readonly start: number;
  readonly end: number;
}

/** A source with its comments blanked, so that offsets, lines and columns stay. */
export interface Source {
  readonly file: string;
  readonly text: string;
  spot(offset: number): Spot;
  /** How the architecture spells a register. */
  registerName(text: string): string;
  isRegister(text: string): boolean;
}

export function refuse(at: Spot, message: string, hint?: string): UserError {
  return refusal(at, at.column, message, hint);
}

/** `(* … *)`, nested as in OCaml; a quoted string may hold the marks. */
export function makeSource(raw: string, file: string): Source {
  const starts = [0];
  for (let at = raw.indexOf('\n'); at >= 0; at = raw.indexOf('\n', at + 1)) starts.push(at + 1);
  const spot = (offset: number): Spot => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file, line: low + 1, column: offset - starts[low]! + 1 };
  };
  const blanked: string[] = [];
  let kept = 0;
  for (let at = 0; at < raw.length; at += 1) {
    if (raw[at] === '"') {
      const close = raw.indexOf('"', at + 1);
      if (close > 0) at = close;
    } else if (raw.startsWith('(*', at)) {
      const end = endOfComment(raw, at);
      if (end === undefined) throw refuse(spot(at), 'the comment is not closed');
      blanked.push(raw.slice(kept, at), raw.slice(at, end).replace(/[^\n]/g, ' '));
      kept = end;
      at = end - 1;
    }
  }
  blanked.push(raw.slice(kept));
  return { file, text: blanked.join(''), spot, registerName: (name) => name, isRegister: () => false };
}

function endOfComment(raw: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < raw.length;) {
    if (raw.startsWith('(*', at)) {
      depth += 1;
      at += 2;
    } else if (raw.startsWith('*)', at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else at += 1;
  }
  return undefined;
}

const patterns = {
  space: /\s+/y,
  number: /0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+/y,
  word: /[A-Za-z_.%$][\w.%$]*/y,
  string: /"[^"]*"/y,
  mark: /\/\\|\\\/|=>|<>|!=|==|[^\s\w]/y,
};

/** The longest number that is read: what fits in 128 bits. */
const mostBits = 128n;

function tokenAt(source: Source, start: number): Token {
  const { text } = source;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = start;
    return pattern.exec(text)?.[0];
  };
  const at = source.spot(start);
  const token = (kind: Token['kind'], read: string, value = 0n, shown = read): Token => ({
    kind,
    text: shown,
    value,
    at,
    start,
    end: start + read.length,
  });
  const number = match(patterns.number);
  if (number !== undefined) {
    if (/[A-Za-z_]/.test(text[start + number.length] ?? '')) {
      throw refuse(at, `malformed number "${/^\w+/.exec(text.slice(start, start + 80))![0]}"`);
    }
    const value = number.length > 130 ? 1n << mostBits : BigInt(number);
    if (value >> mostBits !== 0n) throw refuse(at, 'a number that does not fit in 128 bits');
    return token('number', number, value);
  }
  const word = match(patterns.word);
  if (word !== undefined) return token('word', word);
  if (text[start] === '"') {
    const string = match(patterns.string);
    if (string === undefined) throw refuse(at, 'the string is not closed');
    return token('string', string, 0n, string.slice(1, -1));
  }
  return token('mark', match(patterns.mark)!);
}

/** A reader of tokens that names what it expected. */
export class TokenReader {
  private readonly source: Source;
  private readonly limit: number;
  private current: Token;
  /** End of the token that was read last. */
  private consumed: number;
  private depth = 0;

  constructor(source: Source, from: number, limit: number) {
    this.source = source;
    this.limit = limit;
    this.consumed = from;
    this.current = this.scan(from);
  }

  private scan(from: number): Token {
    patterns.space.lastIndex = from;
    const start = patterns.space.test(this.source.text) ? patterns.space.lastIndex : from;
    if (start >= this.limit) {
      const at = this.source.spot(this.limit);
      return { kind: 'end', text: '', value: 0n, at, start: this.limit, end: this.limit };
    }
    return tokenAt(this.source, start);
  }

  registerName(text: string): string {
    return this.source.registerName(text);
  }

  isRegister(text: string): boolean {
    return this.source.isRegister(text);
  }

  peek(): Token {
    return this.current;
  }

  /** The token after the next one. */
  second(): Token {
    return this.scan(this.current.end);
  }

  /** The next tokens. */
  ahead(count: number): readonly Token[] {
    const tokens = [this.current];
    while (tokens.length < count) tokens.push(this.scan(tokens.at(-1)!.end));
    return tokens;
  }

  next(): Token {
    const token = this.current;
    this.consumed = token.end;
    this.current = this.scan(token.end);
    return token;
  }

  /** Where reading stopped. */
  get position(): number {
    return this.consumed;
  }

  sees(text: string): boolean {
    return this.current.kind !== 'string' && this.current.text === text;
  }

  accept(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next();
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected(`"${text}"`);
  }

  word(what: string): Token {
    if (this.current.kind !== 'word') throw this.unexpected(what);
    return this.next();
  }

  number(what: string, most = Number.MAX_SAFE_INTEGER): number {
    const { kind, value, at } = this.current;
    if (kind !== 'number') throw this.unexpected(what);
    if (value > BigInt(most)) throw refuse(at, `${value} is too large: ${what} of at most ${most} is expected`);
    this.next();
    return Number(value);
  }

  unexpected(what: string): UserError {
    return refuse(this.current.at, `expected ${what}, not ${described(this.current)}`);
  }

  /** Reads a part that may hold itself. */
  nested<T>(read: () => T): T {
    if (this.depth >= deepestNesting) throw refuse(this.current.at, `nested deeper than ${deepestNesting} times`);
    this.depth += 1;
    const result = read();
    this.depth -= 1;
    return result;
  }
}

export function described(token: Token): string {
  if (token.kind === 'end') return 'the end';
  return token.kind === 'string' ? 'a string' : `"${token.text}"`;
}

/** A piece of the source in one line of a message. */
export function clipped(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}
