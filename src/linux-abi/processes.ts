// Processes and threads: how they come to be, and how they end (kernel/fork.c, kernel/exit.c).

import { copySpace, releaseSpace } from './address-space.ts';
import { closeAll, inheritFiles } from './files/descriptors.ts';
import { POLL, wakeFile } from './files/wake.ts';
import type { Core } from './kernel.ts';
import { sliceTicks, threads as threadLimit } from './limits.ts';
import { emptyRegisters, saveRegisters } from './registers.ts';
import { releaseLocks, releaseRobustList, wakeFutex } from './futex.ts';
import { giveUpCore, makeReady, wake } from './scheduler.ts';
import { noAlternateStack } from './delivery.ts';
import { endOrphans } from './job-control.ts';
import { interrupt, tellParent } from './signals.ts';
import { CLD, SA, SIG, SIG_IGN } from './signal-numbers.ts';
import type { AddressSpace, Process, Thread } from './state.ts';
import { disarmTimer, makeTimer } from './timers.ts';
import { abandon } from './waits.ts';
import { writeWord } from './user-memory.ts';

export function makeThread(core: Core, process: Process, tid: number, like: Thread | undefined): Thread {
  const thread: Thread = {
    tid,
    process,
    state: 'blocked',
    registers: emptyRegisters(),
    core: like?.core ?? core.index,
    affinity: like?.affinity,
    wait: undefined,
    deadline: Infinity,
    restart: undefined,
    callDeadline: undefined,
    partial: undefined,
    order: 0,
    clearChildTid: 0,
    robustList: 0,
    name: like?.name ?? '',
    blockedSignals: like?.blockedSignals ?? 0n,
    suspendedSignals: undefined,
    pending: [],
    alternateStack: noAlternateStack,
    ranTicks: 0,
    sliceEndTicks: sliceTicks,
  };
  process.threads.push(thread);
  core.state.threads.set(tid, thread);
  return thread;
}

/** The next identifier, or undefined where there are too many threads. */
function claimTid({ state }: Core): number | undefined {
  if (state.threads.size >= threadLimit) return undefined;
  const tid = state.nextTid;
  state.nextTid += 1;
  return tid;
}

export interface CloneOptions {
  readonly sharesMemory: boolean;
  readonly sharesFiles: boolean;
  readonly isThread: boolean;
  readonly isVfork: boolean;
  readonly clearsHandlers: boolean;
}

/** A copy of the running thread, in its process or in a new one; undefined where there is no room. */
export function cloneThread(core: Core, parent: Thread, options: CloneOptions): Thread | undefined {
  const tid = claimTid(core);
  if (tid === undefined) return undefined;
  const process = options.isThread ? parent.process : cloneProcess(core, parent.process, tid, options);
  if (!process) return undefined;
  const thread = makeThread(core, process, tid, parent);
  saveRegisters(core, thread.registers);
  thread.registers.x[0] = 0n;
  if (!options.sharesMemory || options.isVfork) thread.alternateStack = parent.alternateStack;
  return thread;
}

/** What a process has of timers when it begins; their numbers are those of setitimer. */
export function freshTimers(pid: number): Pick<Process, 'intervalTimers' | 'timers' | 'nextTimer'> {
  const clock = { kind: 'process', id: pid } as const;
  return {
    intervalTimers: [
      makeTimer({ kind: 'interval', pid, signal: SIG.ALRM }),
      makeTimer({ kind: 'interval', pid, signal: SIG.VTALRM }, clock),
      makeTimer({ kind: 'interval', pid, signal: SIG.PROF }, clock),
    ],
    timers: new Map(),
    nextTimer: 0,
  };
}

/** execve(): timers of timer_create go. */
export function dropTimers(core: Core, process: Process): void {
  for (const timer of process.timers.values()) disarmTimer(core, timer);
  process.timers.clear();
}

function cloneProcess(core: Core, parent: Process, pid: number, options: CloneOptions): Process | undefined {
  let space: AddressSpace | undefined = parent.space;
  if (options.sharesMemory) space.users += 1;
  else space = copySpace(core, parent.space);
  if (!space) return undefined;
  const child: Process = {
    ...parent,
    pid,
    parent,
    threads: [],
    children: [],
    space,
    files: options.sharesFiles ? parent.files : inheritFiles(parent.files),
    actions: options.clearsHandlers
      ? parent.actions.map((action) => (action?.handler === SIG_IGN ? action : undefined))
      : [...parent.actions],
    pending: [],
    ending: undefined,
    isZombie: false,
    stop: undefined,
    unreported: undefined,
    watch: undefined,
    isVfork: options.isVfork,
    limits: new Map(parent.limits),
    ...freshTimers(pid),
    endedTicks: 0,
    childrenTicks: 0,
  };
  parent.children.push(child);
  core.state.processes.set(pid, child);
  return child;
}

