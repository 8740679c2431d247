// WFI, WFE, SEV and the event register (Arm ARM, "Mechanisms for entering a low-power state").
// What waits in a WFE is woken by its core, which clears the event register as a WFE that finds it set would.

import { hasLostMonitor } from './concurrent-access.ts';
import { waitTrap } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { pendingInterrupt, wakeUpPending } from './interrupts.ts';
import { advancePc, currentEl, hcr, HCR, low, type PeContext, scr, SCR, setLow } from './pe-context.ts';
import { sctlr } from './derived-state.ts';
import { pe } from './state-layout.ts';
import { armEventStream, cancelEventStream, hasStreamEvent } from './timers.ts';

const nTWI = 1 << 16;
const nTWE = 1 << 18;

/** The exception level that a WFI or WFE which would wait is trapped to, or 0. */
function trapTarget(cx: PeContext, notTrapped: number, hcrField: number, scrField: number): number {
  const el = currentEl(cx);
  if (el === 0 && (sctlr(cx, 0) & notTrapped) === 0) return 1;
  if (el <= 1 && (hcr(cx) & hcrField) !== 0) return 2;
  if (el <= 2 && cx.hasEl3 && (scr(cx) & scrField) !== 0) return 3;
  return 0;
}

export function wfi(cx: PeContext): Exit {
  if (wakeUpPending(cx)) return exit.none;
  const target = trapTarget(cx, nTWI, HCR.TWI, SCR.TWI);
  if (target !== 0) return waitTrap(cx, target, 0);
  advancePc(cx);
  return exit.waitForInterrupt;
}

/** Before it waits the value that an exclusive load has found is looked at `looks` times: where other threads store meanwhile. */
export function wfe(cx: PeContext, looks: number): Exit {
  const now = cx.environment.now();
  const isEvent = low(cx, pe.eventRegister) !== 0 || hasStreamEvent(cx, cx.eventsSeenUntil, now);
  cx.eventsSeenUntil = now;
  cancelEventStream(cx);
  if (isEvent) {
    setLow(cx, pe.eventRegister, 0);
    return exit.none;
  }
  if (pendingInterrupt(cx) !== undefined) return exit.none;
  for (let look = 0; look < looks; look += 1) if (hasLostMonitor(cx)) return exit.none;
  const target = trapTarget(cx, nTWE, HCR.TWE, SCR.TWE);
  if (target !== 0) return waitTrap(cx, target, 1);
  advancePc(cx);
  armEventStream(cx);
  return exit.waitForEvent;
}

/** SendEvent(): to this PE too. */
export function sev(cx: PeContext): Exit {
  setLow(cx, pe.eventRegister, 1);
  cx.environment.event(-1);
  return exit.none;
}

export function sevl(cx: PeContext): Exit {
  setLow(cx, pe.eventRegister, 1);
  return exit.none;
}
