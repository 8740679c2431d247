// SError interrupts (Arm ARM, "Asynchronous exception types, routing, masking and priorities"; HCR_EL2.AMO and VSE). A physical one that a
// guest is interrupted by becomes a virtual one of the vCPU that it has interrupted: the guest takes it as soon as it has
// PSTATE.A clear, and decides what is lost. One that comes while no vCPU has the core is nobody's.
//
// The PE announces no FEAT_RAS: there is no VSESR_EL2 to give the guest a syndrome by, and ESB is a NOP. One that comes while the
// hypervisor works is taken at the end of its entry, from whichever vCPU goes on.

import { type Activity, work } from '../arch/resident.ts';
import { activeVcpu, hasQuirk, type Rhyper } from './context.ts';
import { costs } from './options.ts';
import { systemSlot, type Vcpu, vcpuState } from './state.ts';
import { HCR } from './vcpu.ts';

/** On the core of the vCPU: HCR_EL2.VSE, in the PE where it is active, and in its record otherwise. False where the vCPU is off. */
export function* pendSError(rhyper: Rhyper, vcpu: Vcpu): Activity<boolean> {
  yield* work(costs.injection);
  if (vcpu.state === vcpuState.invalid) return false;
  const isActive = activeVcpu(rhyper) === vcpu;
  const slot = systemSlot('HCR_EL2');
  const before = isActive ? rhyper.system.read('HCR_EL2') : (vcpu.system[slot] as bigint);
  if ((before & HCR.VSE) === 0n) vcpu.injectedInterrupts += 1;
  if (isActive) rhyper.system.write('HCR_EL2', before | HCR.VSE);
  else vcpu.system[slot] = before | HCR.VSE;
  return true;
}

/** An SError interrupt has come while no vCPU had the core. */
export function strayError(rhyper: Rhyper): void {
  if (hasQuirk(rhyper, 'panic-on-guest-fault')) {
    rhyper.port.log(`panic on core ${rhyper.index}: an SError interrupt at EL2`);
    rhyper.port.stop(1);
  } else rhyper.port.log(`core ${rhyper.index}: an SError interrupt while no VM runs is nobody’s`);
}

/** Before the core sleeps: what comes from here on is EL2's to take, whoever had the core before. */
export function receiveErrors({ system }: Rhyper): void {
  system.write('HCR_EL2', system.read('HCR_EL2') | HCR.AMO);
}
