// The virtual CPU interface in software, for a vCPU whose accesses to it are trapped: because its interrupts are injected by bits of
// HCR_EL2, or because a deactivation has to be seen. It works on the same records that the list registers are filled from; here the
// queue of what waits is all there is. Arm IHI 0069, "Virtual interrupt handling and prioritization"; Arm IHI 0048, "CPU interface".
// The registers that lead here are those of icv-registers.ts and of gicv-registers.ts.

import type { Vcpu } from '../state.ts';
import { firstPpi, firstSpi, groupOf, priorityMask, priorityOf, putBit } from './interrupt.ts';
import { vmcr, vmcrFields } from './list-register.ts';
import { hasSources, mostUrgent, nextSource, type Placement } from './placement.ts';
import { dequeue, enqueue, queued } from './queue.ts';
import { deactivate } from './transitions.ts';

export const spurious = 1023;
const idlePriority = 0xff;
const sourceShift = 10;
const intidMask = 0x3ff;

export const isSet = ({ vgic }: Vcpu, flag: bigint): boolean => (vgic.vmcr & flag) !== 0n;
export function setFlags(vcpu: Vcpu, mask: bigint, value: bigint): void {
  vcpu.vgic.vmcr = (vcpu.vgic.vmcr & ~mask) | (value & mask);
}
const field = ({ vgic }: Vcpu, shift: bigint, mask: bigint): number => Number((vgic.vmcr >> shift) & mask);
const setField = (vcpu: Vcpu, shift: bigint, mask: bigint, value: number): void => {
  setFlags(vcpu, mask << shift, BigInt(value >>> 0) << shift);
};

export const maskOf = (vcpu: Vcpu): number => field(vcpu, vmcrFields.VPMR, 0xffn);
export const setMask = (vcpu: Vcpu, value: number): void => {
  setField(vcpu, vmcrFields.VPMR, 0xffn, value & priorityMask);
};

/** All five bits of a priority decide on preemption at the smallest binary point; that of Group 1 counts from one bit higher. */
const smallestBinaryPoint = [2, 3] as const;
const pointShift = [vmcrFields.VBPR0, vmcrFields.VBPR1] as const;

export const binaryPoint = (vcpu: Vcpu, group: 0 | 1): number =>
  Math.max(field(vcpu, pointShift[group], 7n), smallestBinaryPoint[group]);
export const setBinaryPoint = (vcpu: Vcpu, group: 0 | 1, value: number): void => {
  setField(vcpu, pointShift[group], 7n, Math.max(value & 7, smallestBinaryPoint[group]));
};

/** The part of a priority that preempts. */
function groupPriority(vcpu: Vcpu, priority: number, group: 0 | 1): number {
  const using = isSet(vcpu, vmcr.VCBPR) ? 0 : group;
  return priority & (0xff << (binaryPoint(vcpu, using) + 1 - using)) & 0xff;
}

const activePriorities = ({ vgic }: Vcpu): number => Number(vgic.ap0r | vgic.ap1r);

export function runningPriority(vcpu: Vcpu): number {
  const active = activePriorities(vcpu);
  return active === 0 ? idlePriority : (31 - Math.clz32(active & -active)) << 3;
}

/** GICv2 has one register of active priorities for both groups. */
const bankOf = ({ rhyper }: Placement, group: 0 | 1): 'ap0r' | 'ap1r' =>
  group === 0 || rhyper.platform.gicVersion === 2 ? 'ap0r' : 'ap1r';

export interface PendingInterrupt {
  /** As IAR shows it: of a GICv2's SGI with its sender. */
  readonly value: number;
  readonly intid: number;
  readonly group: 0 | 1;
}

/** The most urgent pending interrupt whose group is enabled. */
export function highestPending(p: Placement): PendingInterrupt | undefined {
  const { vm, vcpu } = p;
  const isEnabled = (intid: number): boolean => isSet(vcpu, vmcr.VENG0 << BigInt(groupOf(vm, vcpu, intid)));
  const intid = mostUrgent(p, queued(vcpu, 'spilledPending').filter(isEnabled));
  if (intid === undefined) return undefined;
  const source = hasSources(p, intid) ? nextSource(vcpu.vgic.sgiSources[intid] as number) : 0;
  return { value: intid | (source << sourceShift), intid, group: groupOf(vm, vcpu, intid) };
}

/** By the rules of masking and preemption. */
function canSignal({ vm, vcpu }: Placement, { intid, group }: PendingInterrupt): boolean {
  const priority = priorityOf(vm, vcpu, intid);
  if (priority >= maskOf(vcpu)) return false;
  const running = runningPriority(vcpu);
  return running === idlePriority || groupPriority(vcpu, priority, group) < groupPriority(vcpu, running, group);
}

/** What the vCPU is told. Group 0 is an FIQ, with GICv2 only where the guest has said so. */
export function signalled(p: Placement): 'virq' | 'vfiq' | undefined {
  const pending = highestPending(p);
  if (!pending || !canSignal(p, pending)) return undefined;
  const isFiq = pending.group === 0 && (p.rhyper.platform.gicVersion === 3 || isSet(p.vcpu, vmcr.VFIQEn));
  return isFiq ? 'vfiq' : 'virq';
}

/** A read of IAR. `see`: what the register shows of the pending interrupt; what is special is not acknowledged. */
export function acknowledge(p: Placement, see: (pending: PendingInterrupt | undefined) => number): number {
  const { vm, vcpu } = p;
  const pending = highestPending(p);
  if (!pending || !canSignal(p, pending)) return spurious;
  const seen = see(pending);
  if (seen !== pending.value) return seen;
  const { intid, value, group } = pending;
  const { sgiSources, sgiActiveSource } = vcpu.vgic;
  dequeue(vcpu, 'spilledPending', intid);
  if (intid < firstPpi) {
    sgiActiveSource[intid] = value >>> sourceShift;
    sgiSources[intid] = (sgiSources[intid] as number) & ~(1 << (value >>> sourceShift));
  }
  putBit(vm, vcpu, intid, 'pending', intid < firstPpi && sgiSources[intid] !== 0);
  putBit(vm, vcpu, intid, 'active', true);
  enqueue(vcpu, 'spilledActive', intid);
  if (intid >= firstSpi) vm.vgic.owner[intid] = vcpu.id + 1;
  vcpu.vgic[bankOf(p, group)] |= 1n << BigInt(groupPriority(vcpu, priorityOf(vm, vcpu, intid), group) >> 3);
  return value;
}

/** A write of EOIR of one group, or of both: the priority is dropped before anything else is looked at. */
export function endOfInterrupt(p: Placement, value: number, group?: 0 | 1): void {
  const { vm, vcpu } = p;
  const intid = value & intidMask;
  const running = runningPriority(vcpu);
  if (running === idlePriority) return;
  const top = 1n << BigInt(running >> 3);
  const bank = (vcpu.vgic.ap0r & top) !== 0n ? 'ap0r' : 'ap1r';
  vcpu.vgic[bank] &= ~top;
  const matches = group === undefined || groupOf(vm, vcpu, intid) === group;
  if (matches && !isSet(vcpu, vmcr.VEOIM)) deactivate(p, intid);
}

/** A write of DIR, which means nothing where EOIR deactivates. */
export function deactivateInterrupt(p: Placement, value: number): void {
  if (isSet(p.vcpu, vmcr.VEOIM)) deactivate(p, value & intidMask);
}
