// The text of a cat file, and how what is wrong with it is said: one sentence, with file, line and column.

import { UserError } from '../../report/user-error.ts';

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

function lineAndColumn({ source, start }: Span): string {
  const before = source.text.slice(0, start).split('\n');
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

/** FILE:LINE:COLUMN. */
export const placeOf = (span: Span): string => `${span.source.path}:${lineAndColumn(span)}`;

export function refuse(message: string, span: Span, hint?: string): never {
  throw new UserError(`${placeOf(span)}: ${message}`, hint);
}
