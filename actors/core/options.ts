// What a core is made of, and what resident software sees of it.

import type { PeEnvironment, TimerKind } from '../../src/arch/environment.ts';
import type { Pe } from '../../src/arch/pe.ts';
import type { ResidentLevelSoftware } from '../../src/arch/resident.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { PowerInterface } from '../../src/firmware/psci.ts';
import type { MemoryViews } from '../../src/memory/memory-views.ts';
import type { ActorId, Message, Port, Ticks } from '../actor.ts';
import type { BusMap } from '../bus/map.ts';

export interface CoreOptions {
  readonly index: number;
  readonly engine: Engine;
  readonly views: MemoryViews;
  readonly bus: BusMap;
  /** Actor identities of all cores, by index, and of what takes this core's wires: its redistributor, or the GICv2. */
  readonly cores: readonly ActorId[];
  readonly redistributor: ActorId;
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
  /** INTIDs of the lines that a PE drives; the event stream has none. */
  readonly ppis: Readonly<Record<Exclude<TimerKind, 'events'> | 'maintenance', number>>;
  /** ICH_LR<n>_EL2, 1 to 16; 4 unless told, as many as QEMU's `max` has. */
  readonly listRegisters?: number;
  readonly powerController: ActorId;
  /** How the PE comes out of reset: X0 and PC are those of the Boot. */
  readonly resetEl: 1 | 2 | 3;
  readonly makePe: (environment: PeEnvironment, control: CoreControl) => Pe;
  /** Software that is resident at the level that the PE resets to, in place of instructions: a hypervisor at EL2, a kernel at EL1. */
  readonly makeResident?: (pe: Pe, control: CoreControl) => CoreSoftware;
  /** Simulated time where it passes by itself, whatever the core does. */
  readonly clock?: () => Ticks;
  /** Ends the run: the guest has asked for it, or cannot go on. */
  readonly guestExit: (code: number) => void;
  readonly guestError: (sentence: string) => void;
}

/** Resident software of a core, with its mailbox where it has one. */
export interface CoreSoftware extends ResidentLevelSoftware {
  /** True where the message is for it: whatever the core waits for in its name is there. */
  readonly receive?: (message: Message) => boolean;
}

/** What resident software may do to the core that it runs on. */
export interface CoreControl {
  readonly power: PowerInterface;
  readonly now: () => Ticks;
  /** What the core has counted up to now. */
  readonly counts: () => Pick<CoreCounters, 'asleepTicks' | 'interruptsAtEl1'> & { readonly ticks: Ticks };
  /** What is sent by it is the core's, in its order. */
  readonly port: Pick<Port, 'send'>;
  /** Ends the run with the guest's exit code. */
  readonly exit: (code: number) => void;
}

export interface CoreCounters {
  asleepTicks: Ticks;
  /** Spent by resident software. */
  residentTicks: Ticks;
  interrupts: number;
  /** Of those the physical ones that EL1 has taken. */
  interruptsAtEl1: number;
  ipisSent: number;
  ipisReceived: number;
}
