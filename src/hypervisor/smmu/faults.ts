// The time in which the hypervisor looks for faults (events.ts): that of the VMs whose devices can have some, by vCPU 0, at most once in
// a time slice; on a core that it shares, when its slice has just begun. The Event queue is everybody's, and its interrupt is off:
// whichever core took it, the VM there would pay for the faults of another one's device. A look takes the same time whatever it
// finds; what one's own faults take beyond that, one pays.
//
// A VM that never enters EL2 hears of its faults when it ends, or by the look of another one. A global error is the hypervisor's
// own, and comes by interrupt.

import type { Activity } from '../../arch/resident.ts';
import { activeVcpu, type Rhyper, vmAt } from '../context.ts';
import { limits } from '../limits.ts';
import type { Vm } from '../state.ts';
import { hearFaults } from './events.ts';
import { lock, readSmmu, unlock, writeSmmu } from './queues.ts';
import type { StreamRecord } from './state.ts';
import { mute } from './streams.ts';

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A stream of a VM that has had so many faults that nobody wants to hear of more. */
const isTedious = ({ isKnown, owner, isMuted, faults }: StreamRecord, vm: Vm): boolean =>
  isKnown !== 0 && owner === vm.id + 1 && isMuted === 0 && faults >= limits.recordedFaults;

/** The VM that goes on now looks for faults of its devices, where it is time. */
export function* hearOwnFaults(rhyper: Rhyper): Activity {
  const vcpu = activeVcpu(rhyper);
  if (!vcpu || vcpu.id !== 0) return;
  const vm = vmAt(rhyper, vcpu.vm);
  if (vm.hearsFaults === 0) return;
  const { ticks } = rhyper.port.counts();
  if (ticks - vm.faultsHeardAt < rhyper.options.tickTicks) return;
  vm.faultsHeardAt = ticks;
  yield* hearFaults(rhyper);
  for (const stream of rhyper.state.smmu.streams) {
    if (!isTedious(stream, vm)) continue;
    yield* lock(rhyper);
    // While this core waited, the VM may have been removed.
    if (isTedious(stream, vm)) yield* mute(rhyper, stream);
    unlock(rhyper);
  }
}

/** The interrupt of a global error; false where it is of something else. */
export function* smmuInterrupt(rhyper: Rhyper, intid: number): Activity<boolean> {
  const { smmu } = rhyper.platform;
  if (!smmu || rhyper.state.smmu.isOn === 0 || intid !== smmu.gerrorIntid) return false;
  const GERROR = yield* readSmmu(rhyper, 'GERROR');
  const active = GERROR ^ (yield* readSmmu(rhyper, 'GERRORN'));
  if (active === 0) return true;
  rhyper.state.smmu.globalErrors += 1;
  rhyper.port.log(`the SMMU reports a global error: SMMU_GERROR ${hex(active)}`);
  yield* writeSmmu(rhyper, 'GERRORN', GERROR);
  return true;
}
