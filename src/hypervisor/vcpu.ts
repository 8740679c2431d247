// A vCPU on a PE: which registers it has (section 1.6 of the ancestor's description), how they are reset, saved and restored.

import type { Activity } from '../arch/resident.ts';
import { pe as record } from '../arch/state-layout.ts';
import { hasQuirk, type Rhyper, vmAt } from './context.ts';
import { vtcr, vttbrOf } from './stage2.ts';
import { systemSlot, type Vcpu, type VcpuRegister, vcpuRegisters, type Vm } from './state.ts';
import { isDirect } from './vgic/direct.ts';
import { resetVgicOfVcpu } from './vgic/reset.ts';

/** EL1h with D, A, I and F masked. */
const resetPstate = 0x3c5n;
const sctlrReset = 0x30c5_0830n;
const mpidrRes1 = 1n << 31n;

export const HCR = {
  VM: 1n << 0n,
  FMO: 1n << 3n,
  IMO: 1n << 4n,
  AMO: 1n << 5n,
  VSE: 1n << 8n,
  TWI: 1n << 13n,
  TWE: 1n << 14n,
} as const;
const HCR_TSC = 1n << 19n;
const HCR_RW = 1n << 31n;
/** Pointer authentication and its keys are the VM's own: API and APK. */
const HCR_pointers = 3n << 40n;

/**
 * HCR_EL2 for the vCPUs of a VM: calls and stage 2; interrupts to EL2 unless the VM takes them itself. Of those the FIQ of messages
 * goes to EL2 in any case; with GICv2, whose interface a VM has as a whole, there is none.
 */
function hcrOf(rhyper: Rhyper, vm: Vm): bigint {
  let hcr = HCR_RW | HCR_TSC | HCR.VM | HCR_pointers;
  if (!isDirect(vm)) hcr |= HCR.IMO | HCR.FMO;
  else if (rhyper.platform.gicVersion === 3 && !hasQuirk(rhyper, 'direct-deaf')) hcr |= HCR.FMO;
  if (!hasQuirk(rhyper, 'serror-to-guest')) hcr |= HCR.AMO;
  if (rhyper.options.trapsWaits) hcr |= HCR.TWI | HCR.TWE;
  return hcr;
}

/** OSLSR_EL1.OSLK: a cold reset locks the OS Lock. */
const osLocked = 2n;

function writeSaved(vcpu: Vcpu, name: VcpuRegister, value: bigint): void {
  vcpu.system[systemSlot(name)] = value;
}

/** As after a reset of its PE: it starts at `entry` with X0 = `x0`. */
export function* resetVcpu(rhyper: Rhyper, vcpu: Vcpu, entry: bigint, x0: bigint): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  vcpu.x.fill(0n);
  vcpu.x[0] = x0;
  vcpu.elr = entry;
  vcpu.spsr = resetPstate;
  vcpu.system.fill(0n);
  vcpu.vectors.fill(0);
  writeSaved(vcpu, 'SCTLR_EL1', sctlrReset);
  writeSaved(vcpu, 'VMPIDR_EL2', mpidrRes1 | BigInt(vcpu.id));
  writeSaved(vcpu, 'VPIDR_EL2', rhyper.system.read('MIDR_EL1'));
  writeSaved(vcpu, 'HCR_EL2', hcrOf(rhyper, vm));
  writeSaved(vcpu, 'OSLSR_EL1', osLocked);
  yield* resetVgicOfVcpu(rhyper, vcpu);
}

/** Moves the registers of the PE into the record of the vCPU. */
export function saveVcpu({ pe, system, memory }: Rhyper, vcpu: Vcpu): void {
  for (let n = 0; n < vcpu.x.length; n += 1) vcpu.x[n] = pe.readX(n);
  vcpu.elr = system.read('ELR_EL2');
  vcpu.spsr = system.read('SPSR_EL2');
  vcpuRegisters.forEach((name, n) => {
    vcpu.system[n] = system.read(name);
  });
  const at = pe.base + record.vector;
  vcpu.vectors.set(memory.bytes.subarray(at, at + vcpu.vectors.length));
}

/** Registers whose ones are set by one name and cleared by another; the value is read by either. */
const setAndClear: Partial<Record<VcpuRegister, { readonly set: string; readonly clear: string }>> = {
  DBGCLAIMCLR_EL1: { set: 'DBGCLAIMSET_EL1', clear: 'DBGCLAIMCLR_EL1' },
  PMCNTENSET_EL0: { set: 'PMCNTENSET_EL0', clear: 'PMCNTENCLR_EL0' },
  PMINTENSET_EL1: { set: 'PMINTENSET_EL1', clear: 'PMINTENCLR_EL1' },
  PMOVSSET_EL0: { set: 'PMOVSSET_EL0', clear: 'PMOVSCLR_EL0' },
};

function restore({ system }: Rhyper, name: VcpuRegister, value: bigint): void {
  const pair = setAndClear[name];
  if (pair) {
    system.write(pair.clear, ~0n);
    system.write(pair.set, value);
  } else if (name === 'OSLSR_EL1') system.write('OSLAR_EL1', value / osLocked);
  else system.write(name, value);
}

/** Moves the registers of the vCPU into the PE, and makes stage 2 that of its VM. */
export function loadVcpu(rhyper: Rhyper, vcpu: Vcpu): void {
  const { pe, system, memory } = rhyper;
  for (let n = 0; n < vcpu.x.length; n += 1) pe.writeX(n, vcpu.x[n] as bigint);
  system.write('ELR_EL2', vcpu.elr);
  system.write('SPSR_EL2', vcpu.spsr);
  // The registers of what runs next are written under its own translation.
  system.write('VTCR_EL2', vtcr);
  system.write('VTTBR_EL2', vttbrOf(vmAt(rhyper, vcpu.vm)));
  vcpuRegisters.forEach((name, n) => {
    restore(rhyper, name, vcpu.system[n] as bigint);
  });
  memory.bytes.set(vcpu.vectors, pe.base + record.vector);
}
