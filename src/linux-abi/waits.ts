// The end of a wait that nobody has ended by what was waited for: its time is over, a signal has come, or the process ends.

import { fail } from './errno.ts';
import { closeEnd } from './files/pipe-ends.ts';
import { isOfLock, removeWaiter } from './futex.ts';
import type { Core } from './kernel.ts';
import { timespec } from './records.ts';
import { dueSleepers, instructionBytes, wake } from './scheduler.ts';
import type { Thread } from './state.ts';
import { writeUser } from './user-memory.ts';

/** Takes a thread out of whatever it waits in. */
export function abandon(core: Core, thread: Thread): void {
  const { wait, deadline } = thread;
  removeWaiter(core, thread);
  core.state.sleepers.delete(thread);
  if (wait?.kind === 'sleep' && wait.remainder !== 0) {
    const left = Math.max(0, deadline - core.port.now());
    writeUser(core, thread.process.space, wait.remainder, timespec(BigInt(left)));
  }
  thread.wait = undefined;
  thread.deadline = Infinity;
  if (wait?.kind === 'fifo') closeEnd(core, wait.file);
}

/** The call runs again, until the time that it has been given, unless a handler ends it. */
function restartAfter(thread: Thread, afterHandler: boolean): void {
  thread.restart = { pc: thread.registers.pc, afterHandler };
  if (thread.deadline !== Infinity) thread.callDeadline = thread.deadline;
}

/** A call that runs again after a signal, if its action says so; false where it ends with EINTR in any case. */
export function prepareRestart(thread: Thread): boolean {
  const { wait, registers, deadline } = thread;
  switch (wait?.kind) {
    case 'child':
    case 'file':
    case 'lock':
      thread.restart = { pc: registers.pc + instructionBytes, afterHandler: true };
      return true;
    case 'poll':
    case 'signal':
      thread.restart = { pc: registers.pc + instructionBytes, afterHandler: false };
      return true;
    case 'futex':
      // Whoever waits for a lock, or to be moved to one, goes on waiting after any handler; its time is a date.
      if (!isOfLock(wait)) restartAfter(thread, deadline === Infinity);
      registers.pc -= instructionBytes;
      return true;
    case 'fifo':
    case 'sleep':
    case 'pause':
      restartAfter(thread, wait.kind === 'fifo');
      registers.pc -= instructionBytes;
      return true;
    default:
      return false;
  }
}

/** Wakes those whose time has come. */
export function endDueWaits(core: Core): void {
  for (const thread of dueSleepers(core)) {
    const { wait, registers } = thread;
    abandon(core, thread);
    switch (wait?.kind) {
      case 'futex':
        wake(core, thread, fail('ETIMEDOUT'));
        break;
      case 'signal':
        registers.pc += instructionBytes;
        thread.callDeadline = undefined;
        wake(core, thread, fail('EAGAIN'));
        break;
      case 'poll':
        // The call runs again, finds that its time is over, and says so where it says what is ready.
        wake(core, thread);
        break;
      default:
        wake(core, thread, 0);
    }
  }
}
