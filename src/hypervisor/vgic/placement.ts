// Which interrupts of a vCPU are in its list registers (section 7.4 of the ancestor's description; Arm IHI 0069, "Maintenance
// interrupts"). Everything here works on the vCPU's record, at once: delivery.ts brings the record and the PE together.
//
// List registers hold the pending interrupts of highest priority. What does not fit waits in the record: NPIE tells when the last
// pending one has been taken. Where every list register holds an active interrupt, the least urgent one is taken out, so
// that what is pending can preempt; its end is then counted in EOIcount, or, with EOImode 1, its ICV_DIR_EL1 is trapped.
//
// With the quirk a full set gives way to any newcomer, and is filled again in the order of arrival.

import { hasQuirk, type Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';
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
import { decodeList, encodeList, type ListRegister, listState } from './list-register.ts';
import { dequeue, enqueue, queued } from './queue.ts';

/** One change of a vCPU's virtual interface, and what it leaves to be done outside of the record. */
export interface Placement {
  readonly rhyper: Rhyper;
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** Physical interrupts to be deactivated. */
  readonly deactivated: number[];
  /** SPIs that another vCPU has to look at. */
  readonly elsewhere: number[];
}

export const none = -1;
const isVersion2 = ({ rhyper }: Placement): boolean => rhyper.platform.gicVersion === 2;
/** An SGI of GICv2 is pending once for each vCPU that has sent it. */
export const hasSources = (p: Placement, intid: number): boolean => isVersion2(p) && intid < firstPpi;
export const givesWay = ({ rhyper }: Placement): boolean => hasQuirk(rhyper, 'lr-victim-ignores-newcomer');

export function listAt({ vcpu }: Placement, n: number): ListRegister | undefined {
  const lr = vcpu.vgic.lr[n] as bigint;
  return lr === 0n ? undefined : decodeList(lr);
}

export function putList({ vcpu }: Placement, n: number, list: ListRegister | undefined): void {
  vcpu.vgic.lr[n] = list ? encodeList(list) : 0n;
}

/** The first list register that `holds`, or -1. */
function firstList(p: Placement, holds: (list: ListRegister | undefined) => boolean): number {
  for (let n = 0; n < p.vcpu.vgic.listCount; n += 1) if (holds(listAt(p, n))) return n;
  return none;
}

export const listOf = (p: Placement, intid: number): number => firstList(p, (list) => list?.intid === intid);
const freeList = (p: Placement): number => firstList(p, (list) => list === undefined);
export const isPurelyPending = (list: ListRegister | undefined): boolean => list?.state === listState.pending;

export const hasPending = (p: Placement): boolean => firstList(p, isPurelyPending) !== none;

/** Of the list registers in this state the least urgent one, by priority and INTID; -1 without any. */
function leastUrgent(p: Placement, isCandidate: (list: ListRegister) => boolean): number {
  let worst = none;
  let worstRank = -1;
  for (let n = 0; n < p.vcpu.vgic.listCount; n += 1) {
    const list = listAt(p, n);
    if (!list || !isCandidate(list)) continue;
    const rank = list.priority * 1024 + list.intid;
    if (rank > worstRank) [worst, worstRank] = [n, rank];
  }
  return worst;
}

/** Of interrupts that wait the most urgent one, the first of equals. */
export function mostUrgent({ vm, vcpu }: Placement, intids: readonly number[]): number | undefined {
  let best: number | undefined;
  for (const intid of intids)
    if (best === undefined || priorityOf(vm, vcpu, intid) < priorityOf(vm, vcpu, best)) best = intid;
  return best;
}

/** Of the vCPUs that have sent an SGI the one whose SGI is taken next. */
export const nextSource = (sources: number): number => (sources === 0 ? 0 : 31 - Math.clz32(sources));
const activeSource = (p: Placement, intid: number): number =>
  hasSources(p, intid) ? (p.vcpu.vgic.sgiActiveSource[intid] as number) : 0;

/** Moves an interrupt from the record into a free list register. */
function fill(p: Placement, n: number, intid: number): void {
  const { vm, vcpu } = p;
  dequeue(vcpu, 'spilledPending', intid);
  dequeue(vcpu, 'spilledActive', intid);
  const physical = isPhysical(vm, intid);
  const isActive = hasBit(vm, vcpu, intid, 'active');
  // A physical interrupt cannot be pending again while it is active; an SGI of GICv2 has one source in a list register.
  const staysOut = isActive && (physical || hasSources(p, intid));
  const isPending = hasBit(vm, vcpu, intid, 'pending') && !staysOut;
  const sources = hasSources(p, intid) ? (vcpu.vgic.sgiSources[intid] as number) : 0;
  const source = isPending ? nextSource(sources) : isActive ? activeSource(p, intid) : 0;
  const moreSources = isPending ? sources & ~(1 << source) : sources;
  putList(p, n, {
    state: (isPending ? listState.pending : 0) | (isActive ? listState.active : 0),
    intid,
    source,
    priority: priorityOf(vm, vcpu, intid),
    isPhysical: physical,
    wantsMaintenance: intid >= firstSpi || moreSources !== 0,
    group: groupOf(vm, vcpu, intid),
  });
  if (intid < firstPpi) vcpu.vgic.sgiSources[intid] = moreSources;
  if (isPending) putBit(vm, vcpu, intid, 'pending', moreSources !== 0);
  putBit(vm, vcpu, intid, 'active', false);
  if (intid >= firstSpi) vm.vgic.owner[intid] = vcpu.id + 1;
}

/** Takes what a list register holds back into the record. */
export function spill(p: Placement, n: number): void {
  const { vm, vcpu } = p;
  const list = listAt(p, n);
  if (!list) return;
  const { intid } = list;
  putList(p, n, undefined);
  if ((list.state & listState.pending) !== 0) {
    putBit(vm, vcpu, intid, 'pending', true);
    if (hasSources(p, intid))
      vcpu.vgic.sgiSources[intid] = (vcpu.vgic.sgiSources[intid] as number) | (1 << list.source);
  }
  if ((list.state & listState.active) !== 0) {
    putBit(vm, vcpu, intid, 'active', true);
    if (hasSources(p, intid)) vcpu.vgic.sgiActiveSource[intid] = list.source;
    enqueue(vcpu, 'spilledActive', intid);
  } else {
    if (intid >= firstSpi) vm.vgic.owner[intid] = 0;
    if (isForwarded(p.rhyper, vm, vcpu, intid)) enqueue(vcpu, 'spilledPending', intid);
  }
}

/** Puts an interrupt that is to be signalled where it belongs, if it is this vCPU's. */
export function offer(p: Placement, intid: number): void {
  const { rhyper, vm, vcpu } = p;
  if (!hasBit(vm, vcpu, intid, 'pending')) return;
  if (intid >= firstSpi) {
    const owner = vm.vgic.owner[intid] as number;
    const isOurs = owner === 0 ? targetOf(rhyper, vm, intid) === vcpu : owner === vcpu.id + 1;
    if (!isOurs) {
      p.elsewhere.push(intid);
      return;
    }
  }
  if (!isForwarded(rhyper, vm, vcpu, intid)) return;
  if (hasBit(vm, vcpu, intid, 'active') || listOf(p, intid) !== none) return;
  if (givesWay(p)) placeGivingWay(p, intid);
  else if (enqueue(vcpu, 'spilledPending', intid)) settle(p);
}

/** The quirk: the victim is the first of lowest priority, whatever the newcomer's; priority 0 is never one. */
function placeGivingWay(p: Placement, intid: number): void {
  const victimOf = (isCandidate: (list: ListRegister) => boolean): number => {
    let victim = none;
    let lowest = 0;
    let candidates = 0;
    for (let n = 0; n < p.vcpu.vgic.listCount; n += 1) {
      const list = listAt(p, n);
      if (!list || !isCandidate(list)) continue;
      candidates += 1;
      if (list.priority > lowest) [victim, lowest] = [n, list.priority];
    }
    return candidates > 1 ? victim : none;
  };
  let n = freeList(p);
  if (n === none) n = victimOf(isPurelyPending);
  if (n === none) n = victimOf((list) => (list.state & listState.active) !== 0);
  if (n === none) {
    enqueue(p.vcpu, 'spilledPending', intid);
    return;
  }
  spill(p, n);
  fill(p, n, intid);
}

/** Brings the most urgent interrupts into the list registers. */
function settle(p: Placement): void {
  const { vm, vcpu } = p;
  if (vcpu.vgic.listCount === 0) return;
  for (;;) {
    const next = mostUrgent(p, queued(vcpu, 'spilledPending'));
    if (next === undefined) break;
    let n = freeList(p);
    if (n === none) {
      n = leastUrgent(p, isPurelyPending);
      if (n === none) n = leastUrgent(p, () => true);
      else if ((listAt(p, n) as ListRegister).priority <= priorityOf(vm, vcpu, next)) break;
    }
    spill(p, n);
    fill(p, n, next);
  }
  for (;;) {
    const n = freeList(p);
    const next = mostUrgent(p, queued(vcpu, 'spilledActive'));
    if (n === none || next === undefined) break;
    fill(p, n, next);
  }
}

/** The quirk's way to fill list registers that have become free: heads of the lists, active ones once something is pending. */
function refillInOrder(p: Placement): void {
  const heads = (): { pending: number | undefined; active: number | undefined } => ({
    pending: queued(p.vcpu, 'spilledPending')[0],
    active: queued(p.vcpu, 'spilledActive')[0],
  });
  for (;;) {
    const n = freeList(p);
    const { pending, active } = heads();
    const next = hasPending(p) ? (active ?? pending) : (pending ?? active);
    if (n === none || next === undefined) break;
    fill(p, n, next);
  }
  const { pending } = heads();
  if (pending === undefined || hasPending(p)) return;
  // All are active: the maintenance interrupt would never end.
  dequeue(p.vcpu, 'spilledPending', pending);
  placeGivingWay(p, pending);
}

export function refill(p: Placement): void {
  if (givesWay(p)) refillInOrder(p);
  else settle(p);
}

/** Frees the list registers whose interrupts are over. */
export function fold(p: Placement): void {
  for (let n = 0; n < p.vcpu.vgic.listCount; n += 1) {
    const list = listAt(p, n);
    if (list?.state !== 0) continue;
    putList(p, n, undefined);
    release(p, list.intid);
  }
}

/** Offers what has become pending in the record without a look at the list registers. */
export function collect(p: Placement): void {
  const { rhyper, vm, vcpu } = p;
  const visit = (bits: number, firstIntid: number): void => {
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      const intid = firstIntid + 31 - Math.clz32(rest & -rest);
      if (intid < firstSpi || (vm.vgic.owner[intid] === 0 && targetOf(rhyper, vm, intid) === vcpu)) offer(p, intid);
    }
  };
  visit(vcpu.vgic.pending[0] as number, 0);
  vm.vgic.pending.forEach((bits, word) => {
    if (word > 0) visit(bits, 32 * word);
  });
}

/** An interrupt is no longer in a list register or active: it may be pending anew. */
export function release(p: Placement, intid: number): void {
  if (intid >= firstSpi) p.vm.vgic.owner[intid] = 0;
  offer(p, intid);
}
