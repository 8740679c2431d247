// npm run bench:peers -- [NAMES…] [--conductor NAMES] [--rounds N] [--json]: the same programs on Heddle and on QEMU, in turn, in one run.

import { Command } from 'commander';
import { parseCount } from '../src/cli/quantities.ts';
import {
  conditionsOf,
  defaultRounds,
  formatConditions,
  maxRounds,
  notFetched,
  runCommand,
  showProgress,
} from './command.ts';
import { available, contests } from './contests.ts';
import { qemuUserVersion } from './qemu.ts';
import { makeRace } from './race.ts';
import { raceData, raceTable } from './race-report.ts';
import { runRounds } from './rounds.ts';
import { selectContests } from './selection.ts';

async function peers(
  names: readonly string[],
  options: { readonly rounds: string; readonly conductor: string; readonly json?: true },
): Promise<void> {
  const rounds = parseCount('--rounds', options.rounds, 1, maxRounds);
  const { present, missing } = available(selectContests(names));
  const conditions = conditionsOf(rounds);
  process.stderr.write(notFetched(missing));
  const race = makeRace(present, options.conductor.split(','), {
    guest: conditions.qemu !== undefined,
    linux: qemuUserVersion() !== undefined,
  });
  try {
    const results = race.results(await runRounds(race.measured, rounds, showProgress));
    showProgress('');
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ format: 'heddle-peers', version: 1, conditions, ...raceData(results) }, undefined, 2)}\n`
        : `${formatConditions(conditions)}\n${raceTable(results)}\n`,
    );
  } finally {
    race.end();
  }
}

const list = contests.map(({ name, measures }) => `  ${name.padEnd(16)}${measures}`).join('\n');
await runCommand(
  new Command('bench:peers')
    .description('Runs the same programs on Heddle and on QEMU.')
    .argument('[NAMES...]', 'contests; all of them if none is given')
    .option('--conductor <NAMES>', 'conductors of Heddle, with commas between them', 'lockstep')
    .option('--rounds <N>', 'samples of each', defaultRounds)
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nContests:\n${list}`)
    .action(peers),
);
