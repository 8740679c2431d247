// The frames of a GICv2's virtual CPU interface, one of each for each core (Arm IHI 0048, "GIC Support for Virtualization"): GICH, by
// which a hypervisor fills list registers, and GICV, which it maps where a virtual machine expects its GICC. What both lead to is in
// actors/gic/virtual-interface.ts. Left out: the aliases of other cores' GICH.

import type { GuestErrors } from '../device.ts';
import { intid as special, isSpecialIntid } from '../gic/groups.ts';
import {
  eoiMaintenance,
  hcr,
  type ListRegister,
  VirtualInterface,
  type VirtualInterfacePort,
  type VirtualInterfaceState,
  vmcr,
} from '../gic/virtual-interface.ts';
import { giccIidr, virtualControlTable, virtualCpuInterfaceTable } from './registers.ts';

/** As many as a GIC-400 has. */
const lists = 4;
/** GICV_CTLR: EnableGrp0, EnableGrp1, AckCtl, FIQEn, CBPR, EOImode, which GICH_VMCR has in the same places. */
const gicvCtlr = 0x1f | vmcr.veoim;
/** A Group 1 interrupt is pending that needs AckCtl or the alias. */
const otherGroup = 1022;
/** CPUID and INTID of GICV_EOIR and GICV_DIR. */
const intidMask = 0x1fff;

/** GICH_LR<n>: HW, Grp1, State, Priority, PhysicalID or EOI and CPUID, VirtualID. */
const listOf = (value: number): ListRegister => {
  const hw = value >>> 31 === 1;
  const physicalId = (value >>> 10) & 0x3ff;
  return {
    state: (value >>> 28) & 3,
    hw,
    group: ((value >>> 30) & 1) as 0 | 1,
    priority: ((value >>> 23) & 0x1f) << 3,
    physical: hw ? physicalId : physicalId & eoiMaintenance,
    intid: hw ? value & 0x3ff : value & intidMask,
  };
};
const valueOf = ({ state, hw, group, priority, physical, intid }: ListRegister): number =>
  ((hw ? 0x8000_0000 : 0) | (group << 30) | (state << 28) | ((priority >> 3) << 23) | (physical << 10) | intid) >>> 0;

export class GicV2VirtualFrames {
  private readonly virtual: VirtualInterface;
  private readonly guestErrors: GuestErrors;

  constructor(port: VirtualInterfacePort, guestErrors: GuestErrors) {
    this.virtual = new VirtualInterface(port, {
      lists,
      writableHcr: hcr.en | hcr.uie | hcr.lrenpie | hcr.npie | hcr.groupInterrupts | hcr.eoiCount,
      writableVmcr: gicvCtlr | vmcr.binaryPoints | vmcr.vpmr,
      vmcrOnes: 0,
      sharesActivePriorities: true,
    });
    this.guestErrors = guestErrors;
  }

  readGich(offset: number): number {
    const { virtual } = this;
    const row = virtualControlTable.rows[virtualControlTable.indexAt(offset)];
    const n = row === undefined ? 0 : (offset - row.offset) >> 2;
    switch (row?.name) {
      case 'GICH_HCR':
        return virtual.hcr;
      case 'GICH_VTR':
        return virtual.vtr;
      case 'GICH_VMCR':
        return virtual.vmcr;
      case 'GICH_MISR':
        return virtual.misr;
      case 'GICH_EISR':
        return n === 0 ? virtual.eisr : 0;
      case 'GICH_ELRSR':
        return n === 0 ? virtual.elrsr : 0;
      case 'GICH_APR':
        return virtual.activePriorities(0);
      case 'GICH_LR': {
        const list = virtual.list(n);
        return list === undefined ? 0 : valueOf(list);
      }
      default:
        this.guestErrors.unknownOffset++;
        return 0;
    }
  }

