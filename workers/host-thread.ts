// One thread of a run, carried by the piscina pool: an actor host, and on host 0 of a lockstep run the conductor. The thread belongs to the run
// from its first window to its last; its event loop does not turn in between.

import { assert } from '../src/report/assert.ts';
import type { HostResult, HostTask } from './host-task.ts';
import { conductRun, followConductor } from './lockstep-host.ts';
import { runParallelHost } from './parallel-thread.ts';

function takePart(task: HostTask): HostResult {
  if (task.config.conductor === 'parallel') return runParallelHost(task);
  if (task.host > 0) return followConductor(task);
  const result = conductRun(task).proceed(() => false);
  assert(result !== undefined, 'a run that is not paused ends');
  return result;
}

/** The task of the pool: runs one host to the end of the run. */
export async function runHost(task: HostTask): Promise<HostResult> {
  if (!task.config.isProfiled) return takePart(task);
  // It brings the inspector with it.
  const { profiled } = await import('./profiler.ts');
  const { result, profile } = await profiled(() => Promise.resolve(takePart(task)));
  return { ...result, profile };
}
