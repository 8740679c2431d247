// The loop of a host under `parallel`, with a core that does nothing but YIELD, or wait, on a clock of its own.

import { expect, it } from 'vitest';
import { makeHost } from '../../workers/host.ts';
import { limitMeeting, meetingBuffer, meetingEnd, openMeeting } from '../../workers/meeting.ts';
import { runInParallel } from '../../workers/parallel.ts';

const ticksPerYield = 1000;

interface Played {
  readonly isCrowded?: boolean;
  readonly runnable: boolean;
  /** The core has run its nth instruction. */
  readonly ran?: (instructions: number, end: () => void) => void;
  readonly slept: (end: () => void) => void;
  readonly looked?: () => void;
}

/** Runs a host with one core until what it does ends the run. */
function play({ isCrowded = false, runnable, ran, slept, looked }: Played): void {
  const buffer = meetingBuffer(2);
  limitMeeting(buffer, 2, Infinity);
  const meeting = openMeeting(buffer, 2, 0);
  const end = (): void => {
    meeting.end(meetingEnd.stopped);
  };
  let instructions = 0;
  const now = (): number => instructions * ticksPerYield;
  const core = {
    isRunnable: () => runnable,
    nowTicks: now,
    instructions: () => instructions,
    run: () => {
      instructions += 1;
      ran?.(instructions, end);
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
      skipped: () => 0,
      sleep: () => {
        slept(end);
      },
    },
    mailboxes: {
      receive: () => {},
      hasMail: () => {
        looked?.();
        return false;
      },
      isUnderWay: () => false,
    },
    maxTicks: Infinity,
    isCrowded,
    console: { windowPassed: () => {}, flush: () => {} },
    aborted: () => false,
    progress: () => {},
  });
}

/** How often a host sleeps while its core yields so many times. */
function sleepsWhile(yields: number, isCrowded: boolean): number {
  let sleeps = 0;
  play({
    isCrowded,
    runnable: true,
    ran: (instructions, end) => {
      if (instructions === yields) end();
    },
    slept: () => {
      sleeps += 1;
    },
  });
  return sleeps;
}

/** How often a host whose core waits looks about before each of so many sleeps. */
function looksBefore(sleeps: number): number[] {
  const looks = [0];
  play({
    runnable: false,
    slept: (end) => {
      if (looks.length === sleeps) end();
      looks.push(0);
    },
    looked: () => {
      looks.push((looks.pop() ?? 0) + 1);
    },
  });
  return looks.slice(0, sleeps);
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

it('who has looked about in vain sleeps almost at once, but for one wait in 32, which outlasts the waking of a thread', () => {
  const [first = 0, ...others] = looksBefore(96);
  const long = others.filter((looks) => looks > 5 * first);
  expect(first).toBeGreaterThan(1000);
  expect(long).toHaveLength(3);
  for (const looks of others) if (!long.includes(looks)) expect(looks).toBeLessThan(first / 10);
});
