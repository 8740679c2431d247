// The state of interrupts, one bit each: what the distributor keeps of SPIs and a redistributor of the rest. The lifecycle that
// these bits spell is drawn in interrupt-lifecycle.ts; a property test holds the two equal.
//
// Both parts offer a pending interrupt to the next one (the distributor to a redistributor, a redistributor to the CPU
// interface), and hear later whether it was taken or given back. Edges that arrive in between are the delicate case: the
// interrupt may have been taken before the edge, which then is an interrupt of its own, or not, and then both are one. So an
// edge that meets an offered interrupt is kept apart (`again`) and sent after the offer (a reissue, which carries it:
// `carried`); the answers tell which of the two it was. No edge is lost, and none makes two interrupts of one.

import { firstSpi, group, type Group, groupBit } from './groups.ts';

const bitNames = [
  'enabled',
  'group',
  'groupModifier',
  'edge',
  'line',
  'latch',
  'again',
  'carried',
  'active',
  'offered',
  'reissued',
] as const;
type BitName = (typeof bitNames)[number];

export interface SavedInterruptState {
  readonly bits: Record<BitName, number[]>;
  readonly priority: readonly number[];
}

export class InterruptState {
  readonly words: number;
  /** ISENABLER. */
  readonly enabled: Uint32Array;
  /** IGROUPR and IGRPMODR. */
  readonly group: Uint32Array;
  readonly groupModifier: Uint32Array;
  /** ICFGR: edge-triggered; else level-sensitive. */
  readonly edge: Uint32Array;
  /** The wire is high. */
  readonly line: Uint32Array;
  /** Pending by an edge or by software. */
  readonly latch: Uint32Array;
  /** Pending by an edge that came while the interrupt was offered. */
  readonly again: Uint32Array;
  /** Pending by an edge that a reissue carries. */
  readonly carried: Uint32Array;
  /** ISACTIVER. */
  readonly active: Uint32Array;
  /** An offer waits for its answer. */
  readonly offered: Uint32Array;
  /** A reissue waits for its answer. */
  readonly reissued: Uint32Array;
  readonly priority: Uint8Array;

  constructor(words: number) {
    this.words = words;
    const bitmap = (): Uint32Array => new Uint32Array(words);
    this.enabled = bitmap();
    this.group = bitmap();
    this.groupModifier = bitmap();
    this.edge = bitmap();
    this.line = bitmap();
    this.latch = bitmap();
    this.again = bitmap();
    this.carried = bitmap();
    this.active = bitmap();
    this.offered = bitmap();
    this.reissued = bitmap();
    this.priority = new Uint8Array(words * 32);
  }

  /** Pending interrupts of a word: latched, or level-sensitive with the line high. */
  pendingWord(w: number): number {
    return this.latch[w]! | this.again[w]! | this.carried[w]! | (this.line[w]! & ~this.edge[w]!);
  }

  isPending(intid: number): boolean {
    return ((this.pendingWord(intid >> 5) >>> (intid & 31)) & 1) === 1;
  }

  /** Interrupts of a word that belong to one of the groups in the mask. */
  inGroups(w: number, groups: number, disableSecurity: boolean): number {
    const group1 = this.group[w]!;
    const modifier = disableSecurity ? 0 : this.groupModifier[w]!;
    return (
      (groups & groupBit(group.group1NonSecure) ? group1 : 0) |
      (groups & groupBit(group.group1Secure) ? ~group1 & modifier : 0) |
      (groups & groupBit(group.group0) ? ~group1 & ~modifier : 0)
    );
  }

  groupOf(intid: number, disableSecurity: boolean): Group {
    if (test(this.group, intid)) return group.group1NonSecure;
    return !disableSecurity && test(this.groupModifier, intid) ? group.group1Secure : group.group0;
  }

  /** The wire goes high. */
  raise(intid: number): void {
    if (test(this.line, intid)) return;
    setBit(this.line, intid);
    if (test(this.edge, intid)) this.pend(intid);
  }

  /** The wire goes low. */
  lower(intid: number): void {
    clearBit(this.line, intid);
  }

  /** An edge, an SGI, or a write to ISPENDR. */
  pend(intid: number): void {
    setBit(test(this.offered, intid) ? this.again : this.latch, intid);
  }

  /** A write to ICPENDR; the line of a level-sensitive interrupt keeps it pending. */
  unpend(intid: number): void {
    clearBit(this.latch, intid);
    clearBit(this.again, intid);
    clearBit(this.carried, intid);
  }

  offer(intid: number): void {
    setBit(this.offered, intid);
  }

  /** The offer is repeated, for an edge that came after it. */
  reissue(intid: number): void {
    setBit(this.reissued, intid);
    clearBit(this.again, intid);
    setBit(this.carried, intid);
  }

  /** Whether the interrupt waits for a reissue that has not been sent. */
  needsReissue(intid: number): boolean {
    return test(this.again, intid) && !test(this.reissued, intid);
  }

  /** The offer was taken. What came since then is a new interrupt. */
  activate(intid: number): void {
    const pendingAgain = test(this.again, intid) || test(this.carried, intid);
    this.unpend(intid);
    if (pendingAgain) setBit(this.latch, intid);
    clearBit(this.offered, intid);
    setBit(this.active, intid);
  }

  /** The offer, or the earlier of offer and reissue, was given back. What came since then is the same interrupt. */
  release(intid: number): void {
    const latched = test(this.latch, intid) || test(this.carried, intid);
    clearBit(this.carried, intid);
    if (latched) setBit(this.latch, intid);
    if (test(this.reissued, intid)) {
      clearBit(this.reissued, intid);
      return;
    }
    clearBit(this.offered, intid);
    if (test(this.again, intid)) {
      clearBit(this.again, intid);
      setBit(this.latch, intid);
    }
  }

  deactivate(intid: number): void {
    clearBit(this.active, intid);
  }

  /** Whether nothing about the interrupt waits for an answer. */
  isWithheld(intid: number): boolean {
    return !test(this.offered, intid) && !test(this.reissued, intid);
  }

  save(): SavedInterruptState {
    const bits = Object.fromEntries(bitNames.map((name) => [name, Array.from(this[name])])) as Record<
      BitName,
      number[]
    >;
    return { bits, priority: Array.from(this.priority) };
  }

  restore(saved: SavedInterruptState): void {
    for (const name of bitNames) this[name].set(saved.bits[name]);
    this.priority.set(saved.priority);
  }
}

export const test = (bits: Uint32Array, intid: number): boolean => ((bits[intid >> 5]! >>> (intid & 31)) & 1) === 1;

export function setBit(bits: Uint32Array, intid: number): void {
  bits[intid >> 5]! |= 1 << (intid & 31);
}

export function clearBit(bits: Uint32Array, intid: number): void {
  bits[intid >> 5]! &= ~(1 << (intid & 31));
}

/** The lowest set bit of a word that is not 0. */
export const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

export const isSpi = (intid: number): boolean => intid >= firstSpi;
