// How a system reaches the files that its file names: src knows no disk, so that the command line gives the way.

import type { InputFile } from '../board/image.ts';
import { UserError } from '../report/user-error.ts';

/** Reads a file that the system file names; `builtin:NAME` is a program that comes with Heddle. */
export type ReadFile = (name: string) => InputFile;

/** What cannot be read is refused where it is named. */
export function readOr<T>(act: () => T, refuse: (message: string) => never): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof UserError) return refuse(error.message);
    throw error;
  }
}
