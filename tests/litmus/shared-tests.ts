// The published tests beside the checkout, where they are: each with the final states that herd7 prints.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the checkout. */
const folder = join(import.meta.dirname, '../../../shared/litmus');
const index = join(folder, 'expected.jsonl');

export interface SharedTest {
  readonly path: string;
  readonly name: string;
  readonly condition: string;
  readonly group: 'user' | 'mixed' | 'system' | 'ifetch';
  readonly variant: string;
  readonly states: readonly string[];
  readonly observation: string;
  readonly verdict: string;
  readonly herd_seconds: number;
}

export const sharedTests: readonly SharedTest[] = existsSync(index)
  ? readFileSync(index, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SharedTest)
  : [];

export const textOf = (test: SharedTest): string => readFileSync(join(folder, test.path), 'utf8');
