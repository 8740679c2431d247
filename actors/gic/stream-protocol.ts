// The GIC Stream Protocol (Arm IHI 0069, appendix "GIC Stream Protocol interface"): what passes between a redistributor and
// the CPU interface of its PE. Packets become messages; the flow control of AXI4-Stream is the mailbox's affair. The commands
// for virtual interrupts (VSet, VClear) are GICv4's: here virtual interrupts come by list registers alone.
//
// One rule carries the protocol: every Set is answered exactly once, by Activate or by Release. Until then the interrupt is
// outstanding, and the redistributor offers it to nobody else.

import type { MessageRow } from '../protocol.ts';

const down = { sender: 'redistributor', receiver: 'core' } as const;
const up = { sender: 'core', receiver: 'redistributor' } as const;

export const streamMessages = {
  Set: {
    code: 0x0201,
    ...down,
    /**
     * `reissue` 1: the interrupt has become pending again while it is outstanding. Where the CPU interface still holds it, both
     * are one interrupt, and the Release answers the earlier Set; else the Release answers this one.
     */
    fields: ['intid', 'priority', 'group', 'reissue'],
    reply: 'Activate',
    ordering:
      'A Set replaces the interrupt that the CPU interface holds, which is released; each Set is answered once, by Activate or Release.',
  },
  Clear: {
    code: 0x0202,
    ...down,
    fields: ['intid'],
    reply: 'ClearAcknowledge',
    ordering:
      'Withdraws the Set of the same INTID; no Set is sent until the ClearAcknowledge, so that the two cannot cross.',
  },
  ActivateAcknowledge: {
    code: 0x0203,
    ...down,
    fields: ['intid'],
    ordering: 'The interrupt is active for every observer: what a DSB after the read of ICC_IARn waits for.',
  },
  DeactivateAcknowledge: {
    code: 0x0204,
    ...down,
    fields: ['intid'],
    ordering: 'The interrupt is inactive for every observer: what a DSB after the deactivation waits for.',
  },
  GenerateSgiAcknowledge: {
    code: 0x0205,
    ...down,
    fields: ['intid'],
    ordering: 'The redistributor has sent the SGI to every target.',
  },
  UpstreamControlAcknowledge: {
    code: 0x0206,
    ...down,
    fields: ['identifier'],
    ordering: 'Every later Set obeys the control.',
  },
  DownstreamControl: {
    code: 0x0207,
    ...down,
    fields: ['identifier', 'value'],
    reply: 'DownstreamControlAcknowledge',
    ordering: 'Takes effect before the Sets that follow it.',
  },
  Quiesce: {
    code: 0x0208,
    ...down,
    fields: [],
    reply: 'QuiesceAcknowledge',
    ordering: 'No Set follows until the PE is awake; the CPU interface releases what it holds before it acknowledges.',
  },
  Activate: {
    code: 0x0211,
    ...up,
    fields: ['intid'],
    reply: 'ActivateAcknowledge',
    ordering: 'Answers the Set: software has acknowledged the interrupt. A Clear that crosses it has no effect.',
  },
  Release: {
    code: 0x0212,
    ...up,
    fields: ['intid'],
    ordering: 'Answers the Set: the CPU interface does not hold the interrupt any more, and it was not acknowledged.',
  },
  ClearAcknowledge: {
    code: 0x0213,
    ...up,
    fields: ['intid'],
    ordering:
      'Follows the Release, or the Activate that crossed the Clear: nothing about the interrupt is on its way any more.',
  },
  Deactivate: {
    code: 0x0214,
    ...up,
    /** `groups`: the groups that the write may deactivate, as a mask by group number. */
    fields: ['intid', 'groups'],
    reply: 'DeactivateAcknowledge',
    ordering: 'Follows the Activate of the same PE; an interrupt of another group stays active.',
  },
  GenerateSgi: {
    code: 0x0215,
    ...up,
    /** `affinity`: Aff3.Aff2.Aff1.0; `targetList`: bit n for Aff0 = n; `allButSelf`: Interrupt_Routing_Mode. */
    fields: ['intid', 'affinity', 'targetList', 'allButSelf', 'group', 'nonSecure'],
    reply: 'GenerateSgiAcknowledge',
    ordering: 'SGIs of one PE reach each target in the order of issue.',
  },
  UpstreamControl: {
    code: 0x0216,
    ...up,
    fields: ['identifier', 'value'],
    reply: 'UpstreamControlAcknowledge',
    ordering: 'Precedes the Releases that it causes.',
  },
  DownstreamControlAcknowledge: {
    code: 0x0217,
    ...up,
    fields: ['identifier'],
    ordering: 'The setting is in effect.',
  },
  QuiesceAcknowledge: {
    code: 0x0218,
    ...up,
    fields: [],
    ordering: 'Nothing is held and every earlier answer has been sent.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

/** Identifiers of Upstream Control. */
export const upstreamControl = {
  /** `value`: ICC_IGRPEN0 and both copies of ICC_IGRPEN1, as a mask by group number. */
  physicalGroupEnables: 0,
} as const;

/** Identifiers of Downstream Control. */
export const downstreamControl = {
  /** `value`: GICD_CTLR.DS. */
  settings: 0,
} as const;
