// What no VM of a system may do, by itself or beside the others. Each refusal names the line that it is about.

import type { IpaRange } from '../hypervisor/description.ts';
import { limits, ownInterrupts } from '../hypervisor/limits.ts';
import { hex } from '../board/image.ts';
import { bytesOfPage, type VmDraft } from './draft.ts';

/** VTCR_EL2.T0SZ of the ancestor: 36 bits of IPA. */
const ipaEnd = 2 ** 36;
const firstSpi = 32;
const firstSpecialIntid = 1020;
const firstPpi = 16;

const endOf = ({ ipa, bytes }: IpaRange): number => ipa + bytes;
const overlap = (a: IpaRange, b: IpaRange): boolean => a.ipa < endOf(b) && b.ipa < endOf(a);
const rangeText = (range: IpaRange): string => `${hex(range.ipa)}-${hex(endOf(range))}`;

function checkText(vm: VmDraft): void {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  if (vm.name === '') vm.refuse('name', undefined, 'a VM has a name');
  if (bytes(vm.name) >= limits.nameBytes)
    vm.refuse('name', undefined, `at most ${limits.nameBytes - 1} bytes, not ${bytes(vm.name)}`);
  if (bytes(vm.commandLine) >= limits.commandLineBytes)
    vm.refuse('bootargs', undefined, `at most ${limits.commandLineBytes - 1} bytes, not ${bytes(vm.commandLine)}`);
}

function checkRanges(vm: VmDraft): void {
  const { refuse } = vm;
  if (vm.memory.length > limits.memoryRegionsPerVm)
    refuse('memory', undefined, `at most ${limits.memoryRegionsPerVm} regions, not ${vm.memory.length}`);
  if (vm.devices.length > limits.emulatedDevicesPerVm)
    refuse('devices', undefined, `at most ${limits.emulatedDevicesPerVm} emulated devices, not ${vm.devices.length}`);
  if (vm.windows.length > limits.passthroughWindowsPerVm)
    refuse('passthrough', undefined, `at most ${limits.passthroughWindowsPerVm} windows, not ${vm.windows.length}`);
  if (vm.irqs.length > limits.interruptsPerVm)
    refuse('passthrough', undefined, `at most ${limits.interruptsPerVm} interrupts, not ${vm.irqs.length}`);
  if (vm.streams.length > limits.streamsPerVm)
    refuse('passthrough', undefined, `at most ${limits.streamsPerVm} streams, not ${vm.streams.length}`);

  const ranges = [
    ...vm.memory.map((range, n) => ({ ...range, aspect: 'memory' as const, n, what: 'memory' })),
    ...vm.windows.map((range, n) => ({ ...range, aspect: 'passthrough' as const, n, what: 'the window' })),
    ...vm.devices.map((range, n) => ({ ...range, aspect: 'devices' as const, n, what: range.name })),
  ].filter(({ bytes }) => bytes > 0);
  ranges.forEach((range, at) => {
    const { aspect, n, what } = range;
    const index = aspect === 'memory' && vm.memory.length === 1 ? undefined : n;
    // Stage 2 maps pages; an emulated device may be smaller than its page.
    const unit = aspect === 'devices' ? 4 : bytesOfPage;
    if (range.ipa % unit !== 0 || range.bytes % unit !== 0)
      refuse(aspect, index, `${what} at ${rangeText(range)} is no whole number of units of ${unit} bytes`);
    if (endOf(range) > ipaEnd) refuse(aspect, index, `${what} at ${rangeText(range)} is beyond the 64 GiB of a VM`);
    const other = ranges.slice(0, at).find((earlier) => overlap(earlier, range));
    if (other) refuse(aspect, index, `${what} at ${rangeText(range)} overlaps ${other.what} at ${rangeText(other)}`);
  });
}

function checkInterrupts(vm: VmDraft): void {
  const { refuse } = vm;
  const own: readonly number[] = Object.values(ownInterrupts);
  const mine = new Map<number, string>();
  vm.irqs.forEach((intid) => {
    if (intid < firstPpi || intid >= firstSpecialIntid)
      refuse('passthrough', undefined, `there is no interrupt ${intid} to pass on`);
    if (own.includes(intid)) refuse('passthrough', undefined, `interrupt ${intid} is the hypervisor's own`);
    mine.set(intid, 'a passed-through interrupt');
  });
  vm.devices.forEach(({ intid, name, kind }, n) => {
    if (intid === 0) return;
    if (intid < firstSpi || intid >= firstSpecialIntid)
      refuse('devices', n, `${name}: interrupt ${intid} is no SPI: they are ${firstSpi} to ${firstSpecialIntid - 1}`);
    const other = mine.get(intid);
    if (other !== undefined) refuse('devices', n, `${name}: interrupt ${intid} is also that of ${other}`);
    if (kind !== 'gicd' && kind !== 'gppt' && kind !== 'gicr') mine.set(intid, name);
  });
}

/** An SPI of the board is one VM's. */
function checkOwners(vms: readonly VmDraft[]): void {
  const owners = new Map<number, VmDraft>();
  for (const vm of vms)
    for (const intid of vm.irqs) {
      if (intid < firstSpi) continue;
      const owner = owners.get(intid);
      if (owner) vm.refuse('passthrough', undefined, `interrupt ${intid} conflicts: it is already "${owner.name}"'s`);
      owners.set(intid, vm);
    }
  const streams = new Map<number, VmDraft>();
  for (const vm of vms)
    for (const stream of vm.streams) {
      if (stream >= limits.streamIds)
        vm.refuse('passthrough', undefined, `there is no stream ${stream}: StreamIDs end at ${limits.streamIds - 1}`);
      const owner = streams.get(stream);
      if (owner) vm.refuse('passthrough', undefined, `stream ${stream} conflicts: it is already "${owner.name}"'s`);
      streams.set(stream, vm);
    }
}

export function checkVms(vms: readonly VmDraft[]): void {
  vms.forEach((vm, n) => {
    checkText(vm);
    checkRanges(vm);
    checkInterrupts(vm);
    if (n >= limits.vms) vm.refuse('name', undefined, `at most ${limits.vms} VMs, the MVM included`);
    if (vms.slice(0, n).some(({ name }) => name === vm.name))
      vm.refuse('name', undefined, `another VM is called "${vm.name}"`);
  });
  checkOwners(vms);
  const devices = vms.reduce((sum, vm) => sum + vm.devices.length, 0);
  const last = vms.at(-1);
  if (devices > limits.emulatedDevices)
    last?.refuse('devices', undefined, `at most ${limits.emulatedDevices} emulated devices in all VMs, not ${devices}`);
}

/** A file of a VM lies inside one region of its memory, and apart from the others. */
export function checkLoads(
  vm: VmDraft,
  loads: readonly (IpaRange & { aspect: 'kernel' | 'ramdisk' | 'tree' })[],
): void {
  loads.forEach((load, n) => {
    const { aspect } = load;
    if (!vm.memory.some((region) => load.ipa >= region.ipa && endOf(load) <= endOf(region)))
      vm.refuse(aspect, undefined, `${rangeText(load)} is outside the memory of "${vm.name}"`);
    const other = loads.slice(0, n).find((earlier) => overlap(earlier, load));
    if (other) vm.refuse(aspect, undefined, `${rangeText(load)} overlaps the ${other.aspect} at ${rangeText(other)}`);
  });
}
