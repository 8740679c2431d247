// The results as two tables for people, and as one JSON document for programs.

import Table from 'cli-table3';
import { formatCount } from '../src/report/figures.ts';
import type { GuestResult, Results, StartUp } from './machines.ts';
import type { Spread } from './statistics.ts';

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

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const formatSpread = ({ median, min, max }: Spread): string => `${digits(median)} (${digits(min)}–${digits(max)})`;
const orNothing = (spread: Spread | undefined): string => (spread ? formatSpread(spread) : '–');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}

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

export function formatResults({ guests, startUp }: Results, conditions: Conditions): string {
  const { heddle, node, qemu, host, loadAverage, rounds } = conditions;
  return [
    `heddle ${heddle}, Node ${node}, ${qemu === undefined ? 'no QEMU here: our own figures alone' : `QEMU ${qemu}`}`,
    `${host}, load average ${loadAverage.toFixed(2)}, ${rounds} interleaved rounds: median (smallest–largest)`,
    guestTable(guests),
    'From the first instruction to the last; what it takes to start is below.',
    startUpTable(startUp),
    '',
  ].join('\n');
}

/** A figure that was not measured is absent. */
export function jsonOfResults({ guests, startUp }: Results, conditions: Conditions): string {
  const rows = guests.map(({ guest: { name, measures }, instructions, mips, ratio }) => ({
    name,
    measures,
    instructions,
    mips,
    ratio,
  }));
  const document = { format: 'heddle-bench', version: 1, conditions, guests: rows, startUpMs: startUp };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
