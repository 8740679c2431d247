// An execution in the making: the events of all threads so far, where reads read from, and what follows from it.
//
// Ordered-before and the coherence order are kept as what *must* hold, transitively closed; a graph is given up as soon as one of them
// has a cycle. Coherence order is decided between two writes only when it follows from something. What follows:
// - internal visibility: coWW, coWR, coRW1, coRW2 on each location;
// - observed-by: reads-from, from-reads and coherence between threads are in ordered-before; and the other way round, what
//   ordered-before says of two writes, or of a write and a read, decides coherence;
// - atomicity: no write comes between the two halves of a read-modify-write.
//
// Where code is written to, the graph also has instruction fetches, cache maintenance and the DSBs that complete it: instruction-caches.ts
// says what follows from those. Until it does, a fetch may see any write.
//
// Plain arrays of words, in one buffer that is copied at each branch of the search: a graph of 32 events is 4 KB. The initial writes are
// no events: they come first in coherence order, and nothing is ordered before them.

import { type FetchOrder, role, saturateFetches } from './instruction-caches.ts';
import { isImplicit, type LocalEvent } from './local-event.ts';

/** Where a read reads from, if not from a write: nothing is decided yet, or the initial contents. */
export const undecided = -2;
export const initialContents = -1;

/** The graph has more events than it was made for. */
export class GraphFull extends Error {}

const isRead = 0;
const isWrite = 1;
/** Cache and TLB maintenance, a fault of the MMU, or a fence that completes cache maintenance. */
const isOther = 2;

/** What is known of an event when it is appended. */
export interface EventColumns {
  readonly thread: number;
  readonly local: number;
  readonly location: number;
  /** -1 while it is not known. */
  readonly value: number;
  /** The first event of its access, or -1 where that is itself. */
  readonly first: number;
  /** What it is to instruction caches. */
  readonly role?: number;
  readonly line?: number;
}

/** The buffer: matrices of words, then columns of one number for each event. */
const matrices = 4;
const columns = 11;
/** What there is besides where code is modified. */
const fetchMatrices = 1;
const fetchColumns = 3;

const nothing = new Int32Array(0);

export class Graph {
  readonly capacity: number;
  readonly #words: number;
  readonly #buffer: Int32Array;
  count = 0;

  /** Ordered-before and its inverse, coherence order and its inverse. */
  readonly #after: Int32Array;
  readonly #before: Int32Array;
  readonly #coAfter: Int32Array;
  readonly #coBefore: Int32Array;

  readonly #kind: Int32Array;
  readonly thread: Int32Array;
  /** Place among the events of its thread. */
  readonly local: Int32Array;
  readonly instruction: Int32Array;
  readonly location: Int32Array;
  readonly source: Int32Array;
  /** A number for the value; -1 while it is not known. */
  readonly value: Int32Array;
  /** The other half of an atomic read-modify-write, or -1. */
  readonly #partner: Int32Array;
  /** The events of its access. */
  readonly #firstPart: Int32Array;
  readonly #lastPart: Int32Array;
  /** Accesses of walks and of hardware: program order and from-reads say nothing of them, a read of theirs is behind its source. */
  readonly #isImplicit: Int32Array;
  readonly #hasHazards: boolean;

  /** How fetches are ordered, where code is modified. */
  readonly #fetches: FetchOrder | undefined;
  /** A choice that has been made: the one takes effect before the other (instruction-caches.ts). */
  readonly #precedes: Int32Array = nothing;
  /** What an event is to instruction caches, and on which line; where maintenance is completed, or -1. */
  readonly role: Int32Array = nothing;
  readonly line: Int32Array = nothing;
  readonly completion: Int32Array = nothing;

