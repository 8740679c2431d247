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
