// The decoder of src/isa against the list of encodings here, which was written apart from it.

import { describe, expect, test } from 'vitest';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { ENCODINGS, armName } from './encodings.ts';
import { drawWord } from './inputs.ts';
import type { Encoding } from './pattern.ts';
import { random } from './random.ts';

const SEED = 11;
const WORDS_PER_ENCODING = 50;
const RANDOM_WORDS = 200_000;

const decode = makeDecoder(instructionSet);

/** The rows that have a name of the Arm ARM: several where it has variants. */
const byArmName = new Map<string, Encoding[]>();
for (const encoding of ENCODINGS) {
  byArmName.set(armName(encoding), [...(byArmName.get(armName(encoding)) ?? []), encoding]);
}

/** The Arm ARM's encoding name of a word, as src/isa gives it. */
function decodedName(word: number): string | undefined {
  const decoded = decode(word);
  return decoded?.row.encoding(decoded.fields);
}

const show = (word: number, name: string) => `${word.toString(16).padStart(8, '0')} ${name}`;

describe('the decoder', () => {
  test('knows every encoding by its name', () => {
    const wrong: string[] = [];
    for (const encoding of ENCODINGS) {
      const source = random(SEED, encoding.name);
      for (let i = 0; i < WORDS_PER_ENCODING; i++) {
        const word = drawWord(encoding, source);
        const name = decodedName(word);
        if (name !== armName(encoding)) wrong.push(`${show(word, encoding.name)}, decoded as ${String(name)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('gives no random word a name whose pattern the word does not have', () => {
    const source = random(SEED, 'any word');
    const wrong: string[] = [];
    let allocated = 0;
    for (let i = 0; i < RANDOM_WORDS; i++) {
      const word = source.word();
      const name = decodedName(word);
      if (name === undefined) continue;
      allocated++;
      // What is CONSTRAINED UNPREDICTABLE is allocated, though no vector is made of it.
      const isPattern = ({ mask, value }: Encoding): boolean => (word & mask) >>> 0 === value;
      if (!(byArmName.get(name) ?? []).some(isPattern)) wrong.push(show(word, name));
    }
    expect(wrong).toEqual([]);
    // About 29 words in 100 belong to the base instruction set.
    expect(allocated).toBeGreaterThan(RANDOM_WORDS / 5);
  });
});
