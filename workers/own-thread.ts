// A run of one host on the thread that has asked for it. To start another thread, and to load the same programs there again, takes longer than
// most guests run. The event loop turns between two windows from time to time, so that output goes out and the user is heard.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HostResult, HostTask, OutputMessage, SharedTask } from './host-task.ts';
import { conductRun } from './lockstep-host.ts';

/** Host time between two turns: a user does not feel it, and a turn, of some microseconds, costs nothing beside it. */
const turnMs = 30;

/** A window may take less time than a look at the clock: where it does, so many pass between two looks, at most. */
const mostWindows = 64;
/** Half as many do when they have taken so long. */
const longMs = 1;

async function takeTurns(task: HostTask): Promise<HostResult> {
  const { proceed } = conductRun(task);
  let windows = 1;
  let left = 1;
  for (;;) {
    let lookedMs = performance.now();
    const pauseMs = lookedMs + turnMs;
    const result = proceed(() => {
      left -= 1;
      if (left > 0) return false;
      const nowMs = performance.now();
      windows = nowMs - lookedMs > longMs ? Math.max(1, windows >> 1) : Math.min(mostWindows, 2 * windows);
      left = windows;
      lookedMs = nowMs;
      return nowMs >= pauseMs;
    });
    if (result) return result;
    await nextTurn();
  }
}

/** Runs the only host of a run under lockstep to its end. */
export async function runOnThisThread(shared: SharedTask, say: (output: OutputMessage) => void): Promise<HostResult> {
  const task: HostTask = { ...shared, host: 0, output: { postMessage: say, close: () => {} } };
  if (!shared.config.isProfiled) return takeTurns(task);
  // It brings the inspector with it.
  const { profiled } = await import('./profiler.ts');
  const { result, profile } = await profiled(() => takeTurns(task));
  return { ...result, profile };
}
