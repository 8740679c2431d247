// The one form of the benchmarks' tables: names to the left, figures to the right.

import Table from 'cli-table3';
import type { Spread } from './statistics.ts';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}

export const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

export const formatSpread = ({ median, min, max }: Spread): string =>
  `${digits(median)} (${digits(min)}–${digits(max)})`;

/** A figure that was not measured is a dash. */
export const orNothing = (spread: Spread | undefined): string => (spread ? formatSpread(spread) : '–');
