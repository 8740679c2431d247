// Hostile programs: the guest gets its errno or its signal, the host stays up, and nothing hangs.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRandom } from '../../actors/random.ts';
import { oneHostMachine } from '../../workers/one-host.ts';
import { linuxConfig } from '../../workers/linux-machine.ts';
import { encodeStepModule } from '../../src/engine/step-module.ts';
import { readExecutable } from '../../src/linux-abi/elf.ts';
import { goodRun, heddleRun, inFolder, suite } from './suite.ts';

const stepModule = new WebAssembly.Module(encodeStepModule());

describe('a hostile program', () => {
  it('makes 100,000 calls at random, and goes on', { timeout: 280_000 }, () => {
    inFolder((folder) => {
      writeFileSync(resolve(folder, 'mine'), 'mine');
      const { code, stdout } = heddleRun([
        '--cores',
        '2',
        '--workdir',
        folder,
        suite,
        '--',
        'random-calls',
        '100000',
        '7',
      ]);
      expect(code).toBe(0);
      expect(stdout).toContain('still here after 100000 calls\n');
      expect(readdirSync(folder)).toContain('mine');
    });
  });

  it('that uses up all memory ends by a signal, or hears ENOMEM', { timeout: 120_000 }, () => {
    const { code, stderr } = heddleRun(['--memory', '16M', suite, '--', 'devour']);
    expect(code).toBe(137);
    expect(stderr).toContain('was ended by SIGKILL');
  });
});

describe('an executable with changed headers', () => {
  it('runs to an end of its own, or to its limit', { timeout: 280_000 }, () => {
    const good = new Uint8Array(readFileSync(suite));
    const random = makeRandom(3);
    const ends = new Map<string, number>();
    let ran = 0;
    for (let n = 0; n < 400 && ran < 40; n += 1) {
      const bytes = good.slice();
      for (let change = 0; change < 3; change += 1) bytes[24 + random.below(40 + 6 * 56)] = random.below(256);
      if (typeof readExecutable(bytes) === 'string') continue;
      ran += 1;
      const config = linuxConfig(goodRun(bytes), { arguments: ['start'], environment: [] }, stepModule);
      const { end } = oneHostMachine(config, () => undefined).run({
        seed: 1,
        maxInstructions: 200_000,
        maxTicks: Infinity,
      });
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    expect(ran).toBe(40);
    expect([...ends.keys()].every((end) => ['stopped', 'max-instructions', 'deadlock'].includes(end))).toBe(true);
    expect(ends.get('stopped')).toBeGreaterThan(5);
  });
});
