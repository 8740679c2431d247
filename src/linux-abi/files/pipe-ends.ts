// The ends of a pipe: open files that read from it, and open files that write to it.

import type { Core } from '../kernel.ts';
import type { OpenFile } from './inode.ts';
import { isReadable, isWritable } from './open-file.ts';
import { POLL, wakeFile } from './wake.ts';

function count(file: OpenFile, by: 1 | -1): void {
  const { pipe } = file.inode;
  if (!pipe) return;
  if (isReadable(file)) pipe.readers += by;
  if (isWritable(file)) pipe.writers += by;
}

export const openEnd = (file: OpenFile): void => {
  count(file, 1);
};

/** Whoever waits at the other end finds out. */
export function closeEnd(core: Core, file: OpenFile): void {
  if (!file.inode.pipe) return;
  count(file, -1);
  wakeFile(core, file.inode, POLL.HUP | POLL.ERR);
}
