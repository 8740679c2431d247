// Simulated time under the conductor `parallel`: the monotonic clock of the host, one for all threads, and what all of them have skipped
// together because nobody had anything to do.

import { hrtime } from 'node:process';
import type { Ticks } from '../actors/actor.ts';

/** Nanoseconds of the host's clock, for whoever starts a run. */
export const hostNanoseconds = (): bigint => hrtime.bigint();

export interface HostClock {
  readonly now: () => Ticks;
  /** Ticks that have been skipped since the start of the run. */
  skipped: Ticks;
}

export function makeHostClock(startNanoseconds: bigint): HostClock {
  const clock = {
    skipped: 0,
    now: (): Ticks => Number(hrtime.bigint() - startNanoseconds) + clock.skipped,
  };
  return clock;
}
