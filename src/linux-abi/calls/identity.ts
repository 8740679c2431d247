// Who a process is. Every process is user 1000 of group 1000, with no capabilities; groups and sessions of processes are kept.

import { fail } from '../errno.ts';
import { uid } from '../sigframe.ts';
import type { Process } from '../state.ts';
import { readString, readUser, writeUser, writeWord } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

const unchanged = 0xffff_ffff;
/** A user without privileges may become who it is. */
const become = (...asked: readonly number[]): Result =>
  asked.every((id) => id === uid || id === unchanged) ? 0 : fail('EPERM');

/** Three identities: real, effective, saved. */
function writeThree({ core, space, x }: Call): Result {
  return [0, 1, 2].every((n) => writeWord(core, space, Number(x[n]), uid)) ? 0 : fail('EFAULT');
}

/** The process with this identifier, 0 being the caller's. */
const processOf = ({ core, process }: Call, pid: number): Process | undefined =>
  pid === 0 ? process : core.state.processes.get(pid);

function setpgid(call: Call): Result {
  const target = processOf(call, int(call, 0));
  const group = int(call, 1);
  if (group < 0) return fail('EINVAL');
  if (!target || (target !== call.process && target.parent !== call.process)) return fail('ESRCH');
  if (target.session !== call.process.session || target.pid === target.session) return fail('EPERM');
  const wanted = group === 0 ? target.pid : group;
  const isThere = [...call.core.state.processes.values()].some(
    (process) => process.group === wanted && process.session === target.session,
  );
  if (wanted !== target.pid && !isThere) return fail('EPERM');
  target.group = wanted;
  return 0;
}

function setsid({ core, process }: Call): Result {
  if ([...core.state.processes.values()].some(({ group }) => group === process.pid)) return fail('EPERM');
  process.group = process.pid;
  process.session = process.pid;
  return process.pid;
}

const PR = {
  SET_PDEATHSIG: 1,
  GET_PDEATHSIG: 2,
  GET_DUMPABLE: 3,
  SET_DUMPABLE: 4,
  SET_NAME: 15,
  GET_NAME: 16,
  CAPBSET_READ: 23,
  SET_TIMERSLACK: 29,
  GET_TIMERSLACK: 30,
  SET_NO_NEW_PRIVS: 38,
  GET_NO_NEW_PRIVS: 39,
} as const;
/** TASK_COMM_LEN. */
const commBytes = 16;
const timerSlack = 50_000;

/** What of a string fits into the name of a thread. */
function readName({ core, space }: Call, va: number): string | undefined {
  const bytes = readString(core, space, va, commBytes - 1);
  const prefix = bytes === 'too long' ? readUser(core, space, va, commBytes - 1) : bytes;
  return prefix && new TextDecoder().decode(prefix);
}

function prctl(call: Call): Result {
  const { core, thread, space } = call;
  switch (int(call, 0)) {
    case PR.SET_NAME: {
      const name = readName(call, unsigned(call, 1));
      if (name === undefined) return fail('EFAULT');
      thread.name = name;
      return 0;
    }
    case PR.GET_NAME: {
      const bytes = new Uint8Array(commBytes);
      bytes.set(new TextEncoder().encode(thread.name).subarray(0, commBytes - 1));
      return writeUser(core, space, unsigned(call, 1), bytes) ? 0 : fail('EFAULT');
    }
    case PR.GET_DUMPABLE:
    case PR.GET_NO_NEW_PRIVS:
      return 1;
    case PR.GET_TIMERSLACK:
      return timerSlack;
    case PR.GET_PDEATHSIG:
      return writeWord(core, space, unsigned(call, 1), 0) ? 0 : fail('EFAULT');
    case PR.CAPBSET_READ:
      return 0;
    case PR.SET_DUMPABLE:
    case PR.SET_TIMERSLACK:
    case PR.SET_NO_NEW_PRIVS:
    case PR.SET_PDEATHSIG:
      return 0;
    default:
      return fail('EINVAL');
  }
}

const self: Family = {
  getpid: ({ process }) => process.pid,
  gettid: ({ thread }) => thread.tid,
  getppid: ({ process }) => process.parent?.pid ?? 0,
  getuid: () => uid,
  geteuid: () => uid,
  getgid: () => uid,
  getegid: () => uid,
};

export const identityCalls: Family = {
  ...self,
  getresuid: writeThree,
  getresgid: writeThree,
  setuid: (call) => become(uint(call, 0)),
  setgid: (call) => become(uint(call, 0)),
  setreuid: (call) => become(uint(call, 0), uint(call, 1)),
  setregid: (call) => become(uint(call, 0), uint(call, 1)),
  setresuid: (call) => become(uint(call, 0), uint(call, 1), uint(call, 2)),
  setresgid: (call) => become(uint(call, 0), uint(call, 1), uint(call, 2)),
  setfsuid: () => uid,
  setfsgid: () => uid,
  getgroups: (call) => {
    if (int(call, 0) < 0) return fail('EINVAL');
    if (int(call, 0) === 0) return 1;
    return writeWord(call.core, call.space, unsigned(call, 1), uid) ? 1 : fail('EFAULT');
  },
  setgroups: () => fail('EPERM'),
  getpgid: (call) => processOf(call, int(call, 0))?.group ?? fail('ESRCH'),
  getsid: (call) => processOf(call, int(call, 0))?.session ?? fail('ESRCH'),
  setpgid,
  setsid,
  prctl,
  personality: () => 0,
  umask: (call) => {
    const before = call.process.umask;
    call.process.umask = uint(call, 0) & 0o777;
    return before;
  },
};
