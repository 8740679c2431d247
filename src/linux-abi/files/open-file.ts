// The flags of an open file.

import type { OpenFile } from './inode.ts';

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
