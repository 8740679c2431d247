// Done-when of the memory models: each built-in engine, and the cat file of the same model in the project's own words, find the same
// final states. AGREEMENT_TESTS=5000 npx vitest run tests/memory-model/agreement.test.ts is the long form.

import fc from 'fast-check';
import { env } from 'node:process';
import { describe, expect, it } from 'vitest';
import { findCatFile, ownCatFile } from '../../workers/cat-model.ts';
import { builtInModels } from '../../src/explore/explore.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { statesOf } from '../explore/programs.ts';
import { randomProgram } from './random-programs.ts';

const tests = Number(env.AGREEMENT_TESTS ?? 60);
const seed = Number(env.AGREEMENT_SEED ?? 4);

describe.each(['arm', 'tso', 'sc'] as const)('the built-in model %s', (name) => {
  it(
    `allows what its cat file allows, on ${tests} random programs`,
    () => {
      const cat = loadCat(ownCatFile(name), { findFile: findCatFile });
      fc.assert(
        fc.property(randomProgram, (source) => {
          expect(statesOf(source, builtInModels[name])).toEqual(statesOf(source, cat));
        }),
        { numRuns: tests, seed },
      );
    },
    60_000 + tests * 500,
  );
});
