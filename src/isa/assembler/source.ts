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

/** The candidate that is one or two slips away from the word; undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = word.length < 4 ? 2 : 3;
  for (const candidate of candidates) {
    const distance = Math.abs(candidate.length - word.length) < least ? slips(word, candidate) : least;
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function slips(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, rows[i - 1]![j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      current.push(least);
    }
    rows.push(current);
  }
  return rows[a.length]![b.length]!;
}
