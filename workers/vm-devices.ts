// The devices that a board has for its virtual machines, as actors on host 0: a UART for each console that is passed through, and a
// virtio transport for each emulated device that needs one.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { Uart } from '../actors/uart/uart.ts';
import { blockDevice } from '../actors/virtio/block.ts';
import { imageStore } from '../actors/virtio/block-store.ts';
import type { DeviceFactory } from '../actors/virtio/device.ts';
import { entropyDevice } from '../actors/virtio/entropy.ts';
import type { GuestMemory } from '../actors/virtio/guest-memory.ts';
import { VmTransport } from '../actors/virtio/vm-transport.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import type { SlotDescription } from '../src/hypervisor/description.ts';
import { UserError } from '../src/report/user-error.ts';
import type { Backend, GuestUart } from '../src/vm/system.ts';
import { deviceSeed, diskService } from './virtio-devices.ts';

export interface VmDeviceOptions {
  readonly uarts: readonly GuestUart[];
  readonly slots: readonly SlotDescription[];
  /** What is behind the slots, by position. */
  readonly backends: readonly Backend[];
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

function factoryOf(backend: Backend, slot: number, seed: number): DeviceFactory {
  switch (backend.kind) {
    case 'block': {
      const { disk } = backend;
      const store = imageStore(disk.bytes, disk.readOnly, () => {});
      return blockDevice({ store, serial: disk.name, service: diskService });
    }
    case 'entropy':
      return entropyDevice(deviceSeed(seed, slot));
    case 'net':
    case 'console':
      throw new UserError(`${backend.vm}: a virtio ${backend.kind} device of a VM is not supported yet`);
  }
}

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
  const transports = slots.map(({ pa: base, intid }, slot) => {
    const id = firstId + serial.length + slot;
    const backend = backends[slot] as Backend;
    const make = (port: Port): Actor =>
      new VmTransport(port, {
        distributor,
        intid,
        memory: options.memory(port),
        device: factoryOf(backend, slot, seed),
      });
    const { sizeBytes } = memoryMap.vmTransports;
    return { actor: [id, make] as const, region: { name: `transport ${slot}`, base, sizeBytes, actor: id } };
  });
  const everyone = [...serial, ...transports];
  return { actors: everyone.map(({ actor }) => actor), regions: everyone.map(({ region }) => region) };
}
