// Descriptors of processes: pidfd_open, pidfd_send_signal, pidfd_getfd (kernel/pid.c, kernel/signal.c).

import { fail } from '../errno.ts';
import { installAnonymous, anonymousInode } from '../files/anonymous-file.ts';
import { fileOf, install } from '../files/descriptors.ts';
import { O } from '../files/open-file.ts';
import type { Core } from '../kernel.ts';
import { lastSignal, SI } from '../signal-numbers.ts';
import { signalProcess } from '../signals.ts';
import type { Process } from '../state.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';
import { readSiginfo } from './signals.ts';

/** A descriptor that becomes readable when a process has ended. All descriptors of a process are of one inode. */
export function openPidfd(core: Core, owner: Process, target: Process, flags: number): number {
  target.watch ??= anonymousInode(core);
  target.watch.anonymous ??= { kind: 'process', pid: target.pid };
  return installAnonymous(owner, target.watch, '[pidfd]', O.RDWR, flags | O.CLOEXEC);
}

/** The process of a descriptor; an error where it is none, or where the process is gone. */
export function processOfPidfd({ core, process }: Call, fd: number): Process | number {
  const file = fileOf(process, fd);
  if (!file) return fail('EBADF');
  const { anonymous } = file.inode;
  if (anonymous?.kind !== 'process') return fail('EBADF');
  return core.state.processes.get(anonymous.pid) ?? fail('ESRCH');
}

function open(call: Call): Result {
  const [pid, flags] = [int(call, 0), uint(call, 1)];
  if ((flags & ~O.NONBLOCK) !== 0 || pid <= 0) return fail('EINVAL');
  const target = call.core.state.processes.get(pid);
  // A thread that is not the first of its process.
  if (!target) return fail(call.core.state.threads.has(pid) ? 'EINVAL' : 'ESRCH');
  return openPidfd(call.core, call.process, target, flags);
}

function sendSignal(call: Call): Result {
  const [number, infoAt, flags] = [int(call, 1), unsigned(call, 2), uint(call, 3)];
  if (flags !== 0) return fail('EINVAL');
  const target = processOfPidfd(call, int(call, 0));
  if (typeof target === 'number') return target;
  const given = infoAt === 0 ? undefined : readSiginfo(call, infoAt, number, target.pid);
  if (typeof given === 'number') return given;
  if (number < 0 || number > lastSignal) return fail('EINVAL');
  if (number > 0) signalProcess(call.core, target, given ?? { number, code: SI.USER, pid: call.process.pid });
  return 0;
}

function getfd(call: Call): Result {
  if (uint(call, 2) !== 0) return fail('EINVAL');
  const target = processOfPidfd(call, int(call, 0));
  if (typeof target === 'number') return target;
  if (target.isZombie) return fail('ESRCH');
  const file = fileOf(target, int(call, 1));
  return file ? (install(call.process, file, true) ?? fail('EMFILE')) : fail('EBADF');
}

export const pidfdCalls: Family = {
  pidfd_open: open,
  pidfd_send_signal: sendSignal,
  pidfd_getfd: getfd,
};
