// The place of the parser in the words of a file.

import type { Token } from './lexer.ts';
import { refuse, type Span } from './source.ts';

/** What is nested deeper than this was not written by a person, and would overflow the stack. */
const maxDepth = 200;

const quoted = (token: Token): string => (token.kind === 'end' ? token.text : `"${token.text}"`);

export class Cursor {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get next(): Token {
    return this.tokens[this.at]!;
  }

  /** The token after `next`. */
  get second(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)]!;
  }

  /** Whether a keyword or a symbol comes next. */
  sees(...words: readonly string[]): boolean {
    const { kind, text } = this.next;
    return (kind === 'keyword' || kind === 'symbol') && words.includes(text);
  }

  seesKind(kind: Token['kind']): boolean {
    return this.next.kind === kind;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.at += 1;
    return token;
  }

  /** Takes a keyword or a symbol if it comes next. */
  takes(...words: readonly string[]): boolean {
    if (!this.sees(...words)) return false;
    this.at += 1;
    return true;
  }

  expect(word: string, after: string): Token {
    if (!this.sees(word)) this.refuse(`"${word}"`, after);
    return this.take();
  }

  expectKind(kind: 'name' | 'string' | 'tag', what: string): Token {
    if (!this.seesKind(kind)) this.refuse(what);
    return this.take();
  }

  refuse(expected: string, after = ''): never {
    refuse(`expected ${expected}${after === '' ? '' : ` ${after}`}, found ${quoted(this.next)}`, this.next);
  }

  /** From the start of `first` to the last token that was taken. */
  since(first: Span): Span {
    return { source: first.source, start: first.start, end: this.tokens[Math.max(this.at - 1, 0)]!.end };
  }

  nested<T>(parse: () => T): T {
    if (this.depth === maxDepth) refuse(`this is nested deeper than ${maxDepth} levels`, this.next);
    this.depth += 1;
    try {
      return parse();
    } finally {
      this.depth -= 1;
    }
  }

  /** What `parse` finds, or undefined and nothing taken if it refuses. */
  attempt<T>(parse: () => T): T | undefined {
    const { at, depth } = this;
    try {
      return parse();
    } catch {
      this.at = at;
      this.depth = depth;
      return undefined;
    }
  }
}
