// The interrupt controller of the board as actors: a GICv3 of a distributor and a redistributor for each core, or a GICv2 in one.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Distributor } from '../actors/gic/distributor.ts';
import { firstPpi } from '../actors/gic/groups.ts';
import { Redistributor } from '../actors/gic/redistributor.ts';
import { gicTopology } from '../actors/gic/topology.ts';
import { GicV2 } from '../actors/gic-v2/gic-v2.ts';
import { frames } from '../actors/gic-v2/registers.ts';
import { memoryMap, redistributorStride, type Region } from '../src/board/memory-map.ts';
import { type Board, ppi } from '../src/board/virt.ts';

/** Identities of the cores, and of what the interrupt controller consists of. */
export interface InterruptControllerIds {
  readonly cores: readonly ActorId[];
  /** Of a GICv3. */
  readonly redistributors: readonly ActorId[];
  /** Where the wires of devices lead. */
  readonly distributor: ActorId;
}

export interface InterruptController {
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly regions: readonly BusRegion[];
  /** Where the wires of a core lead. */
  readonly ofCore: (core: number) => ActorId;
}

/** Aff3.Aff2.Aff1.Aff0; the board's affinities have no Aff3. */
export const packedAffinity = (mpidr: number): number => mpidr & 0xff_ffff;

export const interruptController = (board: Board, ids: InterruptControllerIds): InterruptController =>
  board.gicVersion === 2 ? gicV2(board, ids) : gicV3(board, ids);

function gicV3(board: Board, { cores, redistributors, distributor }: InterruptControllerIds): InterruptController {
  const lowFrames = Math.min(cores.length, memoryMap.gicRedistributors.sizeBytes / redistributorStride);
  const topology = gicTopology({
    distributor,
    redistributors,
    cores,
    affinities: board.cores.map(({ mpidr }) => packedAffinity(mpidr)),
    regions: cores.length > lowFrames ? [lowFrames, cores.length - lowFrames] : [cores.length],
    disableSecurity: !board.secure,
  });
  const { base, sizeBytes } = memoryMap.gicDistributor;
  return {
    actors: [
      ...redistributors.map((id, n) => [id, (port: Port) => new Redistributor(port, topology, n)] as const),
      [distributor, (port) => new Distributor(port, topology)],
    ],
    regions: [
      { name: 'gicDistributor', base, sizeBytes, actor: distributor },
      ...board.cores.map(({ index, redistributorBase }) => ({
        name: 'gicRedistributor',
        base: redistributorBase,
        sizeBytes: redistributorStride,
        actor: redistributors[index]!,
      })),
    ],
    ofCore: (core) => redistributors[core]!,
  };
}

function gicV2(board: Board, { cores, distributor: actor }: InterruptControllerIds): InterruptController {
  const frame = (name: string, { base, sizeBytes }: Region, actorOffset: number): BusRegion => ({
    name,
    base,
    sizeBytes,
    actor,
    actorOffset,
  });
  const options = { cores, security: board.secure, maintenance: firstPpi + ppi.gicMaintenance };
  return {
    actors: [[actor, (port) => new GicV2(port, options)]],
    regions: [
      frame('gicDistributor', memoryMap.gicDistributor, frames.GICD),
      frame('gicCpuInterface', memoryMap.gicCpuInterface, frames.GICC),
      ...(board.virtualization
        ? [
            frame('gicVirtualControl', memoryMap.gicVirtualControl, frames.GICH),
            frame('gicVirtualCpuInterface', memoryMap.gicVirtualCpuInterface, frames.GICV),
          ]
        : []),
    ],
    ofCore: () => actor,
  };
}
