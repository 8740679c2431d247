// The conductor lockstep's promise: the same program and seed are the same run to the bit, whatever the number of host threads.

import { describe, expect, test } from 'vitest';
import { elfOf, heddle } from './built.ts';

const timeout = 180_000;

interface Run {
  readonly report: { readonly traceHash: string; readonly instructions: number; readonly seed: number };
  readonly document: string;
  readonly console: string;
}

async function run(name: string, seed: number, ...more: readonly string[]): Promise<Run> {
  const { stdout, stderr, code } = await heddle(['run', elfOf(name), '--cores=8', `--seed=${seed}`, '--json', ...more]);
  expect([0, 1]).toContain(code);
  return { report: JSON.parse(stdout) as Run['report'], document: stdout, console: stderr };
}

describe('a guest that races', () => {
  test(
    'has the same trace hash, report and console in 20 runs, some with 1, 2 or 3 host threads',
    { timeout },
    async () => {
      const first = await run('racy-counter', 7);
      expect(first.report.traceHash).toMatch(/^[0-9a-f]{32}$/);
      const hostThreads = [undefined, 1, 2, 3];
      for (let n = 1; n < 20; n += 1) {
        const threads = hostThreads[n % hostThreads.length];
        const again = await run('racy-counter', 7, ...(threads === undefined ? [] : [`--host-threads=${threads}`]));
        expect(again, `run ${n}, ${threads ?? 'default'} host threads`).toEqual(first);
      }
    },
  );

  test('runs otherwise with another seed', { timeout }, async () => {
    const hashes = new Set<string>();
    for (const seed of [7, 8, 9]) hashes.add((await run('racy-counter', seed)).report.traceHash);
    expect(hashes.size).toBe(3);
  });
});

test.each([
  { name: 'spinlocks', hostThreads: [2, 3] },
  { name: 'wfe-mutex', hostThreads: [2, 3] },
  { name: 'selfmod', hostThreads: [2] },
  { name: 'crossmod', hostThreads: [2] },
  { name: 'mmu-shootdown', hostThreads: [2] },
  { name: 'psci', hostThreads: [2] },
])('$name runs the same on 1 and $hostThreads host threads', { timeout }, async ({ name, hostThreads }) => {
  const one = await run(name, 7, '--host-threads=1');
  for (const threads of hostThreads) {
    expect(await run(name, 7, `--host-threads=${threads}`), `${threads} host threads`).toEqual(one);
  }
});

test('a run without --json writes the same console twice', { timeout }, async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => heddle(['run', elfOf('ring-racy'), '--cores=8', '--seed=7'])),
  );
  expect(first!.stdout).toBe(second!.stdout);
  expect(first!.code).toBe(second!.code);
});
