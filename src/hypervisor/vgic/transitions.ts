// What happens to an interrupt of a vCPU, wherever its state is: in a list register or in the record (placement.ts). A state machine
// as in Arm IHI 0069, "Interrupt handling state machine", with one departure that the list registers force: a physical interrupt
// is never active and pending, for its physical twin is active as long as it is.

import { firstPpi, firstSpi, hasBit, isPhysical, priorityOf, putBit, targetOf } from './interrupt.ts';
import { type ListRegister, listState } from './list-register.ts';
import {
  givesWay,
  hasSources,
  isPurelyPending,
  listAt,
  listOf,
  mostUrgent,
  none,
  offer,
  type Placement,
  putList,
  release,
  spill,
} from './placement.ts';
import { dequeue, enqueue, queued } from './queue.ts';

/** It becomes pending. An interrupt that is pending already stays so. */
export function raise(p: Placement, intid: number, source = 0): void {
  const { vm, vcpu } = p;
  const n = listOf(p, intid);
  const list = n === none ? undefined : (listAt(p, n) as ListRegister);
  if (hasSources(p, intid)) {
    const sources = vcpu.vgic.sgiSources[intid] as number;
    const isInList = list !== undefined && (list.state & listState.pending) !== 0 && list.source === source;
    if (isInList || ((sources >>> source) & 1) !== 0) return;
    vcpu.vgic.sgiSources[intid] = sources | (1 << source);
    if (list) putList(p, n, { ...list, wantsMaintenance: true });
  } else if (hasBit(vm, vcpu, intid, 'pending') || (list && (list.state & listState.pending) !== 0)) return;
  vcpu.injectedInterrupts += 1;
  const staysOut = !list || list.isPhysical || hasSources(p, intid) || !hasBit(vm, vcpu, intid, 'enabled');
  if (!staysOut) {
    putList(p, n, { ...list, state: list.state | listState.pending });
    return;
  }
  putBit(vm, vcpu, intid, 'pending', true);
  offer(p, intid);
}

/** It is pending no more. */
export function withdraw(p: Placement, intid: number): void {
  const { vm, vcpu } = p;
  const n = listOf(p, intid);
  const list = n === none ? undefined : (listAt(p, n) as ListRegister);
  const isInList = list !== undefined && (list.state & listState.pending) !== 0;
  const wasPending = isInList || hasBit(vm, vcpu, intid, 'pending');
  const isActive = (list && (list.state & listState.active) !== 0) || hasBit(vm, vcpu, intid, 'active');
  putBit(vm, vcpu, intid, 'pending', false);
  if (intid < firstPpi) vcpu.vgic.sgiSources[intid] = 0;
  dequeue(vcpu, 'spilledPending', intid);
  if (isInList) {
    putList(p, n, isActive ? { ...list, state: listState.active } : undefined);
    if (!isActive && intid >= firstSpi) vm.vgic.owner[intid] = 0;
  }
  if (wasPending && !isActive && isPhysical(vm, intid)) p.deactivated.push(intid);
}

/** It becomes active by a write of the guest. */
export function activate(p: Placement, intid: number): void {
  const { vm, vcpu } = p;
  const n = listOf(p, intid);
  if (n !== none) {
    const list = listAt(p, n) as ListRegister;
    putList(p, n, { ...list, state: list.isPhysical ? listState.active : list.state | listState.active });
    return;
  }
  dequeue(vcpu, 'spilledPending', intid);
  putBit(vm, vcpu, intid, 'active', true);
  if (intid >= firstSpi) vm.vgic.owner[intid] = vcpu.id + 1;
  enqueue(vcpu, 'spilledActive', intid);
}

/** It is active no more. */
export function deactivate(p: Placement, intid: number): void {
  const { vm, vcpu } = p;
  const n = listOf(p, intid);
  const list = n === none ? undefined : (listAt(p, n) as ListRegister);
  const isInList = list !== undefined && (list.state & listState.active) !== 0;
  if (!isInList && !hasBit(vm, vcpu, intid, 'active')) return;
  if (isPhysical(vm, intid)) p.deactivated.push(intid);
  if (isInList) {
    const state = list.state & ~listState.active;
    putList(p, n, state === 0 ? undefined : { ...list, state });
    if (state !== 0) return;
  }
  putBit(vm, vcpu, intid, 'active', false);
  dequeue(vcpu, 'spilledActive', intid);
  release(p, intid);
}

/** The guest has ended an active interrupt that is in no list register: by the priority drop, the most urgent one. */
export function endSpilled(p: Placement): void {
  const active = queued(p.vcpu, 'spilledActive');
  const ended = givesWay(p) ? active[0] : mostUrgent(p, active);
  if (ended !== undefined) deactivate(p, ended);
}

/** Its enable, priority or target has changed. */
export function reconsider(p: Placement, intid: number): void {
  const { rhyper, vm, vcpu } = p;
  const isEnabled = hasBit(vm, vcpu, intid, 'enabled');
  const n = listOf(p, intid);
  if (n === none) {
    const isOurs = intid < firstSpi || targetOf(rhyper, vm, intid) === vcpu;
    if (!isEnabled || !isOurs) dequeue(vcpu, 'spilledPending', intid);
    offer(p, intid);
    return;
  }
  const list = listAt(p, n) as ListRegister;
  const isMisplaced = intid >= firstSpi && targetOf(rhyper, vm, intid) !== vcpu;
  if (isPurelyPending(list) && (!isEnabled || isMisplaced || list.priority !== priorityOf(vm, vcpu, intid))) {
    spill(p, n);
    dequeue(vcpu, 'spilledPending', intid);
    offer(p, intid);
  } else if (!isEnabled && (list.state & listState.pending) !== 0) {
    putList(p, n, { ...list, state: listState.active });
    putBit(vm, vcpu, intid, 'pending', true);
  } else if (isEnabled && !list.isPhysical && hasBit(vm, vcpu, intid, 'pending') && !hasSources(p, intid)) {
    putList(p, n, { ...list, state: list.state | listState.pending });
    putBit(vm, vcpu, intid, 'pending', false);
  }
}
