// The table of cores that `--stats` prints.

import Table from 'cli-table3';
import { formatCount, formatTime } from './figures.ts';
import type { CoreReport, RunReport } from './run-report.ts';

const counts: readonly (readonly [heading: string, (core: CoreReport) => number])[] = [
  ['interrupts', (core) => core.interrupts],
  ['IPIs\nsent', (core) => core.ipisSent],
  ['IPIs\nreceived', (core) => core.ipisReceived],
  ['taken\nto EL1', (core) => core.exceptions.EL1],
  ['taken\nto EL2', (core) => core.exceptions.EL2],
  ['taken\nto EL3', (core) => core.exceptions.EL3],
];

/** One row for each core and, for more than one, their sum. */
export function formatTable({ cores, simulatedTimeNs, instructions }: RunReport): string {
  const head = ['core', 'MPIDR', 'instructions', 'time', 'asleep', ...counts.map(([heading]) => heading)];
  const table = new Table({
    head,
    colAligns: head.map(() => 'right'),
    style: { head: [], border: [], compact: true },
  });
  for (const core of cores)
    table.push([
      `${core.core}`,
      `0x${core.mpidr.toString(16)}`,
      formatCount(core.instructions),
      formatTime(core.timeNs),
      formatTime(core.asleepNs),
      ...counts.map(([, of]) => formatCount(of(core))),
    ]);
  const sum = (of: (core: CoreReport) => number): number => cores.reduce((total, core) => total + of(core), 0);
  if (cores.length > 1)
    table.push([
      'all',
      '',
      formatCount(instructions),
      formatTime(simulatedTimeNs),
      formatTime(sum((core) => core.asleepNs)),
      ...counts.map(([, of]) => formatCount(sum(of))),
    ]);
  return table.toString();
}
