// One interrupt of a VM as one of its vCPUs sees it: which ones exist, where their bits are, whether the distributor forwards it, and
// which vCPU an SPI goes to (Arm IHI 0069, "INTIDs" and "Affinity routing"; Arm IHI 0048, "GICD_ITARGETSR"). A VM has the SGIs, the PPIs, the SPIs that pass through to it, those of its
// emulated devices, and the notification of the hypervisor; no other interrupt exists for it.

import { bitAt, type Rhyper, setBit, vcpuOf, vmAt } from '../context.ts';
import { notificationIntid } from '../limits.ts';
import type { Vcpu, Vm } from '../state.ts';
import { anyVcpu } from './state.ts';

export const firstPpi = 16;
export const firstSpi = 32;
/** INTIDs from here on are special. */
export const firstSpecialIntid = 1020;

const allVcpus = 0xff;

/** Five bits of priority, as the list registers have. */
export const priorityMask = 0xf8;

export type InterruptBits = 'enabled' | 'pending' | 'active' | 'edge' | 'group';

export function hasBit(vm: Vm, vcpu: Vcpu, intid: number, bits: InterruptBits): boolean {
  return bitAt(intid < firstSpi ? vcpu.vgic[bits] : vm.vgic[bits], intid);
}

export function putBit(vm: Vm, vcpu: Vcpu, intid: number, bits: InterruptBits, value: boolean): void {
  setBit(intid < firstSpi ? vcpu.vgic[bits] : vm.vgic[bits], intid, value);
}

export const priorityOf = (vm: Vm, vcpu: Vcpu, intid: number): number =>
  (intid < firstSpi ? vcpu.vgic.priority : vm.vgic.priority)[intid] as number;

export function setPriority(vm: Vm, vcpu: Vcpu, intid: number, value: number): void {
  (intid < firstSpi ? vcpu.vgic.priority : vm.vgic.priority)[intid] = value & priorityMask;
}

/** It stands for a physical interrupt of the same INTID. */
export const isPhysical = (vm: Vm, intid: number): boolean => bitAt(vm.ownedInterrupts, intid);

export function exists(vm: Vm, intid: number): boolean {
  if (intid < firstSpi || isPhysical(vm, intid) || intid === notificationIntid) return intid < firstSpecialIntid;
  for (let n = 0; n < vm.config.deviceCount; n += 1) if (vm.config.devices[n]?.intid === intid) return true;
  return false;
}

/** The bits of those of 32 interrupts that exist. */
export function existing(vm: Vm, word: number): number {
  let bits = 0;
  for (let n = 0; n < 32; n += 1) if (exists(vm, word * 32 + n)) bits |= 1 << n;
  return bits >>> 0;
}

/** The vCPU that has an SPI in a list register or active. */
export function ownerOf(rhyper: Rhyper, vm: Vm, intid: number): Vcpu | undefined {
  const owner = vm.vgic.owner[intid] as number;
  return owner === 0 ? undefined : vcpuOf(rhyper, vm, owner - 1);
}

/** Interrupts of SGIs and PPIs of a GICv3 are held back while their redistributor sleeps. */
export const isAwake = ({ platform }: Rhyper, { vgic }: Vcpu): boolean => platform.gicVersion === 2 || vgic.waker === 0;

/** The group of an interrupt, 0 or 1. */
export const groupOf = (vm: Vm, vcpu: Vcpu, intid: number): 0 | 1 => (hasBit(vm, vcpu, intid, 'group') ? 1 : 0);

/** Enabled by itself and with its group: once it is pending it goes to the CPU interface of this vCPU, if it is the one that gets it. */
export const isForwarded = (rhyper: Rhyper, vm: Vm, vcpu: Vcpu, intid: number): boolean =>
  hasBit(vm, vcpu, intid, 'enabled') &&
  ((vm.vgic.ctlr >>> groupOf(vm, vcpu, intid)) & 1) !== 0 &&
  isAwake(rhyper, vcpu);

/** The vCPU that an SPI is routed to. Of several, the first that can take it; a VM with one vCPU has no choice with GICv2. */
export function targetOf(rhyper: Rhyper, vm: Vm, intid: number): Vcpu | undefined {
  const target = vm.vgic.target[intid] as number;
  const isVersion2 = rhyper.platform.gicVersion === 2;
  if (!isVersion2 && target !== anyVcpu) return vcpuOf(rhyper, vm, target);
  const candidates = isVersion2 && vm.vcpuCount > 1 ? target : allVcpus;
  let first: Vcpu | undefined;
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const vcpu = ((candidates >>> id) & 1) !== 0 ? vcpuOf(rhyper, vm, id) : undefined;
    if (vcpu && vcpu.isOn !== 0 && isAwake(rhyper, vcpu)) return vcpu;
    first ??= vcpu;
  }
  return first;
}

/** The vCPU that an operation on an interrupt concerns: for an SPI who has it, else who is to get it. */
export const holderOf = (rhyper: Rhyper, vcpu: Vcpu, intid: number): Vcpu | undefined => {
  if (intid < firstSpi) return vcpu;
  const vm = vmAt(rhyper, vcpu.vm);
  return ownerOf(rhyper, vm, intid) ?? targetOf(rhyper, vm, intid);
};
