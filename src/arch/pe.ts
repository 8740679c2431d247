// A processing element: the architecture's answers to everything that the engines do not do inline.
//
// Every service is called with `pc` of the PE's record at the present instruction. A service that returns `exit.none` has left
// `pc` alone: the engine goes on with the next instruction. Any other exit has set `pc` as exits.ts says. 64-bit operands and
// results pass through the scratch slots of the record.

import type { ExclusiveTag } from '../memory/exclusive-monitors.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import type { DvmOperation, PeEnvironment, TimerKind } from './environment.ts';
import type { BusAccesses } from './bus-accesses.ts';
import type { Exit } from './exits.ts';
import type { SavedTlb } from './tlb.ts';
import type { TimerOutput } from './timer-output.ts';

/** The `kind` of accessMemory. */
export const accessKind = { read: 0, write: 1 } as const;
export type AccessKind = (typeof accessKind)[keyof typeof accessKind];

/** The `flags` of accessMemory, loadExclusive and storeExclusive; they add up. */
export const accessFlag = {
  /** The address must be a multiple of the size: exclusives, acquire and release, atomics. */
  aligned: 1,
  /** LDTR, STTR and their kind: as if at EL0, where the architecture says so. */
  unprivileged: 2,
  /** The read, or the write, of an atomic read-modify-write: both permissions are needed before either happens. */
  atomic: 4,
  /** By the stepper, which reads each instruction when it comes to it: a store to translated code need not stop before it is made. */
  stepped: 8,
} as const;

/** Further bits of the `flags`: log2 of the number of elements, each of which is aligned, and accessed, by itself (LD1 and its kind). */
export const elementsShift = 4;
export const elementsMask = 7;

/** Interrupts and asynchronous errors, by the line that asks for them. */
export type InterruptKind = 'serror' | 'fiq' | 'irq' | 'vserror' | 'vfiq' | 'virq';

/** Software that lives at an exception level as TypeScript (DESIGN, idea 6). */
export type ResidentSoftware = (pe: Pe, immediate: number) => Exit;

export interface PeOptions {
  /** Position among the PEs of the machine: it chooses the record. */
  readonly index: number;
  /** PEs of the machine. */
  readonly count: number;
  readonly memory: MemoryViews;
  readonly ramBytes: number;
  readonly environment: PeEnvironment;
  readonly hasEl2: boolean;
  readonly hasEl3: boolean;
  /** The system registers of a GICv3; true unless told. */
  readonly hasGicRegisters?: boolean;
  /** Affinity fields of MPIDR_EL1. */
  readonly mpidr: bigint;
  /** Answers calls by the conduit instead of an exception: firmware under an architecture that has no EL3 of its own. */
  readonly firmware?: { readonly conduit: 'smc' | 'hvc'; readonly call: ResidentSoftware };
  /** Answers HLT #0xF000; without it HLT is UNDEFINED. */
  readonly semihosting?: ResidentSoftware;
  /** Given where PEs of other threads use RAM at the same time (concurrent-access.ts). */
  readonly concurrency?: Concurrency;
}

export interface Concurrency {
  /** Returns when every other thread has left the translated code that it was in. */
  readonly awaitOthers: () => void;
}

export interface ResetState {
  /** At most the highest that is implemented. Below EL3, SCR_EL3 is as firmware leaves it: Non-secure, HVC enabled. */
  readonly el: 1 | 2 | 3;
  readonly pc: bigint;
  readonly x0: bigint;
}

export interface SavedPe {
  readonly version: 1;
  /** The record up to the jump cache. */
  readonly record: Uint8Array;
  readonly tlb: SavedTlb;
  readonly bus: BusAccesses;
  readonly timers: Readonly<Record<TimerKind, TimerOutput>>;
  readonly monitor: ExclusiveTag;
  readonly lines: number;
  readonly exceptionsTaken: readonly number[];
  readonly cyclesCountedUntil: number;
  readonly eventsSeenUntil: number;
}

export interface Pe {
  readonly index: number;
  /** Address of the record. */
  readonly base: number;

  /** Whoever looks misses of the soft TLBs up in a second level has it at this address. */
  useSecondTlb(address: number): void;
  /** Cold reset, then `state`: what the firmware of the board would have left. PSTATE is ELx with SP_ELx, DAIF masked. */
  reset(state: ResetState): void;
  save(): SavedPe;
  restore(saved: SavedPe): void;

