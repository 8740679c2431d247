// The peer: qemu-system-aarch64 on the same ELF and the same board. One host thread translates and runs (thread=single), which for one
// core is its fastest way.

import { spawn, spawnSync } from 'node:child_process';
import { assert } from '../src/report/assert.ts';

const program = 'qemu-system-aarch64';

const machine = [
  ...['-accel', 'tcg,thread=single', '-M', 'virt,gic-version=3,virtualization=on', '-cpu', 'max', '-m', '512M'],
  ...['-semihosting', '-nic', 'none'],
];

/** The version of QEMU; undefined where there is none. */
export function qemuVersion(): string | undefined {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error ? undefined : /version ([\d.]+)/.exec(stdout)?.[1];
}

/** Runs a guest to its end, QEMU's own start included. */
export function runQemu(file: string): void {
  const { status } = spawnSync(program, [...machine, '-nographic', '-kernel', file], { stdio: 'ignore' });
  assert(status === 0, `${program} runs ${file} to exit code 0, not ${String(status)}`);
}

/** Milliseconds from the first instruction of a guest to its end: QEMU waits at its monitor (-S) until it is told to go on. */
export async function timeInQemu(file: string): Promise<number> {
  const quiet = ['-display', 'none', '-serial', 'null', '-monitor', 'stdio', '-S'];
  const qemu = spawn(program, [...machine, ...quiet, '-kernel', file], { stdio: ['pipe', 'pipe', 'ignore'] });
  let heard = '';
  let start = NaN;
  qemu.stdout.on('data', (bytes: Buffer) => {
    heard += bytes.toString();
    if (!Number.isNaN(start) || !heard.includes('(qemu)')) return;
    start = performance.now();
    qemu.stdin.write('cont\n');
  });
  const { status, end } = await new Promise<{ status: number | null; end: number }>((resolve) => {
    qemu.once('exit', (code) => resolve({ status: code, end: performance.now() }));
  });
  assert(status === 0 && end > start, `${program} runs ${file} to exit code 0, not ${String(status)}`);
  return end - start;
}
