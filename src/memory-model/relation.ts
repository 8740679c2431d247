// Sets of events and binary relations between them, as bit matrices: the arithmetic of axiomatic memory models (Alglave, Cousot,
// Maranget, "Syntax and semantics of the weak consistency model specification language cat").

const wordBits = 32;

/** Words of one row over `size` events. */
const wordsOf = (size: number): number => (size + wordBits - 1) >>> 5;

/** A set of events of an execution; events are numbers below `size`. */
export class EventSet {
  readonly size: number;
  readonly words: Uint32Array;

  constructor(size: number, words: Uint32Array = new Uint32Array(wordsOf(size))) {
    this.size = size;
    this.words = words;
  }

  static of(size: number, members: Iterable<number>): EventSet {
    const set = new EventSet(size);
    for (const event of members) set.add(event);
    return set;
  }

  static all(size: number): EventSet {
    const set = new EventSet(size);
    for (let event = 0; event < size; event += 1) set.add(event);
    return set;
  }

  add(event: number): void {
    this.words[event >>> 5] = (this.words[event >>> 5] as number) | (1 << (event & 31));
  }

  has(event: number): boolean {
    return (((this.words[event >>> 5] as number) >>> (event & 31)) & 1) !== 0;
  }

  get isEmpty(): boolean {
    const { words } = this;
    for (let n = 0; n < words.length; n += 1) if (words[n] !== 0) return false;
    return true;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let event = 0; event < this.size; event += 1) if (this.has(event)) yield event;
  }

  union(other: EventSet): EventSet {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) | (words[n] as number);
    return new EventSet(this.size, result);
  }

  intersection(other: EventSet): EventSet {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) & (words[n] as number);
    return new EventSet(this.size, result);
  }

  difference(other: EventSet): EventSet {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) & ~(words[n] as number);
    return new EventSet(this.size, result);
  }
}

/** A relation between the events of an execution: row a holds every b with a → b. */
export class Relation {
  readonly size: number;
  readonly stride: number;
  readonly words: Uint32Array;

  constructor(size: number, words?: Uint32Array) {
    this.size = size;
    this.stride = wordsOf(size);
    this.words = words ?? new Uint32Array(size * this.stride);
  }

  static of(size: number, pairs: Iterable<readonly [number, number]>): Relation {
    const relation = new Relation(size);
    for (const [from, to] of pairs) relation.add(from, to);
    return relation;
  }

  /** [S]: the identity on a set. */
  static identityOn(set: EventSet): Relation {
    const relation = new Relation(set.size);
    for (const event of set) relation.add(event, event);
    return relation;
  }

  /** A * B. */
  static product(from: EventSet, to: EventSet): Relation {
    const relation = new Relation(from.size);
    for (const event of from) relation.words.set(to.words, event * relation.stride);
    return relation;
  }

  add(from: number, to: number): void {
    const at = from * this.stride + (to >>> 5);
    this.words[at] = (this.words[at] as number) | (1 << (to & 31));
  }

  has(from: number, to: number): boolean {
    return (((this.words[from * this.stride + (to >>> 5)] as number) >>> (to & 31)) & 1) !== 0;
  }

  clone(): Relation {
    return new Relation(this.size, this.words.slice());
  }

  get isEmpty(): boolean {
    const { words } = this;
    for (let n = 0; n < words.length; n += 1) if (words[n] !== 0) return false;
    return true;
  }

  *pairs(): Generator<readonly [number, number]> {
    for (let from = 0; from < this.size; from += 1)
      for (let to = 0; to < this.size; to += 1) if (this.has(from, to)) yield [from, to];
  }

  successors(from: number): EventSet {
    return new EventSet(this.size, this.words.slice(from * this.stride, (from + 1) * this.stride));
  }

  union(other: Relation): Relation {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) | (words[n] as number);
    return new Relation(this.size, result);
  }

  intersection(other: Relation): Relation {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) & (words[n] as number);
    return new Relation(this.size, result);
  }

  difference(other: Relation): Relation {
    const result = this.words.slice();
    const { words } = other;
    for (let n = 0; n < result.length; n += 1) result[n] = (result[n] as number) & ~(words[n] as number);
    return new Relation(this.size, result);
  }

  inverse(): Relation {
    const { size, stride, words } = this;
    const result = new Relation(size);
    for (let from = 0; from < size; from += 1)
      for (let n = 0; n < stride; n += 1)
        for (let rest = words[from * stride + n] as number; rest !== 0; rest &= rest - 1)
          result.add((n << 5) + 31 - Math.clz32(rest & -rest), from);
    return result;
  }

  /** this ; other. */
  sequence(other: Relation): Relation {
    const { size, stride } = this;
    const result = new Relation(size);
    for (let from = 0; from < size; from += 1) {
      const row = from * stride;
      for (let word = 0; word < stride; word += 1)
        for (let rest = this.words[row + word] as number; rest !== 0; rest &= rest - 1) {
          const second = ((word << 5) + 31 - Math.clz32(rest & -rest)) * stride;
          for (let n = 0; n < stride; n += 1)
            result.words[row + n] = (result.words[row + n] as number) | (other.words[second + n] as number);
        }
    }
    return result;
  }

  /** Transitive closure (Warshall). */
  plus(): Relation {
    const { size, stride } = this;
    const result = this.clone();
    const { words } = result;
    for (let via = 0; via < size; via += 1) {
      const second = via * stride;
      for (let from = 0; from < size; from += 1) {
        const row = from * stride;
        if ((((words[row + (via >>> 5)] as number) >>> (via & 31)) & 1) === 0) continue;
        for (let n = 0; n < stride; n += 1) words[row + n] = (words[row + n] as number) | (words[second + n] as number);
      }
    }
    return result;
  }

  /** Reflexive closure. */
  optional(): Relation {
    const result = this.clone();
    for (let event = 0; event < this.size; event += 1) result.add(event, event);
    return result;
  }

  domain(): EventSet {
    const set = new EventSet(this.size);
    for (let from = 0; from < this.size; from += 1)
      for (let n = 0; n < this.stride; n += 1) if (this.words[from * this.stride + n] !== 0) set.add(from);
    return set;
  }

  range(): EventSet {
    const set = new EventSet(this.size);
    for (let from = 0; from < this.size; from += 1)
      for (let n = 0; n < this.stride; n += 1)
        set.words[n] = (set.words[n] as number) | (this.words[from * this.stride + n] as number);
    return set;
  }

  get isIrreflexive(): boolean {
    for (let event = 0; event < this.size; event += 1) if (this.has(event, event)) return false;
    return true;
  }

  get isAcyclic(): boolean {
    return this.plus().isIrreflexive;
  }
}
