// The results of a race as a table for people, and as data.

import { formatCount } from '../src/report/figures.ts';
import type { Group } from './contests.ts';
import { longestQemuRunMs } from './qemu.ts';
import type { RaceResult } from './race.ts';
import { geometricMean } from './statistics.ts';
import { digits, formatSpread, orNothing, table } from './table.ts';

/** Geometric mean of the medians of the ratios, by group and conductor; a group without a peer has none. */
export interface Mean {
  readonly group: Group;
  readonly conductor: string;
  readonly ratio: number;
}

export function meansOf(results: readonly RaceResult[]): readonly Mean[] {
  const groups = [...new Set(results.map(({ contest }) => contest.group))];
  const conductors = [...new Set(results.flatMap(({ entries }) => entries.map(({ conductor }) => conductor)))];
  return groups.flatMap((group) =>
    conductors.flatMap((conductor) => {
      const ratios = results
        .filter(({ contest }) => contest.group === group)
        .flatMap(({ entries }) => entries.filter((entry) => entry.conductor === conductor))
        .flatMap(({ ratio }) => (ratio ? [ratio.median] : []));
      return ratios.length === 0 ? [] : [{ group, conductor, ratio: geometricMean(ratios) }];
    }),
  );
}

export function raceTable(results: readonly RaceResult[]): string {
  const conductors = results[0]?.entries.map(({ conductor }) => conductor) ?? [];
  const ofConductor = (name: string): string => (conductors.length === 1 ? 'Heddle' : name);
  const head = [
    'ms',
    'cores',
    'instructions',
    ...conductors.flatMap((name) => [ofConductor(name), 'MIPS']),
    'QEMU',
    ...conductors.map((name) => `${ofConductor(name)} : QEMU`),
  ];
  const rows = results.map(({ contest, entries, peerMs }) => [
    contest.name,
    `${contest.cores}`,
    formatCount(entries[0]?.instructions ?? 0),
    ...entries.flatMap(({ ms, instructions }) => [formatSpread(ms), digits(instructions / ms.median / 1000)]),
    orNothing(peerMs),
    ...entries.map(({ ratio }) => orNothing(ratio)),
  ]);
  const means = meansOf(results).map(
    ({ group, conductor, ratio }) =>
      `${group}, ${conductor}: ${digits(ratio)} × QEMU's speed, geometric mean of the medians`,
  );
  const ended = results
    .filter(({ contest, peerMs }) => contest.kind === 'guest' && peerMs && peerMs.max >= longestQemuRunMs)
    .map(
      ({ contest }) =>
        `${contest.name}: QEMU was ended after ${longestQemuRunMs / 1000} s, so that the ratio is at least this`,
    );
  const throughputs = results.flatMap(({ contest, entries }) =>
    entries.flatMap(({ conductor, throughput }) =>
      throughput ? [`${contest.name}, ${conductor}: ${formatSpread(throughput)} × the throughput of one core`] : [],
    ),
  );
  return [table(head, rows), ...ended, ...throughputs, ...means].join('\n');
}

/** As in the table; a figure that was not measured is absent. */
export const raceData = (results: readonly RaceResult[]): object => ({
  contests: results.map(({ contest: { name, measures, group, cores }, entries, peerMs }) => ({
    name,
    measures,
    group,
    cores,
    entries,
    peerMs,
  })),
  means: meansOf(results),
});
