// What a misspelt word was meant to be. A swap of neighbours is one slip, which the registry's small edit-distance libraries do not count.

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function slips(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    rows.push(current);
    for (let j = 1; j <= b.length; j += 1) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, at(i - 1, j) + 1, at(i, j - 1) + 1, isSwap ? at(i - 2, j - 2) + 1 : Infinity));
    }
  }
  return at(a.length, b.length);
}

/** The known word that is one slip away, or two from a word of four letters and more, whatever the case; undefined where none is. */
function nearest(word: string, known: Iterable<string>): string | undefined {
  const lower = word.toLowerCase();
  let best: string | undefined;
  let least = word.length < 4 ? 2 : 3;
  for (const candidate of known) {
    const distance = Math.abs(candidate.length - word.length) < least ? slips(lower, candidate.toLowerCase()) : least;
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** `did you mean "memory"?`, for a word that is close to one that is known. */
export function hint(word: string, known: Iterable<string>): string | undefined {
  const near = nearest(word, known);
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

/** The hint as the end of a sentence, `, did you mean "memory"?`; empty where no word is close. */
export function suggestion(word: string, known: Iterable<string>): string {
  const said = hint(word, known);
  return said === undefined ? '' : `, ${said}`;
}
