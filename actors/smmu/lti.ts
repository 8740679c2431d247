// Between a DMA-capable device and its TBU: the channels of LTI (Arm IHI 0089, AMBA LTI), in which a device asks where an access
// goes and makes the access itself: request (LA), response (LR), completion (LC). Data never passes a TBU, it is in RAM; what the
// TBU knows is which accesses are still being made with a translation that it has given.
//
// One request stays inside one 4 KiB page.

import type { MessageRow } from '../protocol.ts';

/** What an access needs: bits of LA.access. */
export const accessBit = { read: 1, write: 2, privileged: 4 } as const;

/** LA.substream of a transaction with a SubstreamID (SSV): the bit above its 20 bits. */
export const substreamValid = 1 << 20;

/** LR.response. */
export const ltiResponse = { success: 0, abort: 1 } as const;

export const ltiMessages = {
  LA: {
    code: 0x0b01,
    sender: 'device',
    receiver: 'TBU',
    /** `tag`: the device's, one for each access under way; `access`: bits of `accessBit`. */
    fields: ['tag', 'addressLow', 'addressHigh', 'access', 'substream'],
    reply: 'LR',
    ordering: 'Requests of one device may be answered in another order than they were made.',
  },
  LR: {
    code: 0x0b02,
    sender: 'TBU',
    receiver: 'device',
    fields: ['tag', 'response', 'addressLow', 'addressHigh'],
    ordering:
      'Until its LC the device may use the address: no invalidation that the response precedes is complete before.',
  },
  LC: {
    code: 0x0b03,
    sender: 'device',
    receiver: 'TBU',
    fields: ['tag'],
    ordering: 'The access of this tag has been made, for every observer; the address is not used again.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
