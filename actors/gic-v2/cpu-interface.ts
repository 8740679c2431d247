// The CPU interface of a GICv2, one for each core (Arm IHI 0048, "CPU interface register descriptions"). With the Security Extensions
// a Non-secure access sees Group 1, its half of the priorities, and GICC_ABPR as GICC_BPR. Left out: interrupt bypass, whose
// disable bits are RAZ/WI.

import type { GuestErrors } from '../device.ts';
import { interruptCount } from '../gic/distributor-registers.ts';
import {
  idlePriority,
  intid as special,
  isSpecialIntid,
  nonSecurePriorityRead,
  nonSecurePriorityWrite,
  priorityBits,
  priorityMask,
} from '../gic/groups.ts';
import type { GicV2Distributor, Pending } from './distributor.ts';
import { cpuInterfaceTable } from './registers.ts';

/** GICC_CTLR, Secure copy; the Non-secure copy has EnableGrp1 and EOImodeNS one bit lower. */
const ctlr = {
  enableGroup1: 1 << 1,
  ackCtl: 1 << 2,
  fiqEn: 1 << 3,
  cbpr: 1 << 4,
  /** EOImodeS; without the Security Extensions EOImode. */
  eoiMode: 1 << 9,
  eoiModeNonSecure: 1 << 10,
} as const;
const alwaysWritable = 0x1f | ctlr.eoiMode;
const nonSecureCopy = ctlr.enableGroup1 | ctlr.eoiModeNonSecure;

/** The Group 0 interrupt that is pending is not for this access, or the Group 1 interrupt not without AckCtl. */
const otherGroup = 1022;

const smallestBinaryPoint = [7 - priorityBits, 8 - priorityBits] as const;

export interface SavedCpuInterface {
  readonly control: number;
  readonly pmr: number;
  readonly binaryPoints: readonly number[];
  readonly activePriorities: readonly number[];
}

