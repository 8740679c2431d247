// Which actor answers at a physical address outside RAM.

import type { ActorId } from '../actor.ts';

export interface BusRegion {
  readonly name: string;
  readonly base: number;
  readonly sizeBytes: number;
  readonly actor: ActorId;
  /** Where the region begins in the actor's own addresses, which several regions may share; 0 unless told. */
  readonly actorOffset?: number;
}

export interface BusMap {
  /** The region of this address, or undefined where nothing answers (DECERR). */
  find(pa: number): BusRegion | undefined;
}

/** Regions must not overlap. */
export function makeBusMap(regions: readonly BusRegion[]): BusMap {
  const sorted = [...regions].sort((a, b) => a.base - b.base);
  /** The region of the last address: the next one is most often in it too. */
  let last: BusRegion | undefined;
  return {
    find: (pa) => {
      if (last !== undefined && pa >= last.base && pa < last.base + last.sizeBytes) return last;
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle] as BusRegion).base <= pa) low = middle + 1;
        else high = middle;
      }
      const region = sorted[low - 1];
      if (region === undefined || pa >= region.base + region.sizeBytes) return undefined;
      last = region;
      return region;
    },
  };
}
