// Reading what the user names.

import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../report/user-error.ts';
import type { InputFile } from '../board/image.ts';

/** What Node reads in one piece. */
const maxFileBytes = 2 ** 31 - 1;

const why: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  ENOTDIR: 'no such file',
};

/** Reads a whole file. */
export function readInput(path: string): InputFile {
  try {
    const status = statSync(path);
    if (status.isDirectory()) throw new UserError(`${path}: a directory, not a file`);
    // A pipe or a device may never end.
    if (!status.isFile()) throw new UserError(`${path}: not a regular file`);
    if (status.size > maxFileBytes) throw new UserError(`${path}: too large: ${status.size} bytes`);
    return { path, bytes: new Uint8Array(readFileSync(path)) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new UserError(`${path}: ${why[code] ?? `cannot be read (${code})`}`);
  }
}
