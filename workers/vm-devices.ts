// The devices that a board has for its virtual machines, as actors on host 0: a UART for each console that is passed through, and a
// virtio transport for each emulated device that needs one.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { type MacAddress, macAt } from '../actors/network/ethernet.ts';
import { Capture } from '../actors/network/pcap.ts';
import { Switch, type SwitchOptions, type SwitchPort } from '../actors/network/switch.ts';
import { UserBackend, userStations } from '../actors/network/user-network.ts';
import { Uart } from '../actors/uart/uart.ts';
import { blockDevice } from '../actors/virtio/block.ts';
import { deferredStore, imageStore, sectorBytes } from '../actors/virtio/block-store.ts';
import { consoleDevice } from '../actors/virtio/console.ts';
import { entropyDevice } from '../actors/virtio/entropy.ts';
import type { GuestMemory } from '../actors/virtio/guest-memory.ts';
import { type MediatedBlockOptions, MediatedRequests } from '../actors/virtio/mediated-requests.ts';
import { type Later, TranslatedDevice } from '../actors/virtio/translated-device.ts';
import type { TranslatedMemory } from '../actors/virtio/translated-memory.ts';
import { VirtioConsoleMmio } from '../actors/virtio/virtio-console-mmio.ts';
import { VirtioMmio } from '../actors/virtio/virtio-mmio.ts';
import { VirtioNetMmio } from '../actors/virtio/virtio-net-mmio.ts';
import { VmTransport } from '../actors/virtio/vm-transport.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import type { SlotDescription } from '../src/hypervisor/description.ts';
import type { Quirk } from '../src/hypervisor/options.ts';
import { assert } from '../src/report/assert.ts';
import type { VmDeviceCounts } from '../src/vm/device-report.ts';
import type { Backend, GuestUart, NetworkDescription } from '../src/vm/system.ts';
import type { SmmuClient, SmmuDevices } from './smmu.ts';
import { consoleSize, type CountingTransport, deviceSeed, diskService, transportReport } from './virtio-devices.ts';

export interface VmDeviceOptions {
  readonly uarts: readonly GuestUart[];
  readonly slots: readonly SlotDescription[];
  /** What is behind the slots, by position. */
  readonly backends: readonly Backend[];
  readonly network: NetworkDescription;
  /** Defects that show in devices. */
  readonly quirks: readonly Quirk[];
  readonly seed: number;
  readonly distributor: ActorId;
  readonly firstId: ActorId;
  readonly memory: (port: Port) => GuestMemory;
  /** Known when the actors are made. */
  readonly tbuOf: SmmuDevices['tbuOf'];
  /** What a VM writes to its console. */
  readonly console: (vm: string, bytes: readonly number[]) => void;
}

interface Made {
  readonly slot: number;
  readonly backend: Backend;
  readonly transport: CountingTransport;
}

export interface VmDevices {
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly regions: readonly BusRegion[];
  readonly clients: readonly SmmuClient[];
  /** What the transports have done, once they are made. */
  reports(): VmDeviceCounts[];
  /** The frames of the network as a file. */
  capture(): Uint8Array;
}

const firstSpi = 32;

const macOf = ({ mac }: Extract<Backend, { kind: 'net' }>): MacAddress => macAt(Uint8Array.from(mac), 0);

/** How a mediated block device is to behave. */
const mediation = (
  { sizeBytes, readOnly }: Extract<Backend, { kind: 'mediated-block' }>,
  quirks: readonly Quirk[],
): MediatedBlockOptions => ({
  sizeBytes,
  readOnly,
  flushes: !quirks.includes('block-no-flush'),
  answersEarly: quirks.includes('block-status-early'),
});

