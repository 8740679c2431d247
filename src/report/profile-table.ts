// The tables that `--profile` prints.

import Table from 'cli-table3';
import { formatCount, formatTime } from './figures.ts';
import type { HostProfile, Share } from './profile.ts';

/** Symbols and functions beyond these, and those below half a tenth of a per cent, are in the file of --speedscope. */
const shown = 20;
const least = 0.05;

function table(heading: string, shares: readonly (Share & { readonly part?: string })[]): string {
  const made = new Table({
    head: ['%', 'host time', heading],
    colAligns: ['right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, ms, percent, part } of shares)
    made.push([percent.toFixed(1), formatTime(Math.round(ms * 1e6)), part === undefined ? name : `${part}: ${name}`]);
  return made.toString();
}

export function formatProfile({ ms, samples, parts, symbols, functions }: HostProfile): string {
  const isShown = ({ percent }: Share): boolean => percent >= least;
  const head = (shares: HostProfile['functions'] | HostProfile['symbols']): typeof shares =>
    shares.filter(isShown).slice(0, shown);
  return [
    `profile: ${formatTime(Math.round(ms * 1e6))} of host threads, ${formatCount(samples)} samples`,
    table('part', parts),
    table("translated code, by the guest's symbols", head(symbols)),
    table("the host's functions", head(functions)),
  ].join('\n');
}
