// The samples of the benchmark are runs like any other: the same instructions as the command line counts, whatever runs them.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { guestFile, smallestGuest } from '../../bench/guests.ts';
import { selectContests, selectPrograms } from '../../bench/selection.ts';
import type { Sample } from '../../bench/sample.ts';

const built = (path: string): string => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
const file = fileURLToPath(new URL(`../guests/bin/${smallestGuest}.elf`, import.meta.url));
const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const { instructions } = JSON.parse(node(built('src/cli/main.js'), 'run', file, '--json')) as { instructions: number };

describe('a sample', () => {
  test.each(['step', 'translate', 'tiered'])('of %s runs the instructions that a run counts', (mode) => {
    const sample = JSON.parse(node(built('bench/sample.js'), file, mode, '1000000')) as Sample;
    expect(sample).toMatchObject({ instructions, exitCode: 0 });
    expect(sample.milliseconds).toBeGreaterThan(0);
    expect(sample.engine.traces > 0).toBe(mode !== 'step');
  });

  test('ends at its number of instructions', () => {
    const sample = JSON.parse(node(built('bench/sample.js'), file, 'step', '1000')) as Sample;
    expect(sample).toMatchObject({ instructions: 1000, exitCode: 0 });
  });
});

test('A benchmark that does not exist is refused by the name that was meant, or by those that there are', () => {
  expect(() => selectPrograms(['intlop'])).toThrow('there is no benchmark "intlop"');
  expect(() => selectContests(['sha-265'])).toThrow('there is no contest "sha-265"');
  expect(selectPrograms(['chase', 'intloop', 'zstd'])).toMatchObject({
    guests: [{ name: 'intloop' }, { name: 'chase' }],
    linux: [{ name: 'zstd' }],
  });
  expect(guestFile('chase')).toMatch(/tests\/guests\/bin\/chase\.elf$/);
});
