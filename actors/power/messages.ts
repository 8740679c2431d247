// PSCI as messages between the firmware of a core and the power controller (Arm DEN 0022, "Power State Coordination
// Interface"): one request for each function that concerns more than the calling core, and one response. 64-bit arguments
// travel as two words.

import type { MessageRow } from '../protocol.ts';

const request = { sender: 'core', receiver: 'power controller', reply: 'PsciResponse' } as const;

export const powerMessages = {
  CPU_ON: {
    code: 0x0501,
    ...request,
    /** `targetCpu`: affinity fields of MPIDR_EL1. `tag` returns with the response. */
    fields: ['tag', 'targetCpuLow', 'targetCpuHigh', 'entryLow', 'entryHigh', 'contextIdLow', 'contextIdHigh'],
    ordering: 'Of several for one core the first that arrives starts it; the others are told ON_PENDING or ALREADY_ON.',
  },
  CPU_OFF: {
    code: 0x0502,
    sender: 'core',
    receiver: 'power controller',
    fields: [],
    ordering: 'The last message of the core until it is started again; a CPU_ON that arrives later finds it off.',
  },
  AFFINITY_INFO: {
    code: 0x0503,
    ...request,
    fields: ['tag', 'targetAffinityLow', 'targetAffinityHigh', 'lowestAffinityLevel'],
    ordering: 'Tells the state at the arrival of the request.',
  },
  CPU_SUSPEND: {
    code: 0x0504,
    ...request,
    fields: ['tag', 'powerState', 'entryLow', 'entryHigh', 'contextIdLow', 'contextIdHigh'],
    ordering: 'The core may stop when it has the response; what wakes it is an interrupt at its own CPU interface.',
  },
  CPU_RESUMED: {
    code: 0x0505,
    sender: 'core',
    receiver: 'power controller',
    fields: [],
    ordering: 'Follows the CPU_SUSPEND of the same core.',
  },
  SYSTEM_OFF: {
    code: 0x0506,
    sender: 'core',
    receiver: 'power controller',
    fields: [],
    ordering: 'Ends the run at its arrival.',
  },
  SYSTEM_RESET: {
    code: 0x0507,
    sender: 'core',
    receiver: 'power controller',
    fields: [],
    ordering: 'Resets the machine at its arrival.',
  },
  Booted: {
    code: 0x0508,
    sender: 'core',
    receiver: 'power controller',
    fields: [],
    ordering: 'Follows the Boot: from its arrival the core is ON.',
  },
  PsciResponse: {
    code: 0x0511,
    sender: 'power controller',
    receiver: 'core',
    /** `status`: a PSCI return code, as a signed 32-bit number in an unsigned word. */
    fields: ['tag', 'status'],
    ordering: 'Responses return in the order of the requests of one core.',
  },
  Boot: {
    code: 0x0512,
    sender: 'power controller',
    receiver: 'core',
    fields: ['entryLow', 'entryHigh', 'contextIdLow', 'contextIdHigh'],
    reply: 'Booted',
    ordering: 'Follows the CPU_OFF of the target, if it was ever on.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

/** PSCI return codes. */
export const psciStatus = {
  SUCCESS: 0,
  INVALID_PARAMETERS: -2,
  ALREADY_ON: -4,
  ON_PENDING: -5,
} as const;

/** What AFFINITY_INFO returns. */
export const affinityInfo = { ON: 0, OFF: 1, ON_PENDING: 2 } as const;
