// What the explorer runs: threads that share memory, and what is looked at when all of them have ended. A litmus test becomes a
// program (litmus/), and so does anything else that is to be exhausted.
//
// A thread is a function over the trace reading's memory (src/engine/trace-state.ts), whatever its instruction set: it never sees where a
// value comes from, and the values it computes carry the reads on which they depend.

import type { Dependencies, TraceValue } from '../engine/trace-values.ts';
import type { TraceException, TraceMemory } from '../engine/trace-state.ts';
import type { Translation } from './translation.ts';

/** A fence, in the words of cat: the name of its set of events, such as 'DMB.SY', 'DMB.ISHLD', 'DSB.ISH', 'ISB', 'MFENCE'. */
export type FenceName = string;

/**
 * Who sees every register and flag that instructions read and write: a model that speaks of register events (herd7's rf-reg,
 * iico_data, iico_ctrl) numbers them like reads from memory. What is answered takes the place of the value.
 */
export interface RegisterObserver {
  read(register: string, value: TraceValue): TraceValue;
  write(register: string, value: TraceValue): TraceValue;
}

/** A synchronous exception that a thread has taken, as far as a test can ask for it. */
export interface TakenException {
  /** Of the instruction. */
  readonly pc: bigint;
  /** In the words of herd7: 'SupervisorCall', 'UndefinedInstruction', 'D-MMU:Translation'. */
  readonly type: string;
  /** Of a Data Abort: the address of the access. */
  readonly address?: bigint;
}
/** A cache maintenance instruction that orders something, as cat names its set of events. */
export type CacheMaintenance = 'DC.CVAU' | 'IC.IVAU' | 'IC.IALLU' | 'IC.IALLUIS';

/** What a thread tells of itself besides its accesses to memory. */
export interface ThreadHooks {
  /** A thread that is given one reads and writes all its registers through it; memory-model/observed-state.ts wraps a TraceState. */
  readonly registers?: RegisterObserver;
  fence(name: FenceName): void;
  /**
   * An exception is taken; the sets of cat that its entry belongs to: 'EXC-ENTRY', 'SVC', and 'CSE' where it is a context synchronization
   * event, as 'ISB' is. An exception return is the fence 'EXC-RET', with 'CSE' likewise. The thread goes on at EL1 where it has a handler.
   */
  exceptionEntry(taken: TakenException, sets: readonly string[], hasHandler: boolean): void;
  exceptionReturn(sets: readonly string[]): void;
  /** TLBI and its kind: the sets of cat it belongs to; what it depends on, and the address that it is for, if not for all. */
  maintenance(sets: readonly string[], argument: TraceValue, address: bigint | undefined): void;
  /** Hardware sets the access flag of the descriptor that lies at an address, or does not: a step of its own. */
  updateAccessFlag(descriptor: bigint): 'done' | 'none' | TraceException;
  /** Every later event of the thread depends on these by control. */
  branch(depends: Dependencies): void;
  /** The instruction at an address is fetched: its word, which may be open, or undefined where nobody writes to it. */
  fetch(address: bigint): TraceValue | undefined;
  /** The address, which may be open, means nothing to an instruction that is for all of a cache. */
  cacheMaintenance(name: CacheMaintenance, address: TraceValue): void;
}

/** What became of an instruction. */
export type StepOutcome =
  | { readonly kind: 'next' }
  /** The thread has run to its end. */
  | { readonly kind: 'end' }
  /** No execution goes on from here: an instruction that is done again after a fault faults again. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'exception'; readonly exception: TraceException };

/** Whether two values, which may be open, count as the same. */
export type SameValue = (a: TraceValue, b: TraceValue) => boolean;

/** The architectural state of a thread in the middle of a run; plain, and its own copy. */
export interface ThreadState {
  /** Where it is: the same value twice is a loop. */
  readonly pc: bigint;
  clone(): ThreadState;
  /** Whether the thread would go on in the same way from the other state: the PC is the same, and so are all registers that matter. */
  isSameAs(other: ThreadState, sameValue: SameValue): boolean;
  /** Whether it matters from here on which exclusive access was last. */
  readonly needsMonitor: boolean;
  /** Executes one instruction; nothing of it has taken effect after an exception. */
  step(memory: TraceMemory, hooks: ThreadHooks): StepOutcome;
  /** The instruction at `pc` as text, for pictures and explanations. */
  describe(): string;
  /** Registers of the AArch64 state, or those of another instruction set under their own names. */
  register(name: string): TraceValue;
}

export interface Thread {
  /** As in the test: 'P0'. */
  readonly name: string;
  /** How its accesses are translated, if they are. */
  readonly translation?: Translation;
  start(): ThreadState;
  /** Where an instruction stands in its source, as FILE:LINE:COLUMN, for refusals. */
  placeOf?(pc: bigint): string | undefined;
}

/** A variable, an array or a page: bytes that exist. Accesses elsewhere fault. */
export interface MemoryArea {
  /** As in the test: 'x'. */
  readonly name: string;
  readonly address: bigint;
  /** Initial contents. */
  readonly bytes: Uint8Array;
  /** Size of an element of its type, for printing: 1, 2, 4, 8 or 16. */
  readonly elementBytes: number;
  readonly isSigned: boolean;
  /** Instructions that threads run: where a thread writes to them, they are fetched from memory like data. */
  readonly isCode?: boolean;
  /** Of instructions, by their addresses. */
  readonly labels?: ReadonlyMap<bigint, string>;
  /** Its initial contents are no write, so that no read of an execution reads them: as herd7 has it of descriptors without `vmsa`. */
  readonly isUnwritten?: boolean;
  /** What a value of it is called, where that is not its number. */
  spell?(value: bigint): string | undefined;
}

/**
 * What CTR_EL0 says of the caches that hold instructions: DIC, that instruction caches need no invalidation for new code to be seen,
 * and IDC, that data caches need no cleaning.
 */
export interface CacheType {
  readonly DIC: boolean;
  readonly IDC: boolean;
}

/** Something of the final state that a test looks at. */
export type Observable =
  | { readonly kind: 'register'; readonly thread: number; readonly name: string }
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: number }
  /** The exceptions that threads have taken, those of each in program order, as a number. */
  | { readonly kind: 'exceptions'; numberOf(taken: readonly (readonly TakenException[])[]): bigint };

export interface Program {
  readonly threads: readonly Thread[];
  readonly memory: readonly MemoryArea[];
  readonly observed: readonly Observable[];
  /** How often a thread may pass the same backward branch: herd7's -unroll, 2 without a word. */
  readonly unroll: number;
  /** Without a word, instruction caches are neither coherent nor behind coherent data caches. */
  readonly cacheType?: CacheType;
  /** Threads have Guarded Control Stacks. */
  readonly hasControlStacks?: boolean;
}

/** Values of `Program.observed`, in its order. */
export type FinalState = readonly bigint[];
