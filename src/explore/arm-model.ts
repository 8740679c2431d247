// The order that Armv8-A prescribes inside a thread (Arm DDI 0487, B2.3 "Definition of the Arm memory model"): locally-ordered-before,
// with pick-ordered-before, and what DSB and context synchronization add.
//
// Fences are events of the order, so that "X; po; [fence]; po; Y" is two steps of it. All observers are in one Inner Shareable domain, so
// that ISH, OSH and SY order the same; NSH orders nothing between threads.
//
// Instruction fetches are ordered before what they fetch does and before all later instructions' effects but their fetches; a fetch comes
// after something only by context synchronization, or by what caches do (instruction-caches.ts). DC CVAU is ordered like an access by full
// barriers and on its own location, IC by DSB only.

import { isFetch } from '../memory-model/execution.ts';
import {
  hasBit,
  isAccess,
  isImplicit,
  isInOrder,
  isSameLocation,
  type LocalEvent,
  type LocalOrder,
  type OrderingModel,
  noAddress,
  OrderRows,
} from './local-event.ts';
import { instructionAt } from './memory-parts.ts';

type FenceKind = 'full' | 'ld' | 'st' | 'isb' | 'none';
interface Fence {
  readonly kind: FenceKind;
  readonly isDsb: boolean;
}

const noFence: Fence = { kind: 'none', isDsb: false };
const fences: ReadonlyMap<string, Fence> = new Map(
  (['DMB', 'DSB'] as const).flatMap((name) =>
    (['SY', 'ISH', 'OSH', 'LD', 'ISHLD', 'OSHLD', 'ST', 'ISHST', 'OSHST'] as const).map((option) => [
      `${name}.${option}`,
      { kind: option.endsWith('LD') ? 'ld' : option.endsWith('ST') ? 'st' : 'full', isDsb: name === 'DSB' },
    ]),
  ),
);

function fenceOf({ annotations }: LocalEvent): Fence {
  for (const name of annotations) {
    if (name === 'ISB' || name === 'CSE') return { kind: 'isb', isDsb: false };
    const fence = fences.get(name);
    if (fence) return fence;
  }
  return noFence;
}

/** A DSB that waits for cache maintenance. */
export const isFullDSB = (event: LocalEvent): boolean => {
  const fence = event.kind === 'F' ? fenceOf(event) : noFence;
  return fence.isDsb && fence.kind === 'full';
};

const isDC = ({ kind, annotations }: LocalEvent): boolean => kind === 'C' && annotations.has('DC.CVAU');
const isSameLine = (a: LocalEvent, b: LocalEvent): boolean =>
  a.address !== noAddress && b.address !== noAddress && instructionAt(a.address) === instructionAt(b.address);

const isAcquire = (e: LocalEvent): boolean => e.kind === 'R' && e.annotations.has('A');
const isAcquirePC = (e: LocalEvent): boolean => e.kind === 'R' && e.annotations.has('Q');
const isRelease = (e: LocalEvent): boolean => e.kind === 'W' && e.annotations.has('L');

/** Barrier-ordered-before, where `before` comes in program order before `event`, which is no write. */
const isAfterAcquire = (events: readonly LocalEvent[], before: LocalEvent): boolean =>
  isAcquire(before) ||
  isAcquirePC(before) ||
  (isRelease(before) && before.rmw?.kind === 'amo' && isAcquire(events[before.rmw.read]!));

/** Barrier-ordered-before, where `before` comes in program order before `event`; both are explicit accesses. */
function isBarrierOrdered(events: readonly LocalEvent[], before: LocalEvent, event: LocalEvent): boolean {
  if (isAcquire(before) || isAcquirePC(before) || isRelease(event)) return true;
  if (!isRelease(before)) return false;
  // A release before an acquire; an atomic with both is like a full barrier.
  return isAcquire(event) || (before.rmw?.kind === 'amo' && isAcquire(events[before.rmw.read]!));
}

const isTlbi = ({ kind, annotations }: LocalEvent): boolean => kind === 'F' && annotations.has('TLBI');
const isMMUFault = ({ kind, annotations }: LocalEvent): boolean => kind === 'F' && annotations.has('MMU');
/** The access or the walk is of a PE with FEAT_ETS2 or FEAT_ETS3. */
const hasETS = ({ annotations }: LocalEvent): boolean => annotations.has('ETS2') || annotations.has('ETS3');

