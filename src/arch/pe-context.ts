// The working parts of one PE, which the files of this folder share, and how they read and write its record.

import type { ExclusiveMonitors } from '../memory/exclusive-monitors.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import type { Pairs } from '../memory/pairs.ts';
import type { BusAccesses } from './bus-accesses.ts';
import type { CoreIdentity } from './core-identity.ts';
import type { PeEnvironment, TimerKind } from './environment.ts';
import { pe } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import type { TimerOutput } from './timer-output.ts';
import type { Tlb } from './tlb.ts';

/** The answer of a translation; one record for each PE, used again and again. */
export interface Translation {
  /** `noFault`, or the fault status code with its level. */
  fault: number;
  /** Of a fault: stage 2 has found it. */
  isStage2: boolean;
  /** Of a fault of stage 2: on the address of a descriptor of stage 1 (S1PTW). */
  isWalk: boolean;
  /** The intermediate physical address that stage 2 has translated, or has found at fault. */
  ipa: number;
  /** What the stage that has been checked last permits, as bits of `need`. */
  granted: number;
  pa: number;
  /** As translation-attributes.ts packs them. */
  attributes: number;
  /** Index of the TLB entry, or -1 where neither stage is on. */
  entry: number;
}

export interface PeContext {
  readonly index: number;
  /** Byte address of the record. */
  readonly base: number;
  readonly memory: MemoryViews;
  /** `memory.words`. */
  readonly words: Uint32Array;
  readonly environment: PeEnvironment;
  readonly core: CoreIdentity;
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
  /** First physical address after RAM. */
  readonly ramEnd: number;
  readonly monitors: ExclusiveMonitors;
  /** Given where PEs of other threads use RAM at the same time. */
  readonly pairs: Pairs | undefined;
  /** This PE has cleared the global monitor of another one: a WFE wake-up event for it. */
  readonly monitorCleared: (pe: number) => void;
  readonly tlb: Tlb;
  readonly translation: Translation;
  readonly bus: BusAccesses;
  readonly timers: Readonly<Record<TimerKind, TimerOutput>>;
  /** Interrupt lines that are asserted: bits of interrupts.ts. */
  lines: number;
  /** By target exception level. */
  readonly exceptionsTaken: number[];
  /** Address of the second level of the soft TLBs, or 0 where nobody looks there. */
  secondTlb: number;
  /** Bit n: the soft TLB of ELn holds something. */
  softTlbInUse: number;
  /** Bit n: the soft TLB of ELn holds a page that EL0 may access: it must go when PSTATE.PAN is set. */
  userPagesInSoftTlb: number;
  /** The registers that the soft TLBs of EL0 and EL1 were filled under, as derived-state.ts lists them. */
  readonly world: Int32Array;
  /** One of them has been written while another level used its own soft TLB. */
  isWorldStale: boolean;
  /** HCR_EL2.E2H under which the soft TLB of EL2 was filled. */
  wasE2h: boolean;
  /** Ticks up to which PMCCNTR_EL0 has counted, or -1 while it stands still. */
  cyclesCountedUntil: number;
  /** Ticks up to which events of the event streams have reached the event register. */
  eventsSeenUntil: number;
}

// A register's value as two 32-bit halves; `offset` is a byte offset in the record.
export const low = (cx: PeContext, offset: number): number => cx.words[(cx.base + offset) >>> 2]!;
export const high = (cx: PeContext, offset: number): number => cx.words[(cx.base + offset + 4) >>> 2]!;

export function setPair(cx: PeContext, offset: number, lowValue: number, highValue: number): void {
  const at = (cx.base + offset) >>> 2;
  cx.words[at] = lowValue;
  cx.words[at + 1] = highValue;
}

export function setLow(cx: PeContext, offset: number, value: number): void {
  cx.words[(cx.base + offset) >>> 2] = value;
}

export function copy(cx: PeContext, to: number, from: number): void {
  const target = (cx.base + to) >>> 2;
  const source = (cx.base + from) >>> 2;
  cx.words[target] = cx.words[source]!;
  cx.words[target + 1] = cx.words[source + 1]!;
}

export const read64 = (cx: PeContext, offset: number): bigint => cx.memory.doublewords[(cx.base + offset) / 8]!;
export function write64(cx: PeContext, offset: number, value: bigint): void {
  cx.memory.doublewords[(cx.base + offset) / 8] = value;
}

/** PC += 4: past the present instruction. */
export function advancePc(cx: PeContext): void {
  const next = low(cx, pe.pc) + 4;
  setPair(cx, pe.pc, next, next > 0xffff_ffff ? high(cx, pe.pc) + 1 : high(cx, pe.pc));
}

// Fields of PSTATE, where SPSR_ELx has them.
export const PSTATE = {
  SP: 1,
  elShift: 2,
  F: 1 << 6,
  I: 1 << 7,
  A: 1 << 8,
  D: 1 << 9,
  btypeShift: 10,
  IL: 1 << 20,
  SS: 1 << 21,
  PAN: 1 << 22,
  UAO: 1 << 23,
} as const;

