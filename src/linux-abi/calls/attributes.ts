// Extended attributes, which no file system here has: none is listed, and none can be read or written (fs/xattr.c).

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import type { Inode } from '../files/inode.ts';
import { AT, AT_FDCWD, resolvePath } from '../files/paths.ts';
import { nameBytes } from '../limits.ts';
import { readString } from '../user-memory.ts';
import { type Call, type Family, type Handler, int, type Result, unsigned } from './call.ts';
import { pathAt } from './paths.ts';

/** How the first argument names the file: a path, a path whose last link is not followed, a descriptor. */
type Naming = 'path' | 'link' | 'descriptor';

function inodeOf(call: Call, naming: Naming): Inode | number {
  if (naming === 'descriptor') return fileOf(call.process, int(call, 0))?.inode ?? fail('EBADF');
  const path = pathAt(call, 0);
  if (typeof path === 'number') return path;
  return resolvePath(call.core, call.process, AT_FDCWD, path, naming === 'link' ? AT.SYMLINK_NOFOLLOW : 0);
}

/** Why the name of an attribute is none, or 0. */
function refuseName(call: Call): number {
  const name = readString(call.core, call.space, unsigned(call, 1), nameBytes + 1);
  if (name === undefined) return fail('EFAULT');
  return name === 'too long' || name.length === 0 ? fail('ERANGE') : 0;
}

const XATTR_flags = 3;
const valueBytes = 0x1_0000;

function set(call: Call, naming: Naming): Result {
  if ((int(call, 4) & ~XATTR_flags) !== 0) return fail('EINVAL');
  const error = refuseName(call);
  if (error !== 0) return error;
  if (unsigned(call, 3) > valueBytes) return fail('E2BIG');
  return change(call, naming);
}

function change(call: Call, naming: Naming): Result {
  const inode = inodeOf(call, naming);
  if (typeof inode === 'number') return inode;
  return fail(inode.isReadOnly ? 'EROFS' : 'EOPNOTSUPP');
}

function get(call: Call, naming: Naming): Result {
  const inode = inodeOf(call, naming);
  if (typeof inode === 'number') return inode;
  return refuseName(call) || fail('EOPNOTSUPP');
}

const list = (call: Call, naming: Naming): Result => {
  const inode = inodeOf(call, naming);
  return typeof inode === 'number' ? inode : 0;
};

const remove = (call: Call, naming: Naming): Result => refuseName(call) || change(call, naming);

const namings: Readonly<Record<string, Naming>> = { '': 'path', l: 'link', f: 'descriptor' };
const actions = { setxattr: set, getxattr: get, listxattr: list, removexattr: remove } as const;

export const attributeCalls: Family = Object.fromEntries(
  Object.entries(actions).flatMap(([name, act]) =>
    Object.entries(namings).map(([prefix, naming]): [string, Handler] => [prefix + name, (call) => act(call, naming)]),
  ),
);
