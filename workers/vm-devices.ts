// The devices that a board has for its virtual machines, as actors on host 0: a UART for each console that is passed through, and a
// virtio transport for each emulated device that needs one.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { macAt } from '../actors/network/ethernet.ts';
import { Switch } from '../actors/network/switch.ts';
import { UserBackend } from '../actors/network/user-network.ts';
import { Uart } from '../actors/uart/uart.ts';
import { blockDevice } from '../actors/virtio/block.ts';
import { imageStore, sectorBytes } from '../actors/virtio/block-store.ts';
import { consoleDevice } from '../actors/virtio/console.ts';
import { entropyDevice } from '../actors/virtio/entropy.ts';
import type { GuestMemory } from '../actors/virtio/guest-memory.ts';
import { type MediatedBlockOptions, MediatedRequests } from '../actors/virtio/mediated-requests.ts';
import { VirtioMmio } from '../actors/virtio/virtio-mmio.ts';
import { VirtioNetMmio } from '../actors/virtio/virtio-net-mmio.ts';
import { VmTransport } from '../actors/virtio/vm-transport.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import type { SlotDescription } from '../src/hypervisor/description.ts';
import type { Quirk } from '../src/hypervisor/options.ts';
import type { Backend, GuestUart } from '../src/vm/system.ts';
import { consoleSize, deviceSeed, diskService } from './virtio-devices.ts';

export interface VmDeviceOptions {
  readonly uarts: readonly GuestUart[];
  readonly slots: readonly SlotDescription[];
  /** What is behind the slots, by position. */
  readonly backends: readonly Backend[];
  /** Defects that show in devices. */
  readonly quirks: readonly Quirk[];
  readonly seed: number;
  readonly distributor: ActorId;
  readonly firstId: ActorId;
  readonly memory: (port: Port) => GuestMemory;
  /** What a VM writes to its console. */
  readonly console: (vm: string, bytes: Uint8Array) => void;
}

export interface VmDevices {
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly regions: readonly BusRegion[];
}

const firstSpi = 32;

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
        options.console(vm, Uint8Array.from(bytes));
      };
      const make = (port: Port): Actor => new Uart(port, { distributor, intid: firstSpi + spi, sink: { write } });
      return { actor: [id, make] as const, region: { name: `uart of ${vm}`, base, sizeBytes, actor: id } };
    });
  const [switchId, userId] = [firstId + serial.length, firstId + serial.length + 1];
  const firstTransport = userId + 1;

  function makeDevice(port: Port, backend: Backend, slot: number, intid: number, memory: GuestMemory): Actor {
    const place = { distributor, intid };
    const requests =
      backend.kind === 'mediated-block' ? new MediatedRequests(memory, mediation(backend, options.quirks)) : undefined;
    const make = (windowed: GuestMemory): VirtioMmio | VirtioNetMmio => {
      const at = { ...place, memory: windowed };
      switch (backend.kind) {
        case 'block': {
          const { disk, sectors } = backend;
          const part = disk.bytes.subarray(sectors.first * sectorBytes, (sectors.first + sectors.count) * sectorBytes);
          const store = imageStore(part, disk.readOnly, () => {});
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
          return new VirtioNetMmio(port, { ...at, mac: macAt(Uint8Array.from(backend.mac), 0), wire: switchId });
        case 'console': {
          const write = (bytes: readonly number[]): void => {
            options.console(backend.vm, Uint8Array.from(bytes));
          };
          return new VirtioMmio(port, {
            ...at,
            device: consoleDevice({ ports: [{ sink: { write } }], ...consoleSize }),
          });
        }
      }
    };
    return new VmTransport(port, memory, make, requests);
  }

  const transports = slots.map(({ pa: base, intid }, slot) => {
    const id = firstTransport + slot;
    const backend = backends[slot] as Backend;
    const make = (port: Port): Actor => makeDevice(port, backend, slot, intid, options.memory(port));
    const { sizeBytes } = memoryMap.vmTransports;
    return { actor: [id, make] as const, region: { name: `transport ${slot}`, base, sizeBytes, actor: id } };
  });
  const cards = transports.filter((_, n) => backends[n]?.kind === 'net').map(({ actor: [id] }) => id);
  const network = [
    [switchId, (port: Port) => new Switch(port, { ports: [...cards, userId].map((actor) => ({ actor, group: 0 })) })],
    [userId, (port: Port) => new UserBackend(port, switchId)],
  ] as const;
  const everyone = [...serial, ...transports];
  return {
    actors: [...(cards.length > 0 ? network : []), ...everyone.map(({ actor }) => actor)],
    regions: everyone.map(({ region }) => region),
  };
}
