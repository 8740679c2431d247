import { expect, test } from 'vitest';
import { renewEngines, runProgram } from './random-programs.ts';
import { watchdog } from './watchdog.ts';

const asked = process.env['HEDDLE_FUZZ_PROGRAMS'];
const programsOf = (unlessAsked: number): number => Number(asked ?? unlessAsked);
const seed = Number(process.env['HEDDLE_FUZZ_SEED'] ?? 1);
const programsPerEngine = 100;
const mostFailures = 3;

test.each([
  ['branching', programsOf(150)],
  ['shaped', programsOf(150)],
  // Most of what they run is translated only to be written over.
  ['rewriting', programsOf(40)],
  ['calling', programsOf(30)],
] as const)(
  'random programs, %s, %i of them, end in the same state in every tier, wherever their budgets end',
  { timeout: 60_000 + programsOf(150) * 1000 },
  async (kind, programs) => {
    const dog = watchdog(`random programs, ${kind}, seed ${seed}, program`);
    const failures: string[] = [];
    for (let index = 0; index < programs && failures.length < mostFailures; index += 1) {
      dog.progress(index);
      if (index % programsPerEngine === programsPerEngine - 1) renewEngines();
      const failure = runProgram(kind, seed, index);
      if (failure !== undefined) failures.push(failure);
    }
    await dog.stop();
    expect(failures.join('\n\n')).toBe('');
  },
);
