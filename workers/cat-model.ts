// Cat files for the threads of a campaign: read once, with the files that they include.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CatModel, loadCat } from '../src/memory-model/cat/model.ts';
import type { Source } from '../src/memory-model/cat/source.ts';

/** The models and the library that come with Heddle: beside the sources, and three folders above what is built from them. */
const libraries = ['../src/memory-model/models/', '../../src/memory-model/models/'].map(
  (up) => new URL(up, import.meta.url).pathname,
);

const loaded = new Map<string, CatModel>();

export function catModel(
  file: { readonly path: string; readonly text: string },
  variants: readonly string[],
): CatModel {
  const key = `${file.path} ${variants.join(' ')}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const model = loadCat(file, { findFile, variants: new Set(variants) });
  loaded.set(key, model);
  return model;
}

/** A file that is included: beside the one that includes it, or from the library. */
function findFile(name: string, { path }: Source): Source | undefined {
  for (const folder of [dirname(path), ...libraries]) {
    try {
      const found = join(folder, name);
      return { path: found, text: readFileSync(found, 'utf8') };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return undefined;
}
