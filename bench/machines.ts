// What is measured: for each guest the engine in its three modes beside QEMU, in million instructions a second (MIPS), and what it takes
// to start. Instructions are counted by our own run, exactly; QEMU runs the same ones.

import { spawnSync } from 'node:child_process';
import { builtFile } from '../workers/package-file.ts';
import { assert } from '../src/report/assert.ts';
import type { EngineMode } from '../src/engine/engine.ts';
import { type BenchGuest, guestFile, smallestGuest } from './guests.ts';
import { runQemu, timeInQemu } from './qemu.ts';
import type { Measured, Samples } from './rounds.ts';
import type { Sample } from './sample.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';

const modes = ['step', 'translate', 'tiered'] as const satisfies readonly EngineMode[];
type Mode = (typeof modes)[number];

/** Stepping costs the same all along; a whole run would take most of the time of the benchmark. */
const stepInstructions = 20_000_000;

export interface GuestResult {
  readonly guest: BenchGuest;
  /** Of a whole run. */
  readonly instructions: number;
  readonly mips: Readonly<Record<Mode, Spread>> & { readonly qemu?: Spread };
  /** How many times as fast as QEMU users find it: tiered. */
  readonly ratio?: Spread;
}

/** Times from start to end of a process, in milliseconds. */
export interface StartUp {
  /** `node -e 0`. */
  readonly node: Spread;
  /** `heddle run` of the smallest guest. */
  readonly heddle: Spread;
  readonly qemu?: Spread;
}

export interface Results {
  readonly guests: readonly GuestResult[];
  readonly startUp: StartUp;
}

const sampleProgram = builtFile('bench/sample.ts');
const commandLine = builtFile('src/cli/main.ts');

function node(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert(status === 0, `node ${args.join(' ')} ends with 0, not ${status}: ${stderr}`);
  return stdout;
}

const startUpNames = { node: 'start of node', heddle: 'start of heddle', qemu: 'start of qemu' } as const;
const nameOf = (guest: BenchGuest, how: string): string => `${guest.name}, ${how}`;

/** Everything that a round measures, and the instructions that the samples have run, by name. */
export function benchmarks(
  guests: readonly BenchGuest[],
  hasQemu: boolean,
): { measured: readonly Measured[]; results: (samples: Samples) => Results } {
  const instructions = new Map<string, number>();

  const ownRun = (guest: BenchGuest, mode: Mode): Measured => {
    const name = nameOf(guest, mode);
    return {
      name,
      take: () => {
        const limit = mode === 'step' ? stepInstructions : Number.MAX_SAFE_INTEGER;
        const sample = JSON.parse(node(sampleProgram, guestFile(guest.name), mode, `${limit}`)) as Sample;
        assert(sample.exitCode === 0, `${name} exits with 0, not ${sample.exitCode}`);
        const before = instructions.get(name) ?? sample.instructions;
        assert(before === sample.instructions, `${name} runs the same instructions each time`);
        instructions.set(name, sample.instructions);
        return Promise.resolve(sample.milliseconds);
      },
    };
  };
  const wholeProcess = (name: string, run: () => unknown): Measured => ({
    name,
    take: () => {
      run();
      return Promise.resolve(undefined);
    },
  });

  const smallest = guestFile(smallestGuest);
  const measured: Measured[] = [
    wholeProcess(startUpNames.node, () => node('-e', '0')),
    wholeProcess(startUpNames.heddle, () => node(commandLine, 'run', smallest)),
    ...(hasQemu ? [wholeProcess(startUpNames.qemu, () => runQemu({ file: smallest }))] : []),
    ...guests.flatMap((guest) => [
      ...modes.map((mode) => ownRun(guest, mode)),
      ...(hasQemu ? [{ name: nameOf(guest, 'qemu'), take: () => timeInQemu({ file: guestFile(guest.name) }) }] : []),
    ]),
  ];

  function results(samples: Samples): Results {
    const of = (name: string): readonly number[] => {
      const found = samples.get(name);
      assert(found !== undefined, `${name} has been measured`);
      return found;
    };
    const startUp: StartUp = {
      node: spreadOf(of(startUpNames.node)),
      heddle: spreadOf(of(startUpNames.heddle)),
      ...(hasQemu && { qemu: spreadOf(of(startUpNames.qemu)) }),
    };
    return { startUp, guests: guests.map((guest) => guestResult(guest, of)) };
  }

  function guestResult(guest: BenchGuest, of: (name: string) => readonly number[]): GuestResult {
    const counted = (how: string): number => instructions.get(nameOf(guest, how)) ?? 0;
    const whole = counted('translate');
    assert(whole === counted('tiered'), `${guest.name} has as many instructions whatever runs it`);
    const mips = (how: string, count: number): number[] => of(nameOf(guest, how)).map((ms) => count / ms / 1000);
    const ours = {
      step: mips('step', counted('step')),
      translate: mips('translate', whole),
      tiered: mips('tiered', whole),
    };
    const own = { step: spreadOf(ours.step), translate: spreadOf(ours.translate), tiered: spreadOf(ours.tiered) };
    if (!hasQemu) return { guest, instructions: whole, mips: own };
    const theirs = mips('qemu', whole);
    return {
      guest,
      instructions: whole,
      mips: { ...own, qemu: spreadOf(theirs) },
      ratio: ratioOf(ours.tiered, theirs),
    };
  }

  return { measured, results };
}
