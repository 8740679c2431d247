// The version of this package, from the package.json above this file: two folders up in the sources, three in what is built from them.

import { readFileSync } from 'node:fs';
import { assert } from '../report/assert.ts';

function packageVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'heddle' && typeof version === 'string') return version;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  assert(false, 'package.json is not where this file was packed with it');
}

export const version = packageVersion();
