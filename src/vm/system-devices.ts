// What the board of a system has for its VMs: a UART for each console that is passed through, a virtio transport for each emulated virtio
// device with what is behind it, and consoles that are connected to each other.

import { dmaEngine, dmaEngineCount, guestUart, memoryMap, vmTransport } from '../board/memory-map.ts';
import type { SlotDescription } from '../hypervisor/description.ts';
import { type VmDraft, usual } from './draft.ts';
import { sectorBytes } from './disks.ts';
import type { Backend, Disk, GuestUart } from './system.ts';

const firstSpi = 32;
/** StreamID of the board's transport n. */
const firstStream = 0x100;

/** Consoles learn the id and the address of the other end. */
export function connectConsoles(vms: readonly VmDraft[]): VmDraft[] {
  return vms.map((vm) => ({
    ...vm,
    devices: vm.devices.map((device, n) => {
      if (device.kind !== 'virtioConsole' || device.peer === undefined) return device;
      const id = vms.findIndex(({ name }) => name === device.peer);
      const other = vms[id]?.devices.find(({ kind, peer }) => kind === 'virtioConsole' && peer === vm.name);
      if (id < 0) vm.refuse('devices', n, `its peer "${device.peer}" is no VM of this system`);
      if (!other) return vm.refuse('devices', n, `"${device.peer}" has no console whose peer is "${vm.name}"`);
      return { ...device, arguments: [id, other.ipa] };
    }),
  }));
}

/** The board's UART for the MVM, further ones for the others. */
export function uartsOf(vms: readonly VmDraft[]): GuestUart[] {
  let next = 0;
  return vms.flatMap((vm, id) => {
    if (!vm.hasUart) return [];
    return [{ vm: vm.name, region: id === 0 ? memoryMap.uart : guestUart(next++) }];
  });
}

export function withUart(vm: VmDraft, uarts: readonly GuestUart[]): VmDraft {
  const region = uarts.find((uart) => uart.vm === vm.name)?.region;
  if (!region) return vm;
  const intid = firstSpi + region.spi;
  const at = { ipa: usual.uartIpa, bytes: region.sizeBytes };
  return {
    ...vm,
    windows: [...vm.windows, { ...at, pa: region.base }],
    irqs: [...vm.irqs, intid],
    treeDevices: [
      ...vm.treeDevices,
      { name: `pl011@${usual.uartIpa.toString(16)}`, kind: 'serial', ...at, intids: [intid] },
    ],
  };
}

/** As many of the board's DMA engines as VMs have windows of. */
export function dmaEnginesOf(vms: readonly VmDraft[]): number {
  const has = (n: number): boolean => {
    const { base } = dmaEngine(n);
    return vms.some(({ windows }) => windows.some(({ pa, bytes }) => base >= pa && base < pa + bytes));
  };
  let count = dmaEngineCount;
  while (count > 0 && !has(count - 1)) count -= 1;
  return count;
}

interface Transports {
  readonly slots: SlotDescription[];
  readonly backends: Backend[];
}

/** Groups of network devices; those without are one, too. */
export const groupsOf = (vms: readonly VmDraft[]): readonly (string | undefined)[] => [
  ...new Set(vms.flatMap(({ devices }) => devices.flatMap(({ kind, group }) => (kind === 'virtioNet' ? [group] : [])))),
];

/** A transport of the board for every virtio device of a VM. */
export function transportsOf(
  vms: readonly VmDraft[],
  diskNamed: (name: string) => Disk | undefined,
  isDeaf: (vm: VmDraft) => boolean,
): Transports {
  const groups = groupsOf(vms);
  const slots: SlotDescription[] = [];
  const owners: { readonly vm: VmDraft; readonly n: number }[] = [];
  for (const vm of vms)
    vm.devices.forEach(({ kind, ipa }, n) => {
      if (!kind.startsWith('virtio')) return;
      const { base, spi } = vmTransport(slots.length);
      const stream = firstStream + slots.length;
      slots.push({ vm: vm.name, deviceIpa: ipa, kind, pa: base, intid: firstSpi + spi, stream });
      owners.push({ vm, n });
    });
  const slotOf = (vm: string | undefined, ipa: number | undefined): number =>
    slots.findIndex((slot) => slot.vm === vm && slot.deviceIpa === ipa);
  const backends = owners.map(({ vm, n }): Backend => {
    const device = vm.devices[n];
    switch (device?.kind) {
      case 'virtioBlock': {
        const disk = diskNamed(device.disk ?? '') as Disk;
        const [first = 0, count = 0] = device.arguments;
        return { kind: 'block', vm: vm.name, disk, sectors: { first, count } };
      }
      case 'virtioBlockMediated': {
        const readOnly = diskNamed(device.disk ?? '')?.readOnly ?? false;
        const [, count = 0] = device.arguments;
        return { kind: 'mediated-block', vm: vm.name, sizeBytes: count * sectorBytes, readOnly };
      }
      case 'virtioNet': {
        const group = groups.indexOf(device.group);
        return { kind: 'net', vm: vm.name, mac: device.arguments.slice(0, 6), group, isDeaf: isDeaf(vm) };
      }
      case 'virtioEntropy':
        return { kind: 'entropy', vm: vm.name };
      default: {
        const [peer, ipa] = device?.arguments ?? [];
        const slot = slotOf(peer === undefined ? undefined : vms[peer]?.name, ipa);
        return { kind: 'console', vm: vm.name, ...(slot >= 0 && { peer: slot }) };
      }
    }
  });
  return { slots, backends };
}
