// Timers of the kernel: what happens at a simulated time, or when a thread or process has run for some time, once or again and again
// (kernel/time/itimer.c, posix-timers.c, posix-cpu-timers.c, fs/timerfd.c). Core 0 watches those of simulated time; those of running time
// are looked at where a thread of the process runs, at the latest at each tick of its core.

import { cpuClockTicks } from './cpu-time.ts';
import type { CpuClock, Timer, TimerTarget } from './files/inode.ts';
import { POLL, wakeFile } from './files/wake.ts';
import type { Core } from './kernel.ts';
import { tickTicks } from './limits.ts';
import { SI } from './signal-numbers.ts';
import { signalProcess, signalThread } from './signals.ts';
import type { Process, Signal } from './state.ts';

export const makeTimer = (target: TimerTarget, clock?: CpuClock): Timer => ({
  deadline: Infinity,
  interval: 0,
  target,
  ...(clock && { clock }),
});

/** Sets a timer to a time of its clock; Infinity: it stands still. */
export function armTimer({ state, index, toRing }: Core, timer: Timer, deadline: number, interval: number): void {
  timer.deadline = deadline;
  timer.interval = interval;
  if (deadline === Infinity) state.timers.delete(timer);
  else state.timers.add(timer);
  if (timer.clock) for (const core of state.cores) if (core.thread && core.index !== index) toRing.add(core.index);
  if (index !== 0) toRing.add(0);
}

export const disarmTimer = ({ state }: Core, timer: Timer): void => {
  timer.deadline = Infinity;
  state.timers.delete(timer);
};

/** What its clock shows now. */
export const clockOf = (core: Core, { clock }: Timer): number =>
  clock ? (cpuClockTicks(core, clock) ?? 0) : core.port.now();

/** Ticks until it expires; 0 where it stands still. */
export const ticksLeft = (core: Core, timer: Timer): number =>
  timer.deadline === Infinity ? 0 : Math.max(1, timer.deadline - clockOf(core, timer));

const isQueued = ({ pending, threads }: Process, timer: Signal['timer']): boolean =>
  [pending, ...threads.map((thread) => thread.pending)].some((queue) => queue.some((signal) => signal.timer === timer));

function expire(core: Core, { target }: Timer, times: number): void {
  const { processes, threads } = core.state;
  switch (target.kind) {
    case 'file': {
      const { anonymous } = target.inode;
      if (anonymous?.kind !== 'timer') return;
      anonymous.expirations += times;
      wakeFile(core, target.inode, POLL.IN);
      return;
    }
    case 'interval': {
      const process = processes.get(target.pid);
      if (process) signalProcess(core, process, { number: target.signal, code: SI.KERNEL });
      return;
    }
    case 'posix': {
      const { timer, pid } = target;
      const process = processes.get(pid);
      if (!process || timer.signal === 0) return;
      if (isQueued(process, timer)) {
        timer.overrun += times;
        return;
      }
      timer.overrun = times - 1;
      const signal = { number: timer.signal, code: SI.TIMER, value: timer.value, timer };
      const thread = timer.tid === undefined ? undefined : threads.get(timer.tid);
      if (thread) signalThread(core, thread, signal);
      else if (timer.tid === undefined) signalProcess(core, process, signal);
    }
  }
}

/** The timers that this core has to look at. */
function* watched({ state, own, index }: Core): Iterable<Timer> {
  const { thread } = own;
  for (const timer of state.timers) {
    const { clock } = timer;
    const isOwn = !clock ? index === 0 : clock.id === (clock.kind === 'thread' ? thread?.tid : thread?.process.pid);
    if (isOwn) yield timer;
  }
}

/** What is due has happened, and what repeats is set to the next time after now. */
export function expireTimers(core: Core): void {
  if (core.state.timers.size === 0) return;
  const due = [...watched(core)].filter((timer) => timer.deadline <= clockOf(core, timer));
  for (const timer of due.sort((a, b) => a.deadline - b.deadline)) {
    const { deadline, interval } = timer;
    const times = interval === 0 ? 1 : 1 + Math.floor((clockOf(core, timer) - deadline) / interval);
    if (interval === 0) disarmTimer(core, timer);
    else timer.deadline = deadline + times * interval;
    expire(core, timer, times);
  }
}

/** When this core has to be entered again for a timer. Several cores may run a process: its time is looked at at each tick. */
export function nextExpiry(core: Core): number {
  let next = Infinity;
  if (core.state.timers.size === 0) return next;
  for (const timer of watched(core)) {
    const at = timer.clock ? core.port.now() + Math.min(ticksLeft(core, timer), tickTicks) : timer.deadline;
    next = Math.min(next, at);
  }
  return next;
}
