// The virtual CPU interface of the PE and the record of its vCPU: moved as a whole when a vCPU comes and goes, and the list registers
// with their controls for each change while it runs (Arm IHI 0069, "AArch64 virtualization control System registers"; Arm IHI 0048,
// "Virtual interface control registers"). An access may have to go over the bus: only what can have changed is read, and only what is
// different is written.
// With interrupts injected by HCR_EL2.VI and VF there are no list registers: accesses of the guest to its interface are trapped.

import type { Activity } from '../../arch/resident.ts';
import type { SystemAccess } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';
import { systemSlot } from '../state.ts';
import { gicOf } from './gic.ts';
import { isAwake } from './interrupt.ts';
import { hcr, vmcr } from './list-register.ts';

const vtrListRegs = 0x1fn;
const hcrEl2 = { VF: 1n << 6n, VI: 1n << 7n } as const;

export const injectsByBits = (rhyper: Rhyper): boolean => rhyper.options.injection === 'hcr-bits';

/** The virtual interface of this core with nothing in it. */
export function* startVirtualInterface(rhyper: Rhyper): Activity {
  const gic = gicOf(rhyper);
  yield* gic.writeControl(rhyper, 'HCR', 0n);
  yield* gic.writeControl(rhyper, 'VMCR', 0n);
  rhyper.core.listRegisters = Number((yield* gic.readControl(rhyper, 'VTR')) & vtrListRegs) + 1;
  for (let n = 0; n < rhyper.core.listRegisters; n += 1) yield* gic.writeList(rhyper, n, 0n);
}

/** What the PE has. */
export interface Snapshot {
  readonly lr: BigUint64Array;
  readonly hcr: bigint;
}

/** Brings into the record of the active vCPU what the PE may have changed: list registers in use, and what counts ends of others. */
export function* loadLists(rhyper: Rhyper, { vgic }: Vcpu): Activity<Snapshot> {
  const gic = gicOf(rhyper);
  for (let n = 0; n < vgic.listCount; n += 1) if (vgic.lr[n] !== 0n) vgic.lr[n] = yield* gic.readList(rhyper, n);
  if (vgic.listCount !== 0 && vgic.spilledActiveCount !== 0) vgic.hcr = yield* gic.readControl(rhyper, 'HCR');
  return { lr: vgic.lr.slice(), hcr: vgic.hcr };
}

/** Writes what a change has made different. */
export function* storeLists(rhyper: Rhyper, vcpu: Vcpu, before: Snapshot): Activity {
  const gic = gicOf(rhyper);
  const { vgic } = vcpu;
  for (let n = 0; n < vgic.listCount; n += 1)
    if (vgic.lr[n] !== before.lr[n]) yield* gic.writeList(rhyper, n, vgic.lr[n] as bigint);
  if (vgic.hcr !== before.hcr) yield* gic.writeControl(rhyper, 'HCR', vgic.hcr);
}

/** With GICv3 the guest's EOImode decides on a trap while an active interrupt is in no list register. */
export function* loadEoiMode(rhyper: Rhyper, { vgic }: Vcpu): Activity {
  if (rhyper.platform.gicVersion === 3 && vgic.listCount !== 0 && vgic.spilledActiveCount !== 0)
    vgic.vmcr = yield* gicOf(rhyper).readControl(rhyper, 'VMCR');
}

/** ICH_HCR_EL2 or GICH_HCR as the state of the vCPU demands. */
export function controls(rhyper: Rhyper, vm: Vm, vcpu: Vcpu): bigint {
  const { vgic } = vcpu;
  const isVersion3 = rhyper.platform.gicVersion === 3;
  if (injectsByBits(rhyper)) return isVersion3 ? hcr.TC | hcr.TALL0 | hcr.TALL1 : 0n;
  let value = 0n;
  if (vm.vgic.ctlr !== 0 && isAwake(rhyper, vcpu)) value |= hcr.En;
  if (vgic.spilledPendingCount !== 0) value |= hcr.NPIE;
  if (vgic.spilledActiveCount !== 0) {
    value |= hcr.LRENPIE;
    // Without priority drops to count, only the write itself tells which interrupt has ended. That of a GICv2 is always trapped.
    if (isVersion3 && (vgic.vmcr & vmcr.VEOIM) !== 0n) value |= hcr.TDIR;
  }
  return value;
}

/** HCR_EL2.VI and VF of the vCPU by the group of what it is to take: in its record, and in the PE where it is active. */
export function signal(system: SystemAccess | undefined, vcpu: Vcpu, pending: 'virq' | 'vfiq' | undefined): void {
  const slot = systemSlot('HCR_EL2');
  const bits = pending === undefined ? 0n : pending === 'virq' ? hcrEl2.VI : hcrEl2.VF;
  const with_ = (value: bigint): bigint => (value & ~(hcrEl2.VI | hcrEl2.VF)) | bits;
  vcpu.system[slot] = with_(vcpu.system[slot] as bigint);
  if (system) system.write('HCR_EL2', with_(system.read('HCR_EL2')));
}

/** Moves the interface out of the PE, and leaves it with nothing to signal. */
export function* saveInterface(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const gic = gicOf(rhyper);
  const { vgic } = vcpu;
  yield* loadLists(rhyper, vcpu);
  if (vgic.listCount !== 0) {
    vgic.vmcr = yield* gic.readControl(rhyper, 'VMCR');
    for (const name of gic.activePriorities)
      vgic[name === 'AP0R' ? 'ap0r' : 'ap1r'] = yield* gic.readControl(rhyper, name);
  }
  yield* gic.writeControl(rhyper, 'HCR', 0n);
  for (let n = 0; n < vgic.listCount; n += 1) if (vgic.lr[n] !== 0n) yield* gic.writeList(rhyper, n, 0n);
}

export function* restoreInterface(rhyper: Rhyper, { vgic }: Vcpu): Activity {
  const gic = gicOf(rhyper);
  vgic.listCount = injectsByBits(rhyper) ? 0 : rhyper.core.listRegisters;
  if (vgic.listCount !== 0) {
    yield* gic.writeControl(rhyper, 'VMCR', vgic.vmcr);
    for (const name of gic.activePriorities)
      yield* gic.writeControl(rhyper, name, name === 'AP0R' ? vgic.ap0r : vgic.ap1r);
  }
  for (let n = 0; n < vgic.listCount; n += 1)
    if (vgic.lr[n] !== 0n) yield* gic.writeList(rhyper, n, vgic.lr[n] as bigint);
  yield* gic.writeControl(rhyper, 'HCR', vgic.hcr);
}
