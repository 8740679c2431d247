// From a GICv2 to a core: the interrupt signals of its CPU interface and of its virtual CPU interface.

import type { MessageRow } from '../protocol.ts';

export const interruptLines = {
  InterruptLines: {
    code: 0x0411,
    sender: 'GICv2',
    receiver: 'core',
    /** The level of each signal, 0 or 1. */
    fields: ['irq', 'fiq', 'virq', 'vfiq'],
    ordering: 'Precedes the response to the bus request that has changed the signals.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
