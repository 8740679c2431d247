// The programs of virtual machines without a hypervisor: under QEMU with its devices and both of its GICs, and under Heddle on the
// machines that its board can be. What depends on timing is compared as tests/guests/verify-vm-qemu.sh does.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasQemu, runVmProgram, runVmProgramUnderQemu, vmRuns } from './built.ts';

const timeout = 120_000;

const expectedOf = (name: string): string =>
  readFileSync(new URL(`../guests/expected/vm/${name}.txt`, import.meta.url), 'utf8');

/** Numbers of the lines that tell a latency stand as "...". */
const withoutTimes = (text: string): string =>
  text
    .replaceAll('\r', '')
    .replace(/^(?:latency|deadlines): .*$/gm, (line) => line.replace(/\d+( missed|,|$| ticks)/g, '...$1'))
    .replace(/^histogram: .*$/gm, 'histogram: ...');

describe('what is run', () => {
  const runsOf = (program: string) => vmRuns.filter((run) => run.program === program);
  const drivers = ['block', 'net', 'entropy', 'console'];

  test('the mini-kernel and the real-time task, on both GICs, from EL2 and from EL1, under Heddle as under QEMU', () => {
    for (const program of ['minikernel', 'rt-task']) {
      const runs = runsOf(program);
      expect(runs.every(({ heddle }) => heddle)).toBe(true);
      const machines = runs.map(({ machine }) => `GICv${machine.gic}, EL${machine.virtualization ? 2 : 1}`);
      expect([...new Set(machines)].sort()).toEqual(['GICv2, EL1', 'GICv2, EL2', 'GICv3, EL1', 'GICv3, EL2']);
    }
  });

  test('every driver, on both GICs, by split and by packed rings', () => {
    const runs = runsOf('minikernel').filter(({ devices }) => drivers.every((name) => devices.includes(name)));
    const rings = runs.map(({ machine, packed }) => `GICv${machine.gic}, ${packed ? 'packed' : 'split'}`);
    expect([...new Set(rings)].sort()).toEqual(['GICv2, packed', 'GICv2, split', 'GICv3, packed', 'GICv3, split']);
    for (const { options, packed } of runs) expect(options.includes('packed')).toBe(packed);
  });
});

describe('bare under Heddle', () => {
  test.concurrent.each(vmRuns.filter((run) => run.heddle))(
    '$name prints what QEMU printed when it was recorded',
    { timeout },
    async (run) => {
      const { stdout, code } = await runVmProgram(run);
      expect({ stdout: withoutTimes(stdout), code }).toEqual({ stdout: expectedOf(run.name), code: 0 });
    },
  );
});

describe('bare under Heddle, with devices behind an SMMU that nobody turns on', () => {
  const driving = vmRuns.filter(({ heddle, devices }) => heddle && devices.length > 0);
  test.concurrent.each(driving)('$name prints the same', { timeout }, async (run) => {
    const { stdout, code } = await runVmProgram(run, '--iommu=smmuv3');
    expect({ stdout: withoutTimes(stdout), code }).toEqual({ stdout: expectedOf(run.name), code: 0 });
  });
});

describe('bare under qemu-system-aarch64', () => {
  if (!hasQemu) {
    test('skipped: no qemu', () => expect(hasQemu).toBe(false));
    return;
  }
  test.concurrent.each(vmRuns)('$name prints what was recorded', { timeout }, async (run) => {
    const { stdout, code } = await runVmProgramUnderQemu(run);
    expect({ stdout: withoutTimes(stdout), code }).toEqual({ stdout: expectedOf(run.name), code: 0 });
  });
});
