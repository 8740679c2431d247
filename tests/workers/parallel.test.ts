// The loop of a host under `parallel`, with a core that does nothing but YIELD, on a clock of its own.

import { expect, it } from 'vitest';
import { makeHost } from '../../workers/host.ts';
import { limitMeeting, meetingBuffer, meetingEnd, openMeeting } from '../../workers/meeting.ts';
import { runInParallel } from '../../workers/parallel.ts';

const ticksPerYield = 1000;

/** How often a host sleeps while its core yields so many times. */
function sleepsWhile(yields: number, isCrowded: boolean): number {
  const buffer = meetingBuffer(2);
  limitMeeting(buffer, 2, Infinity);
  const meeting = openMeeting(buffer, 2, 0);
  let [instructions, sleeps] = [0, 0];
  const now = (): number => instructions * ticksPerYield;
  const core = {
    runnable: true,
    get nowTicks() {
      return now();
    },
    get instructions() {
      return instructions;
    },
    run: () => {
      instructions += 1;
      if (instructions === yields) meeting.end(meetingEnd.stopped);
    },
    advanceTo: () => {},
    look: () => false,
    isRepeating: () => false,
    receive: () => {},
    timer: () => {},
    save: () => undefined,
    restore: () => {},
  };
  runInParallel({
    host: makeHost({
      actors: [{ id: 0, make: () => core }],
      coreCount: 1,
      lookaheadTicks: 0,
      forward: () => {},
      clock: now,
    }),
    clock: { now, skipped: 0 },
    meeting: {
      ...meeting,
      get ended() {
        return meeting.ended;
      },
      get skipped() {
        return 0;
      },
      sleep: () => {
        sleeps += 1;
      },
    },
    mailboxes: { receive: () => {}, hasMail: () => false, isUnderWay: () => false },
    maxTicks: Infinity,
    isCrowded,
    aborted: () => false,
    progress: () => {},
  });
  return sleeps;
}

it('a core that yields makes room for hosts without a processor, but not at every YIELD', () => {
  const sleeps = sleepsWhile(4000, true);
  // 4 ms of simulated time: at least once in 200 microseconds, and at most once in 50.
  expect(sleeps).toBeGreaterThanOrEqual(20);
  expect(sleeps).toBeLessThanOrEqual(80);
});

it('where every host has a processor nobody makes room', () => {
  expect(sleepsWhile(4000, false)).toBe(0);
});
