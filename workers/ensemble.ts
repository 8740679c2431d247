// All hosts of a run as the conductor sees them: one outlook, and windows in which the actors take turns in an order that does not
// depend on which of them share a host.

import type { ActorId } from '../actors/actor.ts';
import type { CoreWindow, Outlook } from './host.ts';
import type { Ensemble } from './lockstep.ts';

/** A host, on this thread or on another. */
export interface ConductedHost {
  outlook(): Outlook;
  /** Runs its devices, if asked to, then its cores of the window; returns how many instructions were run. */
  run(window: CoreWindow, withDevices: boolean): number;
  instructions(): number;
}

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
  return {
    outlook: () => {
      const merged: Outlook = { first: Infinity, core: -1, others: Infinity };
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
    runWindow: ({ untilTicks, firstCore, alone, instructionsLeft }) => {
      let executed = 0;
      const run = (host: number, first: ActorId, last: ActorId, withDevices: boolean): void => {
        const window = { first, last, untilTicks, alone, instructionsLeft: instructionsLeft - executed };
        executed += hosts[host]?.run(window, withDevices) ?? 0;
      };
      const start = hostOfCore(firstCore);
      // What a core that is alone sends ends its window: another core that it has woken must not run on to the window's end.
      if (alone) {
        run(start, firstCore, firstCore, false);
        return;
      }
      const last = coreCount - 1;
      run(0, 0, -1, true);
      run(start, firstCore, last, start !== 0);
      for (let n = 1; n < hosts.length; n += 1) {
        const host = (start + n) % hosts.length;
        run(host, 0, last, host !== 0);
      }
      if (firstCore > 0) run(start, 0, firstCore - 1, false);
    },
    instructions: () => hosts.reduce((sum, host) => sum + host.instructions(), 0),
    stopped,
    aborted,
  };
}
