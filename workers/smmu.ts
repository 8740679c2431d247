// The SMMU of a machine as actors on host 0: a TCU, and a TBU in front of each device that accesses memory by itself.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Smmu, type SmmuOptions } from '../actors/smmu/smmu.ts';
import { Tbu } from '../actors/smmu/tbu.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import type { RamPort } from '../src/memory/ram-port.ts';
import type { SmmuActivity } from '../src/board/smmu-activity.ts';

/** A device with a TBU of its own. */
export interface SmmuClient {
  readonly name: string;
  readonly streamId: number;
  readonly device: ActorId;
}

export interface SmmuDevicesOptions {
  readonly clients: readonly SmmuClient[];
  /** Identities from here on are the SMMU's. */
  readonly firstId: ActorId;
  readonly distributor: ActorId;
  readonly ramOf: (port: Port) => RamPort;
}

export interface SmmuDevices {
  readonly regions: readonly BusRegion[];
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  /** The TBU of a stream. */
  tbuOf(streamId: number): ActorId | undefined;
  /** What they have done, once they are made. */
  report(): SmmuActivity | undefined;
}

const firstSpi = 32;

/** INTIDs of its interrupts, which follow its first SPI; the one that is left out is the PRI queue's. */
export const smmuIntids: SmmuOptions['intids'] = {
  eventq: firstSpi + memoryMap.smmu.spi,
  cmdqSync: firstSpi + memoryMap.smmu.spi + 2,
  gerror: firstSpi + memoryMap.smmu.spi + 3,
};

export const noSmmu: SmmuDevices = { regions: [], actors: [], tbuOf: () => undefined, report: () => undefined };

export function smmuDevices({ clients, firstId: tcu, distributor, ramOf }: SmmuDevicesOptions): SmmuDevices {
  const tbus = clients.map((_, n) => tcu + 1 + n);
  let smmu: Smmu | undefined;
  const made: (readonly [SmmuClient, Tbu])[] = [];
  const makeTbu =
    (client: SmmuClient) =>
    (port: Port): Actor => {
      const tbu = new Tbu(port, { tcu, ...client });
      made.push([client, tbu]);
      return tbu;
    };
  const makeTcu = (port: Port): Actor => {
    smmu = new Smmu(port, { distributor, tbus, ram: ramOf(port), intids: smmuIntids });
    return smmu;
  };
  return {
    regions: [{ name: 'smmu', ...memoryMap.smmu, actor: tcu }],
    actors: [[tcu, makeTcu], ...clients.map((client, n) => [tbus[n] as ActorId, makeTbu(client)] as const)],
    tbuOf: (streamId) => tbus[clients.findIndex((client) => client.streamId === streamId)],
    report: () =>
      smmu && {
        ...smmu.counters,
        streams: made.map(([{ name, streamId }, { counters }]) => ({ device: name, streamId, ...counters })),
      },
  };
}
