import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ratioOf, spreadOf } from '../../bench/statistics.ts';

test('The median of an even number of samples lies between the two in the middle', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([5])).toEqual({ median: 5, min: 5, max: 5 });
});

test('As many samples lie below the median as above it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (samples) => {
      const { median, min, max } = spreadOf(samples);
      const below = samples.filter((sample) => sample < median).length;
      const above = samples.filter((sample) => sample > median).length;
      expect(below).toBeLessThanOrEqual(samples.length / 2);
      expect(above).toBeLessThanOrEqual(samples.length / 2);
      expect([min, max]).toEqual([Math.min(...samples), Math.max(...samples)]);
    }),
  );
});

test('A disturbance of one round touches both sides of its ratio', () => {
  expect(ratioOf([10, 5, 20], [20, 10, 40])).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
});
