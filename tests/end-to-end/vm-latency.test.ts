// What exclusive cores are worth: the same real-time VM beside VMs that sleep, beside VMs that never rest, and on the core of one of these.

import { beforeAll, describe, expect, it } from 'vitest';
import type { Latency, LatencyRatio } from '../../src/report/latency.ts';
import type { VmSystemReport } from '../../src/vm/report.ts';
import { heddle } from './built.ts';

const timeout = 300_000;
const system = (name: string): string => `tests/end-to-end/systems/rt-${name}.yaml`;

interface Document {
  readonly vms: VmSystemReport['vms'];
  readonly hypervisor: VmSystemReport['cores'];
  readonly latencies: Readonly<Record<string, Latency>>;
  readonly against: { readonly ratios: Readonly<Record<string, LatencyRatio>> };
}

/** A system against the one whose neighbours sleep. */
async function againstQuiet(name: string): Promise<Document> {
  const { code, stdout } = await heddle(['vm', system(name), '--against', system('quiet'), '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Document;
}

let noisy: Document;
let shared: Document;
beforeAll(async () => {
  [noisy, shared] = await Promise.all([againstQuiet('noisy'), againstQuiet('shared')]);
}, timeout);

const exitsOf = ({ vms }: Document, name: string): number =>
  vms
    .filter((vm) => vm.name === name)
    .flatMap(({ vcpus }) => vcpus.flatMap(({ exits }) => Object.values(exits)))
    .reduce((sum, count) => sum + count, 0);

describe('a real-time VM', () => {
  it('alone on its core has the p99.9 latency within 1 % that it has beside VMs that sleep, whatever its neighbours do', () => {
    expect(exitsOf(noisy, 'rings')).toBeGreaterThan(10_000);
    expect(exitsOf(noisy, 'device')).toBeGreaterThan(10_000);
    expect(Math.abs((noisy.against.ratios['rt']?.p999 ?? NaN) - 1)).toBeLessThanOrEqual(0.01);
  });

  it('alone on its core meets neither a tick nor an interrupt of anybody else', () => {
    const [vcpu] = noisy.vms.find(({ name }) => name === 'rt')?.vcpus ?? [];
    expect(vcpu).toMatchObject({ core: 3, injectedInterrupts: 0, directInterrupts: 1010, switches: 1 });
    expect(noisy.hypervisor[3]).toMatchObject({ ticks: 0, foreignInterrupts: 0, interrupts: { IPI: 1 } });
  });

  it('on a shared core is later by an amount that the report tells', () => {
    const [vcpu] = shared.vms.find(({ name }) => name === 'rt')?.vcpus ?? [];
    expect(vcpu).toMatchObject({ core: 2, directInterrupts: 0, injectedInterrupts: 1010 });
    expect(shared.hypervisor[2]?.ticks).toBeGreaterThan(100);
    // Three vCPUs take turns of 1 ms: the worst wake-up waits for two of them.
    expect(shared.against.ratios['rt']?.p999).toBeGreaterThan(100);
    expect(shared.latencies['rt']?.max).toBeGreaterThan(1_900_000);
    expect(shared.latencies['rt']?.max).toBeLessThan(2_200_000);
  });

  it('has a histogram of all of its wake-ups, which agrees with its quantiles', () => {
    for (const { histogram, min, median, max } of [noisy, shared].flatMap(({ latencies }) => latencies['rt'] ?? [])) {
      expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
      expect(histogram[0]?.from).toBeLessThanOrEqual(min);
      expect(histogram.at(-1)?.below).toBeGreaterThan(max);
      const upToMedian = histogram.filter(({ from }) => from <= median).reduce((sum, { count }) => sum + count, 0);
      expect(upToMedian).toBeGreaterThanOrEqual(500);
    }
  });
});
