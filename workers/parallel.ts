// The conductor `parallel`, as one host follows it: what is due is handled as soon as it is seen, and the host's cores run in turns, a
// slice of instructions each, while those of other hosts run at the same time. Simulated time is the host's (host-clock.ts).
//
// A host whose cores all wait looks about for a moment, since what they wait for is often near; then it sleeps until it is rung or a
// timer is due. A core in WFE may wait for a store that no message tells of: its value is looked at, before the thread sleeps its line
// is watched, and from time to time the core is let go, as the architecture allows at any time (Arm ARM, "Wait for Event").

import type { Ticks } from '../actors/actor.ts';
import type { RunnableActor } from '../actors/actor.ts';
import type { ConsoleLines } from './console-lines.ts';
import type { Host } from './host.ts';
import type { HostClock } from './host-clock.ts';
import { type Meeting, meetingEnd } from './meeting.ts';

/**
 * Instructions between two looks at the mailboxes: some tens of microseconds of translated code. It is the least common multiple of 1 to
 * 12, and of many more numbers: a loop of so many instructions that waits for another core's store, and changes nothing, is at the same
 * place after it with the same registers. Who goes round in circles gets short slices, of the least common multiple of 1 to 8.
 */
const sliceInstructions = 27_720;
const waitingSliceInstructions = 840;

/** Fast code gets a multiple of a slice, up to this one, while it takes less than so long; slow code one again when it takes more. */
const mostSlices = 16;
const shortSliceTicks = 25_000;
const longSliceTicks = 100_000;

/** What a core and its neighbours send one another is handed over within its turn, so often before others have theirs. */
const exchangesOfTurn = 64;

/** Progress is told after so many turns. */
const turnsPerTelling = 64;

/**
 * Where there are more hosts than the machine has processors, one whose cores all go round in circles sleeps for so long, and then runs for so
 * long: thousands of YIELDs, by which a guest may wait, do not sleep one by one.
 */
const politeSleepMs = 0.05;
const betweenSleepsTicks = 100_000;

/**
 * A host looks about so often before it sleeps, and among these so often at the clock, and at what WFE waits for as soon as that takes
 * no longer than the rest. Where it has been in vain last time, as it is while other programs want the host's processors, it looks only
 * a few times, but for one wait of so many. That one looks for as long as it takes to wake a thread, and more: where two hosts wait for each
 * other in turn, each would otherwise find it in vain because the other one sleeps.
 */
const looksBeforeSleep = 2000;
const looksOfTrial = 20_000;
const fewLooks = 32;
const waitsPerTrial = 32;
const looksPerClock = 16;

/** Nobody sleeps longer, so that a user's interrupt is seen; and a core in WFE is let go after so long. */
const longestSleepMs = 100;
const blindSleepMs = 10;

const ticksPerMs = 1_000_000;

/** What one host is to the others. */
export interface Mailboxes {
  /** Accepts every message that has come, and hears of code that other hosts have written. */
  readonly receive: () => void;
  /** True where a message waits. */
  readonly hasMail: () => boolean;
  /** True where a message is between any two hosts. */
  readonly isUnderWay: () => boolean;
}

export interface ParallelOptions {
  readonly host: Host;
  readonly clock: HostClock;
  readonly meeting: Meeting;
  readonly mailboxes: Mailboxes;
  readonly maxTicks: Ticks;
  /** There are more hosts than processors. */
  readonly isCrowded: boolean;
  /** Set when the user has ended the run. */
  readonly aborted: () => boolean;
  /** Hears, now and then, that the host has run instructions. */
  readonly progress: () => void;
  /** A turn of a core is over; no core has anything to do. */
  readonly console: Pick<ConsoleLines, 'windowPassed' | 'flush'>;
}

