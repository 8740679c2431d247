// Loads of four threads that check themselves: sysbench, stress-ng --verify, openssl speed. What they print of time is not compared.

import { describe, it } from 'vitest';
import { comparisonMs, expectTheSame } from '../debian.ts';

/** Lines that tell a time, a rate, or how threads have shared the work: of these the words are compared, and not the figures. */
const isOfTime = /time|per second|MiB\/sec|min:|avg|max:|percentile|sum:|stddev|^sha256 |^AES-/;
const withoutTimes = (stdout: string): string =>
  stdout
    .split('\n')
    .map((line) => (isOfTime.test(line) ? line.replaceAll(/[\d.]+/g, 'N').replaceAll(/ +/g, ' ') : line))
    .join('\n');

/** `stress-ng: info: [PID] …`, and how long it took. */
const withoutPids = (stdout: string): string =>
  stdout.replaceAll(/\[\d+\]/g, '[PID]').replaceAll(/completed in .*/g, 'completed');

const sysbench: readonly string[] = [
  'cpu --events=400 --cpu-max-prime=2000',
  'threads --events=100 --thread-yields=50 --thread-locks=4',
  'mutex --mutex-num=64 --mutex-locks=500 --mutex-loops=50',
  'memory --memory-total-size=64M --memory-block-size=4K',
  'memory --memory-total-size=16M --memory-block-size=4K --memory-oper=read --memory-access-mode=rnd',
];

describe('sysbench on four cores', () => {
  for (const test of sysbench)
    it(`does as under qemu-aarch64: ${test}`, { timeout: comparisonMs }, () => {
      const [name = '', ...options] = test.split(' ');
      expectTheSame({
        program: 'usr/bin/sysbench',
        words: [name, '--threads=4', '--time=0', ...options, 'run'],
        cores: 4,
        comparable: withoutTimes,
      });
    });
});

const stressors: readonly string[] = ['--cpu 4 --cpu-ops 80 --cpu-method all', '--matrix 2 --matrix-ops 40'];

describe('stress-ng --verify on four cores', () => {
  for (const stressor of stressors)
    it(`does as under qemu-aarch64: ${stressor}`, { timeout: comparisonMs }, () => {
      expectTheSame({
        program: 'usr/bin/stress-ng',
        words: ['--stdout', '--verify', ...stressor.split(' ')],
        cores: 4,
        comparable: withoutPids,
      });
    });
});

describe('openssl speed for a second', () => {
  for (const algorithm of ['sha256', 'aes-128-gcm'])
    it(`prints what it prints under qemu-aarch64, but for the figures: ${algorithm}`, { timeout: comparisonMs }, () => {
      expectTheSame({
        program: 'usr/bin/openssl',
        words: ['speed', '-seconds', '1', '-bytes', '4096', '-evp', algorithm],
        comparable: withoutTimes,
      });
    });
});
