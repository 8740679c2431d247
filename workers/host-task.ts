// What a thread of a run is given, what it tells the world outside meanwhile, and what it leaves behind.

import type { MessagePort } from 'node:worker_threads';
import type { ActorId } from '../actors/actor.ts';
import type { SmmuActivity } from '../src/board/smmu-activity.ts';
import type { Change } from '../src/linux-abi/files/changes.ts';
import type { ThreadProfile } from '../src/report/profile.ts';
import type { CoreReport, DeviceReport, UnknownCall } from '../src/report/run-report.ts';
import type { VmDeviceCounts } from '../src/vm/device-report.ts';
import { type ControlBlock, stopReason } from './control-block.ts';
import type { MappedCode } from './guest-names.ts';
import type { EndOfRun } from './lockstep.ts';
import type { HostedMachine, MachineConfig, MachineOutput } from './machine.ts';

/** What all hosts of a run are given. */
export interface SharedTask {
  readonly config: MachineConfig;
  readonly control: SharedArrayBuffer;
  /** rings[from][to]; none from a host to itself. */
  readonly rings: readonly (readonly (SharedArrayBuffer | undefined)[])[];
  /** Under `parallel`: what the threads share besides (meeting.ts), and when the run has started, by the host's clock. */
  readonly meeting?: SharedArrayBuffer;
  readonly startNanoseconds: bigint;
  readonly seed: number;
  readonly maxInstructions: number;
  readonly maxTicks: number;
}

/** What one of them is given. */
export interface HostTask extends SharedTask {
  readonly host: number;
  /** Where console bytes and sentences about the guest go. */
  readonly output: OutputPort;
}

/** What a host needs of the MessagePort to the thread that has asked for the run. */
export type OutputPort = Pick<MessagePort, 'postMessage' | 'close'>;

/** `position`: of all that the run says, whatever thread says it. */
export type OutputMessage = { readonly position: number } & (
  { readonly console: Uint8Array; readonly source?: string } | { readonly guestError: string }
);

/** What is left of a host when the run has ended. */
export interface HostResult {
  readonly cores: readonly CoreReport[];
  /** Trace hashes by actor. */
  readonly hashes: readonly (readonly [ActorId, string])[];
  /** From host 0. */
  readonly devices?: readonly DeviceReport[];
  /** From host 0: of the SMMU, where there is one. */
  readonly smmu?: SmmuActivity;
  /** From host 0: devices of virtual machines. */
  readonly vmDevices?: readonly VmDeviceCounts[];
  /** From host 0: paths of disks that the guest has written to. */
  readonly changedDisks?: readonly string[];
  /** From host 0: files that devices have made, by path. */
  readonly files?: readonly (readonly [path: string, bytes: Uint8Array])[];
  /** From host 0: the frames of the network, where they were to be kept. */
  readonly capture?: Uint8Array;
  /** From host 0: what Linux programs have changed in the workdir, and calls of theirs that are not there. */
  readonly linux?: {
    readonly changes: readonly Change[];
    readonly unknownCalls: readonly UnknownCall[];
    /** Where the run is profiled. */
    readonly code?: readonly MappedCode[];
  };
  /** Where the run is profiled. */
  readonly profile?: ThreadProfile;
  /** From host 0. */
  readonly ending?: { readonly end: EndOfRun; readonly ticks: number; readonly hostMs: number };
}

/** What of a host's machine is said while it runs. */
export function outputOf(output: OutputPort, control: ControlBlock): Pick<MachineOutput, 'console' | 'guestError'> {
  return {
    console: (bytes, source) => {
      const said = {
        position: control.nextOutput(),
        console: new Uint8Array(bytes),
        ...(source !== undefined && { source }),
      };
      output.postMessage(said satisfies OutputMessage);
    },
    guestError: (sentence) => {
      output.postMessage({ position: control.nextOutput(), guestError: sentence } satisfies OutputMessage);
      control.stop(stopReason.guestError, 1);
    },
  };
}

export const resultOf = (machine: HostedMachine): HostResult => ({
  cores: machine.reports(),
  hashes: machine.hashes(),
});

/** Of host 0, which has the devices. */
export function resultOfDevices(machine: HostedMachine, config: MachineConfig): Omit<HostResult, 'cores' | 'hashes'> {
  const smmu = machine.smmu.report();
  return {
    devices: machine.virtio.reports(),
    ...(smmu && { smmu }),
    ...(machine.linux && {
      linux: {
        changes: machine.linux.changes(),
        unknownCalls: machine.linux.unknownCalls(),
        ...(config.isProfiled && { code: machine.linux.code() }),
      },
    }),
    changedDisks: machine.virtio.changedDisks(),
    files: machine.virtio.files(),
    vmDevices: machine.vms.reports(),
    capture: config.resident ? machine.vms.capture() : machine.virtio.capture(),
  };
}
