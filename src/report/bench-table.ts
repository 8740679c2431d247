// The table of `heddle bench`: a row for each operation, and for each way in which interrupts reach the guest. Ticks, instructions and
// the time in EL2 are told apart; one tick is one nanosecond of simulated time.

import Table from 'cli-table3';
import { formatCount } from './figures.ts';

export interface BenchResult {
  readonly name: string;
  readonly measures: string;
  /** `list-registers`, `hcr-bits` or `direct`, where it matters. */
  readonly interrupts?: string;
  /** As the guest has measured it. */
  readonly ticks: { readonly min: number; readonly median: number; readonly p99: number; readonly max: number };
  /** On average, of all cores and with the loop around it: instructions of guests, time in EL2, exits by cause. */
  readonly instructions: number;
  readonly hypervisorTicks: number;
  readonly exits: Readonly<Record<string, number>>;
}

/** A mean: with one decimal, unless that is 0. */
function formatMean(value: number): string {
  const [whole = '', tenth = ''] = value.toFixed(1).split('.');
  return formatCount(Number(whole)) + (tenth === '0' ? '' : `.${tenth}`);
}

export function formatBench(results: readonly BenchResult[]): string {
  const figures = ['min', 'median', 'p99', 'max', 'instructions', 'in EL2'];
  const table = new Table({
    head: ['operation', 'interrupts by', ...figures, 'exits'],
    colAligns: ['left', 'left', ...figures.map(() => 'right' as const), 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, interrupts = '', ticks, instructions, hypervisorTicks, exits } of results)
    table.push([
      name,
      interrupts,
      ...[ticks.min, ticks.median, ticks.p99, ticks.max].map(formatCount),
      formatMean(instructions),
      formatCount(Math.round(hypervisorTicks)),
      Object.entries(exits)
        .map(([cause, count]) => `${cause} ${formatMean(count)}`)
        .join(', '),
    ]);
  return table.toString();
}
