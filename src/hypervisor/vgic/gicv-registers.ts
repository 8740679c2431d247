// The CPU interface of a GICv2 as its guest sees it: the frame GICV in the place of its GICC (Arm IHI 0048, "GICV register descriptions"),
// over the interface in software. Where there are list registers the guest has the board's GICV instead, and only the page of GICV_DIR
// comes here: an interrupt that it ends may be in no list register, which the board would count without its name.

import { type Activity, readDevice } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';
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
import { change } from './delivery.ts';
import { gicOf } from './gic.ts';
import { firstSpecialIntid } from './interrupt.ts';
import { vmcr } from './list-register.ts';
import { injectsByBits } from './list-registers.ts';
import type { Placement } from './placement.ts';

const GICV = {
  CTLR: 0x00,
  PMR: 0x04,
  BPR: 0x08,
  IAR: 0x0c,
  EOIR: 0x10,
  RPR: 0x14,
  HPPIR: 0x18,
  ABPR: 0x1c,
  AIAR: 0x20,
  AEOIR: 0x24,
  AHPPIR: 0x28,
  APR0: 0xd0,
  IIDR: 0xfc,
  DIR: 0x1000,
} as const;
/** GICV_CTLR has its fields where GICH_VMCR has them. */
const control = vmcr.VENG0 | vmcr.VENG1 | vmcr.VAckCtl | vmcr.VFIQEn | vmcr.VCBPR | vmcr.VEOIM;
/** A Group 1 interrupt is pending that needs AckCtl or the alias. */
const otherGroup = 1022;
const intidMask = 0x3ff;

const seenBy =
  (vcpu: Vcpu, isAlias: boolean) =>
  (pending: PendingInterrupt | undefined): number => {
    if (pending === undefined) return spurious;
    if (pending.group === 0) return isAlias ? spurious : pending.value;
    return isAlias || isSet(vcpu, vmcr.VAckCtl) ? pending.value : otherGroup;
  };

function readRegister(p: Placement, offset: number): number {
  const { vcpu } = p;
  switch (offset) {
    case GICV.CTLR:
      return Number(vcpu.vgic.vmcr & control);
    case GICV.PMR:
      return maskOf(vcpu);
    case GICV.BPR:
      return binaryPoint(vcpu, 0);
    case GICV.ABPR:
      return binaryPoint(vcpu, 1);
    case GICV.IAR:
      return acknowledge(p, seenBy(vcpu, false));
    case GICV.AIAR:
      return acknowledge(p, seenBy(vcpu, true));
    case GICV.RPR:
      return runningPriority(vcpu);
    case GICV.HPPIR:
      return seenBy(vcpu, false)(highestPending(p));
    case GICV.AHPPIR:
      return seenBy(vcpu, true)(highestPending(p));
    case GICV.APR0:
      return Number(vcpu.vgic.ap0r);
    default:
      return 0;
  }
}

function writeRegister(p: Placement, offset: number, value: number): void {
  const { vcpu } = p;
  const isInterrupt = (value & intidMask) < firstSpecialIntid;
  switch (offset) {
    case GICV.CTLR:
      setFlags(vcpu, control, BigInt(value));
      break;
    case GICV.PMR:
      setMask(vcpu, value);
      break;
    case GICV.BPR:
      setBinaryPoint(vcpu, 0, value);
      break;
    case GICV.ABPR:
      setBinaryPoint(vcpu, 1, value);
      break;
    case GICV.EOIR:
      if (isInterrupt) endOfInterrupt(p, value);
      break;
    case GICV.AEOIR:
      if (isInterrupt) endOfInterrupt(p, value, 1);
      break;
    case GICV.DIR:
      if (isInterrupt) deactivateInterrupt(p, value);
      break;
    case GICV.APR0:
      vcpu.vgic.ap0r = BigInt(value);
      break;
    default:
    // Read-only registers, and what is reserved.
  }
}

/** An access of the active vCPU. The value of a read; undefined where it is not one of a word. */
export function* accessGicv(
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  if (sizeBytes !== 4 || offset % 4 !== 0) {
    vcpu.vgic.refusedAccesses += 1;
    return undefined;
  }
  if (offset === GICV.IIDR) return BigInt((yield* readDevice(rhyper.platform.gicV2.cpuInterface + offset, 4)) ?? 0);
  // The guest's EOImode is in the board's registers where those are in use.
  if (!injectsByBits(rhyper)) vcpu.vgic.vmcr = yield* gicOf(rhyper).readControl(rhyper, 'VMCR');
  let result = 0;
  yield* change(rhyper, vcpu, (placement) => {
    if (isWrite) writeRegister(placement, offset, Number(value & 0xffff_ffffn));
    else result = readRegister(placement, offset);
  });
  return BigInt(result >>> 0);
}

const isGicv = ({ platform }: Rhyper, { pa }: { readonly pa: number }): boolean =>
  platform.gicVersion === 2 && pa === platform.gicV2.virtualCpuInterface;

/** The window of a VM that stands for the virtual CPU interface of the board. */
export const gicvWindow = (rhyper: Rhyper, { config }: Vm): { ipa: number; bytes: number } | undefined =>
  config.windows.find((window, n) => n < config.windowCount && isGicv(rhyper, window));

/**
 * How much of a window stage 2 maps: of GICV the page before that of GICV_DIR, or nothing where interrupts are injected by
 * HCR_EL2. With the quirk an end that the board has counted is that of the first interrupt in the list, and nothing is trapped.
 */
export function mappedBytes(rhyper: Rhyper, window: { readonly pa: number; readonly bytes: number }): number {
  if (!isGicv(rhyper, window)) return window.bytes;
  if (injectsByBits(rhyper)) return 0;
  return hasQuirk(rhyper, 'lr-victim-ignores-newcomer') ? window.bytes : Math.min(window.bytes, GICV.DIR);
}
