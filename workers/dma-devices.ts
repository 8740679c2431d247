// The DMA engines of a machine as actors on host 0: with an SMMU each has a TBU of its own.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Dma } from '../actors/dma/dma.ts';
import { dmaEngine } from '../src/board/memory-map.ts';
import type { RamPort } from '../src/memory/ram-port.ts';
import type { SmmuClient, SmmuDevices } from './smmu.ts';

export interface DmaDevicesOptions {
  readonly count: number;
  /** Identities from here on are these devices'. */
  readonly firstId: ActorId;
  readonly distributor: ActorId;
  readonly ramOf: (port: Port) => RamPort;
  /** Known when the actors are made. */
  readonly tbuOf: SmmuDevices['tbuOf'];
}

export interface DmaDevices {
  readonly regions: readonly BusRegion[];
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly clients: readonly SmmuClient[];
}

const firstSpi = 32;

export function dmaDevices({ count, firstId, distributor, ramOf, tbuOf }: DmaDevicesOptions): DmaDevices {
  const engines = Array.from({ length: count }, (_, n) => ({ ...dmaEngine(n), name: `dma${n}`, device: firstId + n }));
  return {
    regions: engines.map(({ name, base, sizeBytes, device }) => ({ name, base, sizeBytes, actor: device })),
    actors: engines.map(({ device, spi, streamId }) => [
      device,
      (port) => {
        const tbu = tbuOf(streamId);
        return new Dma(port, {
          distributor,
          intid: firstSpi + spi,
          ram: ramOf(port),
          ...(tbu !== undefined && { tbu }),
        });
      },
    ]),
    clients: engines.map(({ name, streamId, device }) => ({ name, streamId, device })),
  };
}
