// The text of a cat file, and how what is wrong with it is said: one sentence, with file, line and column.

import { refusal } from '../../isa/assembler/source.ts';

export interface Source {
  /** As the user wrote it. */
  readonly path: string;
  readonly text: string;
}

/** A stretch of a source: what a token or an expression was written as. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** The words of a span on one line, for labels of edges. */
export const textOf = ({ source, start, end }: Span): string =>
  source.text
    .slice(start, end)
    .replace(/\(\*[^]*?\*\)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

export function refuse(message: string, { source, start }: Span, hint?: string): never {
  const before = source.text.slice(0, start).split('\n');
  throw refusal({ file: source.path, line: before.length }, before.at(-1)!.length + 1, message, hint);
}
