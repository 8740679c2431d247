// The virtual GIC's share of a VM's and of a vCPU's record. Bits and bytes of SGIs and PPIs are banked, in the vCPU; those of SPIs are
// the VM's. Both have the same names, so that one function reaches either (interrupt.ts).
//
// What is in a list register has no other state: its pending and active bits are taken out of the record when it goes there, and
// come back with it.

import { limits } from '../limits.ts';
import { array, record } from '../records.ts';

const words = limits.intids / 32;
const privateIntids = 32;

/** Every interrupt of a VM at once: 16 SGIs, 16 PPIs, what passes through, what devices raise, and the notification. */
const distinctInterrupts = 128;

/** GICD state of a VM, by INTID. */
export const vgicOfVm = record({
  ctlr: 'u32',
  enabled: array('u32', words),
  pending: array('u32', words),
  active: array('u32', words),
  /** Edge-triggered, as GICD_ICFGR says. */
  edge: array('u32', words),
  /** In Group 1, as GICD_IGROUPR says. */
  group: array('u32', words),
  priority: array('u8', limits.intids),
  /** Of GICD_IROUTER: the vCPU, or `anyVcpu` (IRM). With GICv2 GICD_ITARGETSR: a bit for each vCPU. */
  target: array('u8', limits.intids),
  /** vCPU + 1 that has the interrupt in a list register or has it active, or 0. */
  owner: array('u8', limits.intids),
});

/** GICR state of a vCPU, and its virtual CPU interface while it does not run. */
export const vgicOfVcpu = record({
  enabled: array('u32', 1),
  pending: array('u32', 1),
  active: array('u32', 1),
  edge: array('u32', 1),
  group: array('u32', 1),
  /** GICR_WAKER.ProcessorSleep. */
  waker: 'u32',
  priority: array('u8', privateIntids),
  /** GICv2: by SGI, the vCPUs that have sent it and are not yet in a list register. */
  sgiSources: array('u8', 16),
  /** GICv2: the vCPU whose SGI is active, for those that are in no list register. */
  sgiActiveSource: array('u8', 16),
  /** How many list registers there are: 0 where interrupts are injected by bits of HCR_EL2. */
  listCount: 'u32',
  hcr: 'u64',
  vmcr: 'u64',
  ap0r: 'u64',
  ap1r: 'u64',
  lr: array('u64', limits.listRegisters),
  /** Pending and enabled without a list register, in the order in which they came to be so. */
  spilledPendingCount: 'u32',
  spilledPending: array('u16', distinctInterrupts),
  /** Active without a list register. */
  spilledActiveCount: 'u32',
  spilledActive: array('u16', distinctInterrupts),
  /** Interrupts that came while the vCPU was not running, in the order in which they came. */
  waitingCount: 'u32',
  waiting: array('u16', distinctInterrupts),
  /** Accesses of the vCPU to its GIC that the architecture does not allow. */
  refusedAccesses: 'u32',
});

export const anyVcpu = 0xff;