/** UARTs but for the board's own, whose output is the first VM's: machine.ts has that one. */
export function vmDevices(options: VmDeviceOptions): VmDevices {
  const { uarts, slots, backends, seed, distributor, firstId } = options;
  const serial = uarts
    .filter(({ region }) => region.base !== memoryMap.uart.base)
    .map(({ vm, region: { base, sizeBytes, spi } }, n) => {
      const id = firstId + n;
      const write = (bytes: readonly number[]): void => {
        options.console(vm, bytes);
      };
      const make = (port: Port): Actor => new Uart(port, { distributor, intid: firstSpi + spi, sink: { write } });
      return { actor: [id, make] as const, region: { name: `uart of ${vm}`, base, sizeBytes, actor: id } };
    });
  const { network } = options;
  const switchId = firstId + serial.length;
  /** A station for each group. */
  const userIds = Array.from({ length: network.user ? network.groups : 0 }, (_, group) => switchId + 1 + group);
  const firstTransport = switchId + 1 + userIds.length;
  const capture = new Capture();
  const made: Made[] = [];

  function makeDevice(
    port: Port,
    backend: Backend,
    slot: number,
    intid: number,
    memory: TranslatedMemory,
    later: Later,
  ): VmTransport {
    const requests =
      backend.kind === 'mediated-block'
        ? new MediatedRequests(memory.physical, mediation(backend, options.quirks))
        : undefined;
    const make = (): VirtioMmio | VirtioNetMmio | VirtioConsoleMmio => {
      const at = { distributor, intid, memory };
      switch (backend.kind) {
        case 'block': {
          const { disk, sectors } = backend;
          const part = disk.bytes.subarray(sectors.first * sectorBytes, (sectors.first + sectors.count) * sectorBytes);
          const store = deferredStore(
            imageStore(part, disk.readOnly, () => {}),
            later,
          );
          return new VirtioMmio(port, {
            ...at,
            device: blockDevice({ store, serial: disk.name, service: diskService }),
          });
        }
        case 'mediated-block':
          return new VirtioMmio(port, { ...at, device: (requests as MediatedRequests).makeDevice });
        case 'entropy':
          return new VirtioMmio(port, { ...at, device: entropyDevice(deviceSeed(seed, slot)) });
        case 'net':
          return new VirtioNetMmio(port, { ...at, mac: macOf(backend), wire: switchId });
        case 'console': {
          if (backend.peer !== undefined)
            return new VirtioConsoleMmio(port, { ...at, ...consoleSize, peer: firstTransport + backend.peer });
          const write = (bytes: readonly number[]): void => {
            later(() => {
              options.console(backend.vm, bytes);
            });
          };
          return new VirtioMmio(port, {
            ...at,
            device: consoleDevice({ ports: [{ sink: { write } }], ...consoleSize }),
          });
        }
      }
    };
    const transport = make();
    made.push({ slot, backend, transport: transport.transport });
    return new VmTransport(port, transport, requests);
  }

  const transports = slots.map(({ pa: base, intid, stream: streamId, vm }, slot) => {
    const id = firstTransport + slot;
    const backend = backends[slot] as Backend;
    const make = (port: Port): Actor => {
      const tbu = options.tbuOf(streamId);
      assert(tbu !== undefined, 'a device of a VM is behind the SMMU');
      return new TranslatedDevice(port, {
        tbu,
        ram: options.memory(port),
        make: (buffered, memory, later) => makeDevice(buffered, backend, slot, intid, memory, later),
      });
    };
    const { sizeBytes } = memoryMap.vmTransports;
    return {
      actor: [id, make] as const,
      region: { name: `transport ${slot}`, base, sizeBytes, actor: id },
      client: { name: `${backend.kind} of ${vm}`, streamId, device: id },
    };
  });
  const cards = transports.flatMap(({ actor: [actor] }, n): SwitchPort[] => {
    const backend = backends[n];
    if (backend?.kind !== 'net') return [];
    return [{ actor, group: backend.group, stations: [macOf(backend)], isDeaf: backend.isDeaf }];
  });
  const switchOptions: SwitchOptions = {
    rule: network.rule,
    ports: [...cards, ...userIds.map((actor, group) => ({ actor, group, stations: userStations }))],
    ...(network.capture !== undefined && {
      capture: (ticks: number, frame: Uint8Array) => {
        capture.add(ticks, frame);
      },
    }),
  };
  const connected: [ActorId, (port: Port) => Actor][] = [
    [switchId, (port) => new Switch(port, switchOptions)],
    ...userIds.map((id): [ActorId, (port: Port) => Actor] => [id, (port) => new UserBackend(port, switchId)]),
  ];
  const everyone = [...serial, ...transports];
  return {
    actors: [...(cards.length > 0 ? connected : []), ...everyone.map(({ actor }) => actor)],
    regions: everyone.map(({ region }) => region),
    clients: transports.map(({ client }) => client),
    reports: () =>
      made.map(({ slot, backend: { kind, vm }, transport }) => ({ slot, kind, vm, ...transportReport(transport) })),
    capture: () => capture.toBytes(),
  };
}
