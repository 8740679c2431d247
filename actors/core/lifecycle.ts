// The power states of a core, as PSCI (Arm DEN 0022) and the Arm ARM's WFI and WFE name them.

import { createMachine } from 'xstate';
import { compileLifecycle } from '../lifecycle.ts';

export const coreEvents = ['CPU_ON', 'BOOTED', 'CPU_OFF', 'SLEEP', 'WAKE', 'SUSPEND', 'RESET'] as const;
export type CoreEvent = (typeof coreEvents)[number];
export type CoreState = 'off' | 'onPending' | 'on' | 'asleep' | 'suspended';

/**
 *                    CPU_ON                BOOTED
 *          ┌─────┐ ────────► ┌───────────┐ ────────► ┌────┐ ── SLEEP ──► ┌────────┐
 *      ──► │ off │           │ onPending │           │ on │ ◄── WAKE ─── │ asleep │  WFI, WFE
 *          └─────┘           └───────────┘           └────┘              └────────┘
 *             ▲                                       │ ▲ │ SUSPEND      ┌───────────┐
 *             └──────────────── CPU_OFF ──────────────┘ │ └────────────► │ suspended │  CPU_SUSPEND
 *                                                       └───── WAKE ──── └───────────┘
 *
 * RESET leads from every state to off. There is no way from asleep to off but through on: only a running core can call CPU_OFF.
 */
export const coreMachine = createMachine({
  id: 'core',
  initial: 'off',
  on: { RESET: '.off' },
  states: {
    off: { on: { CPU_ON: 'onPending' } },
    onPending: { on: { BOOTED: 'on' } },
    on: { on: { CPU_OFF: 'off', SLEEP: 'asleep', SUSPEND: 'suspended' } },
    asleep: { on: { WAKE: 'on' } },
    suspended: { on: { WAKE: 'on' } },
  },
});

export const coreLifecycle = compileLifecycle<CoreState, CoreEvent>(coreMachine, coreEvents);
