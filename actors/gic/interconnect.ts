// Between the distributor and the redistributors, and between redistributors: what Arm IHI 0069 leaves IMPLEMENTATION DEFINED.
// It repeats the pattern of the Stream Protocol: every ForwardSpi is answered exactly once, by ActivateSpi or ReleaseSpi, and
// until then the SPI is offered to nobody else.

import type { MessageRow } from '../protocol.ts';

export const interconnectMessages = {
  ForwardSpi: {
    code: 0x0301,
    sender: 'distributor',
    receiver: 'redistributor',
    /** `reissue` 1: the SPI has become pending again while it is offered; as in Set. */
    fields: ['intid', 'priority', 'group', 'reissue'],
    reply: 'ActivateSpi',
    ordering: 'Offers a pending SPI to one PE; answered once, by ActivateSpi or ReleaseSpi.',
  },
  WithdrawSpi: {
    code: 0x0302,
    sender: 'distributor',
    receiver: 'redistributor',
    fields: ['intid'],
    reply: 'ReleaseSpi',
    ordering: 'Follows its ForwardSpi; has no effect where the answer to that is already on its way.',
  },
  GroupEnables: {
    code: 0x0303,
    sender: 'distributor',
    receiver: 'redistributor',
    /** `enables`: GICD_CTLR.EnableGrp*, a mask by group number; `disableSecurity`: GICD_CTLR.DS. */
    fields: ['enables', 'disableSecurity'],
    reply: 'GroupEnablesAcknowledge',
    ordering:
      'Acknowledged when no interrupt of a disabled group is outstanding at the PE: what GICD_CTLR.RWP waits for.',
  },
  ActivateSpiAcknowledge: {
    code: 0x0304,
    sender: 'distributor',
    receiver: 'redistributor',
    fields: ['intid'],
    ordering: 'The SPI is active.',
  },
  DeactivateSpiAcknowledge: {
    code: 0x0305,
    sender: 'distributor',
    receiver: 'redistributor',
    fields: ['intid'],
    ordering: 'The SPI is inactive, or its group did not allow the deactivation.',
  },
  ActivateSpi: {
    code: 0x0311,
    sender: 'redistributor',
    receiver: 'distributor',
    fields: ['intid'],
    reply: 'ActivateSpiAcknowledge',
    ordering: 'Answers the ForwardSpi: the PE has acknowledged the interrupt.',
  },
  ReleaseSpi: {
    code: 0x0312,
    sender: 'redistributor',
    receiver: 'distributor',
    fields: ['intid'],
    ordering:
      'Answers the ForwardSpi: neither the redistributor nor the PE holds the interrupt, and it was not acknowledged.',
  },
  DeactivateSpi: {
    code: 0x0313,
    sender: 'redistributor',
    receiver: 'distributor',
    fields: ['intid', 'groups'],
    reply: 'DeactivateSpiAcknowledge',
    ordering: 'Follows the ActivateSpi of the same PE.',
  },
  Participation: {
    code: 0x0314,
    sender: 'redistributor',
    receiver: 'distributor',
    /** The groups that the PE takes, as a mask by group number; 0 while it is asleep. */
    fields: ['groups'],
    ordering: 'Decides which PEs the 1 of N selection may choose from then on.',
  },
  GroupEnablesAcknowledge: {
    code: 0x0315,
    sender: 'redistributor',
    receiver: 'distributor',
    fields: [],
    ordering: 'Follows every answer that the disabled groups had outstanding.',
  },
  Sgi: {
    code: 0x0321,
    sender: 'redistributor',
    receiver: 'redistributor',
    fields: ['intid', 'group', 'nonSecure'],
    ordering: 'The target decides by its own configuration of the SGI whether it becomes pending.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
