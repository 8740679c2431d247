// Machine and model cannot disagree: PEs of the step engine, whose instructions are interleaved at random, end in states that Armv8 allows.
// A sample of the published tests of user mode, of mixed sizes and of self-modifying code beside the checkout; all of these with HEDDLE_LITMUS=all. Left
// out: tests with handlers of exceptions or descriptors.

import { describe, expect, it } from 'vitest';
import { registerNames } from '../../src/arch/register-names.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { assembleColumns } from '../../src/memory-model/litmus/code.ts';
import { layOut } from '../../src/memory-model/litmus/layout.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import type { Observable } from '../../src/memory-model/program.ts';
import { assert } from '../../src/report/assert.ts';
import { type FlatMachine, flatMachine } from '../engine/flat-machine.ts';
import { sharedTests, textOf } from '../litmus/shared-tests.ts';
import { unsupported } from '../litmus/unsupported.ts';

const all = process.env.HEDDLE_LITMUS === 'all';
const sampleSteps = { user: 60, mixed: 4, ifetch: 4 } as const;
const runsOfEach = 40;
/** A run that takes longer waits in a loop, and is not looked at. */
const mostInstructions = 400;

/** Where litmus tests put code and data, and where the machine has them; all of it fits into as many bytes. */
const regions = [
  { litmus: 0x70_4000_0000n, machine: BigInt(ramBase) + 0x1000n },
  { litmus: 0x70_8000_0000n, machine: BigInt(ramBase) + 0x8_0000n },
] as const;
const regionBytes = 0x7_0000n;
const branchToSelf = 0x1400_0000;

const move =
  (from: 'litmus' | 'machine', to: 'litmus' | 'machine') =>
  (value: bigint): bigint => {
    const region = regions.find((r) => value >= r[from] && value < r[from] + regionBytes);
    return region ? value - region[from] + region[to] : value;
  };
const toMachine = move('litmus', 'machine');
const toLitmus = move('machine', 'litmus');

/** Numbers below `below`, from a seed (Marsaglia, "Xorshift RNGs"). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed * 0x9e37_79b9 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

interface Litmus {
  readonly program: ReturnType<typeof litmusProgram>['program'];
  readonly code: ReturnType<typeof assembleColumns>;
}

function litmusOf(text: string, path: string): Litmus {
  const test = parseLitmus(text, path);
  const layout = layOut(test);
  const addressOf = (name: string): bigint | undefined => layout.variables.get(name)?.address;
  return {
    program: litmusProgram(test, { names: registerNames }).program,
    code: assembleColumns(test, { names: registerNames, addressOf }),
  };
}

/** What is observed can be read from general-purpose registers and memory. */
const isPlain = (observable: Observable): boolean =>
  observable.kind === 'memory' || (observable.kind === 'register' && /^X\d+$/.test(observable.name));

/** The final state of one run; undefined where a thread does not end. */
function run(machine: FlatMachine, { program, code }: Litmus, seed: number): string | undefined {
  const { bytes } = machine.views;
  const view = new DataView(bytes.buffer);
  const random = randomNumbers(seed);
  for (const { address, bytes: contents } of program.memory) {
    const start = Number(toMachine(address));
    bytes.set(contents, start);
    // Pointers point to where things are in the machine.
    for (let at = start; at + 8 <= start + contents.length; at += 8)
      view.setBigUint64(at, toMachine(view.getBigUint64(at, true)), true);
  }
  const ends = code.map(({ base, bytes: words }, n) => {
    const start = Number(toMachine(base));
    bytes.set(words, start);
    view.setUint32(start + words.length, branchToSelf, true);
    const { base: state } = machine.pes[n]!;
    machine.pes[n]!.reset({ el: 1, pc: toMachine(base), x0: 0n });
    const initial = program.threads[n]!.start();
    for (let x = 0; x < 31; x += 1) {
      view.setBigUint64(state + record.x + 8 * x, toMachine(initial.register(`X${x}`).bits), true);
    }
    view.setBigUint64(state + record.sp, toMachine(initial.register('SP').bits), true);
    return BigInt(start + words.length);
  });
  const isRunning = (n: number): boolean => view.getBigUint64(machine.pes[n]!.base + record.pc, true) !== ends[n];
  for (let left = mostInstructions; ; left -= 1) {
    const running = ends.flatMap((_, n) => (isRunning(n) ? [n] : []));
    if (running.length === 0) break;
    if (left === 0) return undefined;
    machine.run(running[random(running.length)]!, 1);
  }
  const values = program.observed.map((observable) => {
    if (observable.kind === 'register') {
      const { base } = machine.pes[observable.thread]!;
      return toLitmus(view.getBigUint64(base + record.x + 8 * Number(observable.name.slice(1)), true));
    }
    assert(observable.kind === 'memory', 'what is observed is plain');
    let value = 0n;
    const at = Number(toMachine(observable.address));
    for (let n = observable.bytes - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(bytes[at + n]!);
    return toLitmus(value);
  });
  return values.join();
}

describe.runIf(sharedTests.length > 0)('the step engine', () => {
  it.each(['user', 'mixed', 'ifetch'] as const)(
    'ends in no state that Armv8 does not allow, on tests of the group %s',
    (wanted) => {
      const chosen = sharedTests
        .filter(({ group, path }) => group === wanted && !unsupported.has(path))
        .filter((_, n) => all || n % sampleSteps[wanted] === 0);
      let ended = 0;
      const wrong: string[] = [];
      for (const published of chosen) {
        const litmus = litmusOf(textOf(published), published.path);
        const { program, code } = litmus;
        if (!program.observed.every(isPlain) || code.some(({ isHandler }) => isHandler)) continue;
        if (program.memory.some(({ address }) => toMachine(address) === address)) continue;
        const { outcomes, hasBound } = explore(program, builtInModels.arm);
        const allowed = new Set(outcomes.map(({ state }) => state.join()));
        const machine = flatMachine('step', 'nop', { pes: code.length });
        for (let seed = 1; seed <= runsOfEach; seed += 1) {
          const state = run(machine, litmus, seed);
          if (state === undefined) continue;
          ended += 1;
          if (!allowed.has(state) && !hasBound) wrong.push(`${published.path}, seed ${seed}: ${state}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(ended).toBeGreaterThan(0.8 * runsOfEach * chosen.length);
    },
    all ? 3_600_000 : 120_000,
  );
});

it.runIf(sharedTests.length === 0)('skipped: the published tests are not beside the checkout', () => {
  expect(sharedTests).toEqual([]);
});
