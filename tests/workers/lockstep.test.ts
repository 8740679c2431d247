import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outlook } from '../../workers/host.ts';
import { conductLockstep, type Ensemble, makeLockstep, type Window } from '../../workers/lockstep.ts';
import { casts, seeds } from './casts.ts';
import { perform, type Step } from './scripted-actors.ts';

const unlimited = { coreCount: 4, lookaheadTicks: 500, seed: 1, maxInstructions: Infinity, maxTicks: Infinity };

/** An ensemble that is asked a number of times, and then stopped. */
function rehearsed(
  outlooks: readonly Outlook[],
  over: Partial<Ensemble> = {},
): { ensemble: Ensemble; windows: Window[] } {
  const windows: Window[] = [];
  const ensemble: Ensemble = {
    outlook: () => outlooks[windows.length] ?? { first: Infinity, core: -1, others: Infinity },
    runWindow: (window) => windows.push(window),
    instructions: () => 0,
    stopped: () => windows.length === outlooks.length,
    aborted: () => false,
    ...over,
  };
  return { ensemble, windows };
}
const shared = (first: number): Outlook => ({ first, core: -1, others: first });

describe('the conductor lockstep', () => {
  it('chooses windows by the seed and by what is due, and by nothing else', () => {
    const outlooks = Array.from({ length: 50 }, (_, n) => shared(1000 * n));
    const windowsOf = (seed: number): Window[] => {
      const { ensemble, windows } = rehearsed(outlooks);
      conductLockstep(ensemble, { ...unlimited, seed });
      return windows;
    };
    expect(windowsOf(7)).toEqual(windowsOf(7));
    expect(windowsOf(7)).not.toEqual(windowsOf(8));
  });

  it('cuts windows between half the lookahead and all of it, and lets every core be the first', () => {
    const { ensemble, windows } = rehearsed(Array.from({ length: 2000 }, () => shared(0)));
    conductLockstep(ensemble, unlimited);
    const lengths = windows.map(({ untilTicks }) => untilTicks);
    expect(Math.min(...lengths)).toBe(250);
    expect(Math.max(...lengths)).toBe(500);
    expect(new Set(windows.map(({ firstCore }) => firstCore))).toEqual(new Set([0, 1, 2, 3]));
    expect(windows.every(({ alone }) => !alone)).toBe(true);
  });

  it('gives a core the time until anything else happens, at most 4 ms, where that is not less than the lookahead', () => {
    const { ensemble, windows } = rehearsed([
      { first: 100, core: 2, others: 900 },
      { first: 900, core: 2, others: Infinity },
      { first: 5_000_000, core: 1, others: 5_000_499 },
    ]);
    conductLockstep(ensemble, unlimited);
    expect(windows).toMatchObject([
      { untilTicks: 900, firstCore: 2, alone: true },
      { untilTicks: 4_000_900, firstCore: 2, alone: true },
      { alone: false },
    ]);
  });

  it('goes on after a pause as if there had been none', () => {
    const outlooks = Array.from({ length: 50 }, (_, n) => shared(1000 * n));
    const whole = rehearsed(outlooks);
    const ending = conductLockstep(whole.ensemble, unlimited);
    const inParts = rehearsed(outlooks);
    const proceed = makeLockstep(inParts.ensemble, unlimited);
    let calls = 0;
    const untilPause = () => {
      // One window a call, then two, then three.
      let left = ++calls;
      return proceed(() => left-- === 0);
    };
    let last = untilPause();
    while (last === undefined) last = untilPause();
    expect(last).toEqual(ending);
    expect(inParts.windows).toEqual(whole.windows);
    expect(calls).toBeGreaterThan(5);
  });

  it('ends in deadlock where nothing is ever due, at the time of what happened last', () => {
    const { ensemble } = rehearsed([shared(3), shared(70)], { stopped: () => false });
    expect(conductLockstep(ensemble, unlimited)).toEqual({ end: 'deadlock', ticks: 70 });
  });

  it('ends when an actor has ended the run, at the time of its last window and not of what would be next', () => {
    const { ensemble, windows } = rehearsed([shared(3), shared(1e9)], { stopped: () => windows.length === 1 });
    expect(conductLockstep(ensemble, unlimited)).toEqual({ end: 'stopped', ticks: 3 });
    const aborted = rehearsed([shared(3)], { stopped: () => false, aborted: () => true });
    expect(conductLockstep(aborted.ensemble, unlimited)).toEqual({ end: 'aborted', ticks: 0 });
    expect(aborted.windows).toEqual([]);
  });

  it('runs nothing at the most simulated time or after it', () => {
    const cast = { cores: [Array.from({ length: 5000 }, (): Step => ({ do: 'nothing' }))], devices: [] };
    expect(perform(cast, { hosts: 1, seed: 1, maxTicks: 777 })).toMatchObject({
      end: 'max-time',
      ticks: 777,
      instructions: [777],
    });
  });

  it('stops after exactly the most instructions, of however many cores, and until then runs as without a limit', () => {
    fc.assert(
      fc.property(casts, seeds, fc.nat(400), (cast, seed, maxInstructions) => {
        const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
        const whole = perform(cast, { hosts: 1, seed });
        const part = perform(cast, { hosts: 1, seed, maxInstructions });
        expect(sum(part.instructions)).toBe(Math.min(maxInstructions, sum(whole.instructions)));
        expect(whole.deliveries.slice(0, part.deliveries.length)).toEqual(part.deliveries);
      }),
      { numRuns: 300 },
    );
  });
});
