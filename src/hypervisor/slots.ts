// The board's virtio transports that act for emulated devices of VMs. The guest's accesses are trapped and carried to the transport; what
// the device reads and writes by itself is translated by the SMMU, as the stream of a VM (smmu/streams.ts); and the transport's
// interrupt becomes the device's virtual one.

import { type Activity, writeDevice } from '../arch/resident.ts';
import { type Rhyper, vcpuOf, vmAt } from './context.ts';
import { deviceKind, type EmulatedDevice, type Vm } from './state.ts';
import { enableEdge } from './vgic/gic.ts';

const transportKinds: ReadonlySet<number> = new Set([
  deviceKind.virtioBlock,
  deviceKind.virtioBlockMediated,
  deviceKind.virtioNet,
  deviceKind.virtioConsole,
  deviceKind.virtioEntropy,
]);

/** Registers of a transport that its driver reaches; behind them are those of the hypervisor. */
export const driverBytes = 0x800;

export const hasTransport = ({ kind }: EmulatedDevice): boolean => transportKinds.has(kind);

/** Finds the transport of each emulated device of a VM; a refusal in words. */
export function* attachSlots(rhyper: Rhyper, vm: Vm): Activity<string | undefined> {
  const { slots } = rhyper.description;
  for (let n = 0; n < vm.config.deviceCount; n += 1) {
    const device = vm.config.devices[n];
    if (!device || !hasTransport(device)) continue;
    const slot = slots.findIndex(({ vm: name, deviceIpa }) => name === vm.name && deviceIpa === device.ipa);
    if (slot < 0) return `no transport of the board acts for its device ${device.name}`;
    device.slot = slot + 1;
    yield* enableEdge(rhyper, slots[slot]?.intid ?? 0, vcpuOf(rhyper, vm, 0)?.core ?? 0);
  }
  return undefined;
}

/** Status register of virtio-mmio: writing 0 resets the device. */
const statusOffset = 0x70;

const attachedOf = ({ config }: Vm): readonly EmulatedDevice[] =>
  config.devices.filter(({ slot }, n) => n < config.deviceCount && slot !== 0);

/** The devices of a VM forget its rings. */
export function* resetSlots(rhyper: Rhyper, vm: Vm): Activity {
  for (const { slot, request } of attachedOf(vm)) {
    yield* writeDevice((rhyper.description.slots[slot - 1]?.pa ?? 0) + statusOffset, 4, 0);
    request.tag = 0;
  }
}

export function detachSlots(vm: Vm): void {
  for (const device of attachedOf(vm)) device.slot = 0;
}

/** The device for which a transport with this interrupt acts. */
export function deviceOfInterrupt(rhyper: Rhyper, intid: number): { vm: Vm; device: EmulatedDevice } | undefined {
  const slot = rhyper.description.slots.findIndex((description) => description.intid === intid);
  if (slot < 0) return undefined;
  for (let id = 0; id < rhyper.state.vms.length; id += 1) {
    const vm = vmAt(rhyper, id);
    if (vm.isBuilt === 0) continue;
    const device = vm.config.devices.find((candidate, n) => n < vm.config.deviceCount && candidate.slot === slot + 1);
    if (device) return { vm, device };
  }
  return undefined;
}
