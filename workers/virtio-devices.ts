// The virtio devices of a machine as actors: each in its slot, one actor for all slots that are empty, and the network that the cards
// of the machine share: a switch, and the stations of the user network behind it. They live on host 0.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Capture } from '../actors/network/pcap.ts';
import { Switch } from '../actors/network/switch.ts';
import { UserBackend } from '../actors/network/user-network.ts';
import { blockDevice } from '../actors/virtio/block.ts';
import { deferredStore, imageStore } from '../actors/virtio/block-store.ts';
import { consoleDevice, type ConsoleOptions } from '../actors/virtio/console.ts';
import type { VirtioDevice } from '../actors/virtio/device.ts';
import { EmptySlots } from '../actors/virtio/empty-slots.ts';
import { entropyDevice } from '../actors/virtio/entropy.ts';
import type { GuestMemory } from '../actors/virtio/guest-memory.ts';
import { type Later, TranslatedDevice } from '../actors/virtio/translated-device.ts';
import type { VirtioTransport } from '../actors/virtio/transport.ts';
import { VirtioMmio } from '../actors/virtio/virtio-mmio.ts';
import { VirtioNetMmio } from '../actors/virtio/virtio-net-mmio.ts';
import {
  type BlockDescription,
  type ConsoleDescription,
  type DeviceDescription,
  slotOfDevice,
} from '../src/board/devices.ts';
import { virtioSlot, virtioSlotCount } from '../src/board/memory-map.ts';
import type { DeviceReport } from '../src/report/run-report.ts';
import type { SmmuClient, SmmuDevices } from './smmu.ts';

export interface VirtioOptions {
  readonly descriptions: readonly DeviceDescription[];
  /** Keep the frames of the network. */
  readonly capture: boolean;
  /** Of the run: what is random in a device follows from it. */
  readonly seed: number;
  readonly distributor: ActorId;
  /** The first of the identities that are free for the devices. */
  readonly firstId: ActorId;
  /** RAM as the device with this port sees it. */
  readonly memory: (port: Port) => GuestMemory;
  /** The TBU of a stream, where there is an SMMU; known when the actors are made. */
  readonly tbuOf: SmmuDevices['tbuOf'];
  /** The machine's console. */
  readonly console: (bytes: readonly number[]) => void;
}

export interface VirtioDevices {
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly regions: readonly BusRegion[];
  readonly clients: readonly SmmuClient[];
  /** Once the actors are made. */
  reports(): DeviceReport[];
  /** Paths of the disks whose bytes are not what they were. */
  changedDisks(): string[];
  /** What ports of consoles have put out, by path. */
  files(): (readonly [path: string, bytes: Uint8Array])[];
  /** The frames of the network as a file. */
  capture(): Uint8Array;
}

/** A transport whose device may count what it does. */
export type CountingTransport = VirtioTransport<VirtioDevice & { readonly counters?: object }>;

interface Made {
  readonly slot: number;
  readonly description: DeviceDescription;
  readonly transport: CountingTransport;
}

/** What a transport and the device behind it have done. */
export const transportReport = ({ counters, device, guestErrors, fault }: CountingTransport) => ({
  ...counters,
  ...device.counters,
  guestErrors: Object.values<number>({ ...guestErrors }).reduce((sum, count) => sum + count, 0),
  ...(fault === undefined ? {} : { fault }),
});

const firstSpi = 32;

/** A disk answers after 10 µs and 128 ns for each sector: a fast one of 4 GB/s. */
export const diskService = { baseTicks: 10_000, ticksPerSector: 128 };

/** Of a device that nothing is in front of. */
const atOnce: Later = (effect) => {
  effect();
};

export const consoleSize = { columns: 80, rows: 25 };

/** Devices with the same run's seed differ. */
export const deviceSeed = (seed: number, slot: number): number => (seed ^ Math.imul(slot + 1, 0x85eb_ca6b)) >>> 0;

