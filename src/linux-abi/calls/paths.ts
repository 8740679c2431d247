// The arguments of file calls: paths, and the places that they lead to.

import { fail } from '../errno.ts';
import type { Inode } from '../files/inode.ts';
import { AT, AT_FDCWD, findPlace, type Place, resolvePath } from '../files/paths.ts';
import { pathBytes } from '../limits.ts';
import { readString } from '../user-memory.ts';
import { type Call, int, unsigned } from './call.ts';

const decoder = new TextDecoder();

/** The path at an argument, or an error. */
export function pathAt(call: Call, n: number): string | number {
  const bytes = readString(call.core, call.space, unsigned(call, n), pathBytes);
  if (bytes === undefined) return fail('EFAULT');
  return bytes === 'too long' ? fail('ENAMETOOLONG') : decoder.decode(bytes);
}

/** The inode of a descriptor and a path, the first two arguments from `n` on. */
export function inodeAt(call: Call, n: number, flags: number): Inode | number {
  const path = pathAt(call, n + 1);
  return typeof path === 'number' ? path : resolvePath(call.core, call.process, int(call, n), path, flags);
}

/** The place of a descriptor and a path. A link at its end is the place itself. */
export function placeAt(call: Call, n: number): Place | number {
  const path = pathAt(call, n + 1);
  return typeof path === 'number' ? path : findPlace(call.core, call.process, int(call, n), path, false);
}

/** The inode of a path alone. */
export function inodeOfPath(call: Call, n: number): Inode | number {
  const path = pathAt(call, n);
  return typeof path === 'number' ? path : resolvePath(call.core, call.process, AT_FDCWD, path, 0);
}

export const flagsAt = (call: Call, n: number): number => int(call, n) & (AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH);
