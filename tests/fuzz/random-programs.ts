// Random programs, run for thousands of instructions: interrupts and faults at any place, budgets that end anywhere. Traces and regions must
// leave the state that the step reading leaves, to the bit, and so must an engine that goes from one to the next.
//
// `npx vitest run tests/fuzz/random-programs.test.ts` runs some programs of each kind; HEDDLE_FUZZ_PROGRAMS=N before it runs N, and
// HEDDLE_FUZZ_SEED=N others than those of seed 1. A program is (kind, seed, index) and nothing else: `runProgram` runs it again.

import type { EngineMode } from '../../src/engine/engine.ts';
import { callingProgram } from './calling-programs.ts';
import { describeProgram, differences, shrink } from './compare.ts';
import { type FuzzMachine, fuzzMachine, type Program } from './fuzz-machine.ts';
import { randomProgram } from './program-words.ts';
import { makeRandom } from './random.ts';
import { rewritingProgram } from './rewriting-programs.ts';
import { shapedProgram } from './shaped-programs.ts';

export type ProgramKind = 'branching' | 'shaped' | 'rewriting' | 'calling';
const programOf = {
  branching: randomProgram,
  shaped: shapedProgram,
  rewriting: rewritingProgram,
  calling: callingProgram,
} as const;

const machines = new Map<string, FuzzMachine>();

function machineFor(mode: EngineMode, { start: { levels } }: Program): FuzzMachine {
  const key = `${mode} ${levels.hasEl2} ${levels.hasEl3}`;
  let machine = machines.get(key);
  if (!machine) {
    machine = fuzzMachine(mode, levels);
    machines.set(key, machine);
  }
  return machine;
}

export const renewEngines = (): void => {
  for (const machine of machines.values()) machine.renewEngine();
};

/** Small, middling and large budgets, so that a trace is cut anywhere and also runs to its end. */
function chunksOf(seed: number, index: number): () => number {
  const random = makeRandom(~seed, index);
  return () => 1 + random.below(random.pick([4, 40, 200, 2000]));
}

/** The step reading in one piece beside another one in many. */
function compareReadings(mode: EngineMode, program: Program, count: number, nextChunk: () => number): string[] {
  const [step, other] = [machineFor('step', program), machineFor(mode, program)];
  step.load(program);
  step.run(count, () => count);
  other.load(program);
  other.run(count, nextChunk);
  return differences(step, other);
}

/** Runs a program in every reading; returns what is wrong, as a text with the smallest program that shows it. */
export function runProgram(kind: ProgramKind, seed: number, index: number): string | undefined {
  const program = programOf[kind](seed, index);
  const { instructions } = program;
  for (const mode of ['translate', 'region', 'tiered'] as const) {
    const compare = (smaller: Program, count: number): string[] =>
      compareReadings(mode, smaller, count, chunksOf(seed, index));
    try {
      const found = compare(program, instructions);
      if (found.length === 0) continue;
      const small = shrink(program, instructions, (smaller, count) => compare(smaller, count).length > 0);
      const left = compare(small.program, small.instructions);
      return `${kind}, seed ${seed}, program ${index}: step and ${mode} differ: ${(left.length > 0 ? left : found).join('; ')}\n${describeProgram(small.program, small.instructions)}`;
    } catch (error) {
      machines.clear();
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return `${kind}, seed ${seed}, program ${index}, ${mode}: ${text}\n${describeProgram(program, instructions)}`;
    }
  }
  return undefined;
}
