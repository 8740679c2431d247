// How late a real-time task has woken, as it says on its console:
// `latency: min 129, median 129, p99 130, p99.9 140, max 150 ticks of 62500000 Hz`, or `… ns`.

/** In nanoseconds. */
export interface Latency {
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const latencyLine =
  /^latency: .*?min (\d+),? median (\d+),? p99 (\d+),? p99\.9 (\d+),? max (\d+)(?: ticks of (\d+) Hz| ns)?\s*$/gm;

/** What the last such line of a console says, if there is one. */
export function latencyOf(console: string): Latency | undefined {
  const last = [...console.matchAll(latencyLine)].at(-1);
  if (!last) return undefined;
  const [, min, median, p99, p999, max, hertz] = last;
  const ns = (text: string | undefined): number =>
    Math.round(hertz === undefined ? Number(text) : (Number(text) * 1e9) / Number(hertz));
  return { min: ns(min), median: ns(median), p99: ns(p99), p999: ns(p999), max: ns(max) };
}

/** Of every console that tells of latencies, by its name. */
export const latenciesOf = (consoles: Readonly<Record<string, string>>): Record<string, Latency> =>
  Object.fromEntries(
    Object.entries(consoles).flatMap(([name, text]) => {
      const latency = latencyOf(text);
      return latency ? [[name, latency]] : [];
    }),
  );
