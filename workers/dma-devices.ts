// The devices of a board that access memory by themselves, and what stands in front of them: with an SMMU each has a TBU of its own.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Dma } from '../actors/dma/dma.ts';
import { Smmu, type SmmuOptions } from '../actors/smmu/smmu.ts';
import { Tbu } from '../actors/smmu/tbu.ts';
import { dmaEngine, memoryMap } from '../src/board/memory-map.ts';
import type { Board } from '../src/board/virt.ts';
import type { RamPort } from '../src/memory/ram-port.ts';

export interface DmaDevicesOptions {
  /** Identities from here on are these devices'. */
  readonly firstId: ActorId;
  readonly distributor: ActorId;
  /** INTID of SPI 0. */
  readonly firstSpi: number;
  readonly ramOf: (port: Port) => RamPort;
}

export interface DmaDevices {
  readonly regions: readonly BusRegion[];
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
}

/** INTIDs of the SMMU's interrupts, which follow its first SPI; the one between them is the PRI queue's. */
export function smmuIntids(firstSpi: number): SmmuOptions['intids'] {
  const first = firstSpi + memoryMap.smmu.spi;
  return { eventq: first, cmdqSync: first + 2, gerror: first + 3 };
}

export function dmaDevices(board: Pick<Board, 'iommu' | 'dmaEngines'>, options: DmaDevicesOptions): DmaDevices {
  const { firstId, distributor, firstSpi, ramOf } = options;
  const engines = Array.from({ length: board.dmaEngines }, (_, n) => ({ ...dmaEngine(n), id: firstId + n, n }));
  const regions: BusRegion[] = engines.map(({ base, sizeBytes, id }) => ({ name: 'dma', base, sizeBytes, actor: id }));
  const hasSmmu = board.iommu === 'smmuv3';
  const tbuOf = (n: number): ActorId => firstId + engines.length + n;
  const actors: (readonly [ActorId, (port: Port) => Actor])[] = engines.map(({ id, n, spi }) => [
    id,
    (port) =>
      new Dma(port, { distributor, intid: firstSpi + spi, ram: ramOf(port), ...(hasSmmu ? { tbu: tbuOf(n) } : {}) }),
  ]);
  if (!hasSmmu) return { regions, actors };
  const smmu = firstId + 2 * engines.length;
  const tbus = engines.map(({ n }) => tbuOf(n));
  return {
    regions: [...regions, { name: 'smmu', ...memoryMap.smmu, actor: smmu }],
    actors: [
      ...actors,
      ...engines.map(
        ({ id, n, streamId }) =>
          [tbuOf(n), (port: Port): Actor => new Tbu(port, { tcu: smmu, device: id, streamId })] as const,
      ),
      [smmu, (port) => new Smmu(port, { distributor, tbus, ram: ramOf(port), intids: smmuIntids(firstSpi) })],
    ],
  };
}
