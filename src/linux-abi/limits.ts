// Sizes that this kernel has: of the address space of a process, and bounds that keep a program from making the host allocate.

export const pageShift = 12;
export const pageBytes = 1 << pageShift;

/** TASK_SIZE: 48 bits of virtual address. */
export const taskBytes = 2 ** 48;
/** Position-independent executables lie from here up: ELF_ET_DYN_BASE, two thirds of TASK_SIZE. */
export const executableBase = 0xaaaa_aaaa_0000;
/** The first page after the stack is the last of the address space: no object ends at its end. */
export const stackTop = taskBytes - pageBytes;
/** RLIMIT_STACK. */
export const stackBytes = 8 * 1024 * 1024;
/** What the stack has from the start; it grows by faults. */
export const firstStackBytes = 132 * 1024;
/** Below the stack, for its growth: mmap_base() with the least gap. */
export const mmapTop = stackTop - 128 * 1024 * 1024;
/** vm.mmap_min_addr. */
export const lowestMapping = 0x1_0000;
/** vm.max_map_count. */
export const mappings = 65530;
/** Bytes that one call transfers at most: MAX_RW_COUNT. */
export const transferBytes = 0x7fff_f000;
/** What the kernel copies at a time between a program and a file. */
export const chunkBytes = 1 << 16;
/** PATH_MAX and NAME_MAX, the latter without the terminating zero. */
export const pathBytes = 4096;
export const nameBytes = 255;
/** UIO_MAXIOV. */
export const vectors = 1024;
/** RLIMIT_NOFILE. */
export const openFiles = 1024;
/** Arguments and environment together: a quarter of the stack, as in Linux; and one of them: MAX_ARG_STRLEN. */
export const argumentBytes = stackBytes / 4;
export const argumentStringBytes = 32 * pageBytes;
/** Timers of timer_create, of one process. */
export const posixTimers = 4096;
/** Threads of all processes together. */
export const threads = 32768;

/** What ticks the kernel pays for its work; there are no instructions to count. */
export const costs = {
  /** Into the kernel and out of it again, with all registers saved. */
  entry: 60,
  exit: 40,
  /** A page fault that is served: finding the mapping, a page of zeros. */
  fault: 400,
  /** To another thread: registers, translation tables. */
  switch: 600,
  /** For each 64 bytes that are copied. */
  line: 4,
} as const;

/** How often the time that a process has run is looked at where it matters: CONFIG_HZ is 250. */
export const tickTicks = 4_000_000;

/** Time that a thread has while others wait. */
export const sliceTicks = 1_000_000;
