import { expect, test } from 'vitest';
import { renewEngines, runCase, wordsCase } from './random-words.ts';
import { watchdog } from './watchdog.ts';

const wordCount = Number(process.env['HEDDLE_FUZZ_WORDS'] ?? 100_000);
const seed = Number(process.env['HEDDLE_FUZZ_SEED'] ?? 1);
/** A translated case costs a module or more, ten times a stepped one. */
const casesPerComparison = 6;
const casesPerEngine = 5000;
const mostFailures = 5;

test(
  `${wordCount} random instruction words crash nothing, hang nothing, and are read alike by step and translate`,
  { timeout: 60_000 + wordCount * 3 },
  async () => {
    const dog = watchdog(`random words, seed ${seed}, case`);
    const failures: string[] = [];
    let words = 0;
    for (let index = 0; words < wordCount && failures.length < mostFailures; index += 1) {
      dog.progress(index);
      if (index % casesPerEngine === casesPerEngine - 1) renewEngines();
      const failure = runCase(seed, index, index % casesPerComparison === 0);
      if (failure !== undefined) failures.push(failure);
      words += wordsCase(seed, index).count;
    }
    await dog.stop();
    expect(failures.join('\n\n')).toBe('');
    expect(words).toBeGreaterThanOrEqual(wordCount);
  },
);
