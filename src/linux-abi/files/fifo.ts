// Named pipes (fs/pipe.c, fifo_open()): who opens one end waits for somebody who opens the other.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { block, wake } from '../scheduler.ts';
import type { Process, Thread } from '../state.ts';
import { install } from './descriptors.ts';
import { deviceOf, type Inode, type OpenFile } from './inode.ts';
import { isReadable, isWritable, O } from './open-file.ts';
import { closeEnd, openEnd } from './pipe-ends.ts';

const isNamed = ({ pipe, device }: Inode): boolean => pipe !== undefined && device !== deviceOf.pipes;

/** Gives an opened end its descriptor, or closes it again. */
function installFifo(core: Core, process: Process, file: OpenFile, closesOnExec: boolean): number {
  const fd = install(process, file, closesOnExec);
  if (fd !== undefined) return fd;
  closeEnd(core, file);
  return fail('EMFILE');
}

/** Those who wait with the other end of this file get their descriptors. */
function meet(core: Core, file: OpenFile): void {
  for (const thread of core.state.threads.values()) {
    const { wait, process } = thread;
    if (wait?.kind !== 'fifo' || wait.file.inode !== file.inode) continue;
    const isOther = isReadable(wait.file) ? isWritable(file) : isReadable(file);
    if (isOther) wake(core, thread, installFifo(core, process, wait.file, wait.closesOnExec));
  }
}

/** Opens a pipe by name: its descriptor, an error, or undefined where the thread waits, and will have its descriptor then. */
export function openPipe(core: Core, thread: Thread, file: OpenFile, closesOnExec: boolean): number | undefined {
  const { inode, flags } = file;
  const { pipe } = inode;
  if (!pipe) return fail('ENXIO');
  const isAlone =
    isNamed(inode) && ((!isReadable(file) && pipe.readers === 0) || (!isWritable(file) && pipe.writers === 0));
  const waits = (flags & O.NONBLOCK) === 0;
  if (isAlone && !waits && isWritable(file)) return fail('ENXIO');
  openEnd(file);
  meet(core, file);
  if (!isAlone || !waits) return installFifo(core, thread.process, file, closesOnExec);
  block(core, thread, { kind: 'fifo', file, closesOnExec });
  return undefined;
}
