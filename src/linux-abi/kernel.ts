// The parts of the kernel that its files share: the state of all cores, this core, and the ways to the machine.

import type { Pe } from '../arch/pe.ts';
import type { MemoryViews, SystemAccess } from '../arch/resident.ts';
import type { HostTree } from './files/host-tree.ts';
import type { AddressSpace, CoreState, LinuxState } from './state.ts';

/** RAM by physical address; what is written ends translations of code and monitors, as a store does. */
export interface Ram {
  readBytes(pa: number, sizeBytes: number): Uint8Array | undefined;
  writeBytes(pa: number, source: Uint8Array): boolean;
  writeDoubleword(pa: number, value: bigint): boolean;
  /** What the word has held, which is stored to where that is what is expected. */
  compareExchangeWord(pa: number, expected: number, value: number): number | undefined;
}

/** The machine, and the world around it. */
export interface LinuxPort {
  readonly ram: Ram;
  /** Simulated time in ticks of 1 ns. */
  readonly now: () => number;
  /** Ends the run with the exit code of the first process. */
  readonly exit: (code: number) => void;
  /** Ends the run: the first program cannot be started. */
  readonly refuse: (sentence: string) => void;
  /** A sentence about a program's end, for the user. */
  readonly say: (sentence: string) => void;
  readonly write: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
  /** Up to so many bytes of standard input; none at its end. */
  readonly read: (sizeBytes: number) => Uint8Array;
  /** From the seed of the run. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly sysroot: HostTree | undefined;
  readonly workdir: HostTree | undefined;
}

export interface Platform {
  readonly coreCount: number;
  readonly mpidrs: readonly number[];
  readonly distributorBase: number;
  readonly redistributorBases: readonly number[];
  readonly ramBytes: number;
  /** The date at reset, in seconds since 1970. */
  readonly startSeconds: number;
}

/** The program that is started, and what it is given. */
export interface ProgramDescription {
  /** As the user has typed it. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  /** Where it is in the sysroot or the workdir, if it is there. */
  readonly guestPath?: string;
}

/** The kernel on one core, while it is entered there. */
export interface Core {
  readonly index: number;
  readonly pe: Pe;
  readonly memory: MemoryViews;
  readonly system: SystemAccess;
  readonly state: LinuxState;
  readonly own: CoreState;
  readonly platform: Platform;
  readonly program: ProgramDescription;
  readonly port: LinuxPort;
  /** TLB maintenance that this entry owes: frames go back when it is complete. */
  readonly stale: StaleTranslations[];
  /** Cores that have something to do: SGIs that this entry owes. */
  readonly toRing: Set<number>;
  /** Between programs and the kernel, by this entry: to be paid for. */
  copiedBytes: number;
}

export interface StaleTranslations {
  readonly space: AddressSpace;
  /** Addresses of pages, or all of the space. */
  readonly pages: number[] | 'all';
  readonly frames: number[];
  /** What fork has made of the space: it is not entered, either, as long as the other's pages may still be written. */
  readonly copy?: AddressSpace;
}

/** Tables have changed: until translations by what they were are gone, nobody enters the space and the kernel does nothing for its threads. */
export function noteStale(core: Core, stale: StaleTranslations): void {
  for (const space of spacesOf(stale)) space.flushes += 1;
  core.stale.push(stale);
}

export const spacesOf = ({ space, copy }: StaleTranslations): AddressSpace[] => (copy ? [space, copy] : [space]);