export function virtioDevices(options: VirtioOptions): VirtioDevices {
  const { descriptions, distributor, firstId, seed } = options;
  const [emptyId, switchId, userId, firstDeviceId] = [firstId, firstId + 1, firstId + 2, firstId + 3];
  const changed = new Set<BlockDescription>();
  const files = new Map<string, number[]>();
  const capture = new Capture();
  const made: Made[] = [];

  function consolePorts({ ports }: ConsoleDescription, later: Later): ConsoleOptions['ports'] {
    return ports.map((port) => {
      if (port === undefined) return undefined;
      const put = port.to === 'console' ? options.console : port.to === 'file' ? fileSink(files, port.path) : () => {};
      const write = (bytes: readonly number[]): void => {
        later(() => {
          put(bytes);
        });
      };
      return port.name === undefined ? { sink: { write } } : { name: port.name, sink: { write } };
    });
  }

  function makeTransport(
    port: Port,
    description: DeviceDescription,
    slot: number,
    { memory, later, isTranslated }: { memory: GuestMemory; later: Later; isTranslated: boolean },
  ): VirtioMmio | VirtioNetMmio {
    const place = { distributor, intid: firstSpi + virtioSlot(slot).spi, memory, isTranslated };
    switch (description.kind) {
      case 'block': {
        const { bytes, readOnly, serial } = description;
        const store = deferredStore(
          imageStore(bytes, readOnly, () => changed.add(description)),
          later,
        );
        return new VirtioMmio(port, { ...place, device: blockDevice({ store, serial, service: diskService }) });
      }
      case 'entropy':
        return new VirtioMmio(port, { ...place, device: entropyDevice(deviceSeed(seed, slot)) });
      case 'console': {
        const ports = consolePorts(description, later);
        return new VirtioMmio(port, { ...place, device: consoleDevice({ ports, ...consoleSize }) });
      }
      case 'net':
        return new VirtioNetMmio(port, { ...place, mac: description.mac, wire: switchId });
    }
  }

  const placed = descriptions.map((description, n) => {
    const slot = slotOfDevice(n);
    const { base, sizeBytes, streamId } = virtioSlot(slot);
    const id = firstDeviceId + n;
    const name = `virtio${slot}`;
    const behind = (port: Port, memory: GuestMemory, later: Later, isTranslated: boolean): Actor => {
      const actor = makeTransport(port, description, slot, { memory, later, isTranslated });
      made.push({ slot, description, transport: actor.transport });
      return actor;
    };
    const make = (port: Port): Actor => {
      const ram = options.memory(port);
      const tbu = options.tbuOf(streamId);
      if (tbu === undefined) return behind(port, ram, atOnce, false);
      return new TranslatedDevice(port, {
        tbu,
        ram,
        make: (buffered, memory, later) => behind(buffered, memory, later, true),
      });
    };
    return {
      actor: [id, make] as const,
      region: { name, base, sizeBytes, actor: id },
      client: { name, streamId, device: id },
    };
  });
  const cards = placed.filter((_, n) => descriptions[n]?.kind === 'net').map(({ actor: [id] }) => id);
  const network = [
    [
      switchId,
      (port: Port) =>
        new Switch(port, {
          ports: [...cards, userId].map((actor) => ({ actor, group: 0 })),
          ...(options.capture && { capture: (ticks: number, frame: Uint8Array) => capture.add(ticks, frame) }),
        }),
    ],
    [userId, (port: Port) => new UserBackend(port, switchId)],
  ] as const;
  const emptySlots = virtioSlotCount - descriptions.length;
  const { base, sizeBytes } = virtioSlot(0);
  const empty = {
    actor: [emptyId, (port: Port) => new EmptySlots(port, sizeBytes)] as const,
    region: { name: 'virtio', base, sizeBytes: emptySlots * sizeBytes, actor: emptyId },
  };
  const everyone = emptySlots > 0 ? [empty, ...placed] : placed;
  return {
    actors: [...(cards.length > 0 ? network : []), ...everyone.map(({ actor }) => actor)],
    regions: everyone.map(({ region }) => region),
    clients: placed.map(({ client }) => client),
    reports: () =>
      made.map(({ slot, description, transport }) => ({ slot, kind: description.kind, ...transportReport(transport) })),
    changedDisks: () => [...changed].map(({ path }) => path),
    files: () => [...files].map(([path, bytes]) => [path, Uint8Array.from(bytes)] as const),
    capture: () => capture.toBytes(),
  };
}

/** The file is made even if nothing is put out. */
function fileSink(files: Map<string, number[]>, path: string): (bytes: readonly number[]) => void {
  const kept: number[] = files.get(path) ?? [];
  files.set(path, kept);
  return (bytes) => {
    for (const byte of bytes) kept.push(byte);
  };
}
