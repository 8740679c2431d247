// One thread of a run under `parallel`: an actor host that runs by itself, and what it shares with the others.

import { availableParallelism } from 'node:os';
import type { Message } from '../actors/actor.ts';
import { assert } from '../src/report/assert.ts';
import { consoleLines } from './console-lines.ts';
import { openControlBlock, stopReason } from './control-block.ts';
import { makeHostClock } from './host-clock.ts';
import { type HostResult, type HostTask, outputOf, resultOf, resultOfDevices } from './host-task.ts';
import type { EndOfRun } from './lockstep.ts';
import { makeIncoming } from './incoming.ts';
import { buildMachine, hostOf } from './machine.ts';
import { meetingEnd, openMeeting } from './meeting.ts';
import { runInParallel } from './parallel.ts';
import { openRing, type Ring } from './ring.ts';

const endOfRun: Readonly<Record<number, EndOfRun>> = {
  [meetingEnd.stopped]: 'stopped',
  [meetingEnd.aborted]: 'aborted',
  [meetingEnd.deadlock]: 'deadlock',
  [meetingEnd.maxInstructions]: 'max-instructions',
  [meetingEnd.maxTime]: 'max-time',
};

export function runParallelHost(task: HostTask): HostResult {
  const { config, host: self, rings, maxTicks } = task;
  assert(task.meeting !== undefined, 'hosts that run by themselves have a meeting');
  const control = openControlBlock(task.control, config.hosts);
  const meeting = openMeeting(task.meeting, config.hosts, self);
  const clock = makeHostClock(task.startNanoseconds);
  const mailboxes = rings.map((row) => row.map((buffer) => (buffer ? openRing(buffer) : undefined)));
  const outgoing = mailboxes[self] ?? [];
  const incoming = makeIncoming(mailboxes.flatMap((row) => row[self] ?? []));
  const everywhere = mailboxes.flat().filter((ring) => ring !== undefined);
  const said = outputOf(task.output, control);
  /** Where other threads say something too, who has seen what this one has done must not be heard before it: each character goes by itself. */
  const gathers = config.hosts === 1;
  const lines = consoleLines(said.console, true);

  function forward(message: Message): void {
    const target = hostOf(config, message.target);
    const ring = outgoing[target] as Ring;
    ring.write(message, () => {
      // The receiver may be waiting for this host in the same way.
      meeting.passed();
      meeting.wake(target);
      drain();
      // A receiver that has left the run reads no more.
      if (meeting.ended() !== meetingEnd.none) ring.drain(() => {});
      else ring.waitUntilDrained(1);
    });
    ring.publish();
    meeting.wake(target);
  }
  function drain(): void {
    incoming.drain(machine.host.accept);
  }

  /** What comes before waits. */
  let isBuilt = false;
  const machine = buildMachine(
    config,
    self,
    {
      forward,
      console: gathers ? lines.write : said.console,
      guestError: (sentence) => {
        lines.flush();
        said.guestError(sentence);
        meeting.end(meetingEnd.stopped);
      },
      stop: (reason, code) => {
        control.stop(reason, code);
        meeting.end(meetingEnd.stopped);
      },
      codeWritten: meeting.logCodeWrite,
    },
    {
      now: clock.now,
      awaitOthers: meeting.awaitOthers,
      receive: () => {
        if (isBuilt) drain();
      },
    },
  );
  isBuilt = true;
  const { host } = machine;
  meeting.awaitReady(drain);
  const startMs = performance.now();
  runInParallel({
    host,
    clock,
    meeting,
    mailboxes: {
      receive: () => {
        drain();
        // After the messages: who has been told of written code does not run what it was before.
        meeting.codeWrites(machine.engine.linesWrittenElsewhere);
      },
      hasMail: () => !incoming.isEmpty(),
      isUnderWay: () => everywhere.some((ring) => !ring.isEmpty()),
    },
    maxTicks,
    console: lines,
    isCrowded: config.hosts > availableParallelism(),
    aborted: () => control.aborted(),
    progress: () => {
      meeting.setInstructions(host.instructions());
      if (self === 0) control.setProgress(clock.now(), meeting.instructions());
    },
  });
  const hostMs = performance.now() - startMs;
  lines.flush();
  task.output.close();
  if (self > 0) return resultOf(machine);
  const end = control.stopReason() === stopReason.none ? endOfRun[meeting.ended()] : 'stopped';
  assert(end !== undefined, 'the run has ended in one of the ways that there are');
  return {
    ...resultOf(machine),
    ...resultOfDevices(machine, config),
    ending: { end, ticks: end === 'max-time' ? maxTicks : clock.now(), hostMs },
  };
}
