// What the generated device tree of a VM says (section 2.3 of the ancestor's description), gathered from its configuration.

import type { Rhyper } from './context.ts';
import { treeDeviceKinds } from './description.ts';
import { notificationIntid } from './limits.ts';
import { hasTransport } from './slots.ts';
import { deviceKind, type EmulatedDevice, type Vm } from './state.ts';
import type { TreeDevice, VmTreeDescription } from './tree-description.ts';

/** GICC as the guests of a GICv2 board see it, where their configuration names no window for it. */
const usualCpuInterface = { ipa: 0x0801_0000, bytes: 0x2000 };

/** Kinds of passed-through device that the tree describes beside the interrupt controller. */
const passedThrough: Readonly<Partial<Record<number, TreeDevice['kind']>>> = {
  [treeDeviceKinds.indexOf('serial')]: 'arm,pl011',
  [treeDeviceKinds.indexOf('dma')]: 'heddle,dma-1',
};

const rangeOf = ({ ipa, bytes }: Pick<EmulatedDevice, 'ipa' | 'bytes'>): { ipa: number; bytes: number } => ({
  ipa,
  bytes,
});

/** The window to the board's GICV, or to its GICC. */
function cpuInterfaceOf({ platform }: Rhyper, { config }: Vm): { ipa: number; bytes: number } {
  const { virtualCpuInterface, cpuInterface } = platform.gicV2;
  const window = config.windows.find(
    ({ pa }, n) => n < config.windowCount && (pa === virtualCpuInterface || pa === cpuInterface),
  );
  return window ? rangeOf(window) : usualCpuInterface;
}

export function treeOf(rhyper: Rhyper, vm: Vm): VmTreeDescription {
  const { config } = vm;
  const devices = config.devices.filter((_, n) => n < config.deviceCount);
  const distributor = devices.find(({ kind }) => kind === deviceKind.gicd || kind === deviceKind.gppt);
  const redistributors = devices.find(({ kind }) => kind === deviceKind.gicr);
  const shyper = devices.find(({ kind }) => kind === deviceKind.shyper);
  const { store } = rhyper.description;
  const distributorRange = distributor ? rangeOf(distributor) : { ipa: 0x0800_0000, bytes: 0x1_0000 };
  const treeDevices: TreeDevice[] = devices
    .filter(hasTransport)
    .map(({ name, ipa, bytes, intid }) => ({ name, kind: 'virtio,mmio', ipa, bytes, intids: [intid] }));
  if (shyper || vm.isManager !== 0)
    treeDevices.push({
      name: 'rhyper',
      kind: 'heddle,rhyper',
      ipa: shyper?.ipa ?? 0,
      bytes: shyper?.bytes ?? 0,
      intids: [shyper && shyper.intid !== 0 ? shyper.intid : notificationIntid],
    });
  config.dtbDevices.forEach(({ name, kind: number, ipa, bytes, irqs, irqCount }, n) => {
    const kind = n < config.dtbDeviceCount ? passedThrough[number] : undefined;
    if (kind) treeDevices.push({ name, kind, ipa, bytes, intids: [...irqs.subarray(0, irqCount)] });
  });
  if (vm.isManager !== 0 && store)
    treeDevices.push({ name: 'store', kind: 'heddle,store', ipa: store.ipa, bytes: store.bytes, intids: [] });
  return {
    vmName: vm.name,
    cpuCount: vm.vcpuCount,
    memory: vm.regions.filter((_, n) => n < vm.regionCount).map(({ ipa, bytes }) => ({ ipa, bytes })),
    commandLine: config.commandLine,
    gic:
      rhyper.platform.gicVersion === 2
        ? { version: 2, distributor: distributorRange, cpuInterface: cpuInterfaceOf(rhyper, vm) }
        : {
            version: 3,
            distributor: distributorRange,
            redistributors: redistributors
              ? rangeOf(redistributors)
              : { ipa: 0x080a_0000, bytes: vm.vcpuCount * 0x2_0000 },
          },
    devices: treeDevices,
  };
}
