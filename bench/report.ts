// The results as two tables for people, and as one JSON document for programs.

import { formatCount } from '../src/report/figures.ts';
import { type Conditions, formatConditions } from './command.ts';
import type { GuestResult, Results, StartUp } from './machines.ts';
import type { RaceResult } from './race.ts';
import { raceData, raceTable } from './race-report.ts';
import { formatSpread, orNothing, table } from './table.ts';

const guestTable = (guests: readonly GuestResult[]): string =>
  table(
    ['MIPS', 'instructions', 'step', 'translate', 'tiered', 'QEMU', 'tiered : QEMU'],
    guests.map(({ guest, instructions, mips, ratio }) => [
      guest.name,
      formatCount(instructions),
      ...[mips.step, mips.translate, mips.tiered].map(formatSpread),
      ...[mips.qemu, ratio].map(orNothing),
    ]),
  );

const startUpTable = ({ node, heddle, qemu }: StartUp): string =>
  table(
    ['smallest guest, whole process', 'ms'],
    [
      ['node -e 0', formatSpread(node)],
      ['heddle run', formatSpread(heddle)],
      ['qemu-system-aarch64', orNothing(qemu)],
    ],
  );

export const formatResults = (
  { guests, startUp }: Results,
  race: readonly RaceResult[],
  conditions: Conditions,
): string =>
  [
    formatConditions(conditions),
    ...(guests.length === 0 ? [] : [guestTable(guests)]),
    ...(race.length === 0 ? [] : [raceTable(race)]),
    'From the first instruction to the last, and for qemu-aarch64 the whole process; what it takes to start is below.',
    startUpTable(startUp),
    '',
  ].join('\n');

/** A figure that was not measured is absent. */
export function jsonOfResults(
  { guests, startUp }: Results,
  race: readonly RaceResult[],
  conditions: Conditions,
): string {
  const rows = guests.map(({ guest: { name, measures }, instructions, mips, ratio }) => ({
    name,
    measures,
    instructions,
    mips,
    ratio,
  }));
  const document = {
    format: 'heddle-bench',
    version: 1,
    conditions,
    guests: rows,
    linux: raceData(race),
    startUpMs: startUp,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