/** What comes before a fence in program order and is ordered before it. */
function isBeforeFence({ kind, isDsb }: Fence, before: LocalEvent): boolean {
  if (before.isUnordered) return false;
  if (before.kind === 'F')
    return (kind === 'isb' && fenceOf(before).isDsb) || (kind === 'full' && isDsb && isTlbi(before));
  if (isImplicit(before)) return kind === 'full' && isDsb;
  switch (kind) {
    case 'full':
      // No DMB waits for an IC.
      return before.kind !== 'C' || isDsb || isDC(before);
    case 'ld':
      return before.kind === 'R' && !before.annotations.has('NoRet') && !isFetch(before);
    case 'st':
      return before.kind === 'W';
    case 'isb':
    case 'none':
      return false;
  }
}

/**
 * What comes after a fence in program order and is ordered after it. DSB ST lets nothing pass, DMB ST only holds back writes; a walk is
 * held back by context synchronization, and by DSB with FEAT_ETS2.
 */
function isAfterFence({ kind, isDsb }: Fence, event: LocalEvent): boolean {
  if (kind === 'none' || kind === 'isb') return kind === 'isb';
  if (event.kind === 'C') return isDsb || (kind === 'full' && isDC(event));
  if (isImplicit(event)) return isDsb && hasETS(event);
  if (event.kind === 'F') return isDsb || isMMUFault(event);
  return event.kind === 'W' || kind !== 'st' || isDsb;
}

/** Grows with the events of a thread. */
class ArmOrder {
  readonly #events: readonly LocalEvent[];
  readonly #order: OrderRows;
  /** Reads on which the address of an earlier instruction depends, and those that pick it. */
  readonly #earlierAddr = new Set<number>();
  readonly #earlierPickAddr = new Set<number>();
  /** Walks of earlier accesses. */
  readonly #earlierWalks = new Set<number>();
  /** By fault: what its context synchronization holds everything behind. */
  readonly #heldByFault = new Map<number, Uint32Array>();

  constructor(events: readonly LocalEvent[]) {
    this.#events = events;
    this.#order = new OrderRows(events.length);
  }

  run(): LocalOrder {
    const events = this.#events;
    for (let first = 0; first < events.length;) {
      let next = first + 1;
      while (next < events.length && events[next]!.instruction === events[first]!.instruction) next += 1;
      for (let n = first; n < next; n += 1) {
        const row = this.#order.next();
        const event = events[n]!;
        if (event.isUnordered) continue;
        if (event.kind === 'F') this.#fence(n, row);
        else if (isFetch(event)) this.#fetch(n, row);
        else if (event.kind === 'C') this.#maintenance(n, row);
        else if (isImplicit(event)) this.#implicit(n, row);
        else this.#access(n, row);
      }
      this.#shareAmongParts(first, next);
      for (let n = first; n < next; n += 1) this.#noteExplicit(events[n]!);
      first = next;
    }
    return this.#order.rows;
  }