  writeGich(offset: number, value: number): void {
    const { virtual } = this;
    const row = virtualControlTable.rows[virtualControlTable.indexAt(offset)];
    const n = row === undefined ? 0 : (offset - row.offset) >> 2;
    switch (row?.name) {
      case 'GICH_HCR':
        virtual.writeHcr(value);
        break;
      case 'GICH_VMCR':
        virtual.writeVmcr(value);
        break;
      case 'GICH_APR':
        virtual.writeActivePriorities(0, value);
        break;
      case 'GICH_LR':
        if (n < lists) virtual.writeList(n, listOf(value));
        break;
      case undefined:
        this.guestErrors.unknownOffset++;
        break;
      default:
        this.guestErrors.writeOfReadOnly++;
    }
  }

  readGicv(offset: number): number {
    const { virtual } = this;
    const row = virtualCpuInterfaceTable.rows[virtualCpuInterfaceTable.indexAt(offset)];
    switch (row?.name) {
      case 'GICV_CTLR':
        return virtual.vmcr & gicvCtlr;
      case 'GICV_PMR':
        return virtual.priorityMask;
      case 'GICV_BPR':
        return virtual.binaryPoint(0);
      case 'GICV_ABPR':
        return virtual.binaryPoint(1);
      case 'GICV_IAR':
        return this.acknowledge(false);
      case 'GICV_AIAR':
        return this.acknowledge(true);
      case 'GICV_RPR':
        return virtual.runningPriority;
      case 'GICV_HPPIR':
        return this.visible(virtual.highestPending(), false);
      case 'GICV_AHPPIR':
        return this.visible(virtual.highestPending(), true);
      case 'GICV_APR0':
        return virtual.activePriorities(0);
      case 'GICV_IIDR':
        return giccIidr;
      case undefined:
        this.guestErrors.unknownOffset++;
        return 0;
      default:
        this.guestErrors.readOfWriteOnly++;
        return 0;
    }
  }

  writeGicv(offset: number, value: number): void {
    const { virtual } = this;
    const row = virtualCpuInterfaceTable.rows[virtualCpuInterfaceTable.indexAt(offset)];
    const intid = value & intidMask;
    const isSpecial = isSpecialIntid(intid & 0x3ff);
    switch (row?.name) {
      case 'GICV_CTLR':
        virtual.control(gicvCtlr, value);
        break;
      case 'GICV_PMR':
        virtual.writePriorityMask(value);
        break;
      case 'GICV_BPR':
        virtual.writeBinaryPoint(0, value);
        break;
      case 'GICV_ABPR':
        virtual.writeBinaryPoint(1, value);
        break;
      case 'GICV_EOIR':
        if (!isSpecial) virtual.endOfInterrupt(intid);
        break;
      case 'GICV_AEOIR':
        if (!isSpecial) virtual.endOfInterrupt(intid, 1);
        break;
      case 'GICV_DIR':
        if (!isSpecial) virtual.deactivate(intid);
        break;
      case 'GICV_APR0':
        virtual.writeActivePriorities(0, value);
        break;
      case undefined:
        this.guestErrors.unknownOffset++;
        break;
      default:
        this.guestErrors.writeOfReadOnly++;
    }
  }

  private visible(pending: ListRegister | undefined, alias: boolean): number {
    if (pending === undefined) return special.spurious;
    if (pending.group === 0) return alias ? special.spurious : pending.intid;
    return alias || (this.virtual.vmcr & vmcr.vAckCtl) !== 0 ? pending.intid : otherGroup;
  }

  private acknowledge(alias: boolean): number {
    const { virtual } = this;
    const pending = virtual.highestPending();
    if (pending === undefined || !virtual.canSignal(pending)) return special.spurious;
    const seen = this.visible(pending, alias);
    return isSpecialIntid(seen) ? seen : virtual.acknowledge(pending);
  }

  save(): VirtualInterfaceState {
    return this.virtual.save();
  }

  restore(saved: VirtualInterfaceState): void {
    this.virtual.restore(saved);
  }
}
