// Unmodified programs of Debian's arm64 archive (fetch-debian.sh): one run under Heddle and one under qemu-aarch64, each in a folder of its own
// with the same files, and what can be compared of them.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect } from 'vitest';
import { hasQemu, heddleRun, inFolder, qemu, runUnderQemu } from './suite.ts';

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/debian-arm64');
/** The programs and their libraries. */
export const root = resolve(cache, 'root');
/** Both sides of a comparison are there. */
export const isComparable = hasQemu && existsSync(resolve(cache, 'complete'));

export interface Comparison {
  /** Below `root`. */
  readonly program: string;
  readonly words: readonly string[];
  readonly input?: string;
  readonly cores?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the folder holds at the beginning. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files that are made, and are compared too. */
  readonly makes?: readonly string[];
  /** Under qemu-aarch64 something else is started, that is to do the same. */
  readonly underQemu?: Pick<Comparison, 'program' | 'words'>;
  /** The program starts others by name. */
  readonly startsOthers?: boolean;
  /** What is comparable of the standard output, where not all of it is. */
  readonly comparable?: (stdout: string) => string;
}

/** Of one run: only what hangs takes so long, also where many other processes run. */
const timeoutMs = 600_000;
/** Of a comparison. */
export const comparisonMs = 2 * timeoutMs;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly made: readonly string[];
}

const isElf = (path: string): boolean =>
  statSync(path).isFile() && readFileSync(path).toString('latin1', 0, 4) === '\x7fELF';

/** What a program under qemu-aarch64 starts, the host starts: scripts of these names, each of which begins qemu-aarch64 anew. */
function makeStarters(folder: string): void {
  for (const directory of ['bin', 'usr/bin'])
    for (const name of readdirSync(resolve(root, directory))) {
      const program = resolve(root, directory, name);
      if (!existsSync(program) || !isElf(program)) continue;
      const starter = `#!/bin/sh\nexec '${qemu}' -L '${root}' -0 '${name}' '${program}' "$@"\n`;
      writeFileSync(resolve(folder, name), starter, { mode: 0o755 });
    }
}

function outcomeOf(
  { files = {}, makes = [], comparable = (stdout) => stdout }: Comparison,
  run: (folder: string) => Pick<Outcome, 'code' | 'stdout'>,
): Outcome {
  return inFolder((folder) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(resolve(folder, name)), { recursive: true });
      writeFileSync(resolve(folder, name), content, 'latin1');
    }
    const { code, stdout } = run(folder);
    return {
      code,
      stdout: comparable(stdout),
      made: makes.map((name) => readFileSync(resolve(folder, name)).toString('base64')),
    };
  });
}

function underHeddle(comparison: Comparison): Outcome {
  const { program, words, input = '', cores = 1, environment = {} } = comparison;
  const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  return outcomeOf(comparison, (folder) =>
    heddleRun(
      [
        ...['--sysroot', root, '--workdir', folder, '--cores', String(cores), '--memory', '1G', ...variables],
        ...[resolve(root, program), '--', ...words],
      ],
      { input, timeoutMs },
    ),
  );
}

function underQemu(comparison: Comparison): Outcome {
  const { input = '', environment = {}, startsOthers = false } = comparison;
  const { program, words } = comparison.underQemu ?? comparison;
  const run = (PATH: string): Outcome =>
    outcomeOf(comparison, (cwd) =>
      runUnderQemu(['-L', root, resolve(root, program), ...words], {
        input,
        cwd,
        env: { ...environment, PATH },
        timeoutMs,
      }),
    );
  if (!startsOthers) return run('/none');
  return inFolder((starters) => {
    makeStarters(starters);
    return run(starters);
  });
}

/** Both do the same, and end with this code: that of a program that has found what it needs. */
export function expectTheSame(comparison: Comparison, code = 0): void {
  const theirs = underQemu(comparison);
  expect(underHeddle(comparison)).toEqual(theirs);
  expect(theirs.code).toBe(code);
}
