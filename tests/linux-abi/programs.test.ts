// Programs for Linux without a kernel: what they print is what qemu-aarch64 prints, on any number of cores, and a run is the same again.

import { describe, expect, it } from 'vitest';
import { expectedOf, hasQemu, heddleRun, programs, runSuite, runSuiteUnderQemu, suite } from './suite.ts';

interface Document {
  readonly exitCode: number;
  readonly traceHash: string;
  readonly instructions: number;
}

const documentOf = (name: string, ...options: readonly string[]): Document =>
  JSON.parse(runSuite(name, ['--json', ...options]).stdout) as Document;

describe('a static Linux program', () => {
  for (const { name, exitCode, cores: numbers } of programs)
    for (const cores of numbers)
      it(`${name} prints what it prints under Linux, on ${cores} cores`, { timeout: 120_000 }, () => {
        const { code, stdout } = runSuite(name, ['--cores', String(cores)]);
        expect({ code, stdout }).toEqual({ code: exitCode, stdout: expectedOf(name) });
      });

  it('writes its errors to standard error, and what a run is to the same', { timeout: 60_000 }, () => {
    const { stderr } = runSuite('start', []);
    expect(stderr.split('\n').slice(1, 2)).toEqual(['to the other stream']);
    expect(stderr).toMatch(/^heddle \S+, model sc, Linux ABI, 1 core max, 512M, seed 1, conductor lockstep\n/);
  });
});

it('A Linux program that computes in double precision finds the same bits', { timeout: 60_000 }, () => {
  const { code, stdout } = runSuite('linpack', []);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expectedOf('linpack') });
});

describe.skipIf(!hasQemu)('qemu-aarch64, where it is there,', () => {
  for (const { name, exitCode, qemu } of programs) {
    if (!qemu) continue;
    // Time-outs of a few milliseconds are the host's there: a busy one comes too late for some of them.
    it(`agrees on ${name}`, { timeout: 60_000, retry: 20 }, () => {
      const { code, signal, stdout } = runSuiteUnderQemu(name);
      expect(stdout).toBe(expectedOf(name));
      expect(signal === 'SIGTERM' ? 143 : code).toBe(exitCode);
    });
  }
});

it('a signal that comes while its thread is on its way into a wait is not lost', { timeout: 60_000 }, () => {
  for (const seed of ['1', '2', '3', '4']) {
    const { code, stdout } = runSuite('jobs', ['--cores', '4', '--seed', seed]);
    expect({ seed, code, stdout }).toEqual({ seed, code: 0, stdout: expectedOf('jobs') });
  }
});

describe('a run of threads', () => {
  it('is the same to the bit again, with any number of host threads', { timeout: 180_000 }, () => {
    const first = documentOf('threads', '--cores', '4');
    expect(first.exitCode).toBe(0);
    for (const hostThreads of ['1', '2', '4'])
      expect(documentOf('threads', '--cores', '4', '--host-threads', hostThreads)).toEqual(first);
  });

  it('loses increments as the seed says, and the same ones again', { timeout: 180_000 }, () => {
    const lost = (seed: number): string =>
      heddleRun([suite, '--cores', '4', '--seed', String(seed), '--', 'race']).stdout;
    const outcomes = [1, 2, 3].map(lost);
    expect([1, 2, 3].map(lost)).toEqual(outcomes);
    expect(new Set(outcomes).size).toBeGreaterThan(1);
    for (const outcome of outcomes) expect(outcome).toMatch(/^\d{4} of 8000\n$/);
  });
});
