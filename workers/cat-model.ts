// Cat files for the threads of a campaign: read once, with the files that they include.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { detailedForm } from '../src/explore/detailed-execution.ts';
import type { FindFile } from '../src/memory-model/cat/compile-instructions.ts';
import { type CatModel, loadCat } from '../src/memory-model/cat/model.ts';
import type { Source } from '../src/memory-model/cat/source.ts';
import type { Program } from '../src/memory-model/program.ts';
import { assert } from '../src/report/assert.ts';
import { packageFile } from './package-file.ts';

/** The models and the library that come with Heddle. */
const library = packageFile('src/memory-model/models');

function firstOf(paths: readonly string[]): Source | undefined {
  for (const path of paths) {
    try {
      return { path, text: readFileSync(path, 'utf8') };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return undefined;
}

/** A file that is included: beside the one that includes it, or from the library. */
export const findCatFile: FindFile = (name, { path }) =>
  firstOf([dirname(path), library].map((folder) => join(folder, name)));

/** The built-in models in the project's own words. */
const ownFiles = { arm: 'aarch64.cat', tso: 'tso.cat', sc: 'sc.cat' } as const;

/** The file that states a built-in model, which its engine is checked against. */
export function ownCatFile(name: keyof typeof ownFiles): Source {
  const source = firstOf([join(library, ownFiles[name])]);
  assert(source !== undefined, `the package has its models: ${ownFiles[name]}`);
  return source;
}

const loaded = new Map<string, CatModel>();

/** What a program says of the machine, as models ask for it. */
const variantsOf = ({ cacheType, memory }: Program): readonly string[] => [
  ...(memory.some(({ isCode }) => isCode) ? ['ifetch'] : []),
  ...(['DIC', 'IDC'] as const).filter((name) => cacheType?.[name] === true),
];

/** A model for a program: those that speak of register events take its executions apart, others are the same for many programs. */
export function catModel(file: Source, named: readonly string[], program: Program): CatModel {
  const variants = [...named, ...variantsOf(program)];
  const key = `${file.path} ${variants.join(' ')}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const model = loadCat(file, { findFile: findCatFile, variants: new Set(variants), detail: detailedForm(program) });
  if (!model.isDetailed) loaded.set(key, model);
  return model;
}
