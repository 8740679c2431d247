import { platform } from 'node:os';
import { expect, test } from 'vitest';
import { elfOf, heddle } from './built.ts';

/** What is promised on a machine with two cores. */
const timeoutMs = 60_000;
const mostBytes = 2 ** 31;

test(
  '1,024 cores boot through PSCI, each sends an IPI to its neighbour, and the run ends within 60 s and 2 GiB',
  { timeout: timeoutMs + 10_000 },
  async () => {
    const args = ['run', elfOf('boot1024'), '--cores=1024', '--stats'];
    const { code, stdout, stderr, peakBytes } = await heddle(args, { timeoutMs, measuresMemory: true });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('1024 cores, 1024 IPIs received\n');
    expect(Buffer.from(stdout, 'latin1').toString()).toMatch(/│ 1023 │ 0x80003f0f │/);
    expect(peakBytes).toBeLessThan(mostBytes);
    if (platform() === 'linux') expect(peakBytes).toBeGreaterThan(0);
  },
);