export const currentEl = (cx: PeContext): number => (low(cx, pe.pstate) >>> PSTATE.elShift) & 3;

// Fields of HCR_EL2 and SCR_EL3 that routing and translation read.
export const HCR = {
  VM: 1 << 0,
  SWIO: 1 << 1,
  PTW: 1 << 2,
  FMO: 1 << 3,
  IMO: 1 << 4,
  AMO: 1 << 5,
  /** FMO, IMO and AMO. */
  routing: 7 << 3,
  VF: 1 << 6,
  VI: 1 << 7,
  VSE: 1 << 8,
  FB: 1 << 9,
  BSU: 3 << 10,
  DC: 1 << 12,
  TWI: 1 << 13,
  TWE: 1 << 14,
  TID0: 1 << 15,
  TID1: 1 << 16,
  TID2: 1 << 17,
  TID3: 1 << 18,
  TSC: 1 << 19,
  TIDCP: 1 << 20,
  TACR: 1 << 21,
  TSW: 1 << 22,
  TPCP: 1 << 23,
  TPU: 1 << 24,
  TTLB: 1 << 25,
  TVM: 1 << 26,
  TGE: 1 << 27,
  TDZ: 1 << 28,
  HCD: 1 << 29,
  TRVM: 1 << 30,
} as const;
export const SCR = {
  NS: 1,
  IRQ: 1 << 1,
  FIQ: 1 << 2,
  EA: 1 << 3,
  SMD: 1 << 7,
  HCE: 1 << 8,
  SIF: 1 << 9,
  TWI: 1 << 12,
  TWE: 1 << 13,
  APK: 1 << 16,
  API: 1 << 17,
} as const;

const SCR_EL3 = slotOf('SCR_EL3');
const HCR_EL2 = slotOf('HCR_EL2');

/** SCR_EL3, or what it would hold where EL3 is not implemented: Non-secure state, HVC enabled. */
export const scr = (cx: PeContext): number => (cx.hasEl3 ? low(cx, SCR_EL3) : SCR.NS | SCR.HCE);

/** IsSecureBelowEL3(). */
export const isSecureBelowEl3 = (cx: PeContext): boolean => (scr(cx) & SCR.NS) === 0;
/** IsSecure(). */
export const isSecure = (cx: PeContext): boolean => (cx.hasEl3 && currentEl(cx) === 3) || isSecureBelowEl3(cx);
/** EL2Enabled(): Secure EL2 is not implemented. */
export const el2Enabled = (cx: PeContext): boolean => cx.hasEl2 && !isSecureBelowEl3(cx);
/** HCR_EL2.E2H in effect: EL2 is a host's level, with the EL2&0 translation regime (FEAT_VHE). */
export const isE2h = (cx: PeContext): boolean => el2Enabled(cx) && (high(cx, HCR_EL2) & (1 << 2)) !== 0;

/** Fields that behave as 0 while TGE is 1: no guest runs; and those that do so where E2H is 1 besides. IMO, FMO and AMO see below. */
const withoutGuest =
  HCR.SWIO | HCR.PTW | HCR.VF | HCR.VI | HCR.VSE | HCR.FB | HCR.TID1 | HCR.TID3 | HCR.TSC | HCR.TACR | HCR.TSW;
const withoutGuestToo = HCR.TTLB | HCR.TVM | HCR.HCD | HCR.TRVM;
const inHost = HCR.VM | HCR.routing | HCR.BSU | HCR.DC | HCR.TWI | HCR.TWE | HCR.TID0 | HCR.TID2;
const inHostToo = HCR.TIDCP | HCR.TPCP | HCR.TPU | HCR.TDZ;

/**
 * Bits [31:0] of HCR_EL2 in effect: 0 where EL2 is not enabled. With TGE some fields behave as 0, and FMO, IMO and AMO as 1, or as 0 where
 * E2H is 1: physical interrupts go to EL2 by TGE itself.
 */
export function hcr(cx: PeContext): number {
  if (!el2Enabled(cx)) return 0;
  const value = low(cx, HCR_EL2);
  if ((value & HCR.TGE) === 0) return value;
  const kept = value & ~(withoutGuest | withoutGuestToo);
  return isE2h(cx) ? kept & ~(inHost | inHostToo) : kept | HCR.routing;
}

/** HCR_EL2.{E2H, TGE} is {1, 1}: EL0 is an application of the host at EL2, in the EL2&0 regime. */
export const isHost = (cx: PeContext): boolean => isE2h(cx) && (low(cx, HCR_EL2) & HCR.TGE) !== 0;

/** The translation regime of an exception level: 1 (EL1&0), 2 (EL2, or EL2&0), 3. */
export const regimeOf = (cx: PeContext, el: number): number => (el !== 0 ? el : isHost(cx) ? 2 : 1);

/** True where a regime has two ranges of addresses, and permissions of its own for EL0: EL1&0 and EL2&0. */
export const hasTwoRanges = (cx: PeContext, regime: number): boolean => regime === 1 || (regime === 2 && isE2h(cx));
