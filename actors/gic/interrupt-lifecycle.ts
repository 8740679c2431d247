// The lifecycle of an interrupt (Arm IHI 0069, "Interrupt lifecycle" and "The interrupt handling state machine"), as seen by
// the part of the GIC that owns it, together with the offers that messages make necessary (see interrupt-state.ts).

import { assign, setup } from 'xstate';

export interface InterruptContext {
  readonly trigger: 'edge' | 'level';
  readonly line: boolean;
  readonly latch: boolean;
  /** Edges since the offer that no reissue carries, and those that one carries. */
  readonly again: boolean;
  readonly carried: boolean;
  readonly offered: boolean;
  readonly reissued: boolean;
}

export const interruptEvents = [
  'RAISE',
  'LOWER',
  'PEND',
  'UNPEND',
  'OFFER',
  'REISSUE',
  'ACTIVATE',
  'RELEASE',
  'DEACTIVATE',
  'SET_ACTIVE',
] as const;
export type InterruptEvent = (typeof interruptEvents)[number];

/** What an event makes of the causes of being pending; the state follows from them. */
function after(context: InterruptContext, event: InterruptEvent): InterruptContext {
  const pended = context.offered ? { again: true } : { latch: true };
  switch (event) {
    case 'RAISE':
      return { ...context, line: true, ...(context.trigger === 'edge' && !context.line ? pended : {}) };
    case 'LOWER':
      return { ...context, line: false };
    case 'PEND':
      return { ...context, ...pended };
    case 'UNPEND':
      return { ...context, latch: false, again: false, carried: false };
    case 'OFFER':
      return { ...context, offered: true };
    case 'REISSUE':
      return { ...context, reissued: true, again: false, carried: true };
    case 'ACTIVATE':
      return { ...context, latch: context.again || context.carried, again: false, carried: false, offered: false };
    case 'RELEASE':
      return context.reissued
        ? { ...context, latch: context.latch || context.carried, carried: false, reissued: false }
        : {
            ...context,
            latch: context.latch || context.carried || context.again,
            again: false,
            carried: false,
            offered: false,
          };
    case 'DEACTIVATE':
    case 'SET_ACTIVE':
      return context;
  }
}

const isPending = (c: InterruptContext): boolean =>
  c.latch || c.again || c.carried || (c.trigger === 'level' && c.line);

const machineSetup = setup({
  types: {
    context: {} as InterruptContext,
    events: {} as { readonly type: InterruptEvent },
    input: {} as { readonly trigger: InterruptContext['trigger'] },
  },
  actions: { note: assign(({ context, event }) => after(context, event.type)) },
  guards: {
    /** The interrupt is pending once the event has had its effect. */
    pendingAfter: ({ context, event }) => isPending(after(context, event.type)),
    offered: ({ context }) => context.offered,
    offeredAndPendingAfter: ({ context, event }) => context.offered && isPending(after(context, event.type)),
    answerable: ({ context }) => context.offered || context.reissued,
    answerableAndPendingAfter: ({ context, event }) =>
      (context.offered || context.reissued) && isPending(after(context, event.type)),
    mayOffer: ({ context }) => !context.offered && !context.reissued,
    mayReissue: ({ context }) => context.offered && context.again && !context.reissued,
  },
});

/** Goes to `pending` or to `idle` as the causes of being pending are after the event. */
const settle = (pending: string, idle: string) => [
  { guard: 'pendingAfter' as const, target: pending, actions: 'note' as const },
  { target: idle, actions: 'note' as const },
];
const settled = (pending: string, idle: string) => ({
  RAISE: settle(pending, idle),
  LOWER: settle(pending, idle),
  PEND: settle(pending, idle),
  UNPEND: settle(pending, idle),
  RELEASE: [
    { guard: 'answerableAndPendingAfter' as const, target: pending, actions: 'note' as const },
    { guard: 'answerable' as const, target: idle, actions: 'note' as const },
  ],
  ACTIVATE: [
    { guard: 'offeredAndPendingAfter' as const, target: 'activeAndPending', actions: 'note' as const },
    { guard: 'offered' as const, target: 'active', actions: 'note' as const },
  ],
});

/**
 *                          RAISE, PEND
 *           ┌──────────┐ ───────────────► ┌─────────┐ ◄─┐ OFFER, REISSUE
 *       ──► │ inactive │                  │ pending │   │ RELEASE
 *           └──────────┘ ◄─────────────── └─────────┘ ──┘
 *               ▲         LOWER, UNPEND     │  │  ▲
 *    DEACTIVATE │               ┌───────────┘  │  │ DEACTIVATE
 *               │      ACTIVATE │              │  │
 *               │               ▼     ACTIVATE ▼  │
 *           ┌────────┐    RAISE, PEND   ┌────────────────────┐
 *           │ active │ ───────────────► │ active and pending │
 *           └────────┘ ◄─────────────── └────────────────────┘
 *                         LOWER, UNPEND
 *
 * Edge: RAISE and PEND latch; ACTIVATE takes the latch, so that it leads to active, or to active and pending where an edge came
 * after the offer that was taken. LOWER changes nothing.
 * Level: the high line is what pends, so that ACTIVATE leads to active and pending until the device lowers it; PEND latches as
 * software may, and UNPEND takes that back.
 * An interrupt that was withdrawn or unpended while it was offered waits for the answer in inactive; an ACTIVATE that was
 * already on its way then leads to active: software has taken the interrupt.
 */
export const interruptMachine = machineSetup.createMachine({
  id: 'interrupt',
  context: ({ input }) => ({
    trigger: input.trigger,
    line: false,
    latch: false,
    again: false,
    carried: false,
    offered: false,
    reissued: false,
  }),
  initial: 'inactive',
  states: {
    inactive: { on: { ...settled('pending', 'inactive'), SET_ACTIVE: 'active' } },
    pending: {
      on: {
        ...settled('pending', 'inactive'),
        SET_ACTIVE: 'activeAndPending',
        OFFER: { guard: 'mayOffer', actions: 'note' },
        REISSUE: { guard: 'mayReissue', actions: 'note' },
      },
    },
    active: { on: { ...settled('activeAndPending', 'active'), DEACTIVATE: 'inactive' } },
    activeAndPending: {
      on: { ...settled('activeAndPending', 'active'), DEACTIVATE: 'pending' },
    },
  },
});
