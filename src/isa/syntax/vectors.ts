// SIMD&FP registers by their vector names: an element, as in `v3.d[1]`.

import type { Fields, Operand } from '../syntax.ts';
import { readNumber } from './numbers.ts';

/** The letters of element sizes. */
export type ElementLetter = 'b' | 'h' | 's' | 'd';

/** Element `index(f)` of the register in a field, where the fields that are known decide the index. */
export function lane(field: string, letter: ElementLetter, index: (f: Fields) => number): Operand {
  return {
    print: (f) => `v${f[field]!}.${letter}[${index(f)}]`,
    read: (reader) => {
      const [, digits] = new RegExp(`^v(0|[1-9]\\d?)\\.${letter}$`).exec(reader.word() ?? '') ?? [];
      if (digits === undefined || Number(digits) > 31)
        return reader.expected(`an element of v0.${letter} to v31.${letter}`);
      reader.next();
      if (!reader.accept('[')) return reader.expected('[');
      const wanted = index(reader.fields);
      const value = readNumber(reader, { what: 'element', least: wanted, most: wanted });
      if (value === undefined) return false;
      return reader.accept(']') ? reader.set(field, Number(digits)) : reader.expected(']');
    },
  };
}
