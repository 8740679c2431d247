// The programs for Linux (tests/guests/src/linux), under Heddle and under qemu-aarch64, with the same input, words and environment.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { RunOptions } from '../../src/board/run-options.ts';

const checkout = resolve(import.meta.dirname, '../..');
const main = resolve(checkout, 'dist/src/cli/main.js');
export const suite = resolve(checkout, 'tests/guests/bin/linux/suite');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Start {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A hang ends then. */
  readonly timeoutMs?: number;
}

function start(
  command: string,
  args: readonly string[],
  { input = '', cwd = checkout, env, timeoutMs = 280_000 }: Start = {},
): Ended {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    input,
    cwd,
    encoding: 'latin1',
    timeout: timeoutMs,
    maxBuffer: 1 << 26,
    ...(env && { env }),
  });
  return { code: status, signal, stdout, stderr };
}

/** `heddle run` with these words. */
export const heddleRun = (args: readonly string[], options?: Start): Ended =>
  start(process.execPath, [main, 'run', ...args], options);

const qemuPath = (process.env.PATH ?? '')
  .split(':')
  .map((directory) => resolve(directory, 'qemu-aarch64'))
  .find((path) => existsSync(path));
export const hasQemu = qemuPath !== undefined;
/** By its whole path: programs under it have a PATH of their own. */
export const qemu = qemuPath ?? 'qemu-aarch64';

/** The options of a run of an executable, for a machine in this process. */
export const goodRun = (bytes: Uint8Array): RunOptions => ({
  cores: 1,
  memoryBytes: 64 * 1024 * 1024,
  gicVersion: 3,
  virtualization: false,
  secure: false,
  cpu: 'max',
  image: { path: 'prog', bytes },
  conductor: 'lockstep',
  hostThreads: 1,
  seed: 1,
  devices: [],
  semihosting: false,
  stats: false,
  json: false,
});

export interface Program {
  readonly name: string;
  readonly exitCode: number;
  /** qemu-aarch64 has no robust lists, cannot start itself by /proc/self/exe, and has not every call. */
  readonly qemu: boolean;
  /** Numbers of cores that it is run on. */
  readonly cores: readonly number[];
}

const all = [1, 2, 4, 16];
/** Where little or nothing runs at once. */
const some = [1, 4];

export const programs: readonly Program[] = [
  { name: 'start', exitCode: 42, qemu: true, cores: all },
  { name: 'threads', exitCode: 0, qemu: true, cores: all },
  { name: 'lockfree', exitCode: 0, qemu: true, cores: all },
  { name: 'memory', exitCode: 0, qemu: true, cores: all },
  // Ends by SIGTERM.
  { name: 'signals', exitCode: 143, qemu: true, cores: all },
  { name: 'files', exitCode: 0, qemu: true, cores: all },
  { name: 'timing', exitCode: 0, qemu: true, cores: all },
  { name: 'events', exitCode: 0, qemu: true, cores: some },
  { name: 'jobs', exitCode: 0, qemu: true, cores: some },
  { name: 'locks', exitCode: 0, qemu: true, cores: some },
  { name: 'timers', exitCode: 0, qemu: true, cores: some },
  { name: 'cpu-timers', exitCode: 0, qemu: true, cores: some },
  { name: 'transfers', exitCode: 0, qemu: true, cores: [1] },
  { name: 'sockets', exitCode: 0, qemu: true, cores: some },
  { name: 'faults', exitCode: 0, qemu: true, cores: [1] },
  { name: 'more-faults', exitCode: 0, qemu: false, cores: [1] },
  { name: 'beyond', exitCode: 0, qemu: false, cores: some },
  { name: 'processes', exitCode: 0, qemu: false, cores: all },
  { name: 'robust', exitCode: 0, qemu: false, cores: all },
];

export const expectedOf = (name: string): string =>
  readFileSync(resolve(checkout, `tests/guests/expected/linux/${name}.txt`), 'latin1');

/** Gives a fresh directory to `act`. */
export function inFolder<Result>(act: (folder: string) => Result): Result {
  const folder = mkdtempSync(resolve(tmpdir(), 'heddle-linux-'));
  try {
    return act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const words = ['a', 'b c'];
const input = 'hi\n';

export const runSuite = (name: string, options: readonly string[]): Ended =>
  inFolder((folder) =>
    heddleRun([...options, '--workdir', folder, '--env', 'WORD=w', suite, '--', name, ...words], { input }),
  );

/**
 * qemu-aarch64 with these words, and with none of the host's environment but the same as a program under Heddle has. What the program writes
 * goes into a folder of its own, unless one is given.
 */
export const runUnderQemu = (args: readonly string[], options: Start = {}): Ended =>
  inFolder((folder) =>
    start(qemu, args, { cwd: folder, ...options, env: { PATH: '/none', HOME: '/', LANG: 'C', ...options.env } }),
  );

export const runSuiteUnderQemu = (name: string): Ended =>
  runUnderQemu([suite, name, ...words], { input, env: { WORD: 'w' } });
