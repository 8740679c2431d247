// The Generic Timer (Arm ARM, "The Generic Timer in AArch64 state"): the system counter, five timers and the event stream.
// The counter is simulated time: floor(ticks / 16). A timer's output line is level-sensitive: ENABLE and not IMASK and ISTATUS.

import { never, type TimerKind } from './environment.ts';
import { currentEl, isE2h, isHost, low, type PeContext, read64, setLow, write64 } from './pe-context.ts';
import { synchroniseCycleCounter, updatePerformanceInterrupt } from './performance-monitors.ts';
import { allBits } from './register-row.ts';
import { ticksPerCount } from './registers/timer.ts';
import { pe } from './state-layout.ts';
import { slotOf } from './system-registers.ts';

export type CounterTimer = Exclude<TimerKind, 'events' | 'PMU'>;

/** Names of a timer's registers, and the offsets of those that are kept. */
interface TimerRegisters {
  readonly names: { readonly TVAL: string; readonly CTL: string; readonly CVAL: string };
  readonly CTL: number;
  readonly CVAL: number;
}

function timerRegisters(kind: CounterTimer, el: string): TimerRegisters {
  const names = { TVAL: `${kind}_TVAL_${el}`, CTL: `${kind}_CTL_${el}`, CVAL: `${kind}_CVAL_${el}` };
  return { names, CTL: slotOf(names.CTL), CVAL: slotOf(names.CVAL) };
}

const slots: Readonly<Record<CounterTimer, TimerRegisters>> = {
  CNTP: timerRegisters('CNTP', 'EL0'),
  CNTV: timerRegisters('CNTV', 'EL0'),
  CNTHP: timerRegisters('CNTHP', 'EL2'),
  CNTHV: timerRegisters('CNTHV', 'EL2'),
  CNTPS: timerRegisters('CNTPS', 'EL1'),
};
export const timerControl = (kind: CounterTimer): TimerRegisters => slots[kind];
export const counterTimers: readonly CounterTimer[] = ['CNTP', 'CNTV', 'CNTHP', 'CNTHV', 'CNTPS'];
const CNTVOFF_EL2 = slotOf('CNTVOFF_EL2');
const CNTKCTL_EL1 = slotOf('CNTKCTL_EL1');
const CNTHCTL_EL2 = slotOf('CNTHCTL_EL2');

const CTL = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const;

/** PhysicalCountInt(). */
export const physicalCount = (cx: PeContext): bigint => BigInt(Math.floor(cx.environment.now() / ticksPerCount));
const virtualCount = (cx: PeContext): bigint => (physicalCount(cx) - virtualOffset(cx)) & allBits;
/** CNTVCT_EL0: without the offset in a host, at EL2 and EL0. */
export function visibleVirtualCount(cx: PeContext): bigint {
  const el = currentEl(cx);
  const isInHost = (el === 2 && isE2h(cx)) || (el === 0 && isHost(cx));
  return isInHost ? physicalCount(cx) : virtualCount(cx);
}
const virtualOffset = (cx: PeContext): bigint => (cx.hasEl2 ? read64(cx, CNTVOFF_EL2) : 0n);

/** The count of a timer. CNTHV, the host's virtual timer, has an offset of 0. */
const countOf = (cx: PeContext, kind: CounterTimer): bigint => (kind === 'CNTV' ? virtualCount(cx) : physicalCount(cx));

const isConditionMet = (cx: PeContext, kind: CounterTimer): boolean =>
  countOf(cx, kind) >= read64(cx, slots[kind].CVAL);

/** Brings the output of a timer up to date with its registers and the time. */
export function updateTimer(cx: PeContext, kind: CounterTimer): void {
  const control = low(cx, slots[kind].CTL);
  let deadlineTicks = never;
  let level = false;
  if ((control & CTL.ENABLE) !== 0 && (control & CTL.IMASK) === 0) {
    level = isConditionMet(cx, kind);
    if (!level) {
      const physicalDeadline = physicalCount(cx) + read64(cx, slots[kind].CVAL) - countOf(cx, kind);
      const ticks = Number(physicalDeadline) * ticksPerCount;
      if (ticks <= Number.MAX_SAFE_INTEGER) deadlineTicks = ticks;
    }
  }
  report(cx, kind, deadlineTicks, level);
}

