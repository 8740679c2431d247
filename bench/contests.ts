// What Heddle and its peers both run: guests and Linux programs, and how long each is made.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageFile } from '../workers/package-file.ts';
import { guestFile } from './guests.ts';

/** Groups of which a mean is taken. */
export type Group = 'one core' | 'several cores' | 'Linux programs';

interface Contest {
  readonly name: string;
  readonly measures: string;
  readonly group: Group;
  readonly cores: number;
  readonly file: string;
  /** Of another file system than the checkout's (tests/linux-abi/fetch-debian.sh): it may not be there. */
  readonly isFetched: boolean;
}

/** A bare-metal guest; its arguments are the kernel's. */
export interface GuestContest extends Contest {
  readonly kind: 'guest';
  readonly argument: string;
  /** QEMU ends at fewer cores than this one has. */
  readonly hasPeer: boolean;
}

export interface LinuxContest extends Contest {
  readonly kind: 'linux';
  readonly words: readonly string[];
  /** The directory at its /. */
  readonly sysroot?: string;
}

export type AnyContest = GuestContest | LinuxContest;

function guest(
  name: string,
  file: string,
  measures: string,
  {
    argument = '',
    cores = 1,
    hasPeer = true,
    group = cores === 1 ? 'one core' : 'several cores',
  }: { argument?: string; cores?: number; hasPeer?: boolean; group?: Group } = {},
): GuestContest {
  return { kind: 'guest', name, measures, group, cores, file: guestFile(file), isFetched: false, argument, hasPeer };
}

const debian = packageFile('node_modules/.cache/debian-arm64/root');

const debianProgram = (name: string, path: string, measures: string, words: readonly string[]): LinuxContest => ({
  kind: 'linux',
  name,
  measures,
  group: 'Linux programs',
  cores: 1,
  file: join(debian, path),
  isFetched: true,
  words,
  sysroot: debian,
});

/** Of the contests whose throughputs are compared: as often on one core as on each of two. */
const apart = { argument: 'repeat=30000' };

/** Repetitions, and the files of workload.ts, make QEMU run for one to five seconds on a quiet host, so that neither start decides. */
export const contests: readonly AnyContest[] = [
  guest('integer-loop', 'arithmetic', 'arithmetic in registers', { argument: 'repeat=2000' }),
  guest('coremark-like', 'mixture', 'lists, matrices, a state machine, a CRC', { argument: 'repeat=1000' }),
  guest('dhrystone-like', 'intloop', 'records, strings, calls', { argument: 'repeat=10' }),
  guest('memcpy', 'memcpy', 'copies by pairs, words, vectors and bytes', { argument: 'repeat=10' }),
  guest('pointer-chase', 'chase', 'dependent loads over 16 KiB to 4 MiB', { argument: 'repeat=20' }),
  guest('sha-256', 'crc-sha', 'SHA-256 in C', { argument: 'sha=1500' }),
  guest('crc', 'crc-sha', 'CRC-32 by table and by instruction', { argument: 'crc=3000' }),
  guest('floating-point', 'nbody', 'planets, linear equations, matrices in vectors', { argument: 'repeat=20' }),
  guest('interpreter', 'bytecode', 'indirect branches that are hard to foresee', { argument: 'repeat=50' }),
  guest('random-pages', 'random-pages', 'translations that no TLB holds', { argument: 'repeat=400' }),
  guest('self-modifying', 'rewrite', 'functions that are made, called 200 times, and replaced', {
    argument: 'repeat=200',
  }),
  guest('apart-1', 'apart', 'work of which each core does as much', { ...apart, group: 'several cores' }),
  guest('apart-2', 'apart', 'the same on two cores: as fast, where they do not disturb each other', {
    ...apart,
    cores: 2,
  }),
  guest('spinlocks-2', 'spinlocks', 'five locks that two cores contend for', { argument: 'rounds=1500000', cores: 2 }),
  guest('spinlocks-4', 'spinlocks', 'five locks that four cores contend for', { argument: 'rounds=40000', cores: 4 }),
  guest('ipi-ping-pong', 'ipi-pingpong', 'SGIs to and fro, WFI between them', { argument: 'rounds=50000', cores: 2 }),
  guest('boot-512', 'boot1024', 'boot and an IPI of as many cores as QEMU has', { cores: 512 }),
  guest('boot-1024', 'boot1024', 'the same with as many as Heddle has', { cores: 1024, hasPeer: false }),
  debianProgram('zstd', 'usr/bin/zstd', 'compresses 96 MiB of text', ['-q', '-f', '-T1', 'text', '-o', 'text.zst']),
  debianProgram('gzip', 'bin/gzip', 'compresses 96 MiB of text', ['-k', '-f', '-1', 'text']),
  debianProgram('sqlite', 'usr/bin/sqlite3', 'joins and transactions in memory', [':memory:', '.read script.sql']),
  debianProgram('python', 'usr/bin/python3.11', 'a sieve, a tree, a dictionary', ['-S', 'program.py']),
  {
    kind: 'linux',
    name: 'linpack',
    measures: 'linear equations in double precision',
    group: 'Linux programs',
    cores: 1,
    file: packageFile('tests/guests/bin/linux/suite'),
    isFetched: false,
    words: ['linpack', '300', '50'],
  },
];

export const linuxContests: readonly AnyContest[] = contests.filter(({ kind }) => kind === 'linux');

/** Those that can be run here; the others, by name, need fetch-debian.sh. */
export function available(wanted: readonly AnyContest[]): {
  readonly present: readonly AnyContest[];
  readonly missing: readonly string[];
} {
  const isPresent = ({ file, isFetched }: AnyContest): boolean => !isFetched || existsSync(file);
  return {
    present: wanted.filter(isPresent),
    missing: wanted.filter((contest) => !isPresent(contest)).map(({ name }) => name),
  };
}
