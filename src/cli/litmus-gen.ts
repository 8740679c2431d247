// heddle litmus gen: litmus tests from cycles of relations, from the families of the literature, or drawn from a seed.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cycleOfFamily, familyNames } from '../memory-model/litmus/generator/names.ts';
import { randomTests } from '../memory-model/litmus/generator/random-cycles.ts';
import { type GeneratedTest, generateTest, type Size, sizes } from '../memory-model/litmus/generator/write-test.ts';
import { UserError } from '../report/user-error.ts';
import { suggestion } from '../report/suggestion.ts';
import { writeOutput } from './input.ts';
import { parseCount } from './quantities.ts';
import type { OptionRow } from './run-options.ts';
import type { Terminal } from './terminal.ts';

/** What was typed, by the option's name in camel case. */
export interface TypedGenOptions {
  readonly count?: string;
  readonly seed: string;
  readonly size: string;
  readonly output?: string;
}

const mostTests = 100_000;

const sizeNames = Object.keys(sizes) as Size[];

export const genOptionRows: readonly OptionRow[] = [
  { flags: '--count <N>', says: 'draw so many different tests from the seed' },
  { flags: '--seed <N>', says: 'where every random choice comes from', byDefault: '1' },
  { flags: '--size <NAME>', says: `of every access: ${sizeNames.join(', ')}; mixed, for --count`, byDefault: 'word' },
  { flags: '-o, --output <FOLDER>', says: 'write a file for each test, and the index @all, instead of printing them' },
];

/** Arguments are families, such as MP, or cycles, such as "PodWW Rfe PodRR Fre". */
export function litmusGen(words: readonly string[], typed: TypedGenOptions, terminal: Terminal): void {
  const isMixed = typed.size === 'mixed';
  const size = isMixed ? 'word' : sizeNames.find((name) => name === typed.size);
  if (size === undefined)
    throw new UserError(`--size ${typed.size}: there is no such one: ${sizeNames.join(', ')}, mixed`);
  if (isMixed && words.length > 0)
    throw new UserError('--size mixed is for tests that are drawn: a cycle says the sizes itself, as in PodWWw0w4');
  const tests = new Map<string, GeneratedTest>();
  for (const word of words) {
    const test = generateTest(cycleOf(word), size);
    tests.set(test.name, test);
  }
  if (typed.count !== undefined) {
    const count = words.length + parseCount('--count', typed.count, 1, mostTests);
    const seed = parseCount('--seed', typed.seed, 0, 2 ** 32 - 1);
    for (const test of randomTests(seed, [isMixed ? 'mixed' : size])) {
      if (tests.size >= count) break;
      tests.set(test.name, test);
    }
    if (tests.size < count) throw new UserError(`there are only ${tests.size} different tests`);
    terminal.error(`seed ${seed}\n`);
  }
  if (tests.size === 0)
    throw new UserError('which test? name a family, such as MP, give a cycle, or ask for --count N');
  if (typed.output === undefined) {
    for (const { text } of tests.values()) terminal.print(`${text}\n`);
    return;
  }
  mkdirSync(typed.output, { recursive: true });
  for (const { name, text } of tests.values()) writeOutput(join(typed.output, `${name}.litmus`), Buffer.from(text));
  writeOutput(join(typed.output, '@all'), Buffer.from([...tests.keys()].map((name) => `${name}.litmus\n`).join('')));
}

function cycleOf(word: string): string {
  const family = cycleOfFamily(word);
  if (family !== undefined) return family;
  if (/\s/.test(word.trim())) return word;
  throw new UserError(
    `no family "${word}"${suggestion(word, familyNames) || `: known are ${familyNames.join(', ')}; a cycle has spaces between its edges`}`,
  );
}