  /** What an explicit access tells of later events. */
  #noteExplicit(event: LocalEvent): void {
    if (!isAccess(event) || isImplicit(event)) return;
    for (const read of event.addr.deps) this.#earlierAddr.add(read);
    for (const read of event.addr.picks) this.#earlierPickAddr.add(read);
    if (event.walk !== undefined) this.#earlierWalks.add(event.walk);
  }

  #fence(n: number, row: Uint32Array): void {
    const event = this.#events[n]!;
    const fence = fenceOf(event);
    const isFault = isMMUFault(event);
    // A fault is an event of its own: what its context synchronization holds back is not behind the fault itself.
    const held = isFault ? this.#order.emptyRow() : row;
    if (isFault) this.#heldByFault.set(n, held);
    for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
      const before = this.#events[earlier]!;
      const isOwnFetch = before.instruction === event.instruction && isFetch(before);
      if ((isOwnFetch && fence.kind === 'isb') || isBeforeFence(fence, before)) this.#order.addBefore(held, earlier);
    }
    if (isFault || isTlbi(event)) this.#point(n, row);
    if (fence.kind !== 'isb') return;
    // A context synchronization event waits for what decided that it is reached, and for the addresses and walks before it.
    this.#order.addAllBefore(held, event.ctrl.deps);
    this.#order.addAllBefore(held, event.ctrl.picks);
    this.#order.addAllBefore(held, this.#earlierAddr);
    this.#order.addAllBefore(held, this.#earlierPickAddr);
    this.#order.addAllBefore(held, this.#earlierWalks);
    if (event.walk === undefined) return;
    this.#order.addBefore(held, event.walk);
    this.#order.addAllBefore(held, this.#events[event.walk]!.addr.picks);
  }

  /** TLBI, or a fault of the MMU. */
  #point(n: number, row: Uint32Array): void {
    const event = this.#events[n]!;
    for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
      const before = this.#events[earlier]!;
      if (before.instruction === event.instruction) continue;
      if (before.kind === 'F') this.#addFence(row, earlier, event);
      else if (isFetch(before) || (isMMUFault(event) && !isImplicit(before) && isAfterAcquire(this.#events, before)))
        this.#order.addBefore(row, earlier);
    }
    if (event.walk !== undefined) this.#order.addBefore(row, event.walk);
    if (!isTlbi(event)) return;
    for (const { deps, picks } of [event.addr, event.ctrl]) {
      this.#order.addAllBefore(row, deps);
      this.#order.addAllBefore(row, picks);
    }
  }

  /** What a fence holds back is behind it, and behind what comes before it. */
  #addFence(row: Uint32Array, fence: number, event: LocalEvent): void {
    if (!isAfterFence(fenceOf(this.#events[fence]!), event)) return;
    const held = this.#heldByFault.get(fence);
    if (held === undefined) this.#order.addBefore(row, fence);
    else this.#order.addRow(row, held);
  }

  /** The read of a walk, or a write of hardware to a descriptor. */
  #implicit(n: number, row: Uint32Array): void {
    const order = this.#order;
    const event = this.#events[n]!;
    const isLate = this.#waitsForAccesses(n);
    for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
      const before = this.#events[earlier]!;
      if (before.instruction === event.instruction) continue;
      if (before.kind === 'F') this.#addFence(row, earlier, event);
      else if (
        isImplicit(before) ? this.#isWalkOrdered(earlier, event) : isFetch(before) || (isLate && isAccess(before))
      )
        order.addBefore(row, earlier);
    }
    order.addAllBefore(row, event.addr.deps);
    if (event.kind === 'R') return;
    order.addBefore(row, event.rmw!.read);
    order.addAllBefore(row, event.addr.picks);
    order.addAllBefore(row, event.ctrl.deps);
    order.addAllBefore(row, event.ctrl.picks);
    order.addAllBefore(row, this.#earlierAddr);
    order.addAllBefore(row, this.#earlierPickAddr);
  }

  /** FEAT_ETS2: a walk that leads to a fault which no TLB caches is behind all accesses before it; with FEAT_ETS3 to any fault. */
  #waitsForAccesses(n: number): boolean {
    const walk = this.#events[n]!;
    if (walk.kind !== 'R' || !hasETS(walk)) return false;
    const fault = this.#events.find((event) => isMMUFault(event) && event.walk === n);
    if (fault === undefined) return false;
    return walk.annotations.has('ETS3') || !fault.annotations.has('Permission');
  }

  /** A walk is ordered before a write behind the access that it was for, and before one to the descriptor that it read. */
  #isWalkOrdered(walk: number, event: LocalEvent): boolean {
    const before = this.#events[walk]!;
    if (before.kind !== 'R' || event.kind !== 'W') return false;
    return this.#earlierWalks.has(walk) || isSameLocation(before, event);
  }

  /** A fetch comes after what synchronized the context before it, and after nothing else of its thread. */
  #fetch(n: number, row: Uint32Array): void {
    for (let earlier = n - 1; earlier >= 0; earlier -= 1)
      if (fenceOf(this.#events[earlier]!).kind === 'isb') this.#order.addBefore(row, earlier);
  }

  #maintenance(n: number, row: Uint32Array): void {
    const order = this.#order;
    const event = this.#events[n]!;
    for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
      const before = this.#events[earlier]!;
      const isOrdered =
        before.kind === 'F'
          ? isAfterFence(fenceOf(before), event)
          : isFetch(before) || (isDC(event) && (isAccess(before) || isDC(before)) && isSameLine(before, event));
      if (isOrdered) order.addBefore(row, earlier);
    }
    for (const { deps, picks } of [event.addr, event.ctrl]) {
      order.addAllBefore(row, deps);
      order.addAllBefore(row, picks);
    }
  }

  #access(n: number, row: Uint32Array): void {
    const order = this.#order;
    const event = this.#events[n]!;
    for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
      const before = this.#events[earlier]!;
      if (before.isUnordered) continue;
      if (before.instruction === event.instruction) {
        if (isInOrder(before, event) || isFetch(before)) order.addBefore(row, earlier);
        continue;
      }
      if (before.kind === 'F') {
        this.#addFence(row, earlier, event);
        continue;
      }
      const isOrdered =
        before.kind === 'C'
          ? isDC(before) && isSameLine(before, event)
          : isImplicit(before)
            ? this.#isWalkOrdered(earlier, event)
            : isFetch(before) ||
              isBarrierOrdered(this.#events, before, event) ||
              (event.kind === 'W' && isSameLocation(before, event));
      if (isOrdered) order.addBefore(row, earlier);
    }
    if (event.walk !== undefined) order.addBefore(row, event.walk);
    order.addAllBefore(row, event.addr.deps);
    if (event.kind === 'R') this.#localSource(event, row);
    else this.#write(event, row);
  }

  /** Dependencies reach a read through the last write of its thread to the location. */
  #localSource(event: LocalEvent, row: Uint32Array): void {
    if (event.localSource === undefined) return;
    const source = this.#events[event.localSource]!;
    this.#order.addAllBefore(row, source.addr.deps);
    this.#order.addAllBefore(row, source.data.deps);
    if (source.rmw && !isImplicit(source) && (isAcquire(event) || isAcquirePC(event)))
      this.#order.addBefore(row, source.rmw.read);
  }

  #write(event: LocalEvent, row: Uint32Array): void {
    const order = this.#order;
    if (event.rmw) order.addBefore(row, event.rmw.read);
    for (const { deps, picks } of [event.addr, event.data, event.ctrl]) {
      order.addAllBefore(row, deps);
      order.addAllBefore(row, picks);
    }
    order.addAllBefore(row, this.#earlierAddr);
    order.addAllBefore(row, this.#earlierPickAddr);
    this.#pickLocallyOrdered(row);
  }

  /** pick-dep; lob: what a choice decided about an event that is ordered before this write is ordered before it as well. */
  #pickLocallyOrdered(row: Uint32Array): void {
    this.#events.forEach((before, n) => {
      if (!isAccess(before) || n >= this.#order.rows.length || !hasBit(row, n)) return;
      this.#order.addAllBefore(row, before.addr.picks);
      this.#order.addAllBefore(row, before.data.picks);
      this.#order.addAllBefore(row, before.ctrl.picks);
      if (before.localSource !== undefined) {
        this.#order.addAllBefore(row, this.#events[before.localSource]!.handsOn.picks);
      }
    });
  }

  /** What is ordered before a part of a write, by location, is ordered before all of it (single-copy atomicity). */
  #shareAmongParts(first: number, next: number): void {
    for (let n = first + 1; n < next; n += 1) {
      const [before, event] = [this.#events[n - 1]!, this.#events[n]!];
      if (event.kind !== 'W' || before.access !== event.access) continue;
      const rows = this.#order.rows;
      for (let part = n; part > first && this.#events[part - 1]!.access === event.access; part -= 1) {
        rows[part - 1]!.forEach((word, at) => (rows[n]![at] = (rows[n]![at] as number) | word));
      }
      for (let part = n; part > first && this.#events[part - 1]!.access === event.access; part -= 1) {
        rows[part - 1]!.set(rows[n]!);
      }
    }
  }
}

export const arm: OrderingModel = {
  name: 'arm',
  hasHazards: true,
  hasTranslation: true,
  outcomes: 'guessed',
  // A control dependency orders only writes, and these come after picks, too.
  distinguishesSources: 'addresses and data',
  fetches: 'by caches',
  order: (events) => new ArmOrder(events).run(),
};
