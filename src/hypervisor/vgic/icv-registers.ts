// The CPU interface of a GICv3 as its guest sees it: ICV_* registers by the names of ICC_* (Arm IHI 0069, "AArch64 System register
// descriptions"), over the interface in software.

import type { Vcpu } from '../state.ts';
import {
  acknowledge,
  binaryPoint,
  deactivateInterrupt,
  endOfInterrupt,
  highestPending,
  isSet,
  maskOf,
  type PendingInterrupt,
  runningPriority,
  setBinaryPoint,
  setFlags,
  setMask,
  spurious,
} from './cpu-interface.ts';
import { firstSpecialIntid } from './interrupt.ts';
import { vmcr } from './list-register.ts';
import type { Placement } from './placement.ts';

/** ICC_CTLR_EL1: A3V, 24 bits of INTID, five bits of priority; EOImode and CBPR. */
export const iccCtlr = { fixed: 0x8c00, EOImode: 2, CBPR: 1 } as const;

const inGroup =
  (group: 0 | 1) =>
  (pending: PendingInterrupt | undefined): number =>
    pending?.group === group ? pending.value : spurious;

/** With CBPR there is one binary point, of which Group 1 shows the next value. */
const binaryPoint1 = (vcpu: Vcpu): number =>
  isSet(vcpu, vmcr.VCBPR) ? Math.min(binaryPoint(vcpu, 0) + 1, 7) : binaryPoint(vcpu, 1);

export function readIcv(p: Placement, name: string): bigint {
  const { vcpu } = p;
  switch (name) {
    case 'ICC_IAR0_EL1':
      return BigInt(acknowledge(p, inGroup(0)));
    case 'ICC_IAR1_EL1':
      return BigInt(acknowledge(p, inGroup(1)));
    case 'ICC_HPPIR0_EL1':
      return BigInt(inGroup(0)(highestPending(p)));
    case 'ICC_HPPIR1_EL1':
      return BigInt(inGroup(1)(highestPending(p)));
    case 'ICC_RPR_EL1':
      return BigInt(runningPriority(vcpu));
    case 'ICC_PMR_EL1':
      return BigInt(maskOf(vcpu));
    case 'ICC_BPR0_EL1':
      return BigInt(binaryPoint(vcpu, 0));
    case 'ICC_BPR1_EL1':
      return BigInt(binaryPoint1(vcpu));
    case 'ICC_CTLR_EL1':
      return BigInt(
        iccCtlr.fixed | (isSet(vcpu, vmcr.VEOIM) ? iccCtlr.EOImode : 0) | (isSet(vcpu, vmcr.VCBPR) ? iccCtlr.CBPR : 0),
      );
    case 'ICC_IGRPEN0_EL1':
      return isSet(vcpu, vmcr.VENG0) ? 1n : 0n;
    case 'ICC_IGRPEN1_EL1':
      return isSet(vcpu, vmcr.VENG1) ? 1n : 0n;
    case 'ICC_AP0R0_EL1':
      return vcpu.vgic.ap0r;
    case 'ICC_AP1R0_EL1':
      return vcpu.vgic.ap1r;
    default:
      return 0n;
  }
}

export function writeIcv(p: Placement, name: string, value: bigint): void {
  const { vcpu } = p;
  const low = Number(value & 0xffff_ffffn);
  const intid = low & 0xff_ffff;
  const isInterrupt = intid < firstSpecialIntid;
  switch (name) {
    case 'ICC_EOIR0_EL1':
      if (isInterrupt) endOfInterrupt(p, intid, 0);
      break;
    case 'ICC_EOIR1_EL1':
      if (isInterrupt) endOfInterrupt(p, intid, 1);
      break;
    case 'ICC_DIR_EL1':
      if (isInterrupt) deactivateInterrupt(p, intid);
      break;
    case 'ICC_PMR_EL1':
      setMask(vcpu, low);
      break;
    case 'ICC_BPR0_EL1':
      setBinaryPoint(vcpu, 0, low);
      break;
    case 'ICC_BPR1_EL1':
      if (!isSet(vcpu, vmcr.VCBPR)) setBinaryPoint(vcpu, 1, low);
      break;
    case 'ICC_CTLR_EL1':
      setFlags(
        vcpu,
        vmcr.VEOIM | vmcr.VCBPR,
        ((low & iccCtlr.EOImode) !== 0 ? vmcr.VEOIM : 0n) | ((low & iccCtlr.CBPR) !== 0 ? vmcr.VCBPR : 0n),
      );
      break;
    case 'ICC_IGRPEN0_EL1':
      setFlags(vcpu, vmcr.VENG0, (value & 1n) !== 0n ? vmcr.VENG0 : 0n);
      break;
    case 'ICC_IGRPEN1_EL1':
      setFlags(vcpu, vmcr.VENG1, (value & 1n) !== 0n ? vmcr.VENG1 : 0n);
      break;
    case 'ICC_AP0R0_EL1':
      vcpu.vgic.ap0r = BigInt(low);
      break;
    case 'ICC_AP1R0_EL1':
      vcpu.vgic.ap1r = BigInt(low);
      break;
    default:
    // Read-only registers.
  }
}
