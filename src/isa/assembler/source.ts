// Places in a source, and refusals that name them.

import { UserError } from '../../report/user-error.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** `loop.s:3:7: no instruction "ad"`. Columns count from 1. */
export function refusal(place: Place, column: number, message: string, hint?: string): UserError {
  return new UserError(`${place.file}:${place.line}:${column}: ${message}`, hint);
}