/** Runs the host until the run ends. */
export function runInParallel(options: ParallelOptions): void {
  const { host, clock, meeting, mailboxes, maxTicks, isCrowded, aborted, progress, console } = options;
  const { cores } = host;
  const looksPerValues = Math.min(Math.max(cores.length, 1), looksPerClock);
  let turn = 0;
  let turns = 0;
  /** What a turn is: a power of two. */
  let slices = 1;
  /** By place: the core has been going round in circles. */
  const repeats = new Uint8Array(cores.length);
  /** In this round some core has done something else. */
  let isBusy = false;
  /** As of when the host slept last; cores that it has let go since then without a reason. */
  let messagesBefore = 0;
  let turnsBefore = 0;
  let letGo = 0;
  let nextSleepTicks = 0;
  let waits = 0;
  let isLookingWorthwhile = true;

  /** The core whose turn it is. */
  function nextCore(): RunnableActor | undefined {
    for (let n = 0; n < cores.length; n += 1) {
      const { actor } = cores[turn]!;
      if (actor.isRunnable()) return actor;
      pass();
    }
    return undefined;
  }

  function pass(): void {
    turn = (turn + 1) % cores.length;
    if (turn !== 0) return;
    for (const { actor } of cores) actor.look('value');
    if (isCrowded && !isBusy && clock.now() >= nextSleepTicks) makeRoom();
    isBusy = false;
  }

  /** For hosts that have something to do. */
  function makeRoom(): void {
    if (!mailboxes.hasMail()) meeting.sleep(meeting.rings(), politeSleepMs);
    nextSleepTicks = clock.now() + betweenSleepsTicks;
  }

  /** Runs a core until it has used this up, waits or yields, or mail has come; returns what it has used. */
  function exchange(core: RunnableActor, claimed: number, start: Ticks): { used: number; hasYielded: boolean } {
    const before = core.instructions();
    for (let exchanges = 1; ; exchanges += 1) {
      const messages = host.messages();
      core.advanceTo(start);
      core.run(start + claimed - (core.instructions() - before));
      const used = core.instructions() - before;
      if (host.messages() === messages) return { used, hasYielded: core.isRunnable() && used < claimed };
      host.settle();
      const goesOn = core.isRunnable() && used < claimed && exchanges < exchangesOfTurn && !mailboxes.hasMail();
      if (!goesOn) return { used, hasYielded: false };
    }
  }

  /** A slice of one core, or what is left of the run. */
  function run(core: RunnableActor): void {
    const wanted = repeats[turn] === 0 ? slices * sliceInstructions : waitingSliceInstructions;
    const claimed = meeting.claim(wanted);
    if (claimed === 0) {
      meeting.end(meetingEnd.maxInstructions);
      return;
    }
    const start = clock.now();
    const { used, hasYielded } = exchange(core, claimed, start);
    meeting.giveBack(claimed - used);
    turns += 1;
    if (used === slices * sliceInstructions) {
      const took = clock.now() - start;
      if (took < shortSliceTicks) slices = Math.min(2 * slices, mostSlices);
      else if (took > longSliceTicks) slices = Math.max(slices / 2, 1);
    }
    const isRepeating = used >= claimed && core.isRepeating();
    repeats[turn] = isRepeating ? 1 : 0;
    if (!isRepeating && !hasYielded) isBusy = true;
    pass();
    if (turns % turnsPerTelling === 0) progress();
  }

  /** True when something has come up. */
  function lookAbout(): boolean {
    waits += 1;
    const untried = waits % waitsPerTrial === 0 ? looksOfTrial : fewLooks;
    isLookingWorthwhile = looksFor(isLookingWorthwhile ? looksBeforeSleep : untried);
    return isLookingWorthwhile;
  }

  function looksFor(looks: number): boolean {
    for (let look = 0; look < looks; look += 1) {
      if (mailboxes.hasMail() || meeting.ended() !== meetingEnd.none) return true;
      if (look % looksPerValues !== 0) continue;
      for (const { actor } of cores) {
        actor.look('value');
        if (actor.isRunnable()) return true;
      }
      if (look % looksPerClock !== 0) continue;
      meeting.passed();
      if (clock.now() >= host.nextDue()) return true;
    }
    return false;
  }

  function sleep(): void {
    const rings = meeting.rings();
    let isBlind = false;
    for (const { actor } of cores) {
      if (actor.look('watch')) isBlind = true;
      if (actor.isRunnable()) return;
    }
    const due = Math.min(host.nextDue(), maxTicks);
    const hasWorked = host.messages() !== messagesBefore || turns - turnsBefore > letGo;
    meeting.fallAsleep(due, hasWorked, isBlind);
    if (!mailboxes.hasMail()) {
      meeting.conclude(clock.now, mailboxes.isUnderWay);
      const milliseconds = Math.min((due - clock.now()) / ticksPerMs, isBlind ? blindSleepMs : longestSleepMs);
      if (milliseconds > 0) meeting.sleep(rings, milliseconds);
    }
    meeting.wakeUp();
    clock.skipped = meeting.skipped();
    messagesBefore = host.messages();
    turnsBefore = turns;
    letGo = 0;
    if (!isBlind || mailboxes.hasMail()) return;
    meeting.looked();
    for (const { actor } of cores) {
      actor.look('anyway');
      if (actor.isRunnable()) letGo += 1;
    }
  }

  for (;;) {
    meeting.passed();
    mailboxes.receive();
    const now = clock.now();
    host.runDevices(now + 1);
    if (aborted()) meeting.end(meetingEnd.aborted);
    if (now >= maxTicks) meeting.end(meetingEnd.maxTime);
    if (meeting.ended() !== meetingEnd.none) return;
    const core = cores.length > 0 ? nextCore() : undefined;
    if (core) {
      run(core);
      console.windowPassed();
    } else {
      console.flush();
      if (!lookAbout()) sleep();
    }
  }
}