  // System instructions. `key` is systemKey(op0, op1, CRn, CRm, op2).
  /** MRS: the value goes to scratch[0]. */
  readSystemRegister(key: number): Exit;
  /** MSR (register): the value is in scratch[0]. */
  writeSystemRegister(key: number): Exit;
  /** SYS: IC, DC, AT, TLBI; the operand is in scratch[0]. */
  systemInstruction(key: number): Exit;
  /** SYSL. */
  systemInstructionWithResult(key: number): Exit;
  msrImmediate(op1: number, op2: number, CRm: number): Exit;

  // Exception-generating instructions and faults of instruction execution.
  svc(imm16: number): Exit;
  hvc(imm16: number): Exit;
  smc(imm16: number): Exit;
  brk(imm16: number): Exit;
  hlt(imm16: number): Exit;
  eret(): Exit;
  /** ELR_ELx of the current level to scratch[0]: UNDEFINED at EL0. */
  exceptionLink(): Exit;
  /** ERET to the address in scratch[0]. */
  eretTo(): Exit;
  /** An instruction of pointer authentication while `pointerTrapped` is not 0. */
  pointerTrap(): Exit;
  undefinedInstruction(): Exit;
  pcAlignment(): Exit;
  spAlignment(): Exit;
  /** An access to SIMD&FP registers while `fpTrapped` is not 0. */
  fpAccessTrap(): Exit;

  // Barriers, hints and waiting.
  dsb(): Exit;
  isb(): Exit;
  wfi(): Exit;
  /** The value of a location that is marked for exclusive access is looked at so often, once unless told, before the PE waits. */
  wfe(looks?: number): Exit;
  sev(): Exit;
  sevl(): Exit;
  clrex(): Exit;

  // Memory. The virtual address is in scratch[0], the value in scratch[1] and scratch[2].
  accessMemory(kind: AccessKind, sizeBytes: number, flags: number): Exit;
  loadExclusive(sizeBytes: number, flags: number): Exit;
  /** The status, 0 or 1, goes to scratch[3]. */
  storeExclusive(sizeBytes: number, flags: number): Exit;
  /**
   * Where PEs run at the same time: stores the value if memory holds what scratch[3] and scratch[4] do; what it held before is then
   * in scratch[1] and scratch[2].
   */
  compareAndSwap(sizeBytes: number, flags: number): Exit;
  /** The physical address of the instruction at PC, or -1 after an exception has been taken (PC is then the vector). */
  translateFetch(): number;
  /** The page that translateFetch() has just translated is guarded. */
  isFetchGuarded(): boolean;
  /** Before an instruction while `btype` is not 0. */
  checkBranchTarget(): Exit;

  // What reaches the PE from outside.
  setLine(kind: InterruptKind, level: boolean): void;
  /** The interrupt that is taken before the next instruction, if any. */
  pendingInterrupt(): InterruptKind | undefined;
  /** One is taken after the present instruction, for which answers of the bus wait. */
  isInterruptHeldBack(): boolean;
  takeInterrupt(kind: InterruptKind): void;
  /** Takes an SError that is pending for the current level, whatever PSTATE.A says; false where there is none. */
  takePendingSError(): boolean;
  /** True where WFI completes: an interrupt is pending whatever PSTATE masks. */
  wakeUpPending(): boolean;
  /** Sets the event register. */
  receiveEvent(): void;
  /** Where PEs run at the same time: a Load-Exclusive waits for its Store-Exclusive. */
  isMonitorSet(): boolean;
  /** Where PEs run at the same time: true, once, when the value of the last Load-Exclusive is not there any more. */
  hasLostMonitor(): boolean;
  /** Where PEs run at the same time: stores to the line of the last Load-Exclusive are events from now on; false where there is none. */
  watchMonitor(): boolean;
  receiveDvm(operation: DvmOperation): void;
  timerExpired(kind: TimerKind): void;
  /** The response to the outstanding busRequest. */
  busResponse(isOkay: boolean, valueLow: number, valueHigh: number): void;

  // For resident software, debuggers and tests: architectural state by name, and memory as the present EL sees it.
  currentEl(): number;
  /** Exceptions and interrupts taken since the PE was made, by target exception level. */
  readonly exceptionsTaken: readonly number[];
  readX(n: number): bigint;
  writeX(n: number, value: bigint): void;
  /** A system register with storage, by its name in the Arm ARM; without traps. */
  readRegister(name: string): bigint;
  writeRegister(name: string, value: bigint): void;
  /** The bytes at a virtual address, or undefined where the access would fault or is not to RAM. */
  readMemory(va: bigint, sizeBytes: number): Uint8Array | undefined;
  writeMemory(va: bigint, bytes: Uint8Array): boolean;
}
