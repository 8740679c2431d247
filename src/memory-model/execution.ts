// A candidate execution: events, and the relations between them that a memory model speaks of (Arm DDI 0487, B2.3 "Definition of the
// Armv8 memory model"; herd7's cat for the names). Models, pictures and explanations read it; the explorer makes it.

import type { Relation } from './relation.ts';

/** The thread of the initial writes. */
export const initialThread = -1;

export interface MemoryEvent {
  /** Its place in `Execution.events`: the initial writes first, then thread by thread in program order. */
  readonly id: number;
  readonly thread: number;
  /** Place of its instruction in the thread; the events of one instruction share it. */
  readonly instruction: number;
  /**
   * Numbers the accesses to memory of all threads. An access is one event, or, where other accesses tear it (mixed sizes), one for
   * each part that they leave whole: cat's `sm`.
   */
  readonly access: number;
  /** Reads, writes, fences, and maintenance of caches. */
  readonly kind: 'R' | 'W' | 'F' | 'C';
  /** Of C, the instruction, or -1 where it is for all. Of R and W: where, how wide, and what was read or written. */
  readonly address: bigint;
  readonly bytes: number;
  readonly value: bigint;
  /** Of a translated access: its virtual address. */
  readonly virtual?: bigint;
  /**
   * The sets of cat that it belongs to besides R, W, F, M and IW: 'A' (Load-Acquire), 'Q' (Load-AcquirePC), 'L' (Store-Release),
   * 'X' (exclusive), 'NoRet' (an atomic whose result is discarded), 'Instr' (it reads or writes an instruction), 'NExp' (it is no access
   * of the program, but the fetch of an instruction), or the name of a fence or of cache maintenance.
   */
  readonly annotations: ReadonlySet<string>;
}

/** The read of an instruction to be executed. */
export const isFetch = ({ kind, annotations }: Pick<MemoryEvent, 'kind' | 'annotations'>): boolean =>
  kind === 'R' && annotations.has('NExp') && annotations.has('Instr');

/** Relations that are given with an execution; a model derives the others. */
export interface BaseRelations {
  /** Program order, between events of different instructions of a thread; the initial writes are not in it. */
  readonly po: Relation;
  readonly rf: Relation;
  /** Coherence order: total over the writes to each location, initial writes first. */
  readonly co: Relation;
  /** Dependencies by registers from a read: to the address, to the data of an access, to what follows a branch. */
  readonly addr: Relation;
  readonly data: Relation;
  readonly ctrl: Relation;
  /** Pick dependencies (Arm DDI 0487, "Pick dependency"): by the condition of a select or the outcome of a compare and swap. */
  readonly pickAddr: Relation;
  readonly pickData: Relation;
  readonly pickCtrl: Relation;
  /** Read to write of a successful pair of exclusives. */
  readonly lxsx: Relation;
  /** Read to write of an atomic instruction. */
  readonly amo: Relation;
  /** Of hardware's writes to descriptors: from what the walk read to them. */
  readonly hu: Relation;
  /** From what a walk read to the access, or to the fault in its place. */
  readonly walk: Relation;
  /** Order inside one instruction that the architecture prescribes between its accesses. */
  readonly iicoOrder: Relation;
}

export interface Execution {
  readonly events: readonly MemoryEvent[];
  readonly relations: BaseRelations;
}

/** What a model says of an execution. */
export type Judgement =
  | { readonly isAllowed: true }
  /** The axiom that fails, and a cycle or the events that break it. */
  | { readonly isAllowed: false; readonly axiom: string; readonly cycle: readonly number[] };

/** A memory model as it judges complete executions. */
export interface Model {
  readonly name: string;
  /** False where it does not say what walks are, so that it cannot judge a program whose accesses are translated. */
  readonly hasTranslation?: boolean;
  judge(execution: Execution): Judgement;
}
