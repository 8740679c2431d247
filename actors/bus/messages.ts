// Reads and writes of devices: the part of AXI that a core's Device-nGnRnE access needs.
// 64-bit accesses travel whole; a device whose registers are 32 bits wide sees two accesses, the lower address first.

import type { MessageRow } from '../protocol.ts';

/** AXI response codes. */
export const busResponse = { OKAY: 0, SLVERR: 2, DECERR: 3 } as const;

export const busMessages = {
  ReadRequest: {
    code: 0x0101,
    sender: 'core',
    receiver: 'device',
    /**
     * `offset`: from the device's base; `sizeBytes`: 1, 2, 4 or 8; `tag`: returned with the response; `nonSecure`: AxPROT[1].
     */
    fields: ['offset', 'sizeBytes', 'tag', 'nonSecure'],
    reply: 'ReadResponse',
    ordering: 'Requests of one core to one device are served in the order of issue.',
  },
  WriteRequest: {
    code: 0x0102,
    sender: 'core',
    receiver: 'device',
    fields: ['offset', 'sizeBytes', 'tag', 'valueLow', 'valueHigh', 'nonSecure'],
    reply: 'WriteResponse',
    ordering: 'Requests of one core to one device are served in the order of issue; the effect precedes the response.',
  },
  ReadResponse: {
    code: 0x0103,
    sender: 'device',
    receiver: 'core',
    fields: ['response', 'tag', 'valueLow', 'valueHigh'],
    ordering: 'Responses return in the order of the requests.',
  },
  WriteResponse: {
    code: 0x0104,
    sender: 'device',
    receiver: 'core',
    fields: ['response', 'tag'],
    ordering: 'The write is complete for every observer when the response is received.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

/** The payload of a request, as its row has it: written out, since there is one for every access to a device. */
export const requestPayload = (
  isWrite: boolean,
  offset: number,
  sizeBytes: number,
  valueLow: number,
  valueHigh: number,
  nonSecure: boolean,
): number[] =>
  isWrite
    ? [offset >>> 0, sizeBytes, 0, valueLow >>> 0, valueHigh >>> 0, nonSecure ? 1 : 0]
    : [offset >>> 0, sizeBytes, 0, nonSecure ? 1 : 0];

/** Places of fields in the payload of a response: those of a write have the first two. */
export const responseWords = { response: 0, tag: 1, valueLow: 2, valueHigh: 3 } as const;
