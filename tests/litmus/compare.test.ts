// The published tests beside the checkout: the same states in the same order as herd7, and the same verdict. A sample of them, or, with
// HEDDLE_LITMUS=all (npm run litmus:compare), all of user, mixed and ifetch.

import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/memory-model/execution.ts';
import type { Program } from '../../src/memory-model/program.ts';
import { catModel, ownCatFile } from '../../workers/cat-model.ts';
import { builtInModels } from '../../src/explore/explore.ts';
import type { OrderingModel } from '../../src/explore/local-event.ts';
import { runLitmus } from '../../src/explore/litmus.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { UserError } from '../../src/report/user-error.ts';
import { type SharedTest, sharedTests, textOf } from './shared-tests.ts';
import { unsupported } from './unsupported.ts';

const all = process.env.HEDDLE_LITMUS === 'all';
/** One of so many is compared in every run of the suite: some ten seconds. */
const sampleStep = 20;
/** No test may take longer than this, on any machine that is not too busy. */
const timeoutMs = 60_000;

/** Some states were printed in hexadecimal, and those without any location as nothing. */
const decimal = (state: string): string => state.replace(/(?<==|\{|,)0x[0-9a-f]+/g, (digits) => String(BigInt(digits)));

/** The built-in model, and the same in the project's own cat file, which sees every execution. */
const models: Readonly<Record<string, (program: Program) => OrderingModel | Model>> = {
  'built in': () => builtInModels.arm,
  'the cat file': (program) => catModel(ownCatFile('arm'), [], program),
};

function outcome(
  published: SharedTest,
  modelOf: (program: Program) => OrderingModel | Model,
): { readonly states: readonly string[]; readonly rest: string } {
  const startMs = performance.now();
  try {
    const litmus = litmusProgram(parseLitmus(textOf(published), published.path), {
      names: registerNames,
      variants: published.variant === '' ? [] : [published.variant],
    });
    const result = runLitmus(litmus, modelOf(litmus.program), () => performance.now() - startMs > timeoutMs);
    const states = result.states.filter((state) => state !== '');
    return { states, rest: `${result.observation} ${result.verdict}${result.isComplete ? '' : ' incomplete'}` };
  } catch (error) {
    if (error instanceof UserError) return { states: [], rest: error.message };
    throw error;
  }
}

describe.runIf(sharedTests.length > 0)('the published tests', () => {
  test.each(
    Object.keys(models).flatMap((model) =>
      (['user', 'mixed', 'ifetch', 'system'] as const).map((group) => [group, model] as const),
    ),
  )(
    'of the group %s have the outcomes of herd7 under Armv8 as %s',
    (group, model) => {
      const supported = sharedTests.filter(
        (published) => published.group === group && !unsupported.has(published.path),
      );
      const chosen = supported.filter((_, n) => all || n % sampleStep === 0);
      const differing = chosen.flatMap((published) => {
        const { states, rest } = outcome(published, models[model]!);
        const expected = published.states.map(decimal);
        const isSame = states.join() === expected.join() && rest === `${published.observation} ${published.verdict}`;
        const missing = expected.filter((state) => !states.includes(state)).join(' ');
        const extra = states.filter((state) => !expected.includes(state)).join(' ');
        return isSame ? [] : [`${published.path}: ${rest}; missing: ${missing}; extra: ${extra}`];
      });
      expect(differing).toEqual([]);
      expect(chosen.length).toBeGreaterThan(supported.length / (sampleStep + 1));
    },
    all ? 3_600_000 : 120_000,
  );
});

test.runIf(sharedTests.length === 0)('skipped: the published tests are not beside the checkout', () => {
  expect(sharedTests).toEqual([]);
});
