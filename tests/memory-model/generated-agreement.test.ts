// Done-when of the memory models, on tests that `heddle litmus gen` draws: each built-in engine, and the cat file of the same model in the
// project's own words, find the same final states; under SC, so does every interleaving. AGREEMENT_TESTS=5000 npx vitest run
// tests/memory-model/generated-agreement.test.ts is the long form.

import { env } from 'node:process';
import { describe, expect, it } from 'vitest';
import { catModel, ownCatFile } from '../../workers/cat-model.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { builtInModels } from '../../src/explore/explore.ts';
import { familyNames } from '../../src/memory-model/litmus/generator/names.ts';
import { randomTests } from '../../src/memory-model/litmus/generator/random-cycles.ts';
import type { GeneratedTest } from '../../src/memory-model/litmus/generator/write-test.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import type { Program } from '../../src/memory-model/program.ts';
import { interleavings } from '../explore/interleavings.ts';
import { statesOfProgram } from '../explore/programs.ts';

const count = Number(env.AGREEMENT_TESTS ?? 60);
const seed = Number(env.AGREEMENT_SEED ?? 4);

/** Of accesses of all sizes in turn, and of mixed sizes. */
function* generated(most = count): Generator<GeneratedTest> {
  let made = 0;
  for (const test of randomTests(seed, ['word', 'mixed', 'quad', 'half', 'mixed', 'byte'])) {
    yield test;
    made += 1;
    if (made === most) return;
  }
  expect.unreachable(`seed ${seed} has only ${made} tests`);
}

const programOf = ({ name, text }: GeneratedTest): Program =>
  litmusProgram(parseLitmus(text, `${name}.litmus`), { names: registerNames }).program;

describe.each(['arm', 'tso', 'sc'] as const)('the built-in model %s', (name) => {
  it(
    `allows what its cat file allows, on ${count} generated tests`,
    () => {
      let several = 0;
      for (const test of generated()) {
        const program = programOf(test);
        const states = statesOfProgram(program, builtInModels[name]);
        expect(states, test.text).toEqual(statesOfProgram(program, catModel(ownCatFile(name), [], program)));
        if (states.length > 1) several += 1;
      }
      expect(several).toBeGreaterThan(0.8 * count);
    },
    60_000 + count * 500,
  );
});

it(
  `the built-in model sc allows what interleavings give, on ${count} generated tests`,
  () => {
    for (const test of generated()) {
      const program = programOf(test);
      expect(statesOfProgram(program, builtInModels.sc), test.text).toEqual([...interleavings(program)].sort());
    }
  },
  60_000 + count * 500,
);

it('the tests are of every family, with every kind of order between the accesses', () => {
  const tests = [...generated(500)];
  const missing = familyNames.filter(
    (family) => !tests.some(({ name }) => name === family || name.startsWith(`${family}+`)),
  );
  expect(missing).toEqual([]);
  const mnemonics = [
    ...[
      'LDR',
      'LDAR',
      'LDAPR',
      'LDXR',
      'LDAXR',
      'STR',
      'STLR',
      'STXR',
      'STLXR',
      'SWP',
      'SWPAL',
      'LDADD',
      'LDEOR',
      'LDSET',
      'LDCLR',
      'STADD',
      'STEOR',
      'STSET',
      'STCLR',
      'STADDL',
      'CAS',
      'CASAL',
    ],
    ...['DMB SY', 'DMB LD', 'DMB ST', 'DSB SY', 'DMB ISH', 'DMB OSHLD', 'DSB OSHST', 'ISB', 'CBNZ', 'EOR', 'CSEL'],
  ];
  const isWritten = (mnemonic: string): boolean => {
    const written = new RegExp(` ${mnemonic}[BH]? `);
    return tests.some(({ text }) => written.test(text));
  };
  expect(mnemonics.filter((mnemonic) => !isWritten(mnemonic))).toEqual([]);
  const parts = ['b0', 'b7', 'h2', 'w0', 'w4', 'q0'];
  expect(parts.filter((part) => !tests.some(({ text }) => text.includes(part)))).toEqual([]);
});
