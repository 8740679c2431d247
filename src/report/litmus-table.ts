// Many litmus tests in one table: a row for each folder.

import Table from 'cli-table3';
import type { LitmusResult } from '../explore/litmus.ts';
import { formatCount } from './figures.ts';

export interface FolderResult {
  readonly folder: string;
  /** Undefined where the test was refused. */
  readonly result: LitmusResult | undefined;
}

type Counts = readonly (readonly [heading: string, (result: LitmusResult) => number])[];

const counts: Counts = [
  ['states', ({ states }) => states.length],
  ['Never', ({ observation }) => Number(observation === 'Never')],
  ['Sometimes', ({ observation }) => Number(observation === 'Sometimes')],
  ['Always', ({ observation }) => Number(observation === 'Always')],
  ['Ok', ({ verdict }) => Number(verdict === 'Ok')],
  ['No', ({ verdict }) => Number(verdict === 'No')],
  ['incomplete', ({ isComplete }) => Number(!isComplete)],
];

/** Folders in the order of their first test, and for more than one, their sum. */
export function litmusTable(results: readonly FolderResult[]): string {
  const folders = [...new Set(results.map(({ folder }) => folder))];
  const head = ['folder', 'tests', ...counts.map(([heading]) => heading), 'refused'];
  const table = new Table({
    head,
    colAligns: head.map((_, n) => (n === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  const row = (name: string, rows: readonly FolderResult[]): string[] => {
    const done = rows.flatMap(({ result }) => (result === undefined ? [] : [result]));
    const sums = counts.map(([, of]) => done.reduce((sum, result) => sum + of(result), 0));
    return [name, ...[rows.length, ...sums, rows.length - done.length].map(formatCount)];
  };
  for (const folder of folders) {
    table.push(
      row(
        folder,
        results.filter((result) => result.folder === folder),
      ),
    );
  }
  if (folders.length > 1) table.push(row('all', results));
  return `${table.toString()}\n`;
}
