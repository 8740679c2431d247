// The tests that the arguments of `heddle litmus` name: files, folders with all that is below them, and index files such as @all.

import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isIndexFile, testsOfIndex } from '../memory-model/litmus/index-file.ts';
import { UserError } from '../report/user-error.ts';
import { readInput } from './input.ts';

export interface NamedTest {
  readonly path: string;
  /** Named by a folder or an index rather than by itself. */
  readonly isOfMany: boolean;
}

const suffix = '.litmus';

export function namedTests(paths: readonly string[]): NamedTest[] {
  return paths.flatMap((path): NamedTest[] => {
    if (isFolder(path)) return testsBelow(path).map((found) => ({ path: found, isOfMany: true }));
    if (!isIndexFile(path)) return [{ path, isOfMany: false }];
    return testsOfIndex(path, { read: readText, resolve }).map((listed) => ({ path: listed, isOfMany: true }));
  });
}

export const readText = (path: string): string => new TextDecoder().decode(readInput(path).bytes);

const resolve = (from: string, path: string): string => join(dirname(from), path);

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function testsBelow(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
  if (found.length === 0) throw new UserError(`${folder}: no file below it ends in ${suffix}`);
  return found;
}
