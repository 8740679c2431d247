// Reading and writing the files that the user names.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from '../report/user-error.ts';
import type { InputFile } from '../board/image.ts';

/** What Node reads in one piece. */
const maxFileBytes = 2 ** 31 - 1;

type Reasons = Readonly<Record<string, string>>;

const why: Reasons = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  ENOTDIR: 'no such file',
  EISDIR: 'a directory, not a file',
};

const missingFolder: Reasons = { ...why, ENOENT: 'its folder does not exist' };

function reasonOf(error: unknown, attempt: string, reasons: Reasons = why): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return reasons[code] ?? `${attempt} (${code})`;
}

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
    throw new UserError(`${path}: ${reasonOf(error, 'cannot be read')}`);
  }
}

/** Writes a whole file. */
export function writeOutput(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new UserError(`${path}: ${reasonOf(error, 'cannot be written', missingFolder)}`);
  }
}
