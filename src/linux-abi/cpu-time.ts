// The time that threads and processes have run (kernel/sched/cputime.c): all of it is the user's.

import type { CpuClock } from './files/inode.ts';
import type { Core } from './kernel.ts';
import type { Process, Thread } from './state.ts';

/** Ticks that a thread has run up to now. */
export function threadTicks(core: Core, thread: Thread): number {
  const { thread: running, runningSince } = core.state.cores[thread.core] ?? core.own;
  return thread.ranTicks + (running === thread ? core.port.now() - runningSince : 0);
}

export const processTicks = (core: Core, process: Process): number =>
  process.threads.reduce((sum, thread) => sum + threadTicks(core, thread), process.endedTicks);

/** What a clock of this kind shows; undefined where who it belongs to has ended. */
export function cpuClockTicks(core: Core, { kind, id }: CpuClock): number | undefined {
  if (kind === 'thread') {
    const thread = core.state.threads.get(id);
    return thread && threadTicks(core, thread);
  }
  const process = core.state.processes.get(id);
  return process && processTicks(core, process);
}
