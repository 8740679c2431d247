// Programs of threads (tests/guests/src/linux/pthreads): what they print is what they print under qemu-aarch64, static and dynamic, on any
// number of cores, with any seed; and a run is the same again, with any number of host threads. HEDDLE_THREADS=all (npm run
// threads:compare) makes ten runs of all of them on each number of cores; else ten are made of some.

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isComparable, root } from './debian.ts';
import { expectedOf, hasQemu, heddleRun, runUnderQemu, suite } from './suite.ts';

const isLong = process.env.HEDDLE_THREADS === 'all';
const coreCounts = [1, 2, 4, 16];
const runs = 10;

const program = resolve(suite, '../pthreads');
const dynamic = resolve(suite, '../pthreads-dynamic');
const expected = expectedOf('pthreads');

/** What these programs have to print. */
const expectedParts = (...names: readonly string[]): string =>
  names.map((name) => expected.slice(expected.indexOf(`${name}\n`)).match(/^\w+\n(?:.* .*\n)+/)?.[0] ?? '').join('');

const options = (cores: number, more: Readonly<Record<string, number>> = {}): string[] => [
  '--cores',
  String(cores),
  ...Object.entries(more).flatMap(([name, value]) => [`--${name}`, String(value)]),
];

interface Document {
  readonly exitCode: number;
  readonly traceHash: string;
}

/** The run's document, and what the programs have printed: standard error has it, after the line that names the run. */
function runOf(words: readonly string[], ...of: Parameters<typeof options>): { document: Document; printed: string } {
  const { stdout, stderr } = heddleRun(['--json', ...options(...of), program, '--', ...words]);
  return { document: JSON.parse(stdout) as Document, printed: stderr.slice(stderr.indexOf('\n') + 1) };
}

describe('programs of threads', () => {
  it.each(coreCounts)('print what they print under Linux, on %i cores', { timeout: 120_000 }, (cores) => {
    const { code, stdout } = heddleRun([...options(cores), program, '--']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expected });
  });

  it.skipIf(!isComparable)('print the same with the libraries of Debian, on 2 cores', { timeout: 120_000 }, () => {
    const { code, stdout } = heddleRun([...options(2), '--sysroot', root, dynamic, '--']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expected });
  });

  it.skipIf(!hasQemu)('print the same under qemu-aarch64', { timeout: 120_000 }, () => {
    const { code, stdout } = runUnderQemu([program]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expected });
  });

  it('are 64 threads on 64 cores', { timeout: 120_000 }, () => {
    const { code, stdout } = heddleRun([...options(64), program, '--', 'crowd']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expectedParts('crowd') });
  });

  it('are 256 threads on 3 cores', { timeout: 120_000 }, () => {
    const { code, stdout } = heddleRun([...options(3), program, '--', 'hundreds']);
    const squares = (255 * 256 * 511) / 6;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `hundreds\n256 at once: squares ${squares}, too early 0\n` });
  });

  it('end with a mutex, and with the program of a process', { timeout: 120_000 }, () => {
    const { code, stdout } = heddleRun([...options(4), program, '--', 'robust', 'execs']);
    expect({ code, stdout: stdout.split('\n') }).toEqual({
      code: 0,
      stdout: [
        'robust',
        'owner died 1, not recoverable 1',
        'waiters: 1 heard of it, 2 had it after',
        'killed with it 1, consistent 1',
        'execs',
        'child of a thread',
        'exec by a thread: exit 9',
        '',
      ],
    });
  });
});

describe('a run of threads', () => {
  const chosen = isLong ? [] : ['conditions'];
  it.each(isLong ? coreCounts : [4])(
    'is the same to the bit ten times, with any number of host threads, on %i cores',
    { timeout: 280_000 },
    (cores) => {
      const first = runOf(chosen, cores);
      expect(first.document.exitCode).toBe(0);
      for (let n = 1; n < runs; n += 1) expect(runOf(chosen, cores, { 'host-threads': 1 + (n % 3) })).toEqual(first);
    },
  );

  it('is another one with another seed, and prints the same', { timeout: 120_000 }, () => {
    const hashes = [1, 2, 3].map((seed) => {
      const { document, printed } = runOf(['lockless'], 4, { seed });
      expect({ code: document.exitCode, printed }).toEqual({ code: 0, printed: expectedParts('lockless') });
      return document.traceHash;
    });
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
