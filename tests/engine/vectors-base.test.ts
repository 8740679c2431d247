import { expect, test } from 'vitest';
import { GROUP_NAMES } from '../vectors/encodings.ts';
import { describeVectors, VECTOR_GROUPS } from './vector-groups.ts';

test('every group of vectors is in one of the test files', () => {
  expect(Object.values(VECTOR_GROUPS).flat().sort()).toEqual([...GROUP_NAMES].sort());
});

describeVectors(VECTOR_GROUPS.base);
