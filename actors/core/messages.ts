// What cores tell each other: DVM (distributed virtual memory) operations and events; and the error that a device reports to a core.
//
// A broadcast TLBI or IC leaves as one message to each other core. A DSB sends Sync after them, and waits until every core has
// answered: since a mailbox is first in, first out, an answer means that the operations before the Sync have been done.

import type { MessageRow } from '../protocol.ts';

const between = { sender: 'core', receiver: 'core' } as const;

export const coreMessages = {
  Tlbi: {
    code: 0x0601,
    ...between,
    /** The fields of DvmOperation (arch/environment.ts). */
    fields: ['operation', 'vaLow', 'vaHigh', 'asid', 'context'],
    ordering: 'Applied before every later Sync of the same sender is answered.',
  },
  InstructionCacheInvalidate: {
    code: 0x0602,
    ...between,
    /** Physical address of the line, or all ones for the whole cache. */
    fields: ['address'],
    ordering: 'Applied before every later Sync of the same sender is answered.',
  },
  Sync: {
    code: 0x0603,
    ...between,
    fields: [],
    reply: 'Complete',
    ordering: 'Asks that every earlier operation of the sender be complete.',
  },
  Complete: {
    code: 0x0604,
    ...between,
    fields: [],
    ordering: 'Every operation before the Sync is complete at the answering core.',
  },
  Event: {
    code: 0x0605,
    ...between,
    fields: [],
    ordering:
      'Sets the event register: SEV, or a cleared global monitor. Nothing is promised beyond the order of the pair.',
  },
  AsynchronousError: {
    code: 0x0606,
    sender: 'device',
    receiver: 'core',
    fields: [],
    ordering: 'An SError interrupt is pending at the PE from then on, until it takes it; two before that are one.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

/** The `address` of InstructionCacheInvalidate for the whole cache. */
export const wholeCache = 0xffff_ffff;
