// The system registers of the virtual CPU interface of a PE (Arm IHI 0069): ICH_*_EL2, by which a hypervisor fills it, and ICV_*,
// which a virtual machine reaches by the encodings of ICC_*. What they do is in actors/gic/virtual-interface.ts; which accesses are
// trapped, the table of system registers decides before.

import { ctlrEl1, type IccName } from '../gic/cpu-interface-registers.ts';
import { intid as special, isSpecialIntid } from '../gic/groups.ts';
import {
  hcr,
  VirtualInterface,
  type VirtualInterfacePort,
  type VirtualInterfaceState,
  vmcr,
} from '../gic/virtual-interface.ts';
import { type IchName, listOf, readList, vtrFeatures } from '../gic/virtual-interface-registers.ts';

/** System registers only: VFIQEn is RES1, VAckCtl RES0. */
const writableVmcr = vmcr.veng0 | vmcr.veng1 | vmcr.vcbpr | vmcr.veoim | vmcr.binaryPoints | vmcr.vpmr;
const writableHcr = hcr.en | hcr.uie | hcr.lrenpie | hcr.npie | hcr.groupInterrupts | hcr.traps | hcr.eoiCount;

const word = (value: bigint): number => Number(value & 0xffff_ffffn);
const intidOf = (value: bigint): number => Number(value & 0xff_ffffn);

export class GicVirtualInterface {
  private readonly virtual: VirtualInterface;

  constructor(port: VirtualInterfacePort, lists: number) {
    this.virtual = new VirtualInterface(port, {
      lists,
      writableHcr,
      writableVmcr,
      vmcrOnes: vmcr.vFiqEn,
      sharesActivePriorities: false,
    });
  }

  reset(): void {
    this.virtual.reset();
  }

  readIch(register: IchName): number {
    const { virtual } = this;
    switch (register) {
      case 'ICH_AP0R0_EL2':
        return virtual.activePriorities(0);
      case 'ICH_AP1R0_EL2':
        return virtual.activePriorities(1);
      case 'ICH_HCR_EL2':
        return virtual.hcr;
      case 'ICH_VTR_EL2':
        return (virtual.vtr | vtrFeatures) >>> 0;
      case 'ICH_MISR_EL2':
        return virtual.misr;
      case 'ICH_EISR_EL2':
        return virtual.eisr;
      case 'ICH_ELRSR_EL2':
        return virtual.elrsr;
      case 'ICH_VMCR_EL2':
        return virtual.vmcr;
    }
  }

  writeIch(register: IchName, value: bigint): void {
    const { virtual } = this;
    switch (register) {
      case 'ICH_AP0R0_EL2':
        virtual.writeActivePriorities(0, word(value));
        break;
      case 'ICH_AP1R0_EL2':
        virtual.writeActivePriorities(1, word(value));
        break;
      case 'ICH_HCR_EL2':
        virtual.writeHcr(word(value));
        break;
      case 'ICH_VMCR_EL2':
        virtual.writeVmcr(word(value));
        break;
      default:
      // The others are read-only.
    }
  }

  /** ICH_LR<n>_EL2, or undefined where there is none. */
  readList(n: number): bigint | undefined {
    const list = this.virtual.list(n);
    if (list === undefined) return undefined;
    const { low, high } = readList(list);
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** False where there is no such list register. */
  writeList(n: number, value: bigint): boolean {
    if (this.virtual.list(n) === undefined) return false;
    this.virtual.writeList(n, listOf(word(value), word(value >> 32n)));
    return true;
  }

  /** Reads the ICV register that has the encoding of this ICC register. */
  read(register: IccName): number {
    const { virtual } = this;
    switch (register) {
      case 'ICC_PMR_EL1':
        return virtual.priorityMask;
      case 'ICC_IAR0_EL1':
        return this.acknowledge(0);
      case 'ICC_IAR1_EL1':
        return this.acknowledge(1);
      case 'ICC_HPPIR0_EL1':
        return this.pendingIn(0);
      case 'ICC_HPPIR1_EL1':
        return this.pendingIn(1);
      case 'ICC_RPR_EL1':
        return virtual.runningPriority;
      case 'ICC_BPR0_EL1':
        return virtual.binaryPoint(0);
      case 'ICC_BPR1_EL1':
        return this.binaryPointIsCommon ? Math.min(virtual.binaryPoint(0) + 1, 7) : virtual.binaryPoint(1);
      case 'ICC_AP0R0_EL1':
        return virtual.activePriorities(0);
      case 'ICC_AP1R0_EL1':
        return virtual.activePriorities(1);
      case 'ICC_CTLR_EL1':
        return (
          ctlrEl1.fixed |
          (this.binaryPointIsCommon ? ctlrEl1.cbpr : 0) |
          ((virtual.vmcr & vmcr.veoim) !== 0 ? ctlrEl1.eoiMode : 0)
        );
      case 'ICC_IGRPEN0_EL1':
        return virtual.vmcr & vmcr.veng0;
      case 'ICC_IGRPEN1_EL1':
        return (virtual.vmcr & vmcr.veng1) === 0 ? 0 : 1;
      default:
        return 0;
    }
  }

  write(register: IccName, value: bigint): void {
    const { virtual } = this;
    const low = word(value);
    switch (register) {
      case 'ICC_PMR_EL1':
        virtual.writePriorityMask(low);
        break;
      case 'ICC_EOIR0_EL1':
        this.endOfInterrupt(intidOf(value), 0);
        break;
      case 'ICC_EOIR1_EL1':
        this.endOfInterrupt(intidOf(value), 1);
        break;
      case 'ICC_DIR_EL1':
        if (!isSpecialIntid(intidOf(value))) virtual.deactivate(intidOf(value));
        break;
      case 'ICC_BPR0_EL1':
        virtual.writeBinaryPoint(0, low);
        break;
      case 'ICC_BPR1_EL1':
        if (!this.binaryPointIsCommon) virtual.writeBinaryPoint(1, low);
        break;
      case 'ICC_AP0R0_EL1':
        virtual.writeActivePriorities(0, low);
        break;
      case 'ICC_AP1R0_EL1':
        virtual.writeActivePriorities(1, low);
        break;
      case 'ICC_CTLR_EL1':
        virtual.control(
          vmcr.vcbpr | vmcr.veoim,
          (low & ctlrEl1.cbpr ? vmcr.vcbpr : 0) | (low & ctlrEl1.eoiMode ? vmcr.veoim : 0),
        );
        break;
      case 'ICC_IGRPEN0_EL1':
        virtual.control(vmcr.veng0, low & 1);
        break;
      case 'ICC_IGRPEN1_EL1':
        virtual.control(vmcr.veng1, (low & 1) << 1);
        break;
      default:
      // Read-only registers.
    }
  }

  private get binaryPointIsCommon(): boolean {
    return (this.virtual.vmcr & vmcr.vcbpr) !== 0;
  }

  private pendingIn(group: 0 | 1): number {
    const pending = this.virtual.highestPending();
    return pending?.group === group ? pending.intid : special.spurious;
  }

  private acknowledge(group: 0 | 1): number {
    const pending = this.virtual.highestPending();
    if (pending?.group !== group || !this.virtual.canSignal(pending)) return special.spurious;
    return this.virtual.acknowledge(pending);
  }

  private endOfInterrupt(intid: number, group: 0 | 1): void {
    if (!isSpecialIntid(intid)) this.virtual.endOfInterrupt(intid, group);
  }

  save(): VirtualInterfaceState {
    return this.virtual.save();
  }

  restore(saved: VirtualInterfaceState): void {
    this.virtual.restore(saved);
  }
}
