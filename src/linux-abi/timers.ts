// Timers of the kernel: what happens at a simulated time, once or again and again (kernel/time/itimer.c, posix-timers.c, fs/timerfd.c).
// Core 0 watches them.

import type { Core } from './kernel.ts';
import { POLL, wakeFile } from './files/wake.ts';
import { SI, SIG } from './signal-numbers.ts';
import { signalProcess } from './signals.ts';
import type { Timer, TimerTarget } from './files/inode.ts';

export const makeTimer = (target: TimerTarget): Timer => ({ deadline: Infinity, interval: 0, target });

/** Sets a timer to a simulated time; Infinity: it stands still. */
export function armTimer({ state, index, toRing }: Core, timer: Timer, deadline: number, interval: number): void {
  timer.deadline = deadline;
  timer.interval = interval;
  if (deadline === Infinity) state.timers.delete(timer);
  else state.timers.add(timer);
  if (index !== 0) toRing.add(0);
}

export const disarmTimer = ({ state }: Core, timer: Timer): void => {
  timer.deadline = Infinity;
  state.timers.delete(timer);
};

/** Ticks until it expires; 0 where it stands still. */
export const ticksLeft = ({ port }: Core, { deadline }: Timer): number =>
  deadline === Infinity ? 0 : Math.max(1, deadline - port.now());

function expire(core: Core, { target }: Timer, times: number): void {
  switch (target.kind) {
    case 'alarm': {
      const process = core.state.processes.get(target.pid);
      if (process) signalProcess(core, process, { number: SIG.ALRM, code: SI.KERNEL });
      break;
    }
    case 'file': {
      const { anonymous } = target.inode;
      if (anonymous?.kind !== 'timer') return;
      anonymous.expirations += times;
      wakeFile(core, target.inode, POLL.IN);
      break;
    }
  }
}

/** What is due has happened, and what repeats is set to the next time after now. */
export function expireTimers(core: Core): void {
  if (core.index !== 0) return;
  const now = core.port.now();
  const due = [...core.state.timers].filter(({ deadline }) => deadline <= now);
  for (const timer of due.sort((a, b) => a.deadline - b.deadline)) {
    const { deadline, interval } = timer;
    const times = interval === 0 ? 1 : 1 + Math.floor((now - deadline) / interval);
    if (interval === 0) disarmTimer(core, timer);
    else timer.deadline = deadline + times * interval;
    expire(core, timer, times);
  }
}
