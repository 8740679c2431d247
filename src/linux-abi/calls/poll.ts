// Waiting for several files (fs/select.c): ppoll and pselect6.

import { fail, isError } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import { readiness } from '../files/readiness.ts';
import { POLL } from '../files/wake.ts';
import { openFiles } from '../limits.ts';
import { u64At, viewOf } from '../records.ts';
import { blockToRestart } from '../scheduler.ts';
import { suspendSignals } from '../delivery.ts';
import { readDoubleword, readUser, writeUser } from '../user-memory.ts';
import { readTimespec } from './time.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

/** What a descriptor is ready for. */
function readinessAt({ core, process }: Call, fd: number): number {
  const file = fileOf(process, fd);
  return file ? readiness(core, file) : POLL.NVAL;
}

const inodesOf = ({ process }: Call, fds: readonly number[]): number[] =>
  fds.flatMap((fd) => fileOf(process, fd)?.inode.number ?? []);

/** When the call gives up: kept from its first attempt; an error where the time is none. */
export function deadlineOf(call: Call, timeAt: number): number {
  const { thread, core } = call;
  if (thread.callDeadline !== undefined) return thread.callDeadline;
  if (timeAt === 0) return Infinity;
  const time = readTimespec(call, timeAt);
  return time < 0 ? time : core.port.now() + time;
}

/** Waits until something has happened to one of these files, or the time is over; the signal mask of the call holds meanwhile. */
export function waitForChange(
  call: Call,
  inodes: readonly number[],
  deadline: number,
  mask: bigint | undefined,
): Result {
  const { core, thread } = call;
  if (mask !== undefined && suspendSignals(core, thread, mask)) return undefined;
  thread.callDeadline = deadline;
  blockToRestart(core, thread, { kind: 'poll', inodes }, deadline);
  return undefined;
}

/** The mask at an address, undefined where there is none, or an error. */
export function maskAt({ core, space }: Call, at: number, sizeBytes: number): bigint | number | undefined {
  if (at === 0) return undefined;
  if (sizeBytes !== 8) return fail('EINVAL');
  return readDoubleword(core, space, at) ?? fail('EFAULT');
}

function ppoll(call: Call): Result {
  const { core, space } = call;
  const count = uint(call, 1);
  if (count > openFiles) return fail('EINVAL');
  const at = unsigned(call, 0);
  const bytes = readUser(core, space, at, count * 8);
  if (!bytes) return fail('EFAULT');
  const mask = maskAt(call, unsigned(call, 3), unsigned(call, 4));
  if (typeof mask === 'number') return mask;
  const deadline = deadlineOf(call, unsigned(call, 2));
  if (isError(deadline)) return deadline;
  const view = viewOf(bytes);
  let ready = 0;
  const fds: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const fd = view.getInt32(8 * n, true);
    fds.push(fd);
    const asked = view.getUint16(8 * n + 4, true) | POLL.ERR | POLL.HUP | POLL.NVAL;
    const found = fd < 0 ? 0 : readinessAt(call, fd) & asked;
    view.setUint16(8 * n + 6, found, true);
    if (found !== 0) ready += 1;
  }
  if (ready === 0 && deadline > core.port.now()) return waitForChange(call, inodesOf(call, fds), deadline, mask);
  return writeUser(core, space, at, bytes) ? ready : fail('EFAULT');
}

const sets = [POLL.IN | POLL.HUP | POLL.ERR, POLL.OUT | POLL.ERR, 0] as const;

function pselect6(call: Call): Result {
  const { core, space } = call;
  const count = int(call, 0);
  if (count < 0) return fail('EINVAL');
  const limited = Math.min(count, openFiles);
  const setBytes = Math.ceil(limited / 64) * 8;
  const argument = unsigned(call, 5) === 0 ? undefined : readUser(core, space, unsigned(call, 5), 16);
  if (unsigned(call, 5) !== 0 && !argument) return fail('EFAULT');
  const mask = argument ? maskAt(call, u64At(viewOf(argument), 0), u64At(viewOf(argument), 8)) : undefined;
  if (typeof mask === 'number') return mask;
  const deadline = deadlineOf(call, unsigned(call, 4));
  if (isError(deadline)) return deadline;
  const asked = [1, 2, 3].map((n) => {
    const at = unsigned(call, n);
    return { at, bytes: at === 0 ? new Uint8Array(setBytes) : readUser(core, space, at, setBytes) };
  });
  if (asked.some(({ bytes }) => !bytes)) return fail('EFAULT');
  const found = asked.map(() => new Uint8Array(setBytes));
  let ready = 0;
  const fds: number[] = [];
  for (const [n, { bytes }] of asked.entries())
    for (let fd = 0; fd < limited; fd += 1) {
      const bit = 1 << (fd & 7);
      if (((bytes?.[fd >>> 3] ?? 0) & bit) === 0) continue;
      fds.push(fd);
      const state = readinessAt(call, fd);
      if (state === POLL.NVAL) return fail('EBADF');
      if ((state & (sets[n] as number)) === 0) continue;
      const result = found[n] as Uint8Array;
      result[fd >>> 3] = (result[fd >>> 3] as number) | bit;
      ready += 1;
    }
  if (ready === 0 && deadline > core.port.now()) return waitForChange(call, inodesOf(call, fds), deadline, mask);
  const isWritten = asked.every(({ at }, n) => at === 0 || writeUser(core, space, at, found[n] as Uint8Array));
  return isWritten ? ready : fail('EFAULT');
}

export const pollCalls: Family = { ppoll, pselect6 };
