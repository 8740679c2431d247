// Where the time of a core goes: to the guest on it, to the guest's sleep in a WFI or WFE that is not trapped, to the hypervisor, or to
// nobody. Told apart at each entry to EL2 and at each end of one, by what the core has counted up to then; with it the interrupts
// that a guest has taken at EL1 without an entry, which only the core has seen. The four add up to all of the core's time.

import type { CoreCounts, Rhyper } from './context.ts';
import { coreHolder, type CoreState, type SystemState } from './state.ts';

/** Charges what has passed since the last time to whoever has had the core. */
export function charge(state: SystemState, core: CoreState, counts: CoreCounts): void {
  const passed = counts.ticks - core.since;
  const asleep = counts.asleepTicks - core.asleepSince;
  const direct = counts.interruptsAtEl1 - core.interruptsSince;
  core.since = counts.ticks;
  core.asleepSince = counts.asleepTicks;
  core.interruptsSince = counts.interruptsAtEl1;
  const vcpu = core.active === 0 ? undefined : state.vcpus[core.active - 1];
  if (core.holder === coreHolder.hypervisor) core.hypervisorTicks += passed;
  else if (vcpu && core.holder === coreHolder.guest) {
    vcpu.guestTicks += passed - asleep;
    vcpu.asleepTicks += asleep;
    vcpu.directInterrupts += direct;
    core.guestTicks += passed - asleep;
    core.guestAsleepTicks += asleep;
  } else core.idleTicks += passed;
}

export function enterHypervisor(rhyper: Rhyper): void {
  charge(rhyper.state, rhyper.core, rhyper.port.counts());
  rhyper.core.holder = coreHolder.hypervisor;
}

export function leaveHypervisor(rhyper: Rhyper): void {
  charge(rhyper.state, rhyper.core, rhyper.port.counts());
  if (rhyper.core.holder === coreHolder.hypervisor) rhyper.core.holder = coreHolder.guest;
}

/** The machine is off from now on; the run ends a little later, with the window of its conductor. */
export function turnOff(rhyper: Rhyper): void {
  charge(rhyper.state, rhyper.core, rhyper.port.counts());
  rhyper.core.holder = coreHolder.off;
}
