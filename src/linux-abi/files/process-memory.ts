// /proc/PID/mem: the memory of a process as a file, whatever the protection of its pages (fs/proc/base.c, mem_rw()).

import { fail } from '../errno.ts';
import { reach } from '../faults.ts';
import type { Core } from '../kernel.ts';
import { pageBytes, taskBytes } from '../limits.ts';
import type { Inode } from './inode.ts';

export const isMemory = ({ synthetic }: Inode): boolean => synthetic?.name === 'mem';

/** Calls `visit` for each part that is in one page, up to the first that is not mapped. The bytes that have been visited, or EIO. */
function forEachPart(
  core: Core,
  { synthetic }: Inode,
  offset: number,
  sizeBytes: number,
  writes: boolean,
  visit: (pa: number, done: number, partBytes: number) => void,
): number {
  const process = core.state.processes.get(synthetic?.pid ?? 0);
  if (!process || process.isZombie) return 0;
  let done = 0;
  while (done < sizeBytes && offset + done < taskBytes) {
    const va = offset + done;
    const partBytes = Math.min(sizeBytes - done, pageBytes - (va % pageBytes));
    const pa = reach(core, process.space, va, writes);
    if (typeof pa !== 'number') break;
    visit(pa, done, partBytes);
    done += partBytes;
  }
  return done === 0 && sizeBytes > 0 ? fail('EIO') : done;
}

export function readMemory(core: Core, inode: Inode, offset: number, sizeBytes: number): Uint8Array | number {
  const result = new Uint8Array(sizeBytes);
  const read = forEachPart(core, inode, offset, sizeBytes, false, (pa, done, partBytes) => {
    result.set(core.memory.bytes.subarray(pa, pa + partBytes), done);
  });
  return read < 0 ? read : result.subarray(0, read);
}

export const writeMemory = (core: Core, inode: Inode, offset: number, bytes: Uint8Array): number =>
  forEachPart(core, inode, offset, bytes.length, true, (pa, done, partBytes) => {
    core.port.ram.writeBytes(pa, bytes.subarray(done, done + partBytes));
  });
