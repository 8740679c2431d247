// What happens to an interrupt of a vCPU, wherever its state is: in a list register or in the record (placement.ts). A state machine
// as in Arm IHI 0069, "Interrupt handling state machine", with one departure that the list registers force: a physical interrupt
// is never active and pending, for its physical twin is active as long as it is.

import {
  firstPpi,
  firstSpi,
  groupOf,
  hasBit,
  isForwarded,
  isPhysical,
  priorityOf,
  putBit,
  targetOf,
} from './interrupt.ts';
import { type ListRegister, listState } from './list-register.ts';
import {
  collect,
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
  const staysOut = !list || list.isPhysical || hasSources(p, intid) || !isForwarded(p.rhyper, vm, vcpu, intid);
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

/** What one vCPU has sent of an SGI of GICv2 is pending no more. */
export function withdrawSender(p: Placement, intid: number, source: number): void {
  const { vm, vcpu } = p;
  const sources = (vcpu.vgic.sgiSources[intid] as number) & ~(1 << source);
  vcpu.vgic.sgiSources[intid] = sources;
  const n = listOf(p, intid);
  const list = n === none ? undefined : (listAt(p, n) as ListRegister);
  if (list && (list.state & listState.pending) !== 0 && list.source === source) {
    const isActive = (list.state & listState.active) !== 0;
    putList(p, n, isActive ? { ...list, state: listState.active } : undefined);
  }
  putBit(vm, vcpu, intid, 'pending', sources !== 0);
  if (sources === 0) dequeue(vcpu, 'spilledPending', intid);
  offer(p, intid);
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

/** Its enable, group, priority or target has changed. */
export function reconsider(p: Placement, intid: number): void {
  const { rhyper, vm, vcpu } = p;
  const isWanted = isForwarded(rhyper, vm, vcpu, intid);
  const n = listOf(p, intid);
  if (n === none) {
    const isOurs = intid < firstSpi || targetOf(rhyper, vm, intid) === vcpu;
    if (!isWanted || !isOurs) dequeue(vcpu, 'spilledPending', intid);
    offer(p, intid);
    return;
  }
  const list = listAt(p, n) as ListRegister;
  const isMisplaced = intid >= firstSpi && targetOf(rhyper, vm, intid) !== vcpu;
  const isStale = list.priority !== priorityOf(vm, vcpu, intid) || list.group !== groupOf(vm, vcpu, intid);
  if (isPurelyPending(list) && (!isWanted || isMisplaced || isStale)) {
    spill(p, n);
    dequeue(vcpu, 'spilledPending', intid);
    offer(p, intid);
  } else if (!isWanted && (list.state & listState.pending) !== 0) {
    putList(p, n, { ...list, state: listState.active });
    putBit(vm, vcpu, intid, 'pending', true);
  } else if (isWanted && !list.isPhysical && hasBit(vm, vcpu, intid, 'pending') && !hasSources(p, intid)) {
    putList(p, n, { ...list, state: list.state | listState.pending });
    putBit(vm, vcpu, intid, 'pending', false);
  }
}

/** What the distributor forwards at all has changed: enables of groups, or the sleep of the vCPU's redistributor. */
export function reconsiderAll(p: Placement): void {
  const { vcpu } = p;
  for (let n = 0; n < vcpu.vgic.listCount; n += 1) {
    const list = listAt(p, n);
    if (list) reconsider(p, list.intid);
  }
  for (const intid of queued(vcpu, 'spilledPending')) reconsider(p, intid);
  collect(p);
}
