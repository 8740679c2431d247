// How a core is called to EL2 whose VM takes its interrupts itself on a board with a GICv2. All signals of the core are the VM's there,
// FIQ too, for the VM has the CPU interface as a whole. What remains the hypervisor's is stage 2: the VM's tables are made invalid and its
// translations removed from every TLB, so that the next instruction aborts to EL2. The SGI of messages only ends a WFI, and is
// taken back at EL2 before the VM could see it. Nothing of this happens to a VM that nobody has a message for.
//
// A VM that sleeps while it has its CPU interface closed to the SGI hears of nothing until it wakes.

import { type Activity, work, writeDevice } from '../arch/resident.ts';
import { activeVcpu, hasQuirk, type Rhyper, vcpuAt, vmAt } from './context.ts';
import { ownInterrupts } from './limits.ts';
import { costs } from './options.ts';
import { flushPes, setTablesValid } from './stage2.ts';
import type { CoreState } from './state.ts';
import { isDirect } from './vgic/direct.ts';
import { gicOf } from './vgic/gic.ts';
import { distributorAddress } from './vgic/physical.ts';

const holdState = { none: 0, begun: 1, done: 2 } as const;
/** GICD_CPENDSGIR: a byte for each SGI, a bit for each sender. */
const cpendsgir = 0xf10;
const allSenders = 0xff;

/** Calls a core for which there is a message by holding its VM. False where its SGI does. */
export function* hold(rhyper: Rhyper, core: CoreState): Activity<boolean> {
  if (rhyper.platform.gicVersion !== 2 || core === rhyper.core || core.active === 0) return false;
  const vm = vmAt(rhyper, vcpuAt(rhyper, core.active - 1).vm);
  if (!isDirect(vm) || hasQuirk(rhyper, 'direct-deaf')) return false;
  if (core.holdState !== holdState.none) return true;
  core.holdState = holdState.begun;
  core.heldVm = vm.id;
  setTablesValid(rhyper, vm, false);
  yield* flushPes(rhyper, vm);
  yield* gicOf(rhyper).ring(rhyper, core);
  core.holdState = holdState.done;
  return true;
}

/** The active VM is held: its aborts are none of its own. */
export const isHeld = ({ core }: Rhyper): boolean => core.holdState !== holdState.none;

/** At EL2 the VM of this core can be let go again. */
export function* release(rhyper: Rhyper): Activity {
  const { core } = rhyper;
  if (!isHeld(rhyper)) return;
  // The SGI is on its way until then.
  while (core.holdState !== holdState.done) yield* work(costs.ipi);
  const vm = vmAt(rhyper, core.heldVm);
  const active = activeVcpu(rhyper);
  if (active && isDirect(vmAt(rhyper, active.vm)))
    yield* writeDevice(distributorAddress(rhyper, cpendsgir) + ownInterrupts.ipi, 1, allSenders);
  if (vm.stage2Root !== 0) setTablesValid(rhyper, vm, true);
  core.holdState = holdState.none;
}
