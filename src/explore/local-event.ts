// What a thread has done on a path through its code, as far as other threads can see it, and what a model says of the order of it.

import type { Dependencies, Reads } from '../engine/trace-values.ts';
import type { TakenException } from '../memory-model/program.ts';

/** Whole accesses, or the parts in which other accesses tear them: what has one source, or one place in coherence order. */
export interface LocalEvent {
  /** Reads, writes, fences, and the maintenance of caches. */
  readonly kind: 'R' | 'W' | 'F' | 'C';
  /** Place of its instruction in the thread. */
  readonly instruction: number;
  /** Events of one access follow each other. */
  readonly access: number;
  /** Of C, that of the instruction whose caches are maintained, or `noAddress`. */
  readonly address: bigint;
  readonly bytes: number;
  /** Of R and W, unless it depends on a read whose value is not known. */
  readonly value: bigint | undefined;
  /**
   * The name of a fence or of cache maintenance, or 'A', 'Q', 'L', 'X', 'NoRet'; 'Instr' where it reads or writes an instruction, and
   * 'NExp' where it is no access of the program, 'NExp' and 'PTE' of what a walk reads and what hardware writes to descriptors; of the entry
   * of an exception, the return from it and TLBI their sets.
   */
  readonly annotations: ReadonlySet<string>;
  /** Comes after the access before it of its instruction. */
  readonly isInOrder: boolean;
  /** On reads of the thread, by their place among its events; picks hold what is a pick dependency only. */
  readonly addr: Dependencies;
  readonly data: Dependencies;
  readonly ctrl: Dependencies;
  /** Of a write: what a read of the same thread that comes next to the location depends on through it. */
  readonly handsOn: Dependencies;
  /** Of a write that is the second half of a read-modify-write. */
  readonly rmw?: ReadModifyWrite;
  /** Choices that its thread had made before. */
  readonly choices: number;
  /** Of a read of a compare and swap, whose value decides whether there is a write: what it is compared with depends on these. */
  readonly comparedWith?: Reads | undefined;
  /** Of a read: the last write of the thread to the location before it. */
  readonly localSource?: number | undefined;
  /** An access to a Guarded Control Stack: no order is prescribed for it, not even that of its location. */
  readonly isUnordered?: boolean;
  /** Of a fence that is the entry of an exception. */
  readonly taken?: TakenException;
  /** Of an access, or of the fault in its place: the read of its descriptor. */
  readonly walk?: number;
  /** Of an access that was translated: its virtual address. */
  readonly virtual?: bigint;
}

/** Cache maintenance has it where its address is not known yet, or where it is for all of a cache. */
export const noAddress = -1n;

export const isAccess = ({ kind }: LocalEvent): boolean => kind === 'R' || kind === 'W';

/** An access to a descriptor that no instruction asks for: by a walk, or by hardware. */
export const isImplicit = ({ annotations }: LocalEvent): boolean => annotations.has('NExp') && annotations.has('PTE');

/** Events that are neither reads nor writes, and that other threads' events can be ordered before or after: TLBI, faults of the MMU. */
export const isPoint = ({ kind, annotations }: LocalEvent): boolean =>
  kind === 'F' && (annotations.has('TLBI') || annotations.has('MMU'));

export interface ReadModifyWrite {
  readonly read: number;
  /** 'hu': hardware writes to the descriptor that a walk has read. */
  readonly kind: 'amo' | 'lxsx' | 'hu';
  /** No write of the same thread to the location lies between: only then do other threads' writes have to stay out. */
  readonly isAtomic: boolean;
}

/** For each event of a thread, the earlier ones that are ordered before it: bits, in words of 32. */
export type LocalOrder = readonly Uint32Array[];

/** A memory model for the explorer: the order inside each thread; what other threads' writes add is the same in all of them. */
export interface OrderingModel {
  readonly name: string;
  order(events: readonly LocalEvent[]): LocalOrder;
  /**
   * A read is ordered before what a later read of the same location is from-read before in another thread (Arm DDI 0487,
   * "Hazard-ordered-before").
   */
  readonly hasHazards: boolean;
  /** It says what translation tables are for it, which arm-translation.ts asks of complete executions. */
  readonly hasTranslation: boolean;
  /**
   * The outcome of a compare and swap, for what comes after it in program order. 'needed': writes there are ordered after its read.
   * 'guessed': they need not be, unless they depend on it or on what it has stored. 'chosen': nothing is known, and it is chosen
   * before its source.
   */
  readonly outcomes: 'needed' | 'guessed' | 'chosen';
  /**
   * Where it matters on which of two reads a value depends, if a write that depends on it by control comes after both: an address or
   * stored data, any use, or none.
   */
  readonly distinguishesSources: 'addresses and data' | 'everywhere' | 'nowhere';
  /**
   * What instruction fetches see: as loads do; what caches hold that are maintained by instructions (instruction-caches.ts); or any write
   * at all, for models that judge whole executions.
   */
  readonly fetches: 'coherent' | 'by caches' | 'any';
}

/** Whether an instruction prescribes that one of its accesses comes before another (LDIAPP, STILP). */
export const isInOrder = (before: LocalEvent, event: LocalEvent): boolean =>
  event.isInOrder && before.instruction === event.instruction && before.access !== event.access;

export const isSameLocation = (a: LocalEvent, b: LocalEvent): boolean =>
  isAccess(a) && isAccess(b) && a.address === b.address;

/** Rows of bits that are filled event by event. */
export class OrderRows {
  readonly rows: Uint32Array[] = [];
  readonly #words: number;

  constructor(events: number) {
    this.#words = (events + 31) >>> 5;
  }

  emptyRow(): Uint32Array {
    return new Uint32Array(this.#words);
  }

  /** A row for the next event. */
  next(): Uint32Array {
    const row = this.emptyRow();
    this.rows.push(row);
    return row;
  }

  /** What is before another row is before this one. */
  addRow(row: Uint32Array, other: Uint32Array): void {
    for (let n = 0; n < other.length; n += 1) row[n] = (row[n] as number) | (other[n] as number);
  }

  /** The event, and all that is before it, come before the one with this row. */
  addBefore(row: Uint32Array, event: number): void {
    const word = event >>> 5;
    const bit = 1 << (event & 31);
    if (((row[word] as number) & bit) !== 0) return;
    row[word] = (row[word] as number) | bit;
    const before = this.rows[event] as Uint32Array;
    for (let n = 0; n < before.length; n += 1) row[n] = (row[n] as number) | (before[n] as number);
  }

  addAllBefore(row: Uint32Array, events: Iterable<number>): void {
    for (const event of events) this.addBefore(row, event);
  }
}

export const hasBit = (row: Uint32Array, bit: number): boolean =>
  (((row[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0;
