// What a run leaves behind, as data and as one JSON document. Three numbers are always told apart: simulated time,
// instructions, and host time, which is not the machine's and therefore not in the report.

import type { HostProfile } from './profile.ts';
import type { SmmuActivity } from '../board/smmu-activity.ts';

export type RunReason =
  'exit' | 'system-off' | 'system-reset' | 'max-instructions' | 'max-time' | 'interrupted' | 'deadlock' | 'guest-error';

export interface CoreReport {
  readonly core: number;
  /** The value of MPIDR_EL1. */
  readonly mpidr: number;
  readonly instructions: number;
  /** Simulated time that the core has reached. */
  readonly timeNs: number;
  /** Simulated time in WFI and WFE. */
  readonly asleepNs: number;
  /** It was asleep when the run ended, and so from `timeNs` on. */
  readonly isAsleep: boolean;
  readonly interrupts: number;
  /** Of these the physical ones that were taken at EL1. */
  readonly interruptsAtEl1: number;
  readonly ipisSent: number;
  readonly ipisReceived: number;
  /** Exceptions taken, by the exception level they were taken to. */
  readonly exceptions: { readonly EL1: number; readonly EL2: number; readonly EL3: number };
}

/** What a virtio device has done. */
export interface DeviceReport {
  readonly slot: number;
  readonly kind: string;
  readonly notifications: number;
  readonly buffersUsed: number;
  readonly interrupts: number;
  readonly guestErrors: number;
  /** The rule of the rings that the driver has broken, while the device waits for its reset. */
  readonly fault?: string;
  /** Counts of the device's own. */
  readonly [counter: string]: number | string | undefined;
}

/** A system call that a Linux program has made and that is not there. */
export interface UnknownCall {
  readonly number: number;
  readonly name: string;
  /** How often. */
  readonly count: number;
}

export interface RunReport {
  readonly format: 'heddle-run';
  readonly version: 1;
  readonly seed: number;
  /** The exit code of the command: see `exitCodeOf`. */
  readonly exitCode: number;
  readonly reason: RunReason;
  /** One sentence on why the run ended, where the reason alone does not say it. */
  readonly message?: string;
  /** Over every instruction count, message, interrupt and the final RAM, in hexadecimal. A run under `parallel` has none: no two are alike. */
  readonly traceHash?: string;
  readonly simulatedTimeNs: number;
  readonly instructions: number;
  readonly cores: readonly CoreReport[];
  /** The SMMU, if the board has one. */
  readonly smmu?: SmmuActivity;
  /** The devices in the virtio slots, if there are any. */
  readonly devices?: readonly DeviceReport[];
  /** Of a Linux program: system calls that were answered with ENOSYS, if there were any. */
  readonly unknownCalls?: readonly UnknownCall[];
}

/**
 * The exit code that a reason stands for. A guest's own code is passed on as far as a process can: its low 8 bits. PSCI has no code, so
 * that switching off or resetting is success. A run that was stopped is inconclusive. Every core asleep for ever, or a guest that cannot
 * go on, is a fault that has been found.
 */
export function exitCodeOf(reason: RunReason, guestCode = 0): number {
  switch (reason) {
    case 'exit':
      return guestCode & 0xff;
    case 'system-off':
    case 'system-reset':
      return 0;
    case 'deadlock':
    case 'guest-error':
      return 1;
    case 'max-instructions':
    case 'max-time':
    case 'interrupted':
      return 3;
  }
}

const reasonSentence: Readonly<Record<RunReason, string>> = {
  exit: 'the guest has exited',
  'system-off': 'the guest has switched the machine off',
  'system-reset': 'the guest has reset the machine',
  'max-instructions': 'stopped: --max-instructions is reached',
  'max-time': 'stopped: --max-time is reached',
  interrupted: 'stopped: interrupted',
  deadlock: 'every core sleeps and no event is due: the machine would sleep for ever',
  'guest-error': 'the guest cannot go on',
};

/** Why the run has ended, in one sentence. */
export const endingOf = ({ reason, message }: Pick<RunReport, 'reason' | 'message'>): string =>
  message ?? reasonSentence[reason];

/** What a run took on the host, as far as it was asked for. */
export interface HostTime {
  /** From the start of the machine to its report. */
  readonly hostTimeMs: number;
  /** Of these, from the first instruction to the last. */
  readonly hostRunMs?: number;
}

/** One document; host time only if it is given. */
export const formatJson = (report: RunReport, host: Partial<HostTime> & { readonly profile?: HostProfile }): string =>
  JSON.stringify({ ...report, ...host }, undefined, 2);
