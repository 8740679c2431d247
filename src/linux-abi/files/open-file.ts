// An open file description: what descriptors that were duplicated or inherited have in common.

import type { Inode } from './inode.ts';

export interface OpenFile {
  readonly inode: Inode;
  /** As it was opened, for /proc/self/fd. */
  readonly path: string;
  /** O_*: the access mode, and the status flags that F_SETFL changes. */
  flags: number;
  position: number;
  /** Descriptors, of all processes. */
  users: number;
  /** Of a directory: the names as they were when reading began. */
  names?: readonly string[];
  /** Of a synthetic file: its content as it was when it was opened. */
  content?: Uint8Array;
}

/** include/uapi/asm-generic/fcntl.h and arch/arm64/include/uapi/asm/fcntl.h. */
export const O = {
  accessMode: 3,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o40000,
  NOFOLLOW: 0o100000,
  DIRECT: 0o200000,
  LARGEFILE: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

export const isReadable = ({ flags }: OpenFile): boolean =>
  (flags & O.accessMode) !== O.WRONLY && (flags & O.PATH) === 0;
export const isWritable = ({ flags }: OpenFile): boolean => (flags & O.accessMode) !== 0 && (flags & O.PATH) === 0;
