// Published concurrent algorithms, explored to their end: they keep what they promise, and with any of their barriers missing an execution
// is found in which they do not.

import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { placesOf, run } from './example.ts';
import { examples } from './examples.ts';

const { arm, sc } = builtInModels;
/** Each takes seconds on an idle machine. */
const timeoutMs = 120_000;

describe.each(examples)('$name', (example) => {
  it(
    'keeps its promise in every execution that Armv8 allows',
    () => {
      const { failures, outcomes, isComplete, hasBound } = run(example, arm);
      expect(failures).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(0);
      expect([isComplete, hasBound]).toEqual([true, false]);
    },
    timeoutMs,
  );

  it.each(placesOf(example).map((place, n) => ({ ...place, n })))(
    'breaks with $weak for $strong in place $n, and only because of the memory model',
    ({ n }) => {
      const { failures, outcomes } = run(example, arm, n);
      expect(failures.length).toBeGreaterThan(0);
      for (const { witness } of outcomes) expect(witness?.events.length).toBeGreaterThan(0);
      expect(run(example, sc, n).failures).toEqual([]);
    },
    timeoutMs,
  );
});
