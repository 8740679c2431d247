// Operations on an interrupt of any vCPU, from any core. Where the vCPU is active on another core, only that core reaches its list
// registers: the operation goes there as an IPI (section 5 of the ancestor's description, "Intc"). Where it is active here, the record
// is brought up to date first; where it is active nowhere, the record is the truth.
//
// The record of a vCPU that is active elsewhere shows the list registers as its core has last seen them.

import type { Activity } from '../../arch/resident.ts';
import { activeVcpu, coreAt, positionOf, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { type Ipi, sendIpi } from '../ipi.ts';
import type { Vcpu } from '../state.ts';
import { signalled } from './cpu-interface.ts';
import { isDirect } from './direct.ts';
import { deactivatePhysical } from './gic.ts';
import { firstSpi, holderOf, putBit } from './interrupt.ts';
import { eoiCountOf } from './list-register.ts';
import { controls, injectsByBits, loadEoiMode, loadLists, signal, storeLists } from './list-registers.ts';
import { fold, type Placement } from './placement.ts';
import {
  activate,
  deactivate,
  endSpilled,
  raise,
  reconsider,
  reconsiderAll,
  withdraw,
  withdrawSender,
} from './transitions.ts';

/** Events of the message, by the ancestor's names; `Route` also asks for news of the interrupt. */
const intcEvents = ['GichEn', 'SetEn', 'SetPend', 'SetPrio', 'SetTrgt', 'Route', 'SetAct'] as const;
export type IntcEvent = (typeof intcEvents)[number];

/** The values of SetPend and SetAct; `…By`: of an SGI of GICv2 that one vCPU has sent. */
export const clear = 0;
export const set = 1;
const sourceShift = 8;
const isBySource = 2;
export const setBy = (source: number): number => set | (source << sourceShift);
export const clearBy = (source: number): number => isBySource | (source << sourceShift);

export const isActiveElsewhere = (rhyper: Rhyper, vcpu: Vcpu): boolean => {
  const core = coreAt(rhyper, vcpu.core);
  return core !== rhyper.core && core.active === positionOf(rhyper, vcpu) + 1;
};

/** Changes the interface of a vCPU that is active here or nowhere. A VM that takes its interrupts itself has none. */
export function* change(rhyper: Rhyper, vcpu: Vcpu, how: (placement: Placement) => void): Activity {
  if (isDirect(vmAt(rhyper, vcpu.vm))) return;
  const isHere = activeVcpu(rhyper) === vcpu;
  const before = isHere ? yield* loadLists(rhyper, vcpu) : undefined;
  const placement: Placement = { rhyper, vm: vmAt(rhyper, vcpu.vm), vcpu, deactivated: [], elsewhere: [] };
  fold(placement);
  // Where nothing is active outside of list registers, what has been counted are mistakes of the guest.
  const ended = eoiCountOf(vcpu.vgic.hcr);
  for (let n = 0; n < ended; n += 1) endSpilled(placement);
  how(placement);
  if (isHere) yield* loadEoiMode(rhyper, vcpu);
  vcpu.vgic.hcr = controls(rhyper, placement.vm, vcpu);
  if (before) yield* storeLists(rhyper, vcpu, before);
  if (injectsByBits(rhyper)) signal(isHere ? rhyper.system : undefined, vcpu, signalled(placement));
  // The physical active state of a PPI is its core's, and is clear while the vCPU is not active (switch.ts).
  for (const intid of placement.deactivated) if (isHere || intid >= firstSpi) yield* deactivatePhysical(rhyper, intid);
  for (const intid of placement.elsewhere) {
    const holder = holderOf(rhyper, vcpu, intid);
    if (holder && holder !== vcpu) yield* operate(rhyper, holder, 'Route', intid);
  }
}

function apply(placement: Placement, event: IntcEvent, intid: number, value: number): void {
  switch (event) {
    case 'SetPend':
      if ((value & set) !== 0) raise(placement, intid, value >>> sourceShift);
      else if ((value & isBySource) !== 0) withdrawSender(placement, intid, value >>> sourceShift);
      else withdraw(placement, intid);
      break;
    case 'SetAct':
      if (value === clear) deactivate(placement, intid);
      else activate(placement, intid);
      break;
    case 'GichEn':
      reconsiderAll(placement);
      break;
    default:
      reconsider(placement, intid);
  }
}

/** Does something to an interrupt of this vCPU, where its list registers are. */
export function* operate(rhyper: Rhyper, vcpu: Vcpu, event: IntcEvent, intid: number, value = 0): Activity {
  if (isActiveElsewhere(rhyper, vcpu)) {
    const fields = { a: intcEvents.indexOf(event), b: intid, c: vcpu.id, low: BigInt(value) };
    yield* sendIpi(rhyper, vcpu.core, { kind: 'Intc', vm: vcpu.vm, ...fields });
    return;
  }
  yield* change(rhyper, vcpu, (placement) => {
    apply(placement, event, intid, value);
  });
}

/** The same for whoever has the interrupt, or is to get it. An SPI that is routed to nobody keeps its state in the VM. */
export function* operateOnHolder(rhyper: Rhyper, vcpu: Vcpu, event: IntcEvent, intid: number, value = 0): Activity {
  const holder = holderOf(rhyper, vcpu, intid);
  if (holder) yield* operate(rhyper, holder, event, intid, value);
  else if (event === 'SetPend') putBit(vmAt(rhyper, vcpu.vm), vcpu, intid, 'pending', value !== clear);
}

export function* handleIntcIpi(rhyper: Rhyper, ipi: Ipi): Activity {
  const vcpu = vcpuOf(rhyper, vmAt(rhyper, ipi.vm), ipi.c ?? 0);
  const event = intcEvents[ipi.a ?? 0];
  if (vcpu && event) yield* operate(rhyper, vcpu, event, ipi.b ?? 0, Number(ipi.low ?? 0n));
}
