// Every system call that there is, by number, and what becomes of the others: ENOSYS, counted for --stats.

import { callNames } from '../call-names.ts';
import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import type { Thread } from '../state.ts';
import { attributeCalls } from './attributes.ts';
import type { Call, Family, Handler } from './call.ts';
import { descriptorCalls } from './descriptors.ts';
import { epollCalls } from './epoll.ts';
import { eventCalls } from './events.ts';
import { fileCalls } from './files.ts';
import { futexCalls } from './futex.ts';
import { identityCalls } from './identity.ts';
import { ioCalls } from './io.ts';
import { memoryCalls } from './memory.ts';
import { nameCalls } from './names.ts';
import { pidfdCalls } from './pidfd.ts';
import { pollCalls } from './poll.ts';
import { processCalls } from './processes.ts';
import { remoteMemoryCalls } from './remote-memory.ts';
import { schedulingCalls } from './scheduling.ts';
import { signalCalls } from './signals.ts';
import { socketCalls } from './sockets.ts';
import { spliceCalls } from './splice.ts';
import { statCalls } from './stat.ts';
import { systemCalls } from './system.ts';
import { timeCalls } from './time.ts';
import { timerCalls } from './timers.ts';
import { waitCalls } from './wait.ts';

/** The families, as docs/linux.md lists them. */
export const families: Readonly<Record<string, Family>> = {
  memory: memoryCalls,
  'processes and threads': { ...processCalls, ...waitCalls, ...pidfdCalls, ...remoteMemoryCalls },
  futexes: futexCalls,
  scheduling: schedulingCalls,
  signals: signalCalls,
  'reading and writing': { ...ioCalls, ...spliceCalls },
  files: fileCalls,
  names: nameCalls,
  'what is known of files': { ...statCalls, ...attributeCalls },
  descriptors: descriptorCalls,
  'waiting for files': { ...pollCalls, ...epollCalls },
  'events as files': eventCalls,
  sockets: socketCalls,
  time: { ...timeCalls, ...timerCalls },
  identity: identityCalls,
  system: systemCalls,
};

const byName: ReadonlyMap<string, Handler> = new Map(
  Object.values(families).flatMap((family) => Object.entries(family)),
);
const handlers: ReadonlyMap<number, Handler> = new Map(
  [...callNames].flatMap(([number, name]) => {
    const handler = byName.get(name);
    return handler ? [[number, handler] as const] : [];
  }),
);

/** Calls that a C library makes to see whether they are there: they are refused on purpose, and not worth a word. */
const refusedSilently: ReadonlySet<string> = new Set(['rseq']);

const argumentCount = 6;
const numberRegister = 8;

/** SVC: the number is in W8, the arguments in X0 to X5, the result goes to X0. */
export function systemCall(core: Core, thread: Thread): void {
  const { pe, state } = core;
  const number = Number(BigInt.asUintN(32, pe.readX(numberRegister)));
  const handler = handlers.get(number);
  if (!handler) {
    if (!refusedSilently.has(callNames.get(number) ?? ''))
      state.unknownCalls.set(number, (state.unknownCalls.get(number) ?? 0) + 1);
    pe.writeX(0, BigInt.asUintN(64, BigInt(fail('ENOSYS'))));
    return;
  }
  const { process } = thread;
  const x = Array.from({ length: argumentCount }, (_, n) => pe.readX(n));
  const call: Call = { core, thread, process, space: process.space, x };
  const result = handler(call);
  if (result === undefined) return;
  thread.callDeadline = undefined;
  pe.writeX(0, BigInt.asUintN(64, BigInt(result)));
}
