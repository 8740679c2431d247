// What the kernel knows: plain data, which structuredClone copies whole. Page tables and user memory are in RAM; everything else is
// here, one record for the machine that all its cores share.

import type { FileSystem, Inode, OpenFile, PosixTimer, Timer } from './files/inode.ts';
import type { SharedPages } from './files/shared-pages.ts';

/** Registers of a thread that no core holds. */
export interface Registers {
  readonly x: BigUint64Array;
  readonly v: Uint8Array;
  sp: bigint;
  pc: bigint;
  pstate: bigint;
  tpidr: bigint;
  fpcr: bigint;
  fpsr: bigint;
}

/** A mapping: vm_area_struct. Addresses are page-aligned; `end` is the first after it. */
export interface Mapping {
  start: number;
  end: number;
  /** PROT_*. */
  protection: number;
  isShared: boolean;
  growsDown: boolean;
  /** What /proc/self/maps calls it where there is no file. */
  name: string;
  /** The file, or the anonymous object of a shared mapping, and the offset of `start` in it. */
  inode?: Inode;
  object?: SharedPages;
  offset: number;
}

/** A process's memory: mm_struct. */
export interface AddressSpace {
  /** Physical address of the table of level 0. */
  readonly root: number;
  readonly asid: number;
  /** Sorted by address. */
  readonly mappings: Mapping[];
  /** Physical addresses of the tables below the root. */
  readonly tables: number[];
  /** Cores that may hold translations of it. */
  readonly cores: Set<number>;
  /** How far the stack may grow: RLIMIT_STACK. */
  stackBytes: number;
  breakStart: number;
  breakEnd: number;
  /** Processes that use it: two between vfork and execve. */
  users: number;
  /** TLB maintenance that is under way. */
  flushes: number;
}

export interface SignalAction {
  readonly handler: bigint;
  readonly flags: bigint;
  readonly restorer: bigint;
  readonly mask: bigint;
}

/** A signal that is pending, with what its siginfo says. */
export interface Signal {
  readonly number: number;
  readonly code: number;
  /** si_pid and si_uid, or si_addr, or si_status: what the kind of signal has. */
  readonly pid?: number;
  readonly address?: bigint;
  readonly status?: number;
  readonly value?: bigint;
  /** Of timer_create: which has sent it. */
  readonly timer?: PosixTimer;
}

export interface FutexWait {
  readonly kind: 'futex';
  /** Of the word, or of several. */
  readonly keys: readonly string[];
  readonly bitset: number;
  /** Of futex_waitv: it returns which of the words it was. */
  readonly isVector?: boolean;
  /** The word is a lock with priority inheritance: its address. */
  readonly lockAt?: number;
  /** Of FUTEX_WAIT_REQUEUE_PI: the key of the lock that it will wait for. */
  readonly requeueTo?: string;
}

/** What a thread waits for; each kind is one family's. */
export type Wait =
  | FutexWait
  | { readonly kind: 'sleep'; readonly remainder: number }
  /** For the call to run again: for a child, several files, one file, a lock of one. */
  | { readonly kind: 'child' }
  | { readonly kind: 'poll'; readonly inodes: readonly number[] }
  | { readonly kind: 'file' | 'lock'; readonly inode: number }
  /** For who opens the other end of a named pipe: then the file gets its descriptor. */
  | { readonly kind: 'fifo'; readonly file: OpenFile; readonly closesOnExec: boolean }
  | { readonly kind: 'vfork'; readonly child: number }
  | { readonly kind: 'signal'; readonly set: bigint }
  | { readonly kind: 'pause' };

