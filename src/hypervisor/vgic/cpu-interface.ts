// The virtual CPU interface in software: ICV_* registers of a vCPU whose accesses of ICC_* are trapped, because its interrupts are
// injected by HCR_EL2.VI, or because an ICC_DIR_EL1 has to be seen (ICH_HCR_EL2.TDIR). It works on the same records that the list
// registers are filled from; here the queue of what waits is all there is. Arm IHI 0069, "Virtual interrupt handling and
// prioritization". Group 1 only: the registers of Group 0 read as they do without an interrupt.

import type { Vcpu } from '../state.ts';
import { firstSpecialIntid, firstSpi, priorityMask, priorityOf, putBit } from './interrupt.ts';
import { isForwarding } from './list-registers.ts';
import { vmcr } from './list-register.ts';
import { mostUrgent, type Placement } from './placement.ts';
import { dequeue, enqueue, queued } from './queue.ts';
import { deactivate } from './transitions.ts';

const spurious = 1023n;
const idlePriority = 0xff;

/** ICC_CTLR_EL1: A3V, 24 bits of INTID, five bits of priority; EOImode. */
const ctlr = { fixed: 0x8c00n, EOImode: 2n } as const;

/** Fields of ICH_VMCR_EL2. */
const shifts = { VBPR1: 18n, VPMR: 24n } as const;
const smallestBinaryPoint = 3n;

const field = (value: bigint, shift: bigint, mask: bigint): bigint => (value >> shift) & mask;
function setField(vcpu: Vcpu, shift: bigint, mask: bigint, value: bigint): void {
  vcpu.vgic.vmcr = (vcpu.vgic.vmcr & ~(mask << shift)) | ((value & mask) << shift);
}

const binaryPoint = ({ vgic }: Vcpu): bigint => {
  const set = field(vgic.vmcr, shifts.VBPR1, 7n);
  return set < smallestBinaryPoint ? smallestBinaryPoint : set;
};
/** The part of a priority that preempts. */
const groupPriority = (vcpu: Vcpu, priority: number): number => priority & (0xff << Number(binaryPoint(vcpu))) & 0xff;

/** ICV_RPR_EL1. */
function runningPriority({ vgic }: Vcpu): number {
  const active = Number(vgic.ap1r);
  return active === 0 ? idlePriority : (31 - Math.clz32(active & -active)) << 3;
}

/** ICV_HPPIR1_EL1. */
const highestPending = (p: Placement): number | undefined =>
  isForwarding(p.rhyper, p.vm) && (p.vcpu.vgic.vmcr & vmcr.VENG1) !== 0n
    ? mostUrgent(p, queued(p.vcpu, 'spilledPending'))
    : undefined;

/** The interrupt that is signalled, by the rules of masking and preemption. */
function signalled(p: Placement): number | undefined {
  const intid = highestPending(p);
  if (intid === undefined) return undefined;
  const priority = priorityOf(p.vm, p.vcpu, intid);
  if (priority >= Number(field(p.vcpu.vgic.vmcr, shifts.VPMR, 0xffn))) return undefined;
  const running = runningPriority(p.vcpu);
  return running === idlePriority || groupPriority(p.vcpu, priority) < running ? intid : undefined;
}

export const canSignal = (p: Placement): boolean => signalled(p) !== undefined;

function acknowledge(p: Placement): bigint {
  const { vm, vcpu } = p;
  const intid = signalled(p);
  if (intid === undefined) return spurious;
  dequeue(vcpu, 'spilledPending', intid);
  putBit(vm, vcpu, intid, 'pending', false);
  putBit(vm, vcpu, intid, 'active', true);
  enqueue(vcpu, 'spilledActive', intid);
  if (intid >= firstSpi) vm.vgic.owner[intid] = vcpu.id + 1;
  vcpu.vgic.ap1r |= 1n << BigInt(groupPriority(vcpu, priorityOf(vm, vcpu, intid)) >> 3);
  return BigInt(intid);
}

function endOfInterrupt(p: Placement, intid: number): void {
  const { vgic } = p.vcpu;
  if (intid >= firstSpecialIntid || vgic.ap1r === 0n) return;
  vgic.ap1r &= vgic.ap1r - 1n;
  if ((vgic.vmcr & vmcr.VEOIM) === 0n) deactivate(p, intid);
}

export function readCpuInterface(p: Placement, name: string): bigint {
  const { vcpu } = p;
  const control = vcpu.vgic.vmcr;
  switch (name) {
    case 'ICC_IAR1_EL1':
      return acknowledge(p);
    case 'ICC_HPPIR1_EL1':
      return BigInt(highestPending(p) ?? spurious);
    case 'ICC_IAR0_EL1':
    case 'ICC_HPPIR0_EL1':
      return spurious;
    case 'ICC_RPR_EL1':
      return BigInt(runningPriority(vcpu));
    case 'ICC_PMR_EL1':
      return field(control, shifts.VPMR, 0xffn);
    case 'ICC_BPR1_EL1':
      return binaryPoint(vcpu);
    case 'ICC_BPR0_EL1':
      return smallestBinaryPoint - 1n;
    case 'ICC_CTLR_EL1':
      return ctlr.fixed | ((control & vmcr.VEOIM) === 0n ? 0n : ctlr.EOImode);
    case 'ICC_IGRPEN1_EL1':
      return (control & vmcr.VENG1) === 0n ? 0n : 1n;
    case 'ICC_AP1R0_EL1':
      return vcpu.vgic.ap1r;
    default:
      return 0n;
  }
}

export function writeCpuInterface(p: Placement, name: string, value: bigint): void {
  const { vcpu } = p;
  const intid = Number(value & 0xff_ffffn);
  switch (name) {
    case 'ICC_EOIR1_EL1':
      endOfInterrupt(p, intid);
      break;
    case 'ICC_DIR_EL1':
      if (intid < firstSpecialIntid && (vcpu.vgic.vmcr & vmcr.VEOIM) !== 0n) deactivate(p, intid);
      break;
    case 'ICC_PMR_EL1':
      setField(vcpu, shifts.VPMR, 0xffn, value & BigInt(priorityMask));
      break;
    case 'ICC_BPR1_EL1':
      setField(vcpu, shifts.VBPR1, 7n, value);
      break;
    case 'ICC_CTLR_EL1':
      setField(vcpu, 9n, 1n, value >> 1n);
      break;
    case 'ICC_IGRPEN1_EL1':
      setField(vcpu, 1n, 1n, value);
      break;
    case 'ICC_AP1R0_EL1':
      vcpu.vgic.ap1r = value & 0xffff_ffffn;
      break;
    default:
    // Read-only registers, and those of Group 0.
  }
}