function report(cx: PeContext, kind: TimerKind, deadlineTicks: number, level: boolean): void {
  const output = cx.timers[kind];
  if (output.deadlineTicks === deadlineTicks && output.level === level) return;
  output.deadlineTicks = deadlineTicks;
  output.level = level;
  cx.environment.timer(kind, deadlineTicks, level);
}

export const readControl = (cx: PeContext, kind: CounterTimer): bigint =>
  BigInt(low(cx, slots[kind].CTL) | (isConditionMet(cx, kind) && isTimerEnabled(cx, kind) ? CTL.ISTATUS : 0));

const isTimerEnabled = (cx: PeContext, kind: CounterTimer): boolean => (low(cx, slots[kind].CTL) & CTL.ENABLE) !== 0;

export const readTimerValue = (cx: PeContext, kind: CounterTimer): bigint =>
  (read64(cx, slots[kind].CVAL) - countOf(cx, kind)) & 0xffff_ffffn;

export function writeTimerValue(cx: PeContext, kind: CounterTimer, value: bigint): void {
  write64(cx, slots[kind].CVAL, (countOf(cx, kind) + BigInt.asIntN(32, value)) & allBits);
  updateTimer(cx, kind);
}

export function timerReset(cx: PeContext): void {
  for (const kind of counterTimers) updateTimer(cx, kind);
  cancelEventStream(cx);
}

// The event stream. Each stream sets the event register when bit EVNTI of its counter changes to 1 (EVNTDIR 0) or to 0. While the
// PE runs nobody counts: whether an event has happened is asked for when WFE asks for it, by comparing the number of events
// up to now with the number at the last WFE, which is kept as the time of that WFE.

interface Stream {
  readonly isEnabled: boolean;
  readonly bit: number;
  readonly isFalling: boolean;
  readonly offset: bigint;
}

function streams(cx: PeContext): Stream[] {
  const streamOf = (control: number, offset: bigint): Stream => ({
    isEnabled: (control & 4) !== 0,
    isFalling: (control & 8) !== 0,
    bit: (control >>> 4) & 15,
    offset,
  });
  const virtual = streamOf(low(cx, CNTKCTL_EL1), virtualOffset(cx));
  return cx.hasEl2 ? [virtual, streamOf(low(cx, CNTHCTL_EL2), 0n)] : [virtual];
}

/** How many events a stream has had up to a time; the events of a falling stream are half a period later. */
function eventsUntil(stream: Stream, ticks: number): bigint {
  const count = (BigInt(Math.floor(ticks / ticksPerCount)) - stream.offset) & allBits;
  const half = 1n << BigInt(stream.bit);
  return (count + (stream.isFalling ? 0n : half)) >> BigInt(stream.bit + 1);
}

/** Ticks of the first event after a time. */
function nextEvent(stream: Stream, ticks: number): number {
  const physical = BigInt(Math.floor(ticks / ticksPerCount));
  const count = (physical - stream.offset) & allBits;
  const half = 1n << BigInt(stream.bit);
  const period = half * 2n;
  const phase = (count + (stream.isFalling ? 0n : half)) % period;
  return Number(physical + (period - phase)) * ticksPerCount;
}

/** True where an enabled event stream has had an event between two times. */
export function hasStreamEvent(cx: PeContext, fromTicks: number, untilTicks: number): boolean {
  return streams(cx).some((s) => s.isEnabled && eventsUntil(s, untilTicks) !== eventsUntil(s, fromTicks));
}

/** A PE goes to sleep in WFE: asks to be called at the next event of a stream. */
export function armEventStream(cx: PeContext): void {
  const now = cx.environment.now();
  const deadlines = streams(cx)
    .filter((s) => s.isEnabled)
    .map((s) => nextEvent(s, now));
  report(cx, 'events', Math.min(never, ...deadlines), false);
}

export const cancelEventStream = (cx: PeContext): void => report(cx, 'events', never, false);

/** The deadline of a timer has come. The event stream then sets the event register. */
export function timerExpired(cx: PeContext, kind: TimerKind): void {
  cx.timers[kind].deadlineTicks = never;
  if (kind === 'events') setLow(cx, pe.eventRegister, 1);
  else if (kind === 'PMU') {
    synchroniseCycleCounter(cx);
    updatePerformanceInterrupt(cx);
  } else updateTimer(cx, kind);
}