export interface Thread {
  /** Of the first thread, and of one that has called execve, the number of the process. */
  tid: number;
  readonly process: Process;
  state: 'ready' | 'running' | 'blocked' | 'stopped' | 'dead';
  registers: Registers;
  /** The core that runs it, or has run it last. */
  core: number;
  /** Cores that it may use; undefined: all. */
  affinity: readonly number[] | undefined;
  wait: Wait | undefined;
  /** Simulated time at which a wait ends by itself. */
  deadline: number;
  /** A call that a signal has interrupted is to run again: where it would return to, and whether it does so after a handler with SA_RESTART. */
  restart: { readonly pc: bigint; readonly afterHandler: boolean } | undefined;
  /** Of a call that runs again: when it gives up. */
  callDeadline: number | undefined;
  /** Of a write that has filled a pipe: bytes that have gone in. */
  partial: number | undefined;
  /** Its place among those who wait: first come, first served. */
  order: number;
  clearChildTid: number;
  robustList: number;
  name: string;
  blockedSignals: bigint;
  /** To be restored when the handler of a signal that has ended a sigsuspend returns. */
  suspendedSignals: bigint | undefined;
  readonly pending: Signal[];
  alternateStack: { readonly sp: bigint; readonly size: bigint; readonly flags: number };
  /** Ticks that it has run. */
  ranTicks: number;
  /** `ranTicks` at which its time slice is over. */
  sliceEndTicks: number;
}

export interface Descriptor {
  readonly file: OpenFile;
  closesOnExec: boolean;
}

export interface Process {
  readonly pid: number;
  parent: Process | undefined;
  readonly threads: Thread[];
  readonly children: Process[];
  space: AddressSpace;
  /** By descriptor. */
  files: (Descriptor | undefined)[];
  directory: Inode;
  umask: number;
  actions: (SignalAction | undefined)[];
  readonly pending: Signal[];
  /** Set when it is to end: the wait status. */
  ending: number | undefined;
  /** It has ended, and its parent has not asked yet. */
  isZombie: boolean;
  /** The signal that has stopped it. */
  stop: number | undefined;
  /** What its parent can still wait for besides its end. */
  unreported: 'stopped' | 'continued' | undefined;
  /** What descriptors of it are of, if there have been any. */
  watch: Inode | undefined;
  group: number;
  session: number;
  /** The parent waits until this process has its own memory or has ended. */
  isVfork: boolean;
  executable: Inode | undefined;
  executablePath: string;
  argumentRange: readonly [start: number, end: number];
  environmentRange: readonly [start: number, end: number];
  auxiliary: Uint8Array;
  limits: Map<number, readonly [soft: bigint, hard: bigint]>;
  /** ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF. */
  readonly intervalTimers: readonly Timer[];
  /** Of timer_create, by their numbers. */
  readonly timers: Map<number, Timer>;
  nextTimer: number;
  /** Ticks of threads that have ended, and of children that have been waited for. */
  endedTicks: number;
  childrenTicks: number;
}

export interface CoreState {
  readonly index: number;
  thread: Thread | undefined;
  /** Whose registers and tables the PE holds. */
  space: AddressSpace | undefined;
  isIdle: boolean;
  /** An SGI is on its way. */
  isRung: boolean;
  sliceEnd: number;
  runningSince: number;
}

/** Page frames of RAM. */
export interface Frames {
  readonly firstPa: number;
  readonly count: number;
  /** How many mappings have each frame. */
  readonly references: Uint16Array;
  /** Frames that have been given back, last in, first out. */
  readonly free: number[];
  /** Frames from here on have never been used. */
  next: number;
}

export interface LinuxState {
  readonly frames: Frames;
  readonly cores: readonly CoreState[];
  readonly threads: Map<number, Thread>;
  readonly processes: Map<number, Process>;
  readonly queue: Thread[];
  /** Threads that a deadline will wake. */
  readonly sleepers: Set<Thread>;
  /** Those that do not stand still. */
  readonly timers: Set<Timer>;
  /** Waiters by key, in the order of their arrival. */
  readonly futexes: Map<string, Thread[]>;
  readonly fileSystem: FileSystem;
  /** The process that the run began with. */
  readonly firstPid: number;
  nextTid: number;
  nextAsid: number;
  readonly freeAsids: number[];
  nextOrder: number;
  coresReady: number;
  /** Mappings of code that went with their processes: a profile names what they have run. */
  readonly formerCode: Mapping[];
  /** Calls that are not there, and how often they have been made. */
  readonly unknownCalls: Map<number, number>;
}
