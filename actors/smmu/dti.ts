// Between a TBU and the TCU: DTI-TBU (Arm IHI 0088, AMBA DTI). Left out: the connection handshake (TBUs are always connected), tokens
// (a TBU has as many requests under way as its device; the TCU counts its own invalidations), speculative requests and the caching of
// faults.

import type { MessageRow } from '../protocol.ts';

/** TRANS_FAULT.faultType; of the reasons for a fault, the device sees an abort. */
export const faultType = { abort: 1, streamDisabled: 2 } as const;

/** TRANS_RESP.shift of a translation that a TBU must not keep. */
export const notCached = 0;

export const dtiMessages = {
  TRANS_REQ: {
    code: 0x0a01,
    sender: 'TBU',
    receiver: 'TCU',
    /** `access`, `substream`: as in LA. */
    fields: ['translationId', 'streamId', 'substream', 'addressLow', 'addressHigh', 'access'],
    reply: 'TRANS_RESP or TRANS_FAULT',
    ordering:
      'Requests of one TBU are translated in their order, but answered from what memory holds at the time of the answer.',
  },
  TRANS_RESP: {
    code: 0x0a02,
    sender: 'TCU',
    receiver: 'TBU',
    /**
     * The input range is the 2^`shift` bytes around the address of the request; `address` is the start of the output range;
     * `permissions`: bits of tlb.ts; `tags`: VMID in [15:0], ASID in [31:16]; `context`: bits of `contextBit` (tlb.ts).
     */
    fields: ['translationId', 'addressLow', 'addressHigh', 'shift', 'permissions', 'tags', 'context'],
    ordering: 'Reflects every invalidation whose INV_REQ the TCU has sent before to this TBU.',
  },
  TRANS_FAULT: {
    code: 0x0a03,
    sender: 'TCU',
    receiver: 'TBU',
    fields: ['translationId', 'faultType'],
    ordering: 'The event record, where there is one, has been written before.',
  },
  INV_REQ: {
    code: 0x0a04,
    sender: 'TCU',
    receiver: 'TBU',
    /** `operation`: an opcode of a command, or 0 for everything; `stream`, `range` of CFGI commands; `address` of TLBI by address. */
    fields: ['operation', 'tags', 'addressLow', 'addressHigh', 'stream', 'range', 'substream', 'world'],
    reply: 'INV_ACK',
    ordering:
      'Entries that match are not used by any LR after it; accesses that were granted before may still be under way.',
  },
  INV_ACK: {
    code: 0x0a05,
    sender: 'TBU',
    receiver: 'TCU',
    fields: [],
    ordering: 'Answers come in the order of the requests.',
  },
  SYNC_REQ: {
    code: 0x0a06,
    sender: 'TCU',
    receiver: 'TBU',
    fields: ['tag'],
    reply: 'SYNC_ACK',
    ordering: 'Asks that every earlier INV_REQ be complete.',
  },
  SYNC_ACK: {
    code: 0x0a07,
    sender: 'TBU',
    receiver: 'TCU',
    fields: ['tag'],
    ordering: 'Every access that used a translation from before the SYNC_REQ has been made.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
