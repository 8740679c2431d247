import { expect, test } from 'vitest';
import { renewEngines, runProgram } from './random-programs.ts';
import { watchdog } from './watchdog.ts';

const programs = Number(process.env['HEDDLE_FUZZ_PROGRAMS'] ?? 150);
const seed = Number(process.env['HEDDLE_FUZZ_SEED'] ?? 1);
const programsPerEngine = 100;
const mostFailures = 3;

test.each(['branching', 'shaped'] as const)(
  `${programs} random programs, %s, end in the same state in every tier, wherever their budgets end`,
  { timeout: 60_000 + programs * 1000 },
  async (kind) => {
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
