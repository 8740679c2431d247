// What a race says of its samples; the samples themselves are whole runs (sample.test.ts).

import { expect, test } from 'vitest';
import { contests } from '../../bench/contests.ts';
import { makeRace } from '../../bench/race.ts';
import { longestQemuRunMs } from '../../bench/qemu.ts';
import { meansOf, raceData, raceTable } from '../../bench/race-report.ts';
import { selectContests } from '../../bench/selection.ts';
import { geometricMean } from '../../bench/statistics.ts';

const conductors = ['lockstep', 'parallel'];

function resultsOf(milliseconds: Readonly<Record<string, readonly number[]>>, names: readonly string[]) {
  const race = makeRace(selectContests(names), conductors, { guest: true, linux: true });
  race.end();
  expect(race.measured.map(({ name }) => name)).toEqual(Object.keys(milliseconds));
  return race.results(new Map(Object.entries(milliseconds)));
}

const two = (): ReturnType<typeof resultsOf> =>
  resultsOf(
    {
      'memcpy, heddle lockstep': [10, 20],
      'memcpy, heddle parallel': [20, 40],
      'memcpy, qemu': [20, 40],
      'sha-256, heddle lockstep': [100, 100],
      'sha-256, heddle parallel': [50, 50],
      'sha-256, qemu': [50, 50],
      'boot-1024, heddle lockstep': [7, 9],
      'boot-1024, heddle parallel': [5, 5],
    },
    ['memcpy', 'sha-256', 'boot-1024'],
  );

test('Each contest is run under every conductor and under its peer, if it has one, before the next', () => {
  expect(two().map(({ contest, peerMs }) => [contest.name, peerMs?.median])).toEqual([
    ['memcpy', 30],
    ['sha-256', 50],
    ['boot-1024', undefined],
  ]);
});

test("A ratio is the peer's time over our own in the same round", () => {
  const [memcpy] = two();
  expect(memcpy?.entries.map(({ ratio }) => ratio?.median)).toEqual([2, 1]);
});

test('The mean of a group is the geometric one of its medians, and a group without a peer has none', () => {
  expect(meansOf(two())).toEqual([
    { group: 'one core', conductor: 'lockstep', ratio: geometricMean([2, 0.5]) },
    { group: 'one core', conductor: 'parallel', ratio: 1 },
  ]);
  expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
});

test('The table has a row for each contest, and a dash where there is no peer', () => {
  const text = raceTable(two());
  expect(text).toMatch(/memcpy .*15\.0 \(10\.0–20\.0\).*30\.0 \(20\.0–40\.0\).*2\.00 \(2\.00–2\.00\)/);
  expect(text).toMatch(/boot-1024 .*1024.*8\.00 \(7\.00–9\.00\).* – .* – .* – /);
  expect(text).toContain("one core, parallel: 1.00 × QEMU's speed");
});

test('A run of QEMU that has been ended is said to be, since its ratio is then a bound', () => {
  const text = raceTable(
    resultsOf(
      {
        'spinlocks-4, heddle lockstep': [1000, 1000],
        'spinlocks-4, heddle parallel': [500, 500],
        'spinlocks-4, qemu': [2000, longestQemuRunMs],
      },
      ['spinlocks-4'],
    ),
  );
  expect(text).toContain('spinlocks-4: QEMU was ended after 30 s, so that the ratio is at least this');
  expect(raceTable(two())).not.toContain('was ended');
});

test('Where each core does as much as one alone, the table has the throughput', () => {
  const results = resultsOf(
    {
      'apart-1, heddle lockstep': [100, 100],
      'apart-1, heddle parallel': [100, 100],
      'apart-1, qemu': [100, 100],
      'apart-2, heddle lockstep': [200, 200],
      'apart-2, heddle parallel': [100, 125],
      'apart-2, qemu': [100, 100],
    },
    ['apart-1', 'apart-2'],
  );
  expect(results.map(({ entries }) => entries.map(({ throughput }) => throughput?.max))).toEqual([
    [undefined, undefined],
    [1, 2],
  ]);
  expect(raceTable(results)).toContain('apart-2, parallel: 1.80 (1.60–2.00) × the throughput of one core');
});

test('The document holds what the table holds', () => {
  expect(raceData(two())).toMatchObject({
    contests: [
      { name: 'memcpy', group: 'one core', cores: 1, peerMs: { median: 30 } },
      { name: 'sha-256', entries: [{ conductor: 'lockstep', ratio: { median: 0.5 } }, { ratio: { median: 1 } }] },
      { name: 'boot-1024', cores: 1024 },
    ],
  });
});

test('Names of contests are one word each, and no two are the same', () => {
  const names = contests.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
});