const lowestSet = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class GicV2CpuInterface {
  private readonly core: number;
  private readonly distributor: GicV2Distributor;
  private readonly security: boolean;
  private readonly guestErrors: GuestErrors;
  private control = 0;
  private pmr = 0;
  /** GICC_BPR and GICC_ABPR. */
  private readonly binaryPoints: number[] = [...smallestBinaryPoint];
  /** GICC_APR0 and GICC_NSAPR0: of Group 0 and Group 1. */
  private readonly activePriorities = [0, 0];

  constructor(core: number, distributor: GicV2Distributor, security: boolean, guestErrors: GuestErrors) {
    this.core = core;
    this.distributor = distributor;
    this.security = security;
    this.guestErrors = guestErrors;
  }

  /** The interrupt signals to the core. */
  signals(): { readonly irq: boolean; readonly fiq: boolean } {
    const pending = this.signalled();
    const fiq = pending?.group === 0 && (this.control & ctlr.fiqEn) !== 0;
    return { irq: pending !== undefined && !fiq, fiq };
  }

  private get runningPriority(): number {
    const active = this.activePriorities[0]! | this.activePriorities[1]!;
    return active === 0 ? idlePriority : lowestSet(active) << (8 - priorityBits);
  }

  private groupPriorityMask(group: 0 | 1): number {
    const using = (this.control & ctlr.cbpr) !== 0 ? 0 : group;
    return (0xff << (this.binaryPoints[using]! + 1 - using)) & 0xff;
  }

  /** The pending interrupt, where it has sufficient priority and its group is enabled. */
  private signalled(): Pending | undefined {
    const pending = this.distributor.highestPending(this.core);
    if (pending === undefined || ((this.control >>> pending.group) & 1) === 0) return undefined;
    if (pending.priority >= this.pmr) return undefined;
    const running = this.runningPriority;
    const mask = this.groupPriorityMask(pending.group);
    return running === idlePriority || (pending.priority & mask) < (running & mask) ? pending : undefined;
  }

  /** What an access sees of a pending interrupt: itself, or a special INTID. `alias`: GICC_AIAR and GICC_AHPPIR. */
  private visible(pending: Pending | undefined, restricted: boolean, alias: boolean): number {
    if (pending === undefined) return special.spurious;
    if (pending.group === 0) return restricted || alias ? special.spurious : pending.intid;
    return restricted || alias || (this.control & ctlr.ackCtl) !== 0 ? pending.intid : otherGroup;
  }

  private acknowledge(restricted: boolean, alias: boolean): number {
    const pending = this.signalled();
    const seen = this.visible(pending, restricted, alias);
    if (pending === undefined || isSpecialIntid(seen)) return seen;
    const level = (pending.priority & this.groupPriorityMask(pending.group)) >> (8 - priorityBits);
    this.activePriorities[pending.group] = (this.activePriorities[pending.group]! | (1 << level)) >>> 0;
    return this.distributor.activate(this.core, pending.intid);
  }

  private highestPending(restricted: boolean, alias: boolean): number {
    const seen = this.visible(this.distributor.highestPending(this.core), restricted, alias);
    return isSpecialIntid(seen) ? seen : seen | this.distributor.sgiSource(this.core, seen);
  }

  private endOfInterrupt(intid: number, restricted: boolean, alias: boolean): void {
    if (intid >= interruptCount || this.runningPriority === idlePriority) return;
    const group = this.distributor.groupOf(this.core, intid);
    if (group === 0 && (restricted || alias)) return;
    this.activePriorities[group] = (this.activePriorities[group]! & (this.activePriorities[group]! - 1)) >>> 0;
    if (!this.splits(restricted)) this.distributor.deactivate(this.core, intid);
  }

  private splits(restricted: boolean): boolean {
    return (this.control & (restricted ? ctlr.eoiModeNonSecure : ctlr.eoiMode)) !== 0;
  }

  read(offset: number, nonSecure: boolean): number {
    const row = cpuInterfaceTable.rows[cpuInterfaceTable.indexAt(offset)];
    if (row === undefined) {
      this.guestErrors.unknownOffset++;
      return 0;
    }
    const restricted = this.security && nonSecure;
    switch (row.name) {
      case 'GICC_CTLR':
        return restricted ? (this.control & nonSecureCopy) >>> 1 : this.control;
      case 'GICC_PMR':
        return restricted ? nonSecureView(this.pmr) & priorityMask : this.pmr;
      case 'GICC_BPR':
        return this.readBinaryPoint(restricted);
      case 'GICC_IAR':
        return this.acknowledge(restricted, false);
      case 'GICC_RPR':
        return restricted ? nonSecureView(this.runningPriority) : this.runningPriority;
      case 'GICC_HPPIR':
        return this.highestPending(restricted, false);
      case 'GICC_APR0':
        return this.activePriorities[restricted ? 1 : 0]!;
      case 'GICC_IIDR':
        return row.reset;
    }
    // The aliases of Group 1 registers are for Secure accesses.
    if (restricted) return 0;
    switch (row.name) {
      case 'GICC_ABPR':
        return this.binaryPoints[1]!;
      case 'GICC_AIAR':
        return this.acknowledge(false, true);
      case 'GICC_AHPPIR':
        return this.highestPending(false, true);
      case 'GICC_NSAPR0':
        return this.activePriorities[1]!;
      default:
        this.guestErrors.readOfWriteOnly++;
        return 0;
    }
  }

  write(offset: number, value: number, nonSecure: boolean): void {
    const row = cpuInterfaceTable.rows[cpuInterfaceTable.indexAt(offset)];
    if (row === undefined) {
      this.guestErrors.unknownOffset++;
      return;
    }
    const restricted = this.security && nonSecure;
    const intid = value & 0x3ff;
    switch (row.name) {
      case 'GICC_CTLR':
        if (restricted) this.control = (this.control & ~nonSecureCopy) | ((value << 1) & nonSecureCopy);
        else this.control = value & (alwaysWritable | (this.security ? ctlr.eoiModeNonSecure : 0));
        return;
      case 'GICC_PMR':
        if (!restricted) this.pmr = value & priorityMask;
        else if (this.pmr & 0x80) this.pmr = nonSecurePriorityWrite(value & 0xff);
        return;
      case 'GICC_BPR':
        // With CBPR the Non-secure copy follows the Secure one.
        if (!restricted) this.setBinaryPoint(0, value);
        else if ((this.control & ctlr.cbpr) === 0) this.setBinaryPoint(1, value);
        return;
      case 'GICC_EOIR':
        this.endOfInterrupt(intid, restricted, false);
        return;
      case 'GICC_DIR': {
        const forbidden = restricted && this.distributor.groupOf(this.core, intid) === 0;
        if (this.splits(restricted) && intid < interruptCount && !forbidden) {
          this.distributor.deactivate(this.core, intid);
        }
        return;
      }
      case 'GICC_APR0':
        // Non-secure software has the lower half of the priorities.
        this.activePriorities[restricted ? 1 : 0] = restricted ? (value & 0xffff_0000) >>> 0 : value;
        return;
    }
    if (row.access === 'RO') this.guestErrors.writeOfReadOnly++;
    else if (restricted) return;
    else if (row.name === 'GICC_ABPR') this.setBinaryPoint(1, value);
    else if (row.name === 'GICC_AEOIR') this.endOfInterrupt(intid, false, true);
    else if (row.name === 'GICC_NSAPR0') this.activePriorities[1] = value;
  }

  private readBinaryPoint(restricted: boolean): number {
    if (!restricted) return this.binaryPoints[0]!;
    return (this.control & ctlr.cbpr) !== 0 ? Math.min(this.binaryPoints[0]! + 1, 7) : this.binaryPoints[1]!;
  }

  private setBinaryPoint(group: 0 | 1, value: number): void {
    this.binaryPoints[group] = Math.max(value & 7, smallestBinaryPoint[group]);
  }

  save(): SavedCpuInterface {
    const { control, pmr, binaryPoints, activePriorities } = this;
    return { control, pmr, binaryPoints: [...binaryPoints], activePriorities: [...activePriorities] };
  }

  restore(saved: SavedCpuInterface): void {
    this.control = saved.control;
    this.pmr = saved.pmr;
    saved.binaryPoints.forEach((point, group) => (this.binaryPoints[group] = point));
    saved.activePriorities.forEach((active, group) => (this.activePriorities[group] = active));
  }
}

const nonSecureView = (priority: number): number => {
  if (priority === idlePriority) return idlePriority;
  return priority & 0x80 ? nonSecurePriorityRead(priority) : 0;
};
