// The virtual GIC when a vCPU comes to a core or leaves it (sections 1.6 and 1.9 of the ancestor's description).
//
// A PPI belongs to a core, not to a vCPU: an interrupt of the virtual timer that the guest has not ended yet leaves with its vCPU. Its
// physical active state is taken away when the vCPU leaves, so that the next one's timer can interrupt, and given back when it returns.

import type { Activity } from '../../arch/resident.ts';
import { type Rhyper, vmAt } from '../context.ts';
import { systemSlot, type Vcpu, type Vm } from '../state.ts';
import { change } from './delivery.ts';
import { isDirect } from './direct.ts';
import { gicOf } from './gic.ts';
import { firstSpi, isPhysical } from './interrupt.ts';
import { decodeList } from './list-register.ts';
import { restoreInterface, saveInterface } from './list-registers.ts';
import { physicalBits, readBits, writeBits } from './physical.ts';
import { collect, refill } from './placement.ts';
import { queued } from './queue.ts';
import { raise } from './transitions.ts';

const timerControls = ['CNTV_CTL_EL0', 'CNTP_CTL_EL0'] as const;
/** ISTATUS, IMASK, ENABLE: the interrupt is signalled by the first and the last without the other. */
const timerBits = 7n;
const timerUp = 5n;

/** PPIs that are active physically because this vCPU has them. */
function heldPpis(vm: Vm, vcpu: Vcpu): number {
  const { vgic } = vcpu;
  let bits = (vgic.pending[0] as number) | (vgic.active[0] as number);
  for (let n = 0; n < vgic.listCount; n += 1) {
    const list = decodeList(vgic.lr[n] as bigint);
    if (list.isPhysical && list.state !== 0 && list.intid < firstSpi) bits |= 1 << list.intid;
  }
  for (const intid of queued(vcpu, 'waiting')) if (intid < firstSpi) bits |= 1 << intid;
  return (bits & physicalBits(vm, 0)) >>> 0;
}

/** The vCPU leaves the PE; its System registers have been saved. */
export function* saveVgic(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const { system } = rhyper;
  const vm = vmAt(rhyper, vcpu.vm);
  // Its timers have left with its System registers. A line that was up takes time to fall: what the redistributor answers comes after what
  // it has told this core about that, so that the interrupt is not taken for one of the vCPU that runs next.
  const wasUp = timerControls.some((name) => ((vcpu.system[systemSlot(name)] as bigint) & timerBits) === timerUp);
  for (const name of timerControls) system.write(name, 0n);
  if (wasUp) yield* readBits(rhyper, vcpu.core, 'ISPENDR', 0);
  if (isDirect(vm)) {
    yield* gicOf(rhyper).leaveDirect(rhyper, vcpu);
    return;
  }
  yield* saveInterface(rhyper, vcpu);
  const held = heldPpis(vm, vcpu);
  if (held !== 0) yield* writeBits(rhyper, vcpu.core, 'ICACTIVER', 0, held);
}

/** What EL2 has taken for a VM that takes its interrupts itself is pending for it again, and no longer active. */
export function* returnToDirect(rhyper: Rhyper, vcpu: Vcpu, intids: readonly number[]): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  for (const intid of intids.filter((each) => isPhysical(vm, each))) {
    yield* writeBits(rhyper, vcpu.core, 'ISPENDR', intid >>> 5, 1 << (intid & 31));
    yield* writeBits(rhyper, vcpu.core, 'ICACTIVER', intid >>> 5, 1 << (intid & 31));
  }
}

/** The vCPU is the active one: its interface is brought into the PE, with what has waited. */
export function* restoreVgic(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  if (isDirect(vm)) {
    const waiting = queued(vcpu, 'waiting');
    vcpu.vgic.waitingCount = 0;
    yield* returnToDirect(rhyper, vcpu, waiting);
    yield* gicOf(rhyper).enterDirect(rhyper, vcpu);
    return;
  }
  const held = heldPpis(vm, vcpu);
  if (held !== 0) yield* writeBits(rhyper, vcpu.core, 'ISACTIVER', 0, held);
  yield* restoreInterface(rhyper, vcpu);
  yield* change(rhyper, vcpu, (placement) => {
    const waiting = queued(vcpu, 'waiting');
    vcpu.vgic.waitingCount = 0;
    for (const intid of waiting) raise(placement, intid);
    collect(placement);
    refill(placement);
  });
}
