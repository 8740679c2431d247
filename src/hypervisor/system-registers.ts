// System register accesses of guests that are trapped (EC 0x18): SGIs, which the hypervisor sends to vCPUs, and what a VM may see of
// registers that are not its own.

import type { Activity } from '../arch/resident.ts';
import { systemKey } from '../arch/system-key.ts';
import { registerAt } from '../arch/system-registers.ts';
import { type Rhyper, writeVcpuX } from './context.ts';
import type { Vcpu } from './state.ts';
import { accessCpuInterface } from './vgic/trapped-registers.ts';

/** ICC_SRE_EL1 where it is trapped: SRE, and nothing else. What is written to it is ignored. */
const sre = 1n;

/** Emulates the access that ESR_EL2 describes and steps over it; false where the VM has no such register. */
export function* emulateSystemRegister(rhyper: Rhyper, vcpu: Vcpu, esr: bigint): Activity<boolean> {
  const iss = Number(esr & 0x1ff_ffffn);
  const key = systemKey((iss >> 20) & 3, (iss >> 14) & 7, (iss >> 10) & 15, (iss >> 1) & 15, (iss >> 17) & 7);
  const name = registerAt(key)?.name ?? '';
  const register = (iss >> 5) & 31;
  const isWrite = (iss & 1) === 0;
  const next = rhyper.system.read('ELR_EL2') + 4n;
  const value = isWrite ? rhyper.pe.readX(register) : 0n;
  const answer = name === 'ICC_SRE_EL1' ? sre : yield* accessCpuInterface(rhyper, vcpu, name, isWrite, value);
  if (answer === undefined) return false;
  if (!isWrite) writeVcpuX(rhyper, vcpu, register, answer);
  rhyper.system.write('ELR_EL2', next);
  return true;
}
