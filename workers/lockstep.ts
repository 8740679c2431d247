// The conductor `lockstep`: simulated time decides. It cuts time into windows no longer than the lookahead, and inside a window lets
// the cores use RAM one after the other, from a core that the seed chooses. When only one core has anything to do, its window
// reaches to whatever happens next. Nothing here depends on the number of host threads.

import type { ActorId, Ticks } from '../actors/actor.ts';
import type { Outlook } from './host.ts';
import { makeRandom } from './random.ts';

/** What the conductor asks of all hosts together. */
export interface Ensemble {
  /** When something happens next, anywhere. */
  outlook(): Outlook;
  /** Every device, then the cores from `firstCore` up, then the cores below it. */
  runWindow(untilTicks: Ticks, firstCore: ActorId, alone: boolean): void;
  instructions(): number;
  /** Set when an actor has ended the run. */
  stopped(): boolean;
  /** Set when the user has. */
  aborted(): boolean;
}

export interface LockstepOptions {
  readonly coreCount: number;
  readonly lookaheadTicks: Ticks;
  readonly seed: number;
  readonly maxInstructions: number;
  readonly maxTicks: Ticks;
}

export type EndOfRun = 'stopped' | 'aborted' | 'deadlock' | 'max-instructions' | 'max-time';

/** A core that is alone returns to the conductor after this many ticks, so that a user's interrupt is seen. */
const longestWindowTicks = 4_000_000;

export function conductLockstep(ensemble: Ensemble, options: LockstepOptions): { end: EndOfRun; ticks: Ticks } {
  const { coreCount, lookaheadTicks, maxInstructions, maxTicks } = options;
  const random = makeRandom(options.seed);
  let reached = 0;
  for (;;) {
    const { first, core, others } = ensemble.outlook();
    if (first !== Infinity) reached = Math.max(reached, first);
    if (ensemble.stopped()) return { end: 'stopped', ticks: reached };
    if (ensemble.aborted()) return { end: 'aborted', ticks: reached };
    if (first === Infinity) return { end: 'deadlock', ticks: reached };
    if (first >= maxTicks) return { end: 'max-time', ticks: maxTicks };
    const instructionsLeft = maxInstructions - ensemble.instructions();
    if (instructionsLeft <= 0) return { end: 'max-instructions', ticks: reached };

    const alone = core >= 0 && others >= first + lookaheadTicks;
    // A window between half the lookahead and all of it: seeds differ in where cores are interrupted, and in who goes first.
    const shared = Math.ceil(lookaheadTicks / 2) + random.below(Math.floor(lookaheadTicks / 2) + 1);
    const firstCore = random.below(coreCount);
    const fair = Math.min(shared, Math.max(1, Math.ceil(instructionsLeft / coreCount)));
    const length = alone ? Math.min(others - first, longestWindowTicks, instructionsLeft) : fair;
    ensemble.runWindow(Math.min(first + length, maxTicks), alone ? core : firstCore, alone);
  }
}
