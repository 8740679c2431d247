// The kernel of the resident Linux ABI and the cores, where cores run at the same time: the kernel is one actor, and a core that enters it
// waits until it is told to return. Meanwhile its registers, which lie in shared memory, are the kernel's; what acts on the PE, the core does
// for it, in the order in which it is told.

import type { MessageRow } from '../protocol.ts';

const entry = { sender: 'core', receiver: 'kernel', reply: 'ERET' } as const;
const command = { sender: 'kernel', receiver: 'core' } as const;

export const kernelMessages = {
  Reset: {
    code: 0x0e01,
    ...entry,
    fields: [],
    ordering: 'The first message of a core. What the core has stored before is seen by the kernel.',
  },
  Exception: {
    code: 0x0e02,
    ...entry,
    /** `intid`: what the core has acknowledged, where it is an interrupt. */
    fields: ['vectorOffset', 'intid'],
    ordering: 'What the core has stored before is seen by the kernel; the core does nothing more but what it is told.',
  },
  MSR: {
    code: 0x0e03,
    ...command,
    fields: ['key', 'valueLow', 'valueHigh'],
    ordering: 'Commands of one entry are obeyed in the order in which they are given.',
  },
  SYS: {
    code: 0x0e04,
    ...command,
    fields: ['key', 'operandLow', 'operandHigh'],
    ordering: 'As MSR; complete when a later DSB is.',
  },
  DSB: {
    code: 0x0e05,
    ...command,
    fields: [],
    reply: 'BarrierComplete',
    ordering: 'Every earlier SYS is complete at all cores when the answer is sent.',
  },
  BarrierComplete: {
    code: 0x0e06,
    sender: 'core',
    receiver: 'kernel',
    fields: [],
    ordering: 'Follows the completion of the DSB.',
  },
  Access: {
    code: 0x0e07,
    ...command,
    fields: ['isWrite', 'addressLow', 'addressHigh', 'sizeBytes', 'valueLow', 'valueHigh'],
    reply: 'AccessResponse',
    ordering: 'As MSR.',
  },
  AccessResponse: {
    code: 0x0e08,
    sender: 'core',
    receiver: 'kernel',
    fields: ['isOkay', 'valueLow', 'valueHigh'],
    ordering: 'Follows the answer of the device.',
  },
  ERET: {
    code: 0x0e09,
    ...command,
    fields: [],
    ordering: 'The last command of an entry: what the kernel has stored before, the core sees.',
  },
  WFI: {
    code: 0x0e0a,
    ...command,
    fields: [],
    ordering: 'In the place of ERET: the core sleeps in the kernel until an interrupt, which is then an entry.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
