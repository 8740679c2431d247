// Files as the kernel keeps them: a tree of inodes in memory, whose numbers count from 1 in the order in which they are first seen. What
// comes from a directory of the host is read when it is first looked at, and from then on is what it was then.

import type { Lock } from './lock.ts';
import type { SharedPages } from './shared-pages.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'pipe' | 'character' | 'anonymous' | 'socket' | 'other';

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

/** One end of a pair of stream sockets. */
export interface Socket {
  readonly incoming: Inode;
  readonly outgoing: Inode;
  peer: Inode | undefined;
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
  anonymous?: Anonymous;
  socket?: Socket;
  /** Epoll descriptors that watch it. */
  watchers?: EpollItem[];
  synthetic?: Synthetic;
  locks?: Lock[];
  /** Pages that are mapped and shared. */
  pages?: SharedPages;
}

/** An open file description: what descriptors that were duplicated or inherited have in common. */
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

/** struct epitem: one file that is watched. */
export interface EpollItem {
  /** The inode of the epoll descriptor. */
  readonly owner: Inode;
  readonly fd: number;
  readonly file: OpenFile;
  /** Events that are asked for, and flags. */
  events: number;
  data: bigint;
}

/** struct eventpoll. */
export interface Epoll {
  readonly items: EpollItem[];
  /** Those that something has happened to, in that order. */
  ready: EpollItem[];
}

/** The time that a thread or a process has run. */
export interface CpuClock {
  readonly kind: 'thread' | 'process';
  readonly id: number;
}

/** A timer of timer_create. */
export interface PosixTimer {
  readonly id: number;
  /** The signal that it sends; 0: none. */
  readonly signal: number;
  /** The thread that gets it; undefined: any of the process. */
  readonly tid?: number;
  readonly value: bigint;
  readonly isRealTime: boolean;
  /** Expirations besides the one whose signal is pending, and besides the one that has been taken last. */
  overrun: number;
  lastOverrun: number;
}

/** What a timer does when it expires: a signal of setitimer, an expiration of a timerfd, a signal of timer_create. */
export type TimerTarget =
  | { readonly kind: 'interval'; readonly pid: number; readonly signal: number }
  | { readonly kind: 'file'; readonly inode: Inode }
  | { readonly kind: 'posix'; readonly pid: number; readonly timer: PosixTimer };

export interface Timer {
  /** Simulated time, or what `clock` shows then; Infinity: it stands still. */
  deadline: number;
  /** Ticks from one time to the next; 0: it expires once. */
  interval: number;
  readonly target: TimerTarget;
  readonly clock?: CpuClock;
}

/** What descriptors may hold that is no file of any tree: anonymous inodes (fs/anon_inodes.c). */
export type Anonymous =
  /** eventfd: a counter that is read and reset, or, as a semaphore, read one by one. */
  | { readonly kind: 'event'; count: bigint; readonly isSemaphore: boolean }
  /** timerfd: expirations that have not been read. */
  | { readonly kind: 'timer'; readonly isRealTime: boolean; readonly timer: Timer; expirations: number }
  /** signalfd: the signals of the reader that it reads. */
  | { readonly kind: 'signals'; set: bigint }
  /** pidfd: readable when the process has ended. */
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'epoll'; readonly epoll: Epoll };

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
export const deviceOf = { root: 1, work: 2, memory: 3, process: 4, devices: 5, pipes: 6, anonymous: 7 } as const;

type Optional = Omit<Inode, 'number' | 'links' | 'sizeBytes' | 'isChanged'>;

export function makeInode(system: { nextInode: number }, parts: Optional & { sizeBytes?: number }): Inode {
  const number = system.nextInode;
  system.nextInode += 1;
  return { links: parts.kind === 'directory' ? 2 : 1, sizeBytes: 0, isChanged: false, ...parts, number };
}
