// The table of latencies: a row for each real-time task, one for the same task in another run, and by how much they differ; and their
// histograms.

import Table from 'cli-table3';
import { formatCount, formatTime } from './figures.ts';
import { type Latencies, type Latency, latencyRatios, quantiles } from './latency.ts';

const style = { head: [], border: [], compact: true };
const headings = ['min', 'median', 'p99', 'p99.9', 'max'];

/** Another run, that these latencies are held against. */
export interface Against {
  readonly file: string;
  readonly latencies: Latencies;
}

/** From twice as much on, how many times as much; below, the difference in per cent. */
const formatRatio = (ratio: number): string =>
  ratio >= 2 ? `× ${ratio.toFixed(1)}` : `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;

const times = (latency: Latency): string[] => quantiles.map((at) => formatTime(latency[at]));

/** How late real-time tasks have woken. */
export function formatLatencies(latencies: Latencies, against?: Against): string {
  const table = new Table({
    head: ['latency of', ...headings],
    colAligns: ['left', ...headings.map(() => 'right' as const)],
    style,
  });
  const ratios = latencyRatios(latencies, against?.latencies ?? {});
  for (const [name, latency] of Object.entries(latencies)) {
    table.push([name, ...times(latency)]);
    const other = against?.latencies[name];
    const ratio = ratios[name];
    if (!against || !other || !ratio) continue;
    table.push([`${name} in ${against.file}`, ...times(other)]);
    table.push([`${name} against ${against.file}`, ...quantiles.map((at) => formatRatio(ratio[at]))]);
  }
  return table.toString();
}

const mostRows = 16;
const barWidth = 40;

/** Neighbouring buckets together until they are few enough for a table. */
function merged(latency: Latency): Latency['histogram'] {
  let buckets = latency.histogram;
  while (buckets.length > mostRows) {
    const pairs = buckets.filter((_, n) => n % 2 === 0);
    buckets = pairs.map((first, n) => {
      const second = buckets[2 * n + 1] ?? { ...first, count: 0 };
      return { from: first.from, below: second.below, count: first.count + second.count };
    });
  }
  return buckets;
}

/** One row for each bucket, with a bar; nothing where no task has a histogram. */
export function formatHistograms(latencies: Latencies): string {
  const table = new Table({
    head: ['latency of', 'from', 'below', 'wake-ups', ''],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style,
  });
  for (const [name, latency] of Object.entries(latencies)) {
    const buckets = merged(latency);
    const most = Math.max(...buckets.map(({ count }) => count));
    for (const { from, below, count } of buckets)
      table.push([
        name,
        formatTime(from),
        formatTime(below),
        formatCount(count),
        '█'.repeat(Math.max(1, Math.round((count * barWidth) / most))),
      ]);
  }
  return table.length === 0 ? '' : table.toString();
}
