// What the commands of the benchmarks have in common: how they are started, what they say of the host, and how they refuse.

import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { version } from '../src/cli/version.ts';
import { UserError } from '../src/report/user-error.ts';
import { qemuVersion } from './qemu.ts';

/** What the figures hold for. */
export interface Conditions {
  readonly heddle: string;
  readonly node: string;
  readonly qemu: string | undefined;
  readonly host: string;
  /** Of the last minute, when the benchmark began. */
  readonly loadAverage: number;
  readonly rounds: number;
}

/** More rounds narrow the median, and take longer. */
export const defaultRounds = '5';
export const maxRounds = 1000;

export const conditionsOf = (rounds: number): Conditions => ({
  heddle: version,
  node: process.versions.node,
  qemu: qemuVersion(),
  host: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
  loadAverage: loadavg()[0] ?? 0,
  rounds,
});

export const formatConditions = ({ heddle, node, qemu, host, loadAverage, rounds }: Conditions): string =>
  [
    `heddle ${heddle}, Node ${node}, ${qemu === undefined ? 'no QEMU here: our own figures alone' : `QEMU ${qemu}`}`,
    `${host}, load average ${loadAverage.toFixed(2)}, ${rounds} interleaved rounds: median (smallest–largest)`,
  ].join('\n');

/** One line on a terminal, which the next one replaces; nothing elsewhere. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Programs that Debian's archive has and this checkout has not. */
export const notFetched = (names: readonly string[]): string =>
  names.length === 0 ? '' : `not here: ${names.join(', ')}; tests/linux-abi/fetch-debian.sh fetches them\n`;

/** Runs the command of this process. */
export async function runCommand(program: Command): Promise<void> {
  try {
    await program.exitOverride().parseAsync();
  } catch (error) {
    // Commander has said by itself what it does not understand.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof UserError) {
      const hint = error.hint === undefined ? '' : `; ${error.hint}`;
      process.stderr.write(`${program.name()}: ${error.message}${hint}\n`);
      process.exitCode = 2;
    } else throw error;
  }
}
