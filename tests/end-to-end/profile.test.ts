// heddle run --profile, as users run it: where the time of the host went. The simulated run does not know of it.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HostProfile } from '../../src/report/profile.ts';
import { elfOf, heddle } from './built.ts';

interface Document {
  readonly traceHash: string;
  readonly instructions: number;
  readonly profile?: HostProfile;
}

const timeout = 60_000;
const suite = resolve(import.meta.dirname, '../guests/bin/linux/suite');
const documentOf = async (...args: readonly string[]): Promise<Document> =>
  JSON.parse((await heddle(['run', '--json', ...args])).stdout) as Document;
const sum = (shares: readonly { readonly percent: number }[]): number =>
  shares.reduce((total, { percent }) => total + percent, 0);

describe('A profile', () => {
  const guest = [elfOf('bytecode')];

  it(
    'names the hottest function of the guest, leaves the run as it was, and adds up to 100 per cent',
    { timeout },
    async () => {
      const { profile, ...profiled } = await documentOf('--profile', ...guest);
      expect(profiled).toEqual(await documentOf(...guest));
      expect(profile?.symbols[0]?.name).toBe('interpret');
      expect(sum(profile?.parts ?? [])).toBeCloseTo(100, 6);
    },
  );

  it('is written for speedscope, and printed as a table', { timeout }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-profile-'));
    try {
      const file = join(folder, 'profile.json');
      const { stdout } = await heddle(['run', '--speedscope', file, ...guest]);
      expect(stdout).toMatch(/translated code, by the guest's symbols[^]*interpret/);
      const { profiles } = JSON.parse(readFileSync(file, 'utf8')) as {
        readonly profiles: readonly { readonly samples: readonly unknown[]; readonly weights: readonly unknown[] }[];
      };
      expect(profiles.map(({ samples, weights }) => samples.length - weights.length)).toEqual([0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of several host threads shows where one of them waits for another', { timeout }, async () => {
    const words = [elfOf('spinlocks'), '--cores', '2', '--host-threads', '2'];
    const { profile, ...profiled } = await documentOf('--profile', ...words);
    expect(profiled).toEqual(await documentOf(...words));
    expect(profile?.parts.find(({ name }) => name === 'idle')?.percent).toBeGreaterThan(0);
  });

  it('of a Linux program names files where these have no symbols', { timeout }, async () => {
    const words = [suite, '--', 'linpack', '120'];
    const { profile, ...profiled } = await documentOf('--profile', ...words);
    expect(profiled).toEqual(await documentOf(...words));
    expect(profile?.symbols[0]?.name).toMatch(/^0x[0-9a-f]+ \(suite\)$/);
    expect(profile?.functions.some(({ part }) => part === 'system calls and hypervisor')).toBe(true);
  });
});
