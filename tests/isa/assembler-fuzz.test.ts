// Whatever the text, the assembler gives an image or a UserError.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler.ts';
import { UserError } from '../../src/report/user-error.ts';
import { names } from './register-names.ts';

const seed = 20260;

/** True for an image; false for a refusal that names its place. Anything else is thrown on. */
function isAccepted(source: string): boolean {
  try {
    assemble(source, { file: 'fuzz.s', names });
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toMatch(/^fuzz\.s:/);
    return false;
  }
}

const lines = ['instructions.s', 'program.s', 'sections.s']
  .flatMap((file) => readFileSync(new URL(`./corpus/${file}`, import.meta.url), 'utf8').split('\n'))
  .filter((line) => line.trim() !== '');
const vocabulary = [...new Set(lines.flatMap((line) => line.match(/[\w.$]+|\S/g) ?? []))];

const word = fc.constantFrom(...vocabulary);
const soup = fc.array(word, { maxLength: 12 }).map((tokens) => tokens.join(' '));
/** A line of the corpus with one token replaced, dropped or doubled. */
const slip = fc
  .record({ line: fc.constantFrom(...lines), at: fc.nat(), by: fc.oneof(word, fc.constant('')), twice: fc.boolean() })
  .map(({ line, at, by, twice }) => {
    const tokens = line.match(/[\w.$]+|\s+|\S/g) ?? [];
    return tokens.map((token, n) => (n === at % tokens.length ? (twice ? token + by + token : by) : token)).join('');
  });

describe('the assembler never crashes', () => {
  test('on words of its language in any order', () => {
    fc.assert(
      fc.property(fc.array(soup, { maxLength: 4 }), (source) => void isAccepted(source.join('\n'))),
      { seed, numRuns: 4000 },
    );
  });

  test('on lines with a slip, of which it accepts some', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(slip, (source) => {
        if (isAccepted(source)) accepted += 1;
        else refused += 1;
      }),
      { seed, numRuns: 8000 },
    );
    expect(accepted).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(500);
  });

  test('on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (source) => void isAccepted(source)),
      { seed, numRuns: 2000 },
    );
  });
});
