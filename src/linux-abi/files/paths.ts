// From a path to an inode, name by name (fs/namei.c). The root's `..` is the root, an absolute link begins at the root: there is no name by
// which a path could leave the tree.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { nameBytes, pathBytes } from '../limits.ts';
import type { Process } from '../state.ts';
import { entriesOf, linkedInode, pathOfDirectory, targetOf, type Viewer } from './directory.ts';
import type { Inode } from './inode.ts';

export const AT_FDCWD = -100;
export const AT = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, EMPTY_PATH: 0x1000 } as const;
/** MAXSYMLINKS. */
const linkLimit = 40;

/** Where a path leads: the directory of its last name, and what has that name, if anything. */
export interface Place {
  readonly directory: Inode;
  /** Empty where the path ends with `.` or `..`, or is the root. */
  readonly name: string;
  readonly inode: Inode | undefined;
  /** A slash follows the last name. */
  readonly mustBeDirectory: boolean;
}

const encoder = new TextEncoder();

interface Walk {
  readonly core: Core;
  readonly viewer: Viewer;
  links: number;
}

/** Follows a link that is in `directory`; an error where there are too many. */
function followLink(walk: Walk, directory: Inode, link: Inode): Place | number {
  walk.links += 1;
  if (walk.links > linkLimit) return fail('ELOOP');
  const direct = linkedInode(walk.core, link);
  if (direct) return { directory, name: '', inode: direct, mustBeDirectory: false };
  const target = targetOf(walk.core, link, walk.viewer);
  if (target === '') return fail('ENOENT');
  return walkFrom(walk, directory, target, true);
}

function walkFrom(walk: Walk, start: Inode, path: string, followsLast: boolean): Place | number {
  const { core } = walk;
  const { root } = core.state.fileSystem;
  const names = path.split('/').filter((name) => name !== '');
  const mustBeDirectory = path.endsWith('/') || names.at(-1) === '.' || names.at(-1) === '..';
  let directory = path.startsWith('/') ? root : start;
  if (names.length === 0) return { directory, name: '', inode: directory, mustBeDirectory };
  for (const [n, name] of names.entries()) {
    const isLast = n === names.length - 1;
    if (encoder.encode(name).length > nameBytes) return fail('ENAMETOOLONG');
    if (directory.kind !== 'directory') return fail('ENOTDIR');
    if (name === '.' || name === '..') {
      directory = name === '.' ? directory : (directory.parent ?? root);
      if (isLast) return { directory, name: '', inode: directory, mustBeDirectory };
      continue;
    }
    let inode = entriesOf(core, directory).get(name);
    let place: Place = { directory, name, inode, mustBeDirectory };
    if (inode?.kind === 'symlink' && (!isLast || followsLast || mustBeDirectory)) {
      const followed = followLink(walk, directory, inode);
      if (typeof followed === 'number') return followed;
      place = { ...followed, mustBeDirectory: mustBeDirectory || followed.mustBeDirectory };
      inode = followed.inode;
    }
    if (isLast) return place;
    if (!inode) return fail('ENOENT');
    directory = inode;
  }
  return fail('ENOENT');
}

/** The directory that a path of an `at` call begins in, or an error. */
function startOf(core: Core, process: Process, fd: number, path: string): Inode | number {
  if (path.startsWith('/')) return core.state.fileSystem.root;
  if (fd === AT_FDCWD) return process.directory;
  const inode = process.files[fd]?.file.inode;
  if (!inode) return fail('EBADF');
  return inode.kind === 'directory' ? inode : fail('ENOTDIR');
}

/** Where a path leads, for what makes, replaces or removes a name. */
export function findPlace(
  core: Core,
  process: Process,
  fd: number,
  path: string,
  followsLast: boolean,
): Place | number {
  if (path === '') return fail('ENOENT');
  if (encoder.encode(path).length >= pathBytes) return fail('ENAMETOOLONG');
  const start = startOf(core, process, fd, path);
  if (typeof start === 'number') return start;
  const place = walkFrom({ core, viewer: process, links: 0 }, start, path, followsLast);
  if (typeof place === 'number') return place;
  if (place.inode && place.mustBeDirectory && place.inode.kind !== 'directory') return fail('ENOTDIR');
  return place;
}

/** What a path of an `at` call leads to; AT_EMPTY_PATH means the descriptor itself. */
export function resolvePath(core: Core, process: Process, fd: number, path: string, flags: number): Inode | number {
  if (path === '' && (flags & AT.EMPTY_PATH) !== 0) {
    if (fd === AT_FDCWD) return process.directory;
    return process.files[fd]?.file.inode ?? fail('EBADF');
  }
  const place = findPlace(core, process, fd, path, (flags & AT.SYMLINK_NOFOLLOW) === 0);
  return typeof place === 'number' ? place : (place.inode ?? fail('ENOENT'));
}

/** What a path leads to that begins in the viewer's directory. */
export function lookUp(core: Core, viewer: Viewer, path: string): Inode | number {
  const place = walkFrom({ core, viewer, links: 0 }, viewer.directory, path, true);
  return typeof place === 'number' ? place : (place.inode ?? fail('ENOENT'));
}

/** The path of a place, as /proc/self/fd shows it. */
export function pathOfPlace(core: Core, { directory, name }: Place): string {
  const path = pathOfDirectory(core, directory);
  return name === '' ? path : path === '/' ? `/${name}` : `${path}/${name}`;
}
