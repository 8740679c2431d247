// A race: each contest under Heddle, by the command that users type, once for each conductor, and under its peer, in turn.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { builtFile } from '../workers/package-file.ts';
import { assert } from '../src/report/assert.ts';
import { UserError } from '../src/report/user-error.ts';
import type { AnyContest } from './contests.ts';
import { runQemuUser, timeInQemu } from './qemu.ts';
import type { Measured, Samples } from './rounds.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';
import { makeWorkFolder } from './workload.ts';

/** One contest under one conductor. */
export interface Entry {
  readonly conductor: string;
  /** Of all cores; under a conductor that is not deterministic, of the last run. */
  readonly instructions: number;
  /** Milliseconds from the first instruction to the last. */
  readonly ms: Spread;
  /** How many times as fast as the peer. */
  readonly ratio?: Spread;
  /** Where each core does as much as the only one of another contest: how many times as much is done in the same time. */
  readonly throughput?: Spread;
}

export interface RaceResult {
  readonly contest: AnyContest;
  readonly entries: readonly Entry[];
  readonly peerMs?: Spread;
}

export interface Race {
  readonly measured: readonly Measured[];
  results(samples: Samples): readonly RaceResult[];
  /** Removes what was made for it. */
  end(): void;
}

const commandLine = builtFile('src/cli/main.ts');
const maxOutputBytes = 1 << 26;

interface HostedReport {
  readonly exitCode: number;
  readonly instructions: number;
  readonly hostRunMs: number;
}

const wordsOf = (contest: AnyContest, folder: string): string[] => {
  if (contest.kind === 'guest')
    return [contest.file, ...(contest.argument === '' ? [] : ['--kernel-args', contest.argument])];
  const { file, words, sysroot } = contest;
  return [...(sysroot === undefined ? [] : ['--sysroot', sysroot]), '--workdir', folder, file, '--', ...words];
};

function runHeddle(contest: AnyContest, conductor: string, folder: string): HostedReport {
  const options = ['--json', '--stats', '--cores', `${contest.cores}`, '--conductor', conductor];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [commandLine, 'run', ...options, ...wordsOf(contest, folder)],
    { encoding: 'utf8', maxBuffer: maxOutputBytes },
  );
  if (status === 2) throw new UserError(stderr.trim().replace(/^heddle: /, ''));
  assert(status === 0, `${contest.name} ends with 0 under Heddle, not with ${status}: ${stderr}`);
  return JSON.parse(stdout) as HostedReport;
}

export function makeRace(
  contests: readonly AnyContest[],
  conductors: readonly string[],
  peers: { readonly guest: boolean; readonly linux: boolean },
): Race {
  let folder: string | undefined;
  const workFolder = (): string => (folder ??= makeWorkFolder());
  const instructions = new Map<string, number>();
  const ownName = (contest: AnyContest, conductor: string): string => `${contest.name}, heddle ${conductor}`;
  const peerName = (contest: AnyContest): string => `${contest.name}, qemu`;
  const hasPeer = (contest: AnyContest): boolean =>
    peers[contest.kind] && (contest.kind === 'linux' || contest.hasPeer);

  const own = (contest: AnyContest, conductor: string): Measured => {
    const name = ownName(contest, conductor);
    return {
      name,
      take: () => {
        const report = runHeddle(contest, conductor, workFolder());
        instructions.set(name, report.instructions);
        return Promise.resolve(report.hostRunMs);
      },
    };
  };
  const peer = (contest: AnyContest): Measured => ({
    name: peerName(contest),
    take: async () => {
      if (contest.kind === 'guest') return timeInQemu(contest);
      runQemuUser({ ...contest, folder: workFolder() });
      return undefined;
    },
  });

  /** The contest in which one core does what each core of this one does. */
  const aloneOf = ({ file, cores, group }: AnyContest): AnyContest | undefined =>
    cores === 1
      ? undefined
      : contests.find((other) => other.file === file && other.cores === 1 && other.group === group);

  const measured = contests.flatMap((contest) => [
    ...conductors.map((conductor) => own(contest, conductor)),
    ...(hasPeer(contest) ? [peer(contest)] : []),
  ]);

  function results(samples: Samples): readonly RaceResult[] {
    return contests.map((contest) => {
      const theirs = samples.get(peerName(contest));
      const alone = aloneOf(contest);
      const entries = conductors.map((conductor) => {
        const name = ownName(contest, conductor);
        const ours = samples.get(name) ?? [];
        const onOneCore = alone && samples.get(ownName(alone, conductor));
        return {
          conductor,
          instructions: instructions.get(name) ?? 0,
          ms: spreadOf(ours),
          ...(theirs && { ratio: ratioOf(theirs, ours) }),
          ...(onOneCore && {
            throughput: ratioOf(
              onOneCore.map((ms) => ms * contest.cores),
              ours,
            ),
          }),
        };
      });
      return { contest, entries, ...(theirs && { peerMs: spreadOf(theirs) }) };
    });
  }

  return {
    measured,
    results,
    end: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
}
