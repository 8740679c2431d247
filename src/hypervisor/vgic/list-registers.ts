// The virtual CPU interface of the PE and the record of its vCPU: moved as a whole when a vCPU comes and goes, and the list registers
// with their controls for each change while it runs (Arm IHI 0069, "AArch64 virtualization control System registers").
// Left out: GICH and GICC, the frames that do the same on a board with a GICv2.
// With interrupts injected by HCR_EL2.VI there are no list registers: accesses of the guest to its interface are trapped.

import type { SystemAccess } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';
import { systemSlot } from '../state.ts';
import { directControls, isDirect } from './direct.ts';
import { hcr, vmcr } from './list-register.ts';

const vtrListRegs = 0x1fn;
const hcrVi = 1n << 7n;

/** GICD_CTLR: EnableGrp1A of the Non-secure view, and of GICv2 EnableGrp1. */
export const isForwarding = (rhyper: Rhyper, vm: Vm): boolean =>
  (vm.vgic.ctlr & (rhyper.platform.gicVersion === 3 ? 2 : 1)) !== 0;

export const injectsByBits = (rhyper: Rhyper): boolean => rhyper.options.injection === 'hcr-bits';

export const listCount = (rhyper: Rhyper): number =>
  injectsByBits(rhyper) ? 0 : Number(rhyper.system.read('ICH_VTR_EL2') & vtrListRegs) + 1;

const listName = (n: number): string => `ICH_LR${n}_EL2`;

/** What a change has begun with. */
export interface Snapshot {
  readonly lr: BigUint64Array;
  readonly hcr: bigint;
}

/** Brings the list registers of the active vCPU into its record. */
export function loadLists({ system }: Rhyper, { vgic }: Vcpu): Snapshot {
  for (let n = 0; n < vgic.listCount; n += 1) vgic.lr[n] = system.read(listName(n));
  if (vgic.listCount !== 0) {
    vgic.hcr = system.read('ICH_HCR_EL2');
    vgic.vmcr = system.read('ICH_VMCR_EL2');
  }
  return { lr: vgic.lr.slice(), hcr: vgic.hcr };
}

/** Writes what a change has made different. */
export function storeLists({ system }: Rhyper, { vgic }: Vcpu, before: Snapshot): void {
  for (let n = 0; n < vgic.listCount; n += 1)
    if (vgic.lr[n] !== before.lr[n]) system.write(listName(n), vgic.lr[n] as bigint);
  if (vgic.hcr !== before.hcr) system.write('ICH_HCR_EL2', vgic.hcr);
}

/** ICH_HCR_EL2 as the state of the vCPU demands; EOIcount is kept. */
export function controls(rhyper: Rhyper, vm: Vm, { vgic }: Vcpu): bigint {
  if (isDirect(vm)) return directControls(rhyper);
  if (injectsByBits(rhyper)) return hcr.TC | hcr.TALL0 | hcr.TALL1;
  let value = vgic.hcr & hcr.EOIcount;
  if (isForwarding(rhyper, vm)) value |= hcr.En;
  if (vgic.spilledPendingCount !== 0) value |= hcr.NPIE;
  if (vgic.spilledActiveCount !== 0) {
    value |= hcr.LRENPIE;
    // Without priority drops to count, only the write itself tells which interrupt has ended.
    if ((vgic.vmcr & vmcr.VEOIM) !== 0n) value |= hcr.TDIR;
  }
  return value;
}

/** HCR_EL2.VI of the vCPU: in its record, and in the PE where it is active. */
export function signal(system: SystemAccess | undefined, vcpu: Vcpu, isPending: boolean): void {
  const slot = systemSlot('HCR_EL2');
  const with_ = (value: bigint): bigint => (isPending ? value | hcrVi : value & ~hcrVi);
  vcpu.system[slot] = with_(vcpu.system[slot] as bigint);
  if (system) system.write('HCR_EL2', with_(system.read('HCR_EL2')));
}

/** Moves the rest of the interface out of the PE, and leaves it with nothing to signal. */
export function saveInterface({ system }: Rhyper, { vgic }: Vcpu): void {
  if (vgic.listCount !== 0) {
    vgic.ap0r = system.read('ICH_AP0R0_EL2');
    vgic.ap1r = system.read('ICH_AP1R0_EL2');
  }
  system.write('ICH_HCR_EL2', 0n);
  for (let n = 0; n < vgic.listCount; n += 1) system.write(listName(n), 0n);
}

export function restoreInterface({ system }: Rhyper, { vgic }: Vcpu): void {
  if (vgic.listCount !== 0) {
    system.write('ICH_VMCR_EL2', vgic.vmcr);
    system.write('ICH_AP0R0_EL2', vgic.ap0r);
    system.write('ICH_AP1R0_EL2', vgic.ap1r);
  }
  for (let n = 0; n < vgic.listCount; n += 1) system.write(listName(n), vgic.lr[n] as bigint);
  system.write('ICH_HCR_EL2', vgic.hcr);
}
