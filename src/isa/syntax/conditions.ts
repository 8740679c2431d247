// Condition codes.

import type { Operand } from '../syntax.ts';

/** By number; the names that the disassembler writes. */
export const conditionNames: readonly string[] = [
  'eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', 'al', 'nv',
]; // prettier-ignore

/** Other names, accepted and not written: HS, LO, and those of SVE. */
export const conditionSynonyms: Readonly<Record<string, string>> = {
  hs: 'cs', lo: 'cc', none: 'eq', any: 'ne', nlast: 'cs', last: 'cc', first: 'mi', nfrst: 'pl', pmore: 'hi', plast: 'ls',
  tcont: 'ge', tstop: 'lt',
}; // prettier-ignore

function condition(inverted: boolean): Operand {
  const numberOf = (cond: number): number => (inverted ? cond ^ 1 : cond);
  return {
    print: (f) => conditionNames[numberOf(f.cond!)]!,
    read: (reader) => {
      const word = reader.word() ?? '';
      if (conditionNames.indexOf(conditionSynonyms[word] ?? word) !== numberOf(reader.fields.cond!)) {
        return reader.expected('a condition');
      }
      reader.next();
      return true;
    },
  };
}

/** cond as a condition code. */
export const cond: Operand = condition(false);
/** The inverse of cond: CSET, CINC and their kind. */
export const invertedCond: Operand = condition(true);

/** The conditions that have an inverse: AL and NV have none. */
export const isInvertible = (f: { readonly cond: number }): boolean => f.cond < 0b1110;
