// npm run bench -- [NAMES…] [--rounds N] [--json]: the speed of step, translate and tiered beside QEMU's, on the same ELF in the same run,
// and that of Linux programs beside qemu-aarch64.

import { Command } from 'commander';
import { parseCount } from '../src/cli/quantities.ts';
import { conditionsOf, defaultRounds, maxRounds, notFetched, runCommand, showProgress } from './command.ts';
import { available, linuxContests } from './contests.ts';
import { benchGuests } from './guests.ts';
import { benchmarks } from './machines.ts';
import { qemuUserVersion } from './qemu.ts';
import { makeRace } from './race.ts';
import { formatResults, jsonOfResults } from './report.ts';
import { runRounds } from './rounds.ts';
import { selectPrograms } from './selection.ts';

/** Linux programs run as users run them. */
const conductors = ['lockstep'];

async function bench(
  names: readonly string[],
  options: { readonly rounds: string; readonly json?: true },
): Promise<void> {
  const rounds = parseCount('--rounds', options.rounds, 1, maxRounds);
  const { guests, linux } = selectPrograms(names);
  const { present, missing } = available(linux);
  const conditions = conditionsOf(rounds);
  process.stderr.write(notFetched(missing));
  const { measured, results } = benchmarks(guests, conditions.qemu !== undefined);
  const race = makeRace(present, conductors, { guest: false, linux: qemuUserVersion() !== undefined });
  try {
    const samples = await runRounds([...measured, ...race.measured], rounds, showProgress);
    showProgress('');
    const format = options.json ? jsonOfResults : formatResults;
    process.stdout.write(format(results(samples), race.results(samples), conditions));
  } finally {
    race.end();
  }
}

const names = [...benchGuests, ...linuxContests]
  .map(({ name, measures }) => `  ${name.padEnd(10)}${measures}`)
  .join('\n');
await runCommand(
  new Command('bench')
    .description('Measures the engines beside QEMU.')
    .argument('[NAMES...]', 'programs; intloop, memcpy, bytecode, nbody and those for Linux if none is given')
    .option('--rounds <N>', 'samples of each', defaultRounds)
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nPrograms:\n${names}`)
    .action(bench),
);
