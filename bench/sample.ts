// Measures one run of one engine: `node dist/bench/sample.js FILE step|translate|tiered MAX_INSTRUCTIONS`.
//
// A process of its own for each sample, as for a user: in a second run in the same process V8 would find the code of every wasm
// module compiled and optimised. The time is that of the run alone; Node's start and the making of the machine are not in it.

import { readFileSync } from 'node:fs';
import type { RunOptions } from '../src/board/run-options.ts';
import type { EngineCounters, EngineMode } from '../src/engine/engine.ts';
import { assert } from '../src/report/assert.ts';
import { bootedMachine } from '../workers/booted-machine.ts';
import { oneHostMachine } from '../workers/one-host.ts';

export interface Sample {
  readonly instructions: number;
  readonly milliseconds: number;
  readonly exitCode: number;
  readonly engine: EngineCounters;
}

const modes: readonly string[] = ['step', 'translate', 'tiered'] satisfies readonly EngineMode[];

function options(path: string): RunOptions {
  return {
    image: { path, bytes: new Uint8Array(readFileSync(path)) },
    cores: 1,
    memoryBytes: 0x2000_0000,
    gicVersion: 3,
    cpu: 'max',
    virtualization: true,
    secure: false,
    conductor: 'lockstep',
    hostThreads: 1,
    seed: 1,
    devices: [],
    semihosting: true,
    stats: false,
    json: false,
  };
}

function takeSample(path: string, mode: EngineMode, maxInstructions: number): Sample {
  const machine = oneHostMachine(bootedMachine(options(path), mode), () => {});
  const start = performance.now();
  const { end, exitCode, cores, engine } = machine.run({ seed: 1, maxInstructions, maxTicks: Infinity });
  const milliseconds = performance.now() - start;
  assert(end === 'stopped' || end === 'max-instructions', `${path} ends by itself, not by ${end}`);
  const instructions = cores.reduce((sum, core) => sum + core.instructions, 0);
  return { instructions, milliseconds, exitCode, engine };
}

const [path = '', mode = '', limit = ''] = process.argv.slice(2);
assert(modes.includes(mode) && Number(limit) > 0, 'FILE, a mode and a number of instructions are given');
process.stdout.write(`${JSON.stringify(takeSample(path, mode as EngineMode, Number(limit)))}\n`);