  constructor(capacity: number, hasHazards: boolean, fetches?: FetchOrder) {
    this.capacity = capacity;
    this.#words = capacity >>> 5;
    this.#hasHazards = hasHazards;
    this.#fetches = fetches;
    const matrix = capacity * this.#words;
    const hasFetches = fetches !== undefined;
    this.#buffer = new Int32Array(
      (matrices + (hasFetches ? fetchMatrices : 0)) * matrix + (columns + (hasFetches ? fetchColumns : 0)) * capacity,
    );
    let at = 0;
    const take = (length: number): Int32Array => {
      at += length;
      return this.#buffer.subarray(at - length, at);
    };
    this.#after = take(matrix);
    this.#before = take(matrix);
    this.#coAfter = take(matrix);
    this.#coBefore = take(matrix);
    this.#kind = take(capacity);
    this.thread = take(capacity);
    this.local = take(capacity);
    this.instruction = take(capacity);
    this.location = take(capacity);
    this.source = take(capacity);
    this.value = take(capacity);
    this.#partner = take(capacity);
    this.#firstPart = take(capacity);
    this.#lastPart = take(capacity);
    this.#isImplicit = take(capacity);
    if (!hasFetches) return;
    this.#precedes = take(matrix);
    this.role = take(capacity);
    this.line = take(capacity);
    this.completion = take(capacity);
  }

  copyFrom(other: Graph): void {
    this.#buffer.set(other.#buffer);
    this.count = other.count;
  }

  isRead(event: number): boolean {
    return this.#kind[event] === isRead;
  }

  isWrite(event: number): boolean {
    return this.#kind[event] === isWrite;
  }

  isImplicit(event: number): boolean {
    return this.#isImplicit[event] !== 0;
  }

  isOrderedBefore(a: number, b: number): boolean {
    return this.#has(this.#after, a, b);
  }

  isCoherenceBefore(a: number, b: number): boolean {
    return this.#has(this.#coAfter, a, b);
  }

  firstPart(event: number): number {
    return this.#firstPart[event]!;
  }

  /** A new event, of which nothing is known yet but what it is; it has the next number. */
  append(localEvent: LocalEvent, columnsOf: EventColumns): number {
    const { kind, instruction } = localEvent;
    const { thread, local, location, value, first } = columnsOf;
    const event = this.count;
    if (event === this.capacity) throw new GraphFull();
    this.count += 1;
    const words = this.#words;
    for (const matrix of [this.#after, this.#before, this.#coAfter, this.#coBefore])
      matrix.fill(0, event * words, (event + 1) * words);
    this.#kind[event] = kind === 'R' ? isRead : kind === 'W' ? isWrite : isOther;
    this.#isImplicit[event] = isImplicit(localEvent) ? 1 : 0;
    this.thread[event] = thread;
    this.local[event] = local;
    this.instruction[event] = instruction;
    this.location[event] = location;
    this.source[event] = undecided;
    this.value[event] = value;
    this.#partner[event] = -1;
    this.#firstPart[event] = first < 0 ? event : first;
    for (let part = this.#firstPart[event]; part <= event; part += 1) this.#lastPart[part] = event;
    if (this.#fetches === undefined) return event;
    this.#precedes.fill(0, event * words, (event + 1) * words);
    this.role[event] = columnsOf.role ?? 0;
    this.line[event] = columnsOf.line ?? -1;
    this.completion[event] = -1;
    return event;
  }

  /** The two are halves of an atomic read-modify-write: no other write comes between. */
  pair(read: number, write: number): void {
    this.#partner[read] = write;
    this.#partner[write] = read;
  }

  #has(matrix: Int32Array, a: number, b: number): boolean {
    return ((matrix[a * this.#words + (b >>> 5)]! >>> (b & 31)) & 1) !== 0;
  }

  #set(matrix: Int32Array, a: number, b: number): void {
    const at = a * this.#words + (b >>> 5);
    matrix[at] = matrix[at]! | (1 << (b & 31));
  }

  /** row(to) |= row(from) | {from} */
  #join(matrix: Int32Array, to: number, from: number): void {
    const words = this.#words;
    for (let n = 0; n < words; n += 1) matrix[to * words + n] = matrix[to * words + n]! | matrix[from * words + n]!;
    this.#set(matrix, to, from);
  }

  /** a is ordered before b; false where it makes a cycle. */
  addOrder(a: number, b: number): boolean {
    if (a === b || this.#has(this.#after, b, a)) return false;
    if (this.#has(this.#after, a, b)) return true;
    for (let x = 0; x < this.count; x += 1) {
      if ((x === a || this.#has(this.#before, a, x)) && !this.#has(this.#after, x, b)) this.#join(this.#after, x, b);
    }
    for (let y = 0; y < this.count; y += 1) {
      if ((y === b || this.#has(this.#after, b, y)) && !this.#has(this.#before, y, a)) this.#join(this.#before, y, a);
    }
    return true;
  }

  /** a is ordered before all that b's access does. */
  #addOrderToAccess(a: number, b: number): boolean {
    for (let part = this.#firstPart[b]!; part <= this.#lastPart[b]!; part += 1)
      if (!this.addOrder(a, part)) return false;
    return true;
  }

  #areExplicit(a: number, b: number): boolean {
    return this.#isImplicit[a] === 0 && this.#isImplicit[b] === 0;
  }

  #isProgramOrdered(a: number, b: number): boolean {
    return this.thread[a] === this.thread[b] && this.instruction[a]! < this.instruction[b]!;
  }

  /** a comes before b in coherence order; false where that cannot be. */
  addCoherence(a: number, b: number): boolean {
    if (a === b || this.#has(this.#coAfter, b, a)) return false;
    if (this.#has(this.#coAfter, a, b)) return true;
    const location = this.location[a];
    const pairs: number[] = [];
    for (let x = 0; x < this.count; x += 1) {
      if (this.location[x] !== location || (x !== a && !this.#has(this.#coBefore, a, x))) continue;
      for (let y = 0; y < this.count; y += 1) {
        if (this.location[y] !== location || (y !== b && !this.#has(this.#coAfter, b, y))) continue;
        if (this.#has(this.#coAfter, x, y)) continue;
        this.#set(this.#coAfter, x, y);
        this.#set(this.#coBefore, y, x);
        pairs.push(x, y);
      }
    }
    for (let n = 0; n < pairs.length; n += 2) if (!this.#afterCoherence(pairs[n]!, pairs[n + 1]!)) return false;
    return true;
  }

  /** What follows from a new pair of the coherence order. */
  #afterCoherence(a: number, b: number): boolean {
    if (this.#isUnordered(a) || this.#isUnordered(b)) {
      // Coherence order is all that there is.
    } else if (this.thread[a] !== this.thread[b]) {
      if (!this.#addOrderToAccess(a, b)) return false;
    } else if (this.local[a]! > this.local[b]! && this.#areExplicit(a, b)) return false;
    const location = this.location[a];
    for (let read = 0; read < this.count; read += 1) {
      if (this.#kind[read] !== isRead || this.location[read] !== location) continue;
      const source = this.source[read]!;
      if (source === a && this.#isImplicit[read] === 0 && !this.#addFromRead(read, b)) return false;
      const write = this.#partner[read]!;
      if (write < 0 || source === undecided) continue;
      if (source === a && write !== b && !this.addCoherence(write, b)) return false;
      if (write === b && source !== a && (source < 0 || !this.addCoherence(a, source))) return false;
    }
    return true;
  }

  /** A choice between two orders. */
  precedes(a: number, b: number): boolean {
    return this.#has(this.#precedes, a, b);
  }

  addPrecedence(a: number, b: number): boolean {
    this.#set(this.#precedes, a, b);
    return this.addOrder(a, b);
  }

  /** Accesses to a Guarded Control Stack. */
  #isUnordered(event: number): boolean {
    return this.#fetches !== undefined && this.#fetches !== 'coherent' && this.role[event] === role.unordered;
  }

  /** Reads that need not see what loads see. */
  #isUncached(read: number): boolean {
    if (this.#fetches === undefined || this.#fetches === 'coherent') return false;
    return this.role[read] === role.fetch || this.role[read] === role.unordered;
  }

  /** The read is from-read before the write. */
  #addFromRead(read: number, write: number): boolean {
    if (this.#isUncached(read) || this.#isUnordered(write)) return true;
    const thread = this.thread[read];
    // coWR: the source is overwritten before the read in its own thread.
    if (thread === this.thread[write]) return this.local[write]! > this.local[read]! || !this.#areExplicit(read, write);
    if (!this.#addOrderToAccess(read, write)) return false;
    if (!this.#hasHazards) return true;
    for (let earlier = 0; earlier < this.count; earlier += 1)
      if (this.#isHazard(earlier, read) && !this.#addOrderToAccess(earlier, write)) return false;
    return true;
  }

  /** An earlier read, in program order, of a location that the access of `read` reads. */
  #isHazard(earlier: number, read: number): boolean {
    if (this.#kind[earlier] !== isRead || this.#isImplicit[earlier] !== 0) return false;
    if (!this.#isProgramOrdered(earlier, read)) return false;
    for (let part = this.#firstPart[read]!; part <= this.#lastPart[read]!; part += 1)
      if (this.location[part] === this.location[earlier]) return true;
    return false;
  }

  /** The read reads from the write, or from the initial contents; false where it cannot. */
  setSource(read: number, source: number): boolean {
    this.source[read] = source;
    // A write of its own thread, too, has to have taken effect before an instruction cache holds it.
    if (this.#isUncached(read)) return source < 0 || this.#isUnordered(read) || this.addOrder(source, read);
    const thread = this.thread[read];
    const location = this.location[read];
    if (this.#isImplicit[read] !== 0) return (source < 0 || this.addOrder(source, read)) && this.#isPairAtomic(read);
    if (source >= 0) {
      // coRW1
      if (this.#isUnordered(source)) {
        // Nothing follows.
      } else if (this.#isImplicit[source] === 0 && this.thread[source] === thread) {
        if (this.local[source]! > this.local[read]!) return false;
      } else if (!this.#addOrderToAccess(source, read)) return false;
    }
    for (let write = 0; write < this.count; write += 1) {
      if (this.#kind[write] !== isWrite || this.location[write] !== location || write === source) continue;
      if (this.#isUnordered(write)) continue;
      if (this.thread[write] === thread && this.#isImplicit[write] === 0) {
        if (this.local[write]! < this.local[read]!) {
          if (source < 0 || !this.addCoherence(write, source)) return false;
        } else if (source >= 0 && !this.addCoherence(source, write)) return false;
      }
      if (source < 0 || this.#has(this.#coAfter, source, write)) {
        if (!this.#addFromRead(read, write)) return false;
      }
    }
    return this.#isPairAtomic(read);
  }

  #isPairAtomic(read: number): boolean {
    const write = this.#partner[read]!;
    const source = this.source[read]!;
    if (write < 0 || source === undecided) return true;
    const location = this.location[read];
    for (let other = 0; other < this.count; other += 1) {
      if (this.#kind[other] !== isWrite || this.location[other] !== location) continue;
      if (other === write || other === source) continue;
      if (source < 0 || this.#has(this.#coAfter, source, other)) {
        if (!this.addCoherence(write, other)) return false;
      } else if (this.#has(this.#coAfter, other, write) && !this.addCoherence(other, source)) return false;
    }
    return true;
  }

  /** What follows from a write that has been appended, once its order in its thread is known. */
  addWrite(write: number): boolean {
    const thread = this.thread[write];
    const location = this.location[write];
    for (let event = 0; event < this.count; event += 1) {
      if (this.location[event] !== location || event === write) continue;
      if (this.#isUnordered(event) || this.#isUnordered(write)) continue;
      const isEarlier =
        this.thread[event] === thread && this.local[event]! < this.local[write]! && this.#areExplicit(event, write);
      if (this.#kind[event] === isWrite) {
        if (isEarlier && !this.addCoherence(event, write)) return false;
        continue;
      }
      const source = this.source[event]!;
      if (source === undecided || this.#isUncached(event)) continue;
      if (isEarlier && source >= 0 && source !== write && !this.addCoherence(source, write)) return false;
      if (source === initialContents) {
        if (this.#isImplicit[event] === 0 && !this.#addFromRead(event, write)) return false;
        const pair = this.#partner[event]!;
        if (pair >= 0 && pair !== write && !this.addCoherence(pair, write)) return false;
      }
    }
    const read = this.#partner[write]!;
    return read < 0 || this.#isPairAtomic(read);
  }

  /** Coherence that follows from ordered-before, until nothing more follows. */
  saturate(): boolean {
    for (let hasChanged = true; hasChanged;) {
      hasChanged = false;
      for (let write = 0; write < this.count; write += 1) {
        if (this.#kind[write] !== isWrite) continue;
        for (let event = 0; event < this.count; event += 1) {
          if (this.location[event] !== this.location[write] || event === write) continue;
          const last = this.#kind[event] === isWrite ? event : this.source[event]!;
          if (this.#isUncached(event) || this.#isUnordered(event) || this.#isUnordered(write)) continue;
          if (last < 0 || last === write) continue;
          if (this.#kind[event] === isRead && this.#isImplicit[event] !== 0) continue;
          if (this.#has(this.#coAfter, write, last) || this.#has(this.#coAfter, last, write)) continue;
          const isBefore =
            this.#kind[event] === isWrite ? this.#has(this.#after, write, event) : this.#isSeenBefore(write, event);
          if (!isBefore) continue;
          if (!this.addCoherence(write, last)) return false;
          hasChanged = true;
        }
      }
      const fetches = this.#fetches === undefined ? 'nothing new' : saturateFetches(this, this.#fetches);
      if (fetches === 'contradiction') return false;
      if (fetches === 'new order') hasChanged = true;
    }
    return true;
  }

  /** The write is ordered before the read, or before an earlier read of the location: then it is no news after the read. */
  #isSeenBefore(write: number, read: number): boolean {
    if (this.thread[write] === this.thread[read]) return false;
    if (this.#has(this.#after, write, read)) return true;
    if (!this.#hasHazards) return false;
    for (let earlier = 0; earlier < this.count; earlier += 1)
      if (this.#has(this.#after, write, earlier) && this.#isHazard(earlier, read)) return true;
    return false;
  }
}
