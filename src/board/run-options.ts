// What one run of a machine is made of, checked and complete: the board, the files that boot it, and how long it may go on. Two runs
// under `lockstep` with the same options are the same to the bit, whatever `hostThreads` is.

import type { BootFiles } from './boot.ts';
import type { DeviceDescription } from './devices.ts';
import type { BoardOptions } from './virt.ts';

/** A Linux program, which the resident Linux ABI runs: `image` is its file. */
export interface LinuxOptions {
  readonly arguments: readonly string[];
  /** NAME=VALUE. */
  readonly environment: readonly string[];
  /** Directories of the host: at /, read-only, and at /work. */
  readonly sysroot?: string;
  readonly workdir?: string;
  /** Where the program is in the sysroot, if it is there. */
  readonly guestPath?: string;
}

/** Who decides which core runs next. */
export type Conductor = 'lockstep' | 'parallel';

export interface RunOptions extends BoardOptions, BootFiles {
  readonly cpu: string;
  readonly conductor: Conductor;
  readonly hostThreads: number;
  readonly seed: number;
  /** Ends the run after so many instructions of all cores together. */
  readonly maxInstructions?: number;
  /** Ends the run at this simulated time. */
  readonly maxTimeNs?: number;
  /** In the virtio slots, from the last slot down. */
  readonly devices: readonly DeviceDescription[];
  /** Write the frames of the network to this file. */
  readonly pcap?: string;
  /** HLT #0xF000 calls the host; otherwise it is UNDEFINED. */
  readonly semihosting: boolean;
  /** The image is a Linux program. */
  readonly linux?: LinuxOptions;
  /** Say where the host's time went. */
  readonly profile?: boolean;
  /** Write the profile to this file, in speedscope's format. */
  readonly speedscope?: string;
  /** Print the table of cores. */
  readonly stats: boolean;
  /** Print one JSON document. */
  readonly json: boolean;
}

/** What a machine needs of the world around it. */
export interface RunIo {
  /** The guest's console, in the order of simulated time. */
  readonly stdout: (bytes: Uint8Array, source?: string) => void;
  readonly stderr: (text: string) => void;
  /** At the end of the run: the whole of a file that the machine has changed or made. */
  readonly writeFile: (path: string, bytes: Uint8Array) => void;
  /** How far a long run has come: simulated time, and instructions of all cores. */
  readonly progress?: (ticks: number, instructions: number) => void;
  /** At the end of the run: host time, in milliseconds, from the first instruction to the last, without what it takes to start. */
  readonly conducted?: (hostMs: number) => void;
  /** Fires when the user asks to stop: the run ends cleanly, with the reason `interrupted`. */
  readonly signal: AbortSignal;
}
