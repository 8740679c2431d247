// A directory of the host as a program may see it. Every name on the way is opened below the directory that has just been opened, and never
// through a symbolic link: whoever changes the tree meanwhile leads nobody out of it. Linux has the way by /proc/self/fd; elsewhere
// every directory on the way is checked to be the one that its path names.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { join } from 'node:path';
import type { HostEntry, HostTree } from '../src/linux-abi/files/host-tree.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const hasDescriptorPaths = existsSync('/proc/self/fd');
const permissionBits = 0o7777;

/** An open directory and the path by which its entries are reached. */
interface OpenDirectory {
  readonly fd: number;
  readonly path: string;
}

function openDirectory(path: string): OpenDirectory {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { fd, path: hasDescriptorPaths ? `/proc/self/fd/${fd}` : path };
}

/** Where there are no paths by descriptor: the directory is the one that was opened. */
function isInPlace({ fd, path }: OpenDirectory): boolean {
  if (hasDescriptorPaths) return true;
  const [opened, named] = [fstatSync(fd), lstatSync(path)];
  return opened.ino === named.ino && opened.dev === named.dev;
}

/** Opens a directory below the root by these names, and gives it to `act`; undefined where it cannot be reached. */
function withDirectory<Result>(
  root: string,
  names: readonly string[],
  act: (directory: OpenDirectory) => Result,
): Result | undefined {
  let directory: OpenDirectory | undefined;
  try {
    directory = openDirectory(root);
    for (const name of names) {
      const next = openDirectory(join(directory.path, name));
      closeSync(directory.fd);
      directory = next;
    }
    return isInPlace(directory) ? act(directory) : undefined;
  } catch {
    return undefined;
  } finally {
    if (directory) closeSync(directory.fd);
  }
}

function entryOf(directory: OpenDirectory, name: string): HostEntry {
  const path = join(directory.path, name);
  const stat = lstatSync(path);
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other';
  return {
    name,
    kind,
    mode: stat.mode & permissionBits,
    sizeBytes: stat.size,
    target: kind === 'symlink' ? readlinkSync(path) : '',
  };
}

function readFile(directory: OpenDirectory, name: string): Uint8Array | undefined {
  const fd = openSync(join(directory.path, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    return fstatSync(fd).isFile() ? new Uint8Array(readFileSync(fd)) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** The way to the directories below a directory: their paths are given to `act`, whose failure is that of the way. */
export function hostDirectory(
  path: string,
): <Result>(names: readonly string[], act: (directory: string) => Result) => Result | undefined {
  const root = realpathSync(path);
  return (names, act) => withDirectory(root, names, (directory) => act(directory.path));
}

/** `path`: a directory; what it is now, it is for the whole run. */
export function hostTree(path: string): HostTree {
  const root = realpathSync(path);
  return {
    list: (names) =>
      withDirectory(root, names, (directory) =>
        readdirSync(directory.path)
          .sort()
          .map((name) => entryOf(directory, name)),
      ) ?? [],
    read: (names) => withDirectory(root, names.slice(0, -1), (directory) => readFile(directory, names.at(-1) ?? '.')),
  };
}
