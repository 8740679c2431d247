// How late a real-time task has woken, as it says on its console:
// `latency: min 129, median 129, p99 130, p99.9 140, max 150 ticks of 62500000 Hz`, or `… ns`, and
// `histogram: 128-143 990, 144-159 10 ticks of 62500000 Hz`: the first and the last tick of each bucket, and how many fell into it.

/** Wake-ups that were at least `from` and less than `below` late. */
export interface Bucket {
  readonly from: number;
  readonly below: number;
  readonly count: number;
}

/** In nanoseconds. */
export interface Latency {
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly histogram: readonly Bucket[];
}

export type Quantile = Exclude<keyof Latency, 'histogram'>;
export const quantiles: readonly Quantile[] = ['min', 'median', 'p99', 'p999', 'max'];

const latencyLine =
  /^latency: .*?min (\d+),? median (\d+),? p99 (\d+),? p99\.9 (\d+),? max (\d+)(?: ticks of (\d+) Hz| ns)?\s*$/gm;
const histogramLine = /^histogram: ((?:\d+-\d+ \d+(?:, )?)+)(?: ticks of (\d+) Hz| ns)?\s*$/gm;

const nsOf = (ticks: number, hertz: string | undefined): number =>
  Math.round(hertz === undefined ? ticks : (ticks * 1e9) / Number(hertz));

function histogramOf(console: string): Bucket[] {
  const [, buckets = '', hertz] = [...console.matchAll(histogramLine)].at(-1) ?? [];
  return [...buckets.matchAll(/(\d+)-(\d+) (\d+)/g)].map(([, first, last, count]) => ({
    from: nsOf(Number(first), hertz),
    below: nsOf(Number(last) + 1, hertz),
    count: Number(count),
  }));
}

/** What the last such lines of a console say, if there are any. */
export function latencyOf(console: string): Latency | undefined {
  const last = [...console.matchAll(latencyLine)].at(-1);
  if (!last) return undefined;
  const hertz = last[6];
  const [min = 0, median = 0, p99 = 0, p999 = 0, max = 0] = last.slice(1, 6).map((text) => nsOf(Number(text), hertz));
  return { min, median, p99, p999, max, histogram: histogramOf(console) };
}

/** By the name of what has them. */
export type Latencies = Readonly<Record<string, Latency>>;

/** Of every console that tells of latencies. */
export const latenciesOf = (consoles: Readonly<Record<string, string>>): Latencies =>
  Object.fromEntries(
    Object.entries(consoles).flatMap(([name, text]) => {
      const latency = latencyOf(text);
      return latency ? [[name, latency]] : [];
    }),
  );

/** How many times as long as in another run: 1 is no difference. */
export type LatencyRatio = Readonly<Record<Quantile, number>>;

/** Of every task that both runs have. A latency of 0 is taken for 1 ns. */
export const latencyRatios = (ours: Latencies, theirs: Latencies): Readonly<Record<string, LatencyRatio>> =>
  Object.fromEntries(
    Object.entries(ours).flatMap(([name, latency]) => {
      const other = theirs[name];
      if (!other) return [];
      const ratio = (at: Quantile): number => Math.max(latency[at], 1) / Math.max(other[at], 1);
      return [[name, Object.fromEntries(quantiles.map((at) => [at, ratio(at)])) as LatencyRatio]];
    }),
  );
