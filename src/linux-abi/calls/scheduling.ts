// Scheduling as programs ask for it (kernel/sched/core.c): cores that a thread may use, and what there is of policies, which is one.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { giveUpCore, hasWaiting, makeReady, mayRunOn } from '../scheduler.ts';
import type { Thread } from '../state.ts';
import { readUser, writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

function yieldCore({ core, thread }: Call): Result {
  if (!hasWaiting(core)) return 0;
  core.pe.writeX(0, 0n);
  giveUpCore(core);
  makeReady(core, thread);
  return undefined;
}

const threadOf = ({ core, thread }: Call, tid: number): Thread | undefined =>
  tid === 0 ? thread : core.state.threads.get(tid);

const maskBytes = ({ platform: { coreCount } }: Core): number => Math.ceil(coreCount / 64) * 8;

function getAffinity(call: Call): Result {
  const { core, space } = call;
  const thread = threadOf(call, int(call, 0));
  const bytes = maskBytes(core);
  if (uint(call, 1) < bytes || uint(call, 1) % 8 !== 0) return fail('EINVAL');
  if (!thread) return fail('ESRCH');
  const mask = new Uint8Array(bytes);
  for (let n = 0; n < core.platform.coreCount; n += 1)
    if (mayRunOn(thread, n)) mask[n >>> 3] = (mask[n >>> 3] as number) | (1 << (n & 7));
  return writeUser(core, space, unsigned(call, 2), mask) ? bytes : fail('EFAULT');
}

function setAffinity(call: Call): Result {
  const { core, space } = call;
  const thread = threadOf(call, int(call, 0));
  if (!thread) return fail('ESRCH');
  const mask = readUser(core, space, unsigned(call, 2), Math.min(uint(call, 1), maskBytes(core)));
  if (!mask) return fail('EFAULT');
  const cores = Array.from({ length: core.platform.coreCount }, (_, n) => n).filter(
    (n) => (((mask[n >>> 3] ?? 0) >>> (n & 7)) & 1) !== 0,
  );
  if (cores.length === 0) return fail('EINVAL');
  thread.affinity = cores;
  if (thread.state !== 'running' || mayRunOn(thread, thread.core)) return 0;
  if (thread !== call.thread) {
    // The other core finds, when it is entered, that it may not go on there.
    core.toRing.add(thread.core);
    return 0;
  }
  core.pe.writeX(0, 0n);
  giveUpCore(core);
  makeReady(core, thread);
  return undefined;
}

/** SCHED_OTHER, BATCH, IDLE: all of them are this kernel's one policy. The real-time policies are for the privileged. */
const ordinaryPolicies: ReadonlySet<number> = new Set([0, 3, 5]);
const realTimePolicies: ReadonlySet<number> = new Set([1, 2]);
const SCHED_RESET_ON_FORK = 0x4000_0000;

function setScheduler(call: Call): Result {
  if (!threadOf(call, int(call, 0))) return fail('ESRCH');
  const policy = int(call, 1) & ~SCHED_RESET_ON_FORK;
  const parameter = readUser(call.core, call.space, unsigned(call, 2), 4);
  if (!parameter) return fail('EFAULT');
  if (realTimePolicies.has(policy)) return fail('EPERM');
  return ordinaryPolicies.has(policy) && parameter.every((byte) => byte === 0) ? 0 : fail('EINVAL');
}

const priorityRange = (policy: number, ofRealTime: number): Result => {
  if (realTimePolicies.has(policy)) return ofRealTime;
  return ordinaryPolicies.has(policy) ? 0 : fail('EINVAL');
};

function getcpu(call: Call): Result {
  const { core, space } = call;
  const isWritten = [
    [unsigned(call, 0), core.index],
    [unsigned(call, 1), 0],
  ].every(([at = 0, value = 0]) => at === 0 || writeWord(core, space, at, value));
  return isWritten ? 0 : fail('EFAULT');
}

/** MEMBARRIER_CMD_*: every other core is in program order with this call, because it is entered or has nothing of this process. */
const MEMBARRIER = { QUERY: 0, all: [1, 2, 4, 8, 16, 32, 64] } as const;

function membarrier(call: Call): Result {
  const command = int(call, 0);
  if (uint(call, 1) !== 0) return fail('EINVAL');
  if (command === MEMBARRIER.QUERY) return MEMBARRIER.all.reduce<number>((sum, bit) => sum | bit, 0);
  if (!MEMBARRIER.all.includes(command as 1)) return fail('EINVAL');
  // Under lockstep every store is visible to all when it has been made.
  return 0;
}

export const schedulingCalls: Family = {
  sched_yield: yieldCore,
  sched_getaffinity: getAffinity,
  sched_setaffinity: setAffinity,
  sched_getscheduler: (call) => (threadOf(call, int(call, 0)) ? 0 : fail('ESRCH')),
  sched_setscheduler: setScheduler,
  sched_getparam: (call) => {
    if (!threadOf(call, int(call, 0))) return fail('ESRCH');
    return writeWord(call.core, call.space, unsigned(call, 1), 0) ? 0 : fail('EFAULT');
  },
  sched_setparam: (call) => (threadOf(call, int(call, 0)) ? 0 : fail('ESRCH')),
  sched_get_priority_max: (call) => priorityRange(int(call, 0), 99),
  sched_get_priority_min: (call) => priorityRange(int(call, 0), 1),
  getpriority: () => 20,
  setpriority: () => 0,
  getcpu,
  membarrier,
};
