// The peers: qemu-system-aarch64 on the same ELF and the same board, and qemu-aarch64 with the same Linux program. For one core, one
// host thread that translates and runs (thread=single) is the fastest way of qemu-system; for more, a thread each (MTTCG).

import { spawn, spawnSync } from 'node:child_process';
import { assert } from '../src/report/assert.ts';

const system = 'qemu-system-aarch64';
const user = 'qemu-aarch64';

export interface GuestRun {
  readonly file: string;
  readonly cores?: number;
  /** The kernel's. */
  readonly argument?: string;
}

function machine({ file, cores = 1, argument = '' }: GuestRun): readonly string[] {
  const thread = cores === 1 ? 'single' : 'multi';
  return [
    ...['-accel', `tcg,thread=${thread}`, '-M', 'virt,gic-version=3,virtualization=on', '-cpu', 'max', '-m', '512M'],
    ...['-smp', `${cores}`, '-semihosting', '-nic', 'none', '-kernel', file],
    ...(argument === '' ? [] : ['-append', argument]),
  ];
}

function versionOf(program: string): string | undefined {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error ? undefined : /version ([\d.]+)/.exec(stdout)?.[1];
}

/** The version of QEMU; undefined where there is none. */
export const qemuVersion = (): string | undefined => versionOf(system);
export const qemuUserVersion = (): string | undefined => versionOf(user);

/** Runs a guest to its end, QEMU's own start included. */
export function runQemu(run: GuestRun): void {
  const { status } = spawnSync(system, [...machine(run), '-nographic'], { stdio: 'ignore' });
  assert(status === 0, `${system} runs ${run.file} to exit code 0, not ${String(status)}`);
}

/**
 * QEMU is given so long for a guest. Where four cores stand in a queue for a lock on two processors it may take hours: the host's scheduler does
 * not know whose turn it is.
 */
export const longestQemuRunMs = 30_000;

/**
 * Milliseconds from the first instruction of a guest to its end: QEMU waits at its monitor (-S) until it is told to go on. A run that takes
 * longer than the longest has taken that.
 */
export async function timeInQemu(run: GuestRun): Promise<number> {
  const quiet = ['-display', 'none', '-serial', 'null', '-monitor', 'stdio', '-S'];
  const qemu = spawn(system, [...machine(run), ...quiet], { stdio: ['pipe', 'pipe', 'ignore'] });
  let heard = '';
  let start = NaN;
  let limit: NodeJS.Timeout | undefined;
  qemu.stdout.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
    if (!Number.isNaN(start) || !heard.includes('(qemu)')) return;
    start = performance.now();
    limit = setTimeout(() => {
      qemu.kill('SIGKILL');
    }, longestQemuRunMs);
    qemu.stdin.write('cont\n');
  });
  const { status, end } = await new Promise<{ status: number | null; end: number }>((resolve) => {
    qemu.once('exit', (code) => resolve({ status: code, end: performance.now() }));
  });
  clearTimeout(limit);
  if (qemu.killed) return longestQemuRunMs;
  assert(status === 0 && end > start, `${system} runs ${run.file} to exit code 0, not ${String(status)}`);
  return end - start;
}

export interface ProgramRun {
  readonly file: string;
  readonly words: readonly string[];
  readonly sysroot?: string;
  /** Where it starts. */
  readonly folder: string;
}

/** Runs a Linux program to its end. */
export function runQemuUser({ file, words, sysroot, folder }: ProgramRun): void {
  const root = sysroot === undefined ? [] : ['-L', sysroot];
  const { status } = spawnSync(user, [...root, file, ...words], { cwd: folder, stdio: 'ignore' });
  assert(status === 0, `${user} runs ${file} to exit code 0, not ${String(status)}`);
}
