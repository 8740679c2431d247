// The virtio devices of a machine as actors: each in its slot, and one actor for all slots that are empty. They live on host 0.

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { BusRegion } from '../actors/bus/map.ts';
import { type BlockDevice, blockDevice } from '../actors/virtio/block.ts';
import { imageStore } from '../actors/virtio/block-store.ts';
import type { DeviceFactory, VirtioDevice } from '../actors/virtio/device.ts';
import { EmptySlots } from '../actors/virtio/empty-slots.ts';
import { entropyDevice } from '../actors/virtio/entropy.ts';
import type { GuestMemory } from '../actors/virtio/guest-memory.ts';
import { VirtioMmio } from '../actors/virtio/virtio-mmio.ts';
import { type BlockDescription, type DeviceDescription, slotOfDevice } from '../src/board/devices.ts';
import { virtioSlot, virtioSlotCount } from '../src/board/memory-map.ts';
import type { DeviceReport } from '../src/report/run-report.ts';

export interface VirtioOptions {
  readonly descriptions: readonly DeviceDescription[];
  /** Of the run: what is random in a device follows from it. */
  readonly seed: number;
  readonly distributor: ActorId;
  /** The first of the identities that are free for the devices. */
  readonly firstId: ActorId;
  /** RAM as the device with this port sees it. */
  readonly memory: (port: Port) => GuestMemory;
}

export interface VirtioDevices {
  readonly actors: readonly (readonly [ActorId, (port: Port) => Actor])[];
  readonly regions: readonly BusRegion[];
  /** Once the actors are made. */
  reports(): DeviceReport[];
  /** Paths of the disks whose bytes are not what they were. */
  changedDisks(): string[];
}

const firstSpi = 32;

/** A disk answers after 10 µs and 128 ns for each sector: a fast one of 4 GB/s. */
export const diskService = { baseTicks: 10_000, ticksPerSector: 128 };

/** Devices with the same run's seed differ. */
export const deviceSeed = (seed: number, slot: number): number => (seed ^ Math.imul(slot + 1, 0x85eb_ca6b)) >>> 0;

export function virtioDevices(options: VirtioOptions): VirtioDevices {
  const { descriptions, distributor, firstId, seed } = options;
  const changed = new Set<BlockDescription>();
  const made: { slot: number; description: DeviceDescription; actor: VirtioMmio }[] = [];

  function factory(description: DeviceDescription, slot: number): DeviceFactory {
    switch (description.kind) {
      case 'block': {
        const { bytes, readOnly, serial } = description;
        const store = imageStore(bytes, readOnly, () => changed.add(description));
        return blockDevice({ store, serial, service: diskService });
      }
      case 'entropy':
        return entropyDevice(deviceSeed(seed, slot));
    }
  }

  const placed = descriptions.map((description, n) => {
    const slot = slotOfDevice(n);
    const { base, sizeBytes, spi } = virtioSlot(slot);
    const id = firstId + 1 + n;
    const make = (port: Port): Actor => {
      const actor = new VirtioMmio(port, {
        distributor,
        intid: firstSpi + spi,
        memory: options.memory(port),
        device: factory(description, slot),
      });
      made.push({ slot, description, actor });
      return actor;
    };
    return { actor: [id, make] as const, region: { name: `virtio${slot}`, base, sizeBytes, actor: id } };
  });
  const emptySlots = virtioSlotCount - descriptions.length;
  const { base, sizeBytes } = virtioSlot(0);
  const empty = {
    actor: [firstId, (port: Port) => new EmptySlots(port, sizeBytes)] as const,
    region: { name: 'virtio', base, sizeBytes: emptySlots * sizeBytes, actor: firstId },
  };
  const everyone = emptySlots > 0 ? [empty, ...placed] : placed;
  return {
    actors: everyone.map(({ actor }) => actor),
    regions: everyone.map(({ region }) => region),
    reports: () =>
      made.map(({ slot, description, actor: { transport } }) => ({
        slot,
        kind: description.kind,
        ...transport.counters,
        ...countersOf(transport.device),
        guestErrors: Object.values<number>({ ...transport.guestErrors }).reduce((sum, count) => sum + count, 0),
        ...(transport.fault === undefined ? {} : { fault: transport.fault }),
      })),
    changedDisks: () => [...changed].map(({ path }) => path),
  };
}

/** What a device of this kind counts beside its transport. */
function countersOf(device: VirtioDevice & Partial<Pick<BlockDevice, 'counters'>>): Readonly<Record<string, number>> {
  return { ...device.counters };
}
