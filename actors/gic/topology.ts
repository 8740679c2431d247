// Who is who around the GIC; the same for all its parts, and constant.

import type { ActorId } from '../actor.ts';
import { assert } from '../../src/report/assert.ts';

export interface GicTopology {
  readonly distributor: ActorId;
  /** By PE number. */
  readonly redistributors: readonly ActorId[];
  /** The cores, by PE number. */
  readonly cores: readonly ActorId[];
  /** MPIDR_EL1 affinities by PE number, packed as Aff3.Aff2.Aff1.Aff0, 8 bits each. */
  readonly affinities: readonly number[];
  /** PE number by packed affinity. */
  readonly peOfAffinity: ReadonlyMap<number, number>;
  /** PE numbers that end a region of consecutive redistributor frames (GICR_TYPER.Last). */
  readonly lastOfRegion: ReadonlySet<number>;
  /** True without a second Security state: GICD_CTLR.DS is then 1 from reset. */
  readonly disableSecurity: boolean;
}

export interface GicTopologyOptions {
  readonly distributor: ActorId;
  readonly redistributors: readonly ActorId[];
  readonly cores: readonly ActorId[];
  readonly affinities: readonly number[];
  /** Number of redistributor frames in each region, in the order of PE numbers; one region for all unless told. */
  readonly regions?: readonly number[];
  readonly disableSecurity: boolean;
}

export function gicTopology(options: GicTopologyOptions): GicTopology {
  const { distributor, redistributors, cores, affinities, disableSecurity } = options;
  const peOfAffinity = new Map(affinities.map((affinity, pe) => [affinity >>> 0, pe]));
  assert(peOfAffinity.size === cores.length, 'every core has an affinity of its own');
  assert(redistributors.length === cores.length, 'every core has a redistributor');
  const lastOfRegion = new Set<number>();
  let end = 0;
  for (const frames of options.regions ?? [cores.length]) lastOfRegion.add((end += frames) - 1);
  return { distributor, redistributors, cores, affinities, peOfAffinity, lastOfRegion, disableSecurity };
}
