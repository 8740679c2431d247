// Files as the kernel keeps them: a tree of inodes in memory, whose numbers count from 1 in the order in which they are first seen. What
// comes from a directory of the host is read when it is first looked at, and from then on is what it was then.

import type { Lock } from './lock.ts';
import type { SharedPages } from './shared-pages.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'pipe' | 'character' | 'other';

/** A file of /proc or /sys, whose content is made when it is opened; `pid` where it is a process's, `id` its thread or descriptor. */
export interface Synthetic {
  readonly name: string;
  readonly pid?: number;
  readonly id?: number;
}

/** Devices by what reading and writing them does. */
export type Device = 'null' | 'zero' | 'full' | 'random' | 'stdin' | 'stdout' | 'stderr';

/** The bytes between the two ends of a pipe. */
export interface Pipe {
  readonly chunks: Uint8Array[];
  bytes: number;
  readers: number;
  writers: number;
}

export interface Inode {
  readonly number: number;
  readonly kind: FileKind;
  /** The file system that it is on: st_dev. */
  readonly device: number;
  /** Permission bits. */
  mode: number;
  links: number;
  /** Nothing below this may be changed. */
  readonly isReadOnly: boolean;
  /** Seconds and nanoseconds since 1970, in nanoseconds. */
  changedAt: bigint;
  /** Of a directory. */
  parent?: Inode;
  entries?: Map<string, Inode>;
  /** Of a file: `data` may be longer than the file, for it to grow. */
  data?: Uint8Array;
  sizeBytes: number;
  target?: string;
  /** Where it is in a directory of the host, while that has not been read. */
  hostPath?: readonly string[];
  /** Of a directory of the host that has been read: the names that were in it. */
  hostNames?: readonly string[];
  /** The program may have changed it, so that the host's must be written. */
  isChanged: boolean;
  character?: Device;
  pipe?: Pipe;
  synthetic?: Synthetic;
  locks?: Lock[];
  /** Pages that are mapped and shared. */
  pages?: SharedPages;
}

export interface FileSystem {
  nextInode: number;
  readonly root: Inode;
  /** The directory that the first process begins in. */
  readonly start: Inode;
  readonly work: Inode | undefined;
  /** The first program. */
  readonly program: Inode;
}

/** st_dev of each file system. */
export const deviceOf = { root: 1, work: 2, memory: 3, process: 4, devices: 5, pipes: 6 } as const;

type Optional = Omit<Inode, 'number' | 'links' | 'sizeBytes' | 'isChanged'>;

export function makeInode(system: { nextInode: number }, parts: Optional & { sizeBytes?: number }): Inode {
  const number = system.nextInode;
  system.nextInode += 1;
  return { links: parts.kind === 'directory' ? 2 : 1, sizeBytes: 0, isChanged: false, ...parts, number };
}
