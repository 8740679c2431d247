// Interrupts (Arm ARM, "Asynchronous exception types, routing, masking and priorities"): which are pending, where they go, and
// what masks them. Where several can be taken at once, SError comes first, then FIQ, then IRQ, physical before virtual.

import { isAnswerWaiting } from './bus-accesses.ts';
import { takeException, takeSError, vector } from './exceptions.ts';
import { currentEl, hcr, HCR, isHost, low, type PeContext, PSTATE, scr, SCR, setLow } from './pe-context.ts';
import type { InterruptKind } from './pe.ts';
import { pe } from './state-layout.ts';
import { slotOf } from './system-registers.ts';

/** A line's bit in `cx.lines`, and the fields that route and mask it. */
interface Line {
  readonly kind: InterruptKind;
  readonly bit: number;
  readonly mask: number;
  readonly hcrField: number;
}

const physicalLines: readonly (Line & { readonly scrField: number })[] = [
  { kind: 'serror', bit: 1, mask: PSTATE.A, scrField: SCR.EA, hcrField: HCR.AMO },
  { kind: 'fiq', bit: 2, mask: PSTATE.F, scrField: SCR.FIQ, hcrField: HCR.FMO },
  { kind: 'irq', bit: 4, mask: PSTATE.I, scrField: SCR.IRQ, hcrField: HCR.IMO },
];
/** Virtual interrupts are pending by a line or by a bit of HCR_EL2, where HCR_EL2 routes the physical ones to EL2. */
const virtualLines: readonly (Line & { readonly pendingField: number })[] = [
  { kind: 'vserror', bit: 8, mask: PSTATE.A, hcrField: HCR.AMO, pendingField: HCR.VSE },
  { kind: 'vfiq', bit: 16, mask: PSTATE.F, hcrField: HCR.FMO, pendingField: HCR.VF },
  { kind: 'virq', bit: 32, mask: PSTATE.I, hcrField: HCR.IMO, pendingField: HCR.VI },
];

const bitOf = Object.fromEntries([...physicalLines, ...virtualLines].map(({ kind, bit }) => [kind, bit])) as Readonly<
  Record<InterruptKind, number>
>;
const HCR_EL2 = slotOf('HCR_EL2');

export function setLine(cx: PeContext, kind: InterruptKind, level: boolean): void {
  if (level) cx.lines |= bitOf[kind];
  else cx.lines &= ~bitOf[kind];
}

function physicalTarget(cx: PeContext, line: (typeof physicalLines)[number]): number {
  if (cx.hasEl3 && (scr(cx) & line.scrField) !== 0) return 3;
  return (hcr(cx) & (line.hcrField | HCR.TGE)) !== 0 ? 2 : 1;
}

/** Not taken below its target's level of privilege reversed: an interrupt for a lower level than the current one stays pending. */
function isTakeable(cx: PeContext, line: (typeof physicalLines)[number]): boolean {
  const el = currentEl(cx);
  const target = physicalTarget(cx, line);
  if (target < el) return false;
  // PSTATE does not mask what goes to EL2 or EL3 from below; of a host's application it does what goes to EL2.
  if (target > el && (target === 3 || (target === 2 && !isHost(cx)))) return true;
  return (low(cx, pe.pstate) & line.mask) === 0;
}

function isVirtualPending(cx: PeContext, line: (typeof virtualLines)[number]): boolean {
  const controls = hcr(cx);
  if ((controls & line.hcrField) === 0 || (controls & HCR.TGE) !== 0) return false;
  return ((cx.lines & line.bit) | (controls & line.pendingField)) !== 0;
}

export const pendingInterrupt = (cx: PeContext): InterruptKind | undefined =>
  isAnswerWaiting(cx.bus) ? undefined : takeableInterrupt(cx);

/** An interrupt is to be taken as soon as the present instruction has had the answers that wait for it. */
export const isInterruptHeldBack = (cx: PeContext): boolean =>
  isAnswerWaiting(cx.bus) && takeableInterrupt(cx) !== undefined;

function takeableInterrupt(cx: PeContext): InterruptKind | undefined {
  if (cx.lines === 0 && (hcr(cx) & (HCR.VF | HCR.VI | HCR.VSE)) === 0) return undefined;
  for (const line of physicalLines) {
    if ((cx.lines & line.bit) !== 0 && isTakeable(cx, line)) return line.kind;
  }
  if (currentEl(cx) > 1) return undefined;
  for (const line of virtualLines) {
    if (isVirtualPending(cx, line) && (low(cx, pe.pstate) & line.mask) === 0) return line.kind;
  }
  return undefined;
}

/** WFI completes for an interrupt that is pending, whatever PSTATE masks; for a virtual one below EL2. */
export function wakeUpPending(cx: PeContext): boolean {
  if (physicalLines.some((line) => (cx.lines & line.bit) !== 0)) return true;
  return currentEl(cx) <= 1 && virtualLines.some((line) => isVirtualPending(cx, line));
}

const offsetOf = { fiq: vector.FIQ, vfiq: vector.FIQ, irq: vector.IRQ, virq: vector.IRQ } as const;

/** Takes an interrupt that `pendingInterrupt` has named. */
export function takeInterrupt(cx: PeContext, kind: InterruptKind): void {
  const physical = physicalLines.find((line) => line.kind === kind);
  const target = physical === undefined ? 1 : physicalTarget(cx, physical);
  switch (kind) {
    case 'serror':
      cx.lines &= ~bitOf.serror;
      takeSError(cx, target, 0);
      break;
    case 'vserror':
      cx.lines &= ~bitOf.vserror;
      setLow(cx, HCR_EL2, low(cx, HCR_EL2) & ~HCR.VSE);
      takeSError(cx, target, 0);
      break;
    default:
      takeException(cx, target, offsetOf[kind]);
  }
}

/** Takes an SError that is pending for the current level, as software does that has PSTATE.A clear for a moment. False where there is none. */
export function takePendingSError(cx: PeContext): boolean {
  const [line] = physicalLines;
  if (!line || (cx.lines & line.bit) === 0 || physicalTarget(cx, line) !== currentEl(cx)) return false;
  takeInterrupt(cx, 'serror');
  return true;
}

/** ISR_EL1: A, I and F, physical or, at EL1 where HCR_EL2 makes them virtual, virtual. */
export function interruptStatus(cx: PeContext): number {
  const isEl1 = currentEl(cx) === 1;
  const bits = [PSTATE.A, PSTATE.F, PSTATE.I];
  return bits.reduce((status, bit, i) => {
    const isVirtual = isEl1 && (hcr(cx) & physicalLines[i]!.hcrField) !== 0;
    const isPending = isVirtual ? isVirtualPending(cx, virtualLines[i]!) : (cx.lines & physicalLines[i]!.bit) !== 0;
    return isPending ? status | bit : status;
  }, 0);
}
