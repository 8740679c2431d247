// All hosts of a run as the conductor sees them: one outlook, and windows in which the actors take turns in an order that does not
// depend on which of them share a host.

import type { ActorId } from '../actors/actor.ts';
import type { Host, Outlook } from './host.ts';
import type { Ensemble } from './lockstep.ts';

/** A host, on this thread or on another. */
export type ConductedHost = Pick<Host, 'outlook' | 'run' | 'instructions'>;

export interface EnsembleOptions {
  /** Host 0 has the devices of which the world outside hears, and which may end the run. */
  readonly hosts: readonly ConductedHost[];
  readonly coreCount: number;
  /** Consecutive cores share a host. */
  readonly hostOfCore: (core: ActorId) => number;
  readonly stopped: () => boolean;
  readonly aborted: () => boolean;
}

export function makeEnsemble({ hosts, coreCount, hostOfCore, stopped, aborted }: EnsembleOptions): Ensemble {
  const last = coreCount - 1;
  const [only] = hosts;
  if (hosts.length === 1 && only) {
    // Without the rounds among hosts that there are not: a device access takes two windows, and there may be nothing else in them.
    return {
      outlook: only.outlook,
      runWindow: (window) => {
        const { firstCore, alone } = window;
        const ran = only.run(window, firstCore, alone ? firstCore : last, !alone, 0);
        if (!alone && firstCore > 0) only.run(window, 0, firstCore - 1, false, ran);
      },
      instructions: only.instructions,
      stopped,
      aborted,
    };
  }
  const merged: Outlook = { first: Infinity, core: -1, others: Infinity };
  return {
    outlook: () => {
      merged.first = Infinity;
      merged.core = -1;
      merged.others = Infinity;
      for (const host of hosts) {
        const { first, core, others } = host.outlook();
        if (first < merged.first) {
          merged.others = Math.min(merged.first, others);
          merged.first = first;
          merged.core = core;
        } else {
          merged.others = Math.min(merged.others, first);
        }
      }
      return merged;
    },
    runWindow: (window) => {
      const { firstCore, alone } = window;
      let ran = 0;
      const run = (host: number, from: ActorId, to: ActorId, withDevices: boolean): void => {
        ran += hosts[host]?.run(window, from, to, withDevices, ran) ?? 0;
      };
      const start = hostOfCore(firstCore);
      // What a core that is alone sends ends its window: another core that it has woken must not run on to the window's end.
      if (alone) {
        run(start, firstCore, firstCore, false);
        return;
      }
      if (start !== 0) run(0, 0, -1, true);
      run(start, firstCore, last, true);
      for (let n = 1; n < hosts.length; n += 1) {
        const host = (start + n) % hosts.length;
        run(host, 0, last, host !== 0);
      }
      if (firstCore > 0) run(start, 0, firstCore - 1, false);
    },
    instructions: () => {
      let sum = 0;
      for (const host of hosts) sum += host.instructions();
      return sum;
    },
    stopped,
    aborted,
  };
}
