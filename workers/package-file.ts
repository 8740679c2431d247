// The files that this package brings with it: found from the package.json above this file, wherever the build has put it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '../src/report/assert.ts';

interface Package {
  readonly folder: URL;
  readonly version: string;
}

function findPackage(): Package {
  let folder = new URL('.', import.meta.url);
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'heddle' && typeof version === 'string') return { folder, version };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    const above = new URL('..', folder);
    assert(above.href !== folder.href, 'package.json is not where this file was packed with it');
    folder = above;
  }
}

const ownPackage = findPackage();

export const packageVersion = ownPackage.version;

/** A file by its path in the package. */
export const packageFile = (path: string): string => fileURLToPath(new URL(path, ownPackage.folder));

/** A program or a thread that the build has made of this source. */
export const builtFile = (path: string): string => packageFile(`dist/${path.replace(/\.ts$/, '.js')}`);
