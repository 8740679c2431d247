// Events that are read from descriptors: eventfd2, timerfd_* and signalfd4 (fs/eventfd.c, fs/timerfd.c, fs/signalfd.c).

import { fail } from '../errno.ts';
import type { Anonymous } from '../files/inode.ts';
import { anonymousInode, installAnonymous, makeAnonymous } from '../files/anonymous-file.ts';
import { fileOf } from '../files/descriptors.ts';
import { O } from '../files/open-file.ts';
import { unblockable } from '../signal-numbers.ts';
import { armTimer, makeTimer } from '../timers.ts';
import { readDoubleword, writeUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';
import { expiryOf, itimerspec, readItimerspec, TIMER_ABSTIME } from './time.ts';

const EFD_SEMAPHORE = 1;
const common = O.CLOEXEC | O.NONBLOCK;

function eventfd(call: Call): Result {
  const flags = int(call, 1);
  if ((flags & ~(common | EFD_SEMAPHORE)) !== 0) return fail('EINVAL');
  const isSemaphore = (flags & EFD_SEMAPHORE) !== 0;
  return makeAnonymous(call, '[eventfd]', { kind: 'event', count: BigInt(uint(call, 0)), isSemaphore }, O.RDWR, flags);
}

/** Clocks of timerfd_create: CLOCK_REALTIME, MONOTONIC, BOOTTIME; the ALARM ones are for the privileged. */
const timerClocks: ReadonlyMap<number, { readonly isRealTime: boolean }> = new Map([
  [0, { isRealTime: true }],
  [1, { isRealTime: false }],
  [7, { isRealTime: false }],
]);
const alarmClocks: ReadonlySet<number> = new Set([8, 9]);

function timerfdCreate(call: Call): Result {
  const [clock, flags] = [int(call, 0), int(call, 1)];
  if ((flags & ~common) !== 0) return fail('EINVAL');
  if (alarmClocks.has(clock)) return fail('EPERM');
  const kind = timerClocks.get(clock);
  if (!kind) return fail('EINVAL');
  const inode = anonymousInode(call.core);
  inode.anonymous = { kind: 'timer', ...kind, timer: makeTimer({ kind: 'file', inode }), expirations: 0 };
  return installAnonymous(call.process, inode, '[timerfd]', O.RDWR, flags);
}

type TimerFile = Extract<Anonymous, { kind: 'timer' }>;

/** The timer of a descriptor, or an error. */
function timerOf(call: Call): TimerFile | number {
  const file = fileOf(call.process, int(call, 0));
  if (!file) return fail('EBADF');
  const { anonymous } = file.inode;
  return anonymous?.kind === 'timer' ? anonymous : fail('EINVAL');
}

const TFD_TIMER_CANCEL_ON_SET = 2;

function timerfdSettime(call: Call): Result {
  const { core, space } = call;
  const flags = int(call, 1);
  const wanted = readItimerspec(call, unsigned(call, 2));
  if (typeof wanted === 'number') return wanted;
  if ((flags & ~(TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return fail('EINVAL');
  const file = timerOf(call);
  if (typeof file === 'number') return file;
  const old = itimerspec(core, file.timer);
  const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
  file.expirations = 0;
  armTimer(core, file.timer, expiryOf(core, file.timer, wanted.value, isAbsolute, file.isRealTime), wanted.interval);
  const oldAt = unsigned(call, 3);
  return oldAt === 0 || writeUser(core, space, oldAt, old) ? 0 : fail('EFAULT');
}

function timerfdGettime(call: Call): Result {
  const file = timerOf(call);
  if (typeof file === 'number') return file;
  return writeUser(call.core, call.space, unsigned(call, 1), itimerspec(call.core, file.timer)) ? 0 : fail('EFAULT');
}

/** sigset_t of the kernel. */
const setBytes = 8;

/** -1 makes a descriptor; another one gets a new set. */
function signalfd(call: Call): Result {
  const { core, process, space } = call;
  const [fd, flags] = [int(call, 0), int(call, 3)];
  if (unsigned(call, 2) !== setBytes || (flags & ~common) !== 0) return fail('EINVAL');
  const wanted = readDoubleword(core, space, unsigned(call, 1));
  if (wanted === undefined) return fail('EFAULT');
  const set = wanted & ~unblockable;
  if (fd === -1) return makeAnonymous(call, '[signalfd]', { kind: 'signals', set }, O.RDWR, flags);
  const file = fileOf(process, fd);
  if (!file) return fail('EBADF');
  const { anonymous } = file.inode;
  if (anonymous?.kind !== 'signals') return fail('EINVAL');
  anonymous.set = set;
  return fd;
}

export const eventCalls: Family = {
  eventfd2: eventfd,
  timerfd_create: timerfdCreate,
  timerfd_settime: timerfdSettime,
  timerfd_gettime: timerfdGettime,
  signalfd4: signalfd,
};
