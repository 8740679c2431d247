// The working parts of one PE, which the files of this folder share, and how they read and write its record.

import type { ExclusiveMonitors } from '../memory/exclusive-monitors.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
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
  pa: number;
  /** As translation.ts packs them. */
  attributes: number;
  /** Index of the TLB entry, or -1 where stage 1 is off. */
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
  /** Bit n: the soft TLB of ELn holds something. */
  softTlbInUse: number;
  /** The soft TLB of EL1 holds a page that EL0 may access: it must go when PSTATE.PAN is set. */
  userPagesInSoftTlb: boolean;
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
  IL: 1 << 20,
  SS: 1 << 21,
  PAN: 1 << 22,
  UAO: 1 << 23,
} as const;

export const currentEl = (cx: PeContext): number => (low(cx, pe.pstate) >>> PSTATE.elShift) & 3;

// Fields of HCR_EL2 and SCR_EL3 that routing and translation read.
export const HCR = {
  FMO: 1 << 3,
  IMO: 1 << 4,
  AMO: 1 << 5,
  VF: 1 << 6,
  VI: 1 << 7,
  VSE: 1 << 8,
  FB: 1 << 9,
  DC: 1 << 12,
  TWI: 1 << 13,
  TWE: 1 << 14,
  TSC: 1 << 19,
  TIDCP: 1 << 20,
  TGE: 1 << 27,
  HCD: 1 << 29,
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
/** HCR_EL2 in effect: 0 where EL2 is not enabled. */
export const hcr = (cx: PeContext): number => (el2Enabled(cx) ? low(cx, HCR_EL2) : 0);
/** HCR_EL2.E2H in effect: EL2 is a host's level, with the EL2&0 translation regime (FEAT_VHE). */
export const isE2h = (cx: PeContext): boolean => el2Enabled(cx) && (high(cx, HCR_EL2) & (1 << 2)) !== 0;
