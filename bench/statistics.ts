// What is said about the samples of several rounds: the median, and the range from the smallest to the largest. Few samples on a
// shared machine are not normally distributed; a mean and a deviation would say more than is known.

import { assert } from '../src/report/assert.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(samples: readonly number[]): Spread {
  assert(samples.length > 0, 'at least one sample');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (n: number): number => sorted[n] ?? 0;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** The mean of ratios: what is twice as fast here and half as fast there is as fast. */
export const geometricMean = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);

/** Quotients of what was measured in the same round, so that a disturbance of a round touches both. */
export const ratioOf = (ours: readonly number[], theirs: readonly number[]): Spread =>
  spreadOf(ours.map((value, round) => value / (theirs[round] ?? NaN)));
