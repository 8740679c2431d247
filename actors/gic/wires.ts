// Interrupt wires: from a device to the distributor (SPIs), from a core's timers and its virtual CPU interface to its redistributor
// (PPIs); all of them to a GICv2, where there is one.

import type { MessageRow } from '../protocol.ts';

export const wireMessages = {
  WireSet: {
    code: 0x0401,
    sender: 'device or core',
    receiver: 'distributor, redistributor or GICv2',
    fields: ['intid'],
    ordering: 'The line goes high: an edge where it was low; a second WireSet without a WireClear between is no edge.',
  },
  WireClear: {
    code: 0x0402,
    sender: 'device or core',
    receiver: 'distributor, redistributor or GICv2',
    fields: ['intid'],
    ordering: 'The line goes low after every earlier WireSet of the same sender; an edge that was seen stays pending.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
