// The conductor `lockstep`: simulated time decides. It cuts time into windows no longer than the lookahead, and inside a window lets
// the cores use RAM one after the other, from a core that the seed chooses. When only one core has anything to do, its window
// reaches to whatever happens next. Nothing here depends on the number of host threads.

import type { ActorId, Ticks } from '../actors/actor.ts';
import { makeRandom } from '../actors/random.ts';
import { assert } from '../src/report/assert.ts';
import type { HostWindow, Outlook } from './host.ts';

/** If `alone`, the first core is the only one that runs. */
export interface Window extends HostWindow {
  readonly firstCore: ActorId;
}

/** What the conductor asks of all hosts together. */
export interface Ensemble {
  /** When something happens next, anywhere. */
  outlook(): Outlook;
  /** Devices, then the cores from `firstCore` up, then the cores below it. */
  runWindow(window: Window): void;
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
  /** Hears now and then how far the run has come. */
  readonly progress?: (ticks: Ticks, instructions: number) => void;
}

export type EndOfRun = 'stopped' | 'aborted' | 'deadlock' | 'max-instructions' | 'max-time';

/** How a run has ended, and when. */
export interface LockstepEnding {
  readonly end: EndOfRun;
  readonly ticks: Ticks;
}

/** A core that is alone returns to the conductor after this many ticks, so that a user's interrupt is seen. */
const longestWindowTicks = 4_000_000;

/** Progress is told before one of so many windows. */
const windowsPerTelling = 64;

/** A conductor: each call goes on with the run, to its end, or to the first window before which `isPaused`. */
export function makeLockstep(
  ensemble: Ensemble,
  options: LockstepOptions,
): (isPaused: () => boolean) => LockstepEnding | undefined {
  const { coreCount, lookaheadTicks, maxInstructions, maxTicks } = options;
  const isBounded = maxInstructions !== Infinity;
  const random = makeRandom(options.seed);
  const shortest = Math.ceil(lookaheadTicks / 2);
  const furtherLengths = Math.floor(lookaheadTicks / 2) + 1;
  let reached = 0;
  let windows = 0;
  return (isPaused) => {
    while (!isPaused()) {
      const { first, core, others } = ensemble.outlook();
      if (ensemble.stopped()) return { end: 'stopped', ticks: reached };
      if (ensemble.aborted()) return { end: 'aborted', ticks: reached };
      if (first === Infinity) return { end: 'deadlock', ticks: reached };
      if (first >= maxTicks) return { end: 'max-time', ticks: maxTicks };
      const instructionsLeft = isBounded ? maxInstructions - ensemble.instructions() : Infinity;
      if (instructionsLeft <= 0) return { end: 'max-instructions', ticks: reached };
      reached = Math.max(reached, first);
      if (windows % windowsPerTelling === 0) options.progress?.(reached, ensemble.instructions());
      windows += 1;

      const alone = core >= 0 && others >= first + lookaheadTicks;
      // A window between half the lookahead and all of it: seeds differ in where cores are interrupted, and in who goes first.
      const shared = shortest + random.below(furtherLengths);
      const firstCore = random.below(coreCount);
      const length = alone ? Math.min(others - first, longestWindowTicks) : shared;
      const untilTicks = Math.min(first + length, maxTicks);
      ensemble.runWindow({ untilTicks, firstCore: alone ? core : firstCore, alone, instructionsLeft });
    }
    return undefined;
  };
}

/** Conducts a run from its first window to its last. */
export function conductLockstep(ensemble: Ensemble, options: LockstepOptions): LockstepEnding {
  const ending = makeLockstep(ensemble, options)(() => false);
  assert(ending !== undefined, 'a run that is not paused ends');
  return ending;
}