/** A process that has its memory for itself again lets the parent go on that waits for it. */
export function endVfork(core: Core, process: Process): void {
  if (!process.isVfork) return;
  process.isVfork = false;
  const waiting = process.parent?.threads.find(({ wait }) => wait?.kind === 'vfork' && wait.child === process.pid);
  if (waiting) wake(core, waiting, process.pid);
}

/** exit(): the running thread ends, and with the last one the process, with this wait status. */
export function endThread(core: Core, thread: Thread, status: number): void {
  const { process } = thread;
  releaseRobustList(core, thread);
  releaseLocks(core, thread);
  if (thread.clearChildTid !== 0 && (process.space.users > 1 || process.threads.length > 1)) {
    writeWord(core, process.space, thread.clearChildTid, 0);
    wakeFutex(core, process.space, thread.clearChildTid, 1);
  }
  giveUpCore(core);
  thread.state = 'dead';
  process.endedTicks += thread.ranTicks;
  core.state.threads.delete(thread.tid);
  process.threads.splice(process.threads.indexOf(thread), 1);
  if (process.threads.length === 0) endProcess(core, process, process.ending ?? status);
}

/** exit_group(), or a signal's end: every thread ends when it is next in the kernel. */
export function endAllThreads(core: Core, process: Process, status: number): void {
  if (process.ending !== undefined) return;
  process.ending = status;
  if (process.pid === core.state.firstPid) {
    endRun(core, status);
    return;
  }
  for (const thread of process.threads) {
    if (thread.state === 'blocked' || thread.state === 'stopped') {
      // Nothing of the call is left to be done.
      abandon(core, thread);
      makeReady(core, thread);
    } else interrupt(core, thread);
  }
}

/** execve(): the running thread is the only one, with the number of the process. Other cores let theirs go when they are entered. */
export function endOtherThreads(core: Core, thread: Thread): void {
  const { process } = thread;
  const { state } = core;
  for (const other of process.threads) {
    if (other === thread) continue;
    if (other.state === 'running') core.toRing.add(other.core);
    else abandon(core, other);
    removeFrom(state.queue, other);
    other.state = 'dead';
    process.endedTicks += other.ranTicks;
    state.threads.delete(other.tid);
  }
  process.threads.splice(0, process.threads.length, thread);
  state.threads.delete(thread.tid);
  thread.tid = process.pid;
  state.threads.set(thread.tid, thread);
}

function removeFrom(queue: Thread[], thread: Thread): void {
  const at = queue.indexOf(thread);
  if (at >= 0) queue.splice(at, 1);
}

const exitShift = 8;
const signalBase = 128;

/** The first process has ended: the run has its exit code, which for a signal is a shell's. */
function endRun(core: Core, status: number): void {
  core.port.exit((status & 0x7f) === 0 ? status >>> exitShift : signalBase + (status & 0x7f));
}

function endProcess(core: Core, process: Process, status: number): void {
  const { state } = core;
  process.ending = status;
  if (process.pid === state.firstPid) {
    endRun(core, status);
    return;
  }
  closeAll(core, process);
  endVfork(core, process);
  releaseSpace(core, process.space);
  process.isZombie = true;
  if (process.watch) wakeFile(core, process.watch, POLL.IN);
  for (const timer of [...process.intervalTimers, ...process.timers.values()]) disarmTimer(core, timer);
  const { group, session, children } = process;
  const groups = [group, ...children.filter((child) => child.session === session).map((child) => child.group)];
  const first = state.processes.get(state.firstPid) as Process;
  for (const child of process.children.splice(0)) {
    child.parent = first;
    first.children.push(child);
    if (child.isZombie) reportEnd(core, child);
  }
  reportEnd(core, process);
  endOrphans(core, groups);
}

/** SIGCHLD; a parent that ignores it has no zombies. */
function reportEnd(core: Core, process: Process): void {
  const { parent } = process;
  if (!parent) return;
  const action = parent.actions[SIG.CHLD];
  const reaps = action !== undefined && (action.handler === SIG_IGN || (action.flags & SA.NOCLDWAIT) !== 0n);
  const status = process.ending ?? 0;
  const isSignal = (status & 0x7f) !== 0;
  if (reaps) reap(core, process);
  const code = isSignal ? CLD.KILLED : CLD.EXITED;
  tellParent(core, process, code, isSignal ? status & 0x7f : status >>> exitShift);
}

/** The last that is known of a process goes. */
export function reap({ state }: Core, process: Process): void {
  const { parent } = process;
  state.processes.delete(process.pid);
  if (!parent) return;
  parent.children.splice(parent.children.indexOf(process), 1);
  parent.childrenTicks += process.endedTicks + process.childrenTicks;
}

export const exitStatus = (code: number): number => (code & 0xff) << exitShift;
