// Done-when of the memory models: each built-in engine, and the cat file of the same model in the project's own words, find the same
// final states. AGREEMENT_TESTS=5000 npx vitest run tests/memory-model/agreement.test.ts is the long form.

import fc from 'fast-check';
import { env } from 'node:process';
import { describe, expect, it } from 'vitest';
import { catModel, findCatFile, ownCatFile } from '../../workers/cat-model.ts';
import { builtInModels } from '../../src/explore/explore.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { runLitmus } from '../../src/explore/litmus.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { statesOf } from '../explore/programs.ts';
import { randomProgram } from './random-programs.ts';
import { randomSelfModifying } from './random-self-modifying.ts';
import { randomTranslation } from './random-translation.ts';

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

  it(
    `allows what its cat file allows, on ${tests} random programs that modify code`,
    () => {
      let several = 0;
      fc.assert(
        fc.property(randomSelfModifying, (text) => {
          const litmus = litmusProgram(parseLitmus(text, 'random.litmus'), { names: registerNames });
          const { states } = runLitmus(litmus, builtInModels[name]);
          expect(states).toEqual(runLitmus(litmus, catModel(ownCatFile(name), [], litmus.program)).states);
          if (states.length > 1) several += 1;
        }),
        { numRuns: tests, seed },
      );
      expect(several).toBeGreaterThan(tests / 4);
    },
    60_000 + tests * 500,
  );
});

it(
  `the built-in model arm allows what its cat file allows, on ${tests} random programs that change their translation`,
  () => {
    let several = 0;
    fc.assert(
      fc.property(randomTranslation, (text) => {
        const litmus = litmusProgram(parseLitmus(text, 'random.litmus'), { names: registerNames });
        const { states } = runLitmus(litmus, builtInModels.arm);
        expect(states).toEqual(runLitmus(litmus, catModel(ownCatFile('arm'), [], litmus.program)).states);
        if (states.length > 1) several += 1;
      }),
      { numRuns: tests, seed },
    );
    expect(several).toBeGreaterThan(tests / 4);
  },
  60_000 + tests * 500,
);
