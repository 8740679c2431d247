// The descriptors of a process, and the life of the open files behind them (fs/file.c).

import type { Core } from '../kernel.ts';
import { openFiles } from '../limits.ts';
import { dropLocks } from './locks.ts';
import type { Descriptor, Process } from '../state.ts';
import { disarmTimer } from '../timers.ts';
import type { Inode, OpenFile } from './inode.ts';
import { closeSocket } from './socket.ts';
import { forgetWatches } from './epoll.ts';
import { closeEnd } from './pipe-ends.ts';

export const descriptorOf = ({ files }: Process, fd: number): Descriptor | undefined => files[fd];
export const fileOf = (process: Process, fd: number): OpenFile | undefined => descriptorOf(process, fd)?.file;

export const openFile = (inode: Inode, path: string, flags: number): OpenFile => ({
  inode,
  path,
  flags,
  position: 0,
  users: 0,
});

/** RLIMIT_NOFILE. */
const limitOf = ({ limits }: Process): number => {
  const soft = limits.get(7)?.[0] ?? BigInt(openFiles);
  return soft > BigInt(openFiles) ? openFiles : Number(soft);
};

/** Puts an open file at the lowest free descriptor from `least` up; undefined where there is none. */
export function install(process: Process, file: OpenFile, closesOnExec: boolean, least = 0): number | undefined {
  let fd = least;
  while (process.files[fd]) fd += 1;
  if (fd >= limitOf(process)) return undefined;
  installAt(process, fd, file, closesOnExec);
  return fd;
}

export function installAt(process: Process, fd: number, file: OpenFile, closesOnExec: boolean): void {
  file.users += 1;
  process.files[fd] = { file, closesOnExec };
}

export const isPossible = (process: Process, fd: number): boolean => fd >= 0 && fd < limitOf(process);

/** Drops what a descriptor holds; false where it holds nothing. */
export function close(core: Core, process: Process, fd: number): boolean {
  const descriptor = process.files[fd];
  if (!descriptor) return false;
  process.files[fd] = undefined;
  // Closing any descriptor of a file ends what the process has locked of it by range.
  dropLocks(core, descriptor.file.inode, process.pid);
  releaseFile(core, descriptor.file);
  return true;
}

function releaseFile(core: Core, file: OpenFile): void {
  file.users -= 1;
  const { anonymous } = file.inode;
  if (file.users > 0) return;
  forgetWatches(file);
  if (anonymous?.kind === 'timer') disarmTimer(core, anonymous.timer);
  dropLocks(core, file.inode, file);
  closeEnd(core, file);
  if (file.inode.socket) closeSocket(core, file.inode);
}

/** The end of a process: its table goes, unless another shares it. */
export function closeAll(core: Core, process: Process): void {
  const { files } = process;
  process.files = [];
  for (const other of core.state.processes.values()) if (other.files === files) return;
  for (const descriptor of files) {
    if (!descriptor) continue;
    dropLocks(core, descriptor.file.inode, process.pid);
    releaseFile(core, descriptor.file);
  }
}

/** A child's descriptors: the same open files. */
export function inheritFiles(files: readonly (Descriptor | undefined)[]): (Descriptor | undefined)[] {
  return Array.from(files, (descriptor) => {
    if (!descriptor) return undefined;
    descriptor.file.users += 1;
    return { ...descriptor };
  });
}

/** What execve closes; a table that was shared is the process's own from then on. */
export function closeOnExec(core: Core, process: Process): void {
  for (const other of core.state.processes.values())
    if (other !== process && other.files === process.files) {
      process.files = inheritFiles(process.files);
      break;
    }
  process.files.forEach((descriptor, fd) => {
    if (descriptor?.closesOnExec === true) close(core, process, fd);
  });
}
