// PMCCNTR_EL0 (Arm ARM, "The Performance Monitors Extension"): one cycle is one tick of 1 ns. The counter is brought up to date
// before whatever decides that it counts changes: PMCR_EL0, PMCNTENSET_EL0, PMCCFILTR_EL0, and the exception level.

import { never } from './environment.ts';
import { currentEl, isSecure, low, type PeContext, read64, write64 } from './pe-context.ts';
import { slotOf } from './system-registers.ts';
import { allBits } from './register-row.ts';

const PMCR_EL0 = slotOf('PMCR_EL0');
const PMCNTENSET_EL0 = slotOf('PMCNTENSET_EL0');
const PMCCNTR_EL0 = slotOf('PMCCNTR_EL0');
const PMCCFILTR_EL0 = slotOf('PMCCFILTR_EL0');
const PMOVSSET_EL0 = slotOf('PMOVSSET_EL0');
const PMINTENSET_EL1 = slotOf('PMINTENSET_EL1');

const PMCR = { E: 1, C: 1 << 2 } as const;
/** Of PMCCFILTR_EL0. */
const filter = { P: 1 << 31, U: 1 << 30, NSK: 1 << 29, NSU: 1 << 28, NSH: 1 << 27, M: 1 << 26 } as const;

function isFiltered(cx: PeContext): boolean {
  const bits = low(cx, PMCCFILTR_EL0);
  if (bits === 0) return false;
  const P = (bits & filter.P) !== 0;
  const U = (bits & filter.U) !== 0;
  switch (currentEl(cx)) {
    case 0:
      return isSecure(cx) ? U : U !== ((bits & filter.NSU) !== 0);
    case 1:
      return isSecure(cx) ? P : P !== ((bits & filter.NSK) !== 0);
    case 2:
      return (bits & filter.NSH) === 0;
    default:
      return P !== ((bits & filter.M) !== 0);
  }
}

const isEnabled = (cx: PeContext): boolean =>
  (low(cx, PMCR_EL0) & PMCR.E) !== 0 && low(cx, PMCNTENSET_EL0) !== 0 && !isFiltered(cx);

/**
 * Counts up to now with the enables that have been in force since the last time. `cx.cyclesCountedUntil` is -1 while the
 * counter stands still.
 */
export function synchroniseCycleCounter(cx: PeContext): void {
  const wasCounting = cx.cyclesCountedUntil >= 0;
  const isCounting = isEnabled(cx);
  if (!wasCounting && !isCounting) return;
  const now = cx.environment.now();
  if (wasCounting) addCycles(cx, now - cx.cyclesCountedUntil);
  cx.cyclesCountedUntil = isCounting ? now : -1;
}

function addCycles(cx: PeContext, cycles: number): void {
  const sum = read64(cx, PMCCNTR_EL0) + BigInt(cycles);
  write64(cx, PMCCNTR_EL0, sum);
  if (sum <= allBits) return;
  write64(cx, PMOVSSET_EL0, 1n << 31n);
  updatePerformanceInterrupt(cx);
}

/** Brings the overflow interrupt line up to date, and the time at which the counter will overflow. */
export function updatePerformanceInterrupt(cx: PeContext): void {
  const isArmed = (low(cx, PMCR_EL0) & PMCR.E) !== 0 && low(cx, PMINTENSET_EL1) !== 0;
  const level = isArmed && low(cx, PMOVSSET_EL0) !== 0;
  let deadlineTicks = never;
  if (isArmed && !level && cx.cyclesCountedUntil >= 0) {
    const ticks = cx.cyclesCountedUntil + Number(allBits + 1n - read64(cx, PMCCNTR_EL0));
    if (ticks <= Number.MAX_SAFE_INTEGER) deadlineTicks = ticks;
  }
  const output = cx.timers.PMU;
  if (output.level === level && output.deadlineTicks === deadlineTicks) return;
  output.level = level;
  output.deadlineTicks = deadlineTicks;
  cx.environment.timer('PMU', deadlineTicks, level);
}

/** PMCR_EL0.C: resets the counter. PMCR_EL0 itself has been written. */
export function controlCycleCounter(cx: PeContext, value: bigint): void {
  if ((Number(value) & PMCR.C) !== 0) write64(cx, PMCCNTR_EL0, 0n);
}
