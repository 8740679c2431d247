// What the two versions of the architecture have in different places: the CPU interface of this core, physical and virtual, SGIs and
// routes. GICv3 has System registers (gic-v3.ts), GICv2 frames of memory-mapped ones (gic-v2.ts), whose accesses take their time
// on the bus. Everything else of the virtual GIC is the same for both.

import type { Activity } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { CoreState, Vcpu } from '../state.ts';

/** An interrupt that this core has acknowledged. */
export interface Acknowledged {
  readonly intid: number;
  /** What is written to end it: of an SGI of GICv2 the sender as well. */
  readonly value: number;
  readonly group: 0 | 1;
}

/** Registers of the virtual interface's control: ICH_HCR_EL2 or GICH_HCR, and so on. */
export type ControlRegister = 'HCR' | 'VTR' | 'VMCR' | ActivePriorities;
export type ActivePriorities = 'AP0R' | 'AP1R';

export interface GicAccess {
  /** Those that there are: GICv2 has one for both groups. */
  readonly activePriorities: readonly ActivePriorities[];
  readControl(rhyper: Rhyper, register: ControlRegister): Activity<bigint>;
  writeControl(rhyper: Rhyper, register: ControlRegister, value: bigint): Activity;
  /** List registers, in the layout of the records. */
  readList(rhyper: Rhyper, n: number): Activity<bigint>;
  writeList(rhyper: Rhyper, n: number, value: bigint): Activity;

  /** The distributor as the hypervisor wants it, by one core before the others. */
  startDistributor(rhyper: Rhyper): Activity;
  /** What this core has of it, and its CPU interface. */
  startCore(rhyper: Rhyper): Activity;
  /** The next interrupt of this core. While a VM has the CPU interface for itself, only what is not the VM's. */
  acknowledge(rhyper: Rhyper, isDirect: boolean): Activity<Acknowledged | undefined>;
  dropPriority(rhyper: Rhyper, interrupt: Acknowledged): Activity;
  deactivate(rhyper: Rhyper, interrupt: Acknowledged): Activity;
  /** Says to a core that there is a message. */
  ring(rhyper: Rhyper, core: CoreState): Activity;
  /** Routes an SPI to a core. */
  route(rhyper: Rhyper, intid: number, core: CoreState): Activity;

  /** The CPU interface of this core becomes the VM's that takes its interrupts itself, and the hypervisor's again. */
  enterDirect(rhyper: Rhyper, vcpu: Vcpu): Activity;
  leaveDirect(rhyper: Rhyper, vcpu: Vcpu): Activity;
  /** An SGI that such a VM sends to one of its vCPUs. */
  sendDirectSgi(rhyper: Rhyper, core: CoreState, intid: number): Activity;
}
