// npm run bench -- [NAMES…] [--rounds N] [--json]: the speed of step, translate and tiered beside QEMU's, on the same ELF in the same run.

import { availableParallelism, cpus, loadavg } from 'node:os';
import { Command, CommanderError } from 'commander';
import { parseCount } from '../src/cli/quantities.ts';
import { version } from '../src/cli/version.ts';
import { UserError } from '../src/report/user-error.ts';
import { benchGuests, selectGuests } from './guests.ts';
import { benchmarks } from './machines.ts';
import { qemuVersion } from './qemu.ts';
import { type Conditions, formatResults, jsonOfResults } from './report.ts';
import { runRounds } from './rounds.ts';

/** More rounds narrow the median, and take longer: five stay below two minutes on a quiet machine. */
const defaultRounds = '5';
const maxRounds = 1000;

/** One line on a terminal, which the next one replaces; nothing elsewhere. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function bench(
  names: readonly string[],
  options: { readonly rounds: string; readonly json?: true },
): Promise<void> {
  const rounds = parseCount('--rounds', options.rounds, 1, maxRounds);
  const guests = selectGuests(names);
  const qemu = qemuVersion();
  const conditions: Conditions = {
    heddle: version,
    node: process.versions.node,
    qemu,
    host: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    loadAverage: loadavg()[0] ?? 0,
    rounds,
  };
  const { measured, results } = benchmarks(guests, qemu !== undefined);
  const samples = await runRounds(measured, rounds, showProgress);
  showProgress('');
  const format = options.json ? jsonOfResults : formatResults;
  process.stdout.write(format(results(samples), conditions));
}

const names = benchGuests.map(({ name, measures }) => `  ${name.padEnd(10)}${measures}`).join('\n');
const program = new Command('bench')
  .description('Measures the engines beside QEMU.')
  .argument('[NAMES...]', 'guests; intloop, memcpy and bytecode if none is given')
  .option('--rounds <N>', 'samples of each', defaultRounds)
  .option('--json', 'print one JSON document')
  .addHelpText('after', `\nGuests:\n${names}`)
  .exitOverride()
  .action(bench);
try {
  await program.parseAsync();
} catch (error) {
  // Commander has said by itself what it does not understand.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof UserError) {
    process.stderr.write(`bench: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`);
    process.exitCode = 2;
  } else throw error;
}
