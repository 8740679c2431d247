// The virtual GIC's share of a VM's and of a vCPU's record.

import { limits } from '../limits.ts';
import { array, record } from '../records.ts';

const words = limits.intids / 32;

/** GICD state of a VM, by INTID; banked registers of SGIs and PPIs are in the vCPU. */
export const vgicOfVm = record({
  ctlr: 'u32',
  enabled: array('u32', words),
  pending: array('u32', words),
  active: array('u32', words),
  group: array('u32', words),
  /** Edge-triggered. */
  edge: array('u32', words),
  priority: array('u8', limits.intids),
  /** Of GICD_IROUTER: the vCPU, or 0xff for any (IRM). */
  target: array('u8', limits.intids),
  /** vCPU + 1 that has the interrupt in a list register, or 0. */
  owner: array('u8', limits.intids),
});

/** GICR state of a vCPU, and its list registers while it does not run. */
export const vgicOfVcpu = record({
  enabled: 'u32',
  pending: 'u32',
  active: 'u32',
  group: 'u32',
  edge: 'u32',
  waker: 'u32',
  priority: array('u8', 32),
  hcr: 'u64',
  vmcr: 'u64',
  ap0r: array('u64', 4),
  ap1r: array('u64', 4),
  lr: array('u64', limits.listRegisters),
  /** Interrupts that came while the vCPU was not running, in the order in which they came. */
  waitingCount: 'u32',
  waiting: array('u32', limits.waitingInterrupts),
});
