// The groups of vectors as test files have them: each file is a process of its own, and each takes about as long as the others.

import { describe, expect, test } from 'vitest';
import type { Group } from '../vectors/encodings.ts';
import { runGroup } from './vector-machine.ts';

export const VECTOR_GROUPS = {
  base: [
    'data-processing-immediate',
    'data-processing-register',
    'branches',
    'system',
    'loads-stores',
    'exclusives-ordered',
    'atomics',
    'pointer-authentication',
  ],
  float: ['float', 'simd-float'],
  simd: ['simd', 'simd-products', 'simd-loads-stores', 'structures', 'crypto'],
} as const satisfies Record<string, readonly Group[]>;

/** Both engines against every vector of the groups. */
export function describeVectors(groups: readonly Group[]): void {
  describe('step and translate do what qemu-aarch64 does', () => {
    test.each(groups)('in every vector of %s', { timeout: 240_000 }, (group) => {
      const { failures, count } = runGroup(group, ['step', 'translate']);
      expect(failures).toEqual([]);
      expect(count).toBeGreaterThan(0);
    });
  });
}
