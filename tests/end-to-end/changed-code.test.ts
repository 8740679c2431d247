// Code that cores change at random, each for itself and for each other, as far as the architecture defines what is then executed: the guest
// `crossmod` knows what that is, and QEMU prints the same. In every tier, and under both conductors with code that gets hot.
//
// HEDDLE_CHANGED_CODE=N runs N programs instead of two.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type EngineMode } from '../../src/engine/engine.ts';
import { bootedMachine } from '../../workers/booted-machine.ts';
import { oneHostMachine } from '../../workers/one-host.ts';
import { elfOf, hasQemu, runGuest, runUnderQemu } from './built.ts';

const timeout = 180_000;
const machine = { virtualization: true, secure: false };
const cores = 3;
const programs = Number(process.env['HEDDLE_CHANGED_CODE'] ?? 2);
const seeds = Array.from({ length: programs }, (_, n) => n + 2);
const bytes = new Uint8Array(readFileSync(elfOf('crossmod')));

/** What the guest prints, in one thread. */
function textIn(mode: EngineMode, kernelArgs: string): string {
  const text: Uint8Array[] = [];
  const built = oneHostMachine(
    bootedMachine(
      {
        ...machine,
        image: { path: 'crossmod', bytes },
        cores,
        kernelArgs,
        memoryBytes: 0x2000_0000,
        gicVersion: 3,
        cpu: 'max',
        conductor: 'lockstep',
        hostThreads: 1,
        seed: 1,
        devices: [],
        semihosting: true,
        stats: false,
        json: false,
      },
      mode,
    ),
    (piece) => text.push(piece),
  );
  const { end } = built.run({ seed: 1, maxInstructions: 1e9, maxTicks: Infinity });
  return `${Buffer.concat(text).toString()}${end}`;
}

const allRight = new RegExp(`^crossmod: ${cores} cores\n(.*: checksum [0-9a-f]{8}, 0 wrong\n){4}`);

describe.each(seeds)('code that is changed at random is executed as the architecture has it (seed %i)', (seed) => {
  const kernelArgs = `seed=${seed} rounds=25`;

  test.each(['step', 'translate', 'region', 'tiered'] as const)('under lockstep, %s', { timeout }, (mode) => {
    expect(textIn(mode, kernelArgs)).toMatch(allRight);
  });

  test('as under QEMU, and under parallel when it is hot', { timeout }, async () => {
    const hot = `seed=${seed} rounds=12 calls=10000`;
    const options = ['--conductor=parallel', '--host-threads=2', `--kernel-args=${hot}`];
    const { stdout, code } = await runGuest('crossmod', machine, cores, ...options);
    expect(stdout).toMatch(allRight);
    expect(code).toBe(0);
    if (hasQemu) {
      const there = await runUnderQemu('crossmod', machine, cores, hot);
      expect(there.stdout).toBe(stdout);
    }
  });
});
