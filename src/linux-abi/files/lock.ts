// An advisory lock on a file, as its inode keeps it.

/** Who holds a lock: a process by its number, or an open file by its identity. */
export type LockOwner = number | object;

export interface Lock {
  readonly family: 'range' | 'flock';
  readonly owner: LockOwner;
  readonly isWrite: boolean;
  readonly start: number;
  /** The first byte after it; Infinity: to the end, wherever that is. */
  readonly end: number;
}
