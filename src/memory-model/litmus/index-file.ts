// Index files of tests, such as `@all`: one path a line, relative to the index; `#` begins a comment; an index may name further ones.

import { UserError } from '../../report/user-error.ts';

/** What is needed of a file system: whole texts, and paths as seen from a file. */
export interface IndexReader {
  read(path: string): string;
  resolve(from: string, path: string): string;
}

/** An index by its name: herd7 marks one with `@`. */
export const isIndexFile = (path: string): boolean => /^@|\.(?:list|index)$/.test(path.split('/').at(-1) ?? '');

/** The tests that an index lists, in its order, through the indexes that it names. */
export function testsOfIndex(path: string, files: IndexReader, above: readonly string[] = []): string[] {
  if (above.includes(path)) throw new UserError(`${path}: the index names itself`);
  return files
    .read(path)
    .split('\n')
    .map((line) => line.replace(/#.*|\(\*.*?\*\)/g, '').trim())
    .filter((line) => line !== '')
    .map((line) => files.resolve(path, line))
    .flatMap((listed) => (isIndexFile(listed) ? testsOfIndex(listed, files, [...above, path]) : [listed]));
}
