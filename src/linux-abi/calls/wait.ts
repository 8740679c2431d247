// Waiting for children: wait4 and waitid (kernel/exit.c).

import { fail } from '../errno.ts';
import { reap } from '../processes.ts';
import { fields } from '../records.ts';
import { blockToRestart } from '../scheduler.ts';
import { uid } from '../sigframe.ts';
import { CLD, SIG } from '../signal-numbers.ts';
import type { Process } from '../state.ts';
import { writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';
import { processOfPidfd } from './pidfd.ts';
import { rusage } from './time.ts';

const W = {
  NOHANG: 1,
  STOPPED: 2,
  EXITED: 4,
  CONTINUED: 8,
  NOWAIT: 0x0100_0000,
  NOTHREAD: 0x2000_0000,
  ALL: 0x4000_0000,
  CLONE: 0x8000_0000 | 0,
} as const;
/** How a thread was made, and which thread of the process waits, does not matter. */
const indifferent = W.NOTHREAD | W.ALL | W.CLONE;

/** Which children a call means. */
type Choice = (child: Process) => boolean;

interface Event {
  readonly child: Process;
  /** CLD_*, and the exit code or signal that goes with it. */
  readonly code: number;
  readonly status: number;
}

/** What there is to say of a child that has been asked for. */
function eventOf(child: Process, options: number): Event | undefined {
  const has = (option: number): boolean => (options & option) !== 0;
  if (child.isZombie) {
    const status = child.ending ?? 0;
    const signal = status & 0x7f;
    if (!has(W.EXITED)) return undefined;
    return signal === 0
      ? { child, code: CLD.EXITED, status: status >>> 8 }
      : { child, code: CLD.KILLED, status: signal };
  }
  if (child.unreported === 'stopped' && child.stop !== undefined && has(W.STOPPED))
    return { child, code: CLD.STOPPED, status: child.stop };
  if (child.unreported === 'continued' && has(W.CONTINUED)) return { child, code: CLD.CONTINUED, status: SIG.CONT };
  return undefined;
}

/** The first event among the children, 'none' where one may still come, or an error where there is no such child. */
function look({ process }: Call, choice: Choice, options: number): Event | 'none' | number {
  const chosen = process.children.filter(choice);
  // A zombie is no hope for one who does not wait for ends.
  const hopes = chosen.filter(({ isZombie }) => !isZombie || (options & W.EXITED) !== 0);
  if (hopes.length === 0) return fail('ECHILD');
  for (const child of hopes) {
    const event = eventOf(child, options);
    if (event) return event;
  }
  return 'none';
}

/** An event that has been told is over. */
function settleEvent({ core }: Call, { child }: Event, options: number): void {
  if ((options & W.NOWAIT) !== 0) return;
  if (child.isZombie) reap(core, child);
  else child.unreported = undefined;
}

function waitForChild({ core, thread }: Call): Result {
  blockToRestart(core, thread, { kind: 'child' });
  return undefined;
}

function statusOf({ child, code, status }: Event): number {
  if (code === CLD.STOPPED) return (status << 8) | 0x7f;
  return code === CLD.CONTINUED ? 0xffff : (child.ending ?? 0);
}

/** Children by the first argument of wait4. */
function chosenBy({ process }: Call, pid: number): Choice {
  if (pid === -1) return () => true;
  if (pid > 0) return (child) => child.pid === pid;
  const group = pid === 0 ? process.group : -pid;
  return (child) => child.group === group;
}

function wait4(call: Call): Result {
  const { core, space } = call;
  const [pid, statusAt, options, usageAt] = [int(call, 0), unsigned(call, 1), int(call, 2), unsigned(call, 3)];
  if ((options & ~(W.NOHANG | W.STOPPED | W.CONTINUED | indifferent)) !== 0) return fail('EINVAL');
  if (pid === -0x8000_0000) return fail('ESRCH');
  const event = look(call, chosenBy(call, pid), options | W.EXITED);
  if (typeof event === 'number') return event;
  if (event === 'none') return (options & W.NOHANG) === 0 ? waitForChild(call) : 0;
  const { child } = event;
  if (statusAt !== 0 && !writeWord(core, space, statusAt, statusOf(event))) return fail('EFAULT');
  if (usageAt !== 0 && !writeUser(core, space, usageAt, rusage(child.endedTicks))) return fail('EFAULT');
  settleEvent(call, event, options);
  return child.pid;
}

const idtype = { P_ALL: 0, P_PID: 1, P_PGID: 2, P_PIDFD: 3 } as const;

/** Children by the first two arguments of waitid, or an error. */
function chosenById(call: Call): Choice | number {
  const id = int(call, 1);
  switch (int(call, 0)) {
    case idtype.P_ALL:
      return chosenBy(call, -1);
    case idtype.P_PID:
      return id > 0 ? chosenBy(call, id) : fail('EINVAL');
    case idtype.P_PGID:
      return id >= 0 ? chosenBy(call, -id) : fail('EINVAL');
    case idtype.P_PIDFD: {
      const target = id < 0 ? fail('EINVAL') : processOfPidfd(call, id);
      if (typeof target !== 'number') return (child) => child === target;
      return target === fail('ESRCH') ? fail('ECHILD') : target;
    }
    default:
      return fail('EINVAL');
  }
}

function waitid(call: Call): Result {
  const { core, space } = call;
  const [infoAt, options, usageAt] = [unsigned(call, 2), int(call, 3), unsigned(call, 4)];
  const known = W.NOHANG | W.NOWAIT | W.EXITED | W.STOPPED | W.CONTINUED | indifferent;
  if ((options & ~known) !== 0 || (options & (W.EXITED | W.STOPPED | W.CONTINUED)) === 0) return fail('EINVAL');
  const choice = chosenById(call);
  if (typeof choice === 'number') return choice;
  const event = look(call, choice, options);
  if (typeof event === 'number') return event;
  if (event === 'none' && (options & W.NOHANG) === 0) return waitForChild(call);
  const info = fields(128);
  if (event !== 'none')
    info.u32(0, SIG.CHLD).u32(8, event.code).u32(16, event.child.pid).u32(20, uid).u32(24, event.status);
  if (infoAt !== 0 && !writeUser(core, space, infoAt, info.bytes)) return fail('EFAULT');
  if (event === 'none') return 0;
  if (usageAt !== 0 && !writeUser(core, space, usageAt, rusage(event.child.endedTicks))) return fail('EFAULT');
  settleEvent(call, event, options);
  return 0;
}

export const waitCalls: Family = { wait4, waitid };
