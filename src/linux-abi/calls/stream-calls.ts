// What calls that read and write streams have in common: they wait for a file, and a pipe that nobody reads has a signal (fs/pipe.c).

import { fail } from '../errno.ts';
import type { OpenFile } from '../files/inode.ts';
import { isNonBlocking } from '../files/stream.ts';
import { blockToRestart } from '../scheduler.ts';
import { signalThread } from '../signals.ts';
import { SI, SIG } from '../signal-numbers.ts';
import type { Call, Result } from './call.ts';

/** Waits until something has happened to the file, unless the file or the call says that nobody waits. */
export function waitFor({ core, thread }: Call, file: OpenFile, isImpatient = false): Result {
  if (isImpatient || isNonBlocking(file)) return fail('EAGAIN');
  blockToRestart(core, thread, { kind: 'file', inode: file.inode.number });
  return undefined;
}

/** Sends SIGPIPE where a write has come to an end that nobody reads. */
export function signalBrokenPipe({ core, thread, process }: Call, written: Result): void {
  if (written === fail('EPIPE')) signalThread(core, thread, { number: SIG.PIPE, code: SI.USER, pid: process.pid });
}
