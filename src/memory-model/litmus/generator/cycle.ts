// From a cycle of edges to the events of a test: thread by thread, each with its location, its value and how it accesses memory.
//
// A communication between threads begins the next thread, or leaves for one of its own and comes back; an edge to another location begins the
// next location. Writes to a location are numbered in the order of the cycle, which is the coherence order that is asked for; a read has the
// value that its edges ask for.

import { UserError } from '../../../report/user-error.ts';
import {
  type Annotation,
  type AtomicWrite,
  atomicWrite,
  type Direction,
  extract,
  inEveryByte,
  mergedAccess,
  overlap,
  overwrite,
  type Part,
} from './accesses.ts';
import type { Edge } from './edges.ts';

export interface CycleEvent {
  readonly direction: Direction;
  readonly annotation: Annotation;
  /** The bytes of its location that it accesses. */
  readonly part: Part;
  readonly thread: number;
  /** Number of the location. */
  readonly location: number;
  /** What it reads or writes. */
  readonly value: bigint;
  /** Of the write of an atomic. */
  readonly operand?: bigint;
  /** What its thread has stored there before all else. */
  readonly stored?: bigint;
}

export interface CycleLocation {
  readonly bytes: Part['bytes'];
  /** It is accessed in parts. */
  readonly isMixed: boolean;
  /** What it holds after each write. */
  readonly contents: readonly bigint[];
  /** What it holds in the end tells the order of the writes: there are two at most, and the second overwrites the first. */
  readonly tellsOrder: boolean;
}

export interface Cycle {
  /** Edge n leads from event n to event n + 1; the last one, which is external, to event 0. */
  readonly edges: readonly Edge[];
  readonly events: readonly CycleEvent[];
  readonly threads: number;
  readonly locations: readonly CycleLocation[];
  /** Values that locations end with where more than one write goes there. */
  readonly finals: ReadonlyMap<number, bigint>;
}

const mostEdges = 40;

/** `bytes` are those of every location, unless it is accessed in parts. */
export function layOutCycle(given: readonly Edge[], bytes: Part['bytes']): Cycle {
  if (given.length > mostEdges) throw new UserError(`a cycle of more than ${mostEdges} edges`);
  const threads = given.filter((edge) => edge.isExternal && edge.excursion !== 'Back').length;
  const moves = given.filter((edge) => !edge.isSameLocation).length;
  // A thread alone can break the coherence of one location only.
  const fewestThreads = moves === 0 && given.every((edge) => edge.excursion === undefined) ? 1 : 2;
  if (threads < fewestThreads)
    throw new UserError('a cycle needs two communications between threads, such as Rfe and Fre');
  if (!given.some((edge) => edge.isExternal && edge.excursion === undefined))
    throw new UserError('a cycle has a communication that is no excursion, such as Rfe');
  if (moves === 1) throw new UserError('a cycle that goes to another location comes back by a second such edge');
  const edges = startingRightly(given, moves === 0);
  const locations = Math.max(moves, 1);
  const threadsInOrder = threadsOf(edges);
  let location = 0;
  const places = edges.map((edge, n): Place => {
    const before = edges[(n + edges.length - 1) % edges.length]!;
    const { annotation, part } = accessBetween(before, edge);
    const place = { thread: threadsInOrder[n]!, location, annotation, part, isStored: before.isStored ?? false };
    if (!edge.isSameLocation) location = (location + 1) % locations;
    return place;
  });
  agreeOnAtomics(edges, places);
  if (locations === 1 && places.filter(isWriting(edges)).length > 2)
    throw new UserError('on one location, a cycle of more than two writes asks for no single order of them');
  const widest = widestOf(places, bytes);
  const valued = Array.from({ length: locations }, (_, n) => valuesAt(edges, places, n, locations, widest));
  const finals = new Map(valued.flatMap(({ final }, n) => (final === undefined ? [] : [[n, final] as const])));
  const events = edges.map((edge, n): CycleEvent => {
    const { thread, location: at, annotation, part } = places[n]!;
    const whole = { bytes: valued[at]!.bytes, offset: 0 };
    const values = valued[at]!.values.get(n)!;
    return { direction: edge.from, annotation, part: part ?? whole, thread, location: at, ...values };
  });
  return { edges, events, threads, locations: valued, finals };
}

interface Place {
  readonly thread: number;
  readonly location: number;
  readonly annotation: Annotation;
  part: Part | undefined;
  readonly isStored: boolean;
}

/** An atomic reads and writes the same part. */
function agreeOnAtomics(edges: readonly Edge[], places: readonly Place[]): void {
  edges.forEach(({ what, text }, n) => {
    if (what.kind !== 'atomic') return;
    const [read, write] = [places[n]!, places[(n + 1) % places.length]!];
    const merged = mergedAccess({ annotation: 'P', ...partAs(read) }, { annotation: 'P', ...partAs(write) });
    if (merged === undefined) throw new UserError(`"${text}" reads and writes different parts`);
    read.part = write.part = merged.part;
  });
}

const partAs = ({ part }: Place): { readonly part?: Part } => (part === undefined ? {} : { part });

const isWriting =
  (edges: readonly Edge[]) =>
  ({ isStored }: Place, n: number): boolean =>
    isStored || edges[n]!.from === 'W';

/** Of locations of a test that accesses parts: a word, or a doubleword. */
function widestOf(places: readonly Place[], bytes: Part['bytes']): Part['bytes'] {
  const parts = places.flatMap(({ part }) => part ?? []);
  if (parts.length === 0) return bytes;
  return parts.some((part) => part.offset + part.bytes > 4) || bytes === 8 ? 8 : 4;
}

/** Of each event. An excursion has a thread of its own, and does not go on to another. */
function threadsOf(edges: readonly Edge[]): number[] {
  let [thread, last] = [0, 0];
  let left: number | undefined;
  return edges.map(({ isExternal, excursion, text }) => {
    const own = thread;
    if (!isExternal) return own;
    if (excursion === 'Back' && left === undefined)
      throw new UserError(`"${text}" comes back where no thread was left`);
    if (excursion !== 'Back' && left !== undefined)
      throw new UserError(`"${text}" goes on to another thread before the one that was left is come back to`);
    if (left === undefined) last += 1;
    thread = left ?? last;
    left = excursion === 'Leave' ? own : undefined;
    return own;
  });
}

/** Both edges of an event may annotate it; those of an atomic have one address. */
function accessBetween(
  before: Edge,
  after: Edge,
): { readonly annotation: Annotation; readonly part: Part | undefined } {
  const merged = mergedAccess(before.toAccess, after.fromAccess);
  if (merged === undefined)
    throw new UserError(`"${before.text}" and "${after.text}" disagree about the event between them`);
  return { annotation: merged.annotation, part: merged.part };
}

/**
 * The cycle from the first event of a thread; on one location only, from a write that the cycle comes back to, by Fre rather than by Wse: what
 * a read has overlooked can be seen wherever it is. A thread alone may also read what it writes later.
 */
function startingRightly(edges: readonly Edge[], isOneLocation: boolean): Edge[] {
  const isAlone = edges.filter(({ isExternal }) => isExternal).length === 1;
  const comingBack = isOneLocation ? ['Fr', 'Ws', ...(isAlone ? ['Rf'] : [])] : [undefined];
  for (const relation of comingBack) {
    for (let start = 0; start < edges.length; start += 1) {
      const before = edges[(start + edges.length - 1) % edges.length]!;
      const isRight =
        relation === undefined || (before.what.kind === 'communication' && before.what.relation === relation);
      if (before.isExternal && before.excursion === undefined && isRight)
        return [...edges.slice(start), ...edges.slice(0, start)];
    }
  }
  throw new UserError('on one location, a cycle comes back by Fre or Wse');
}

interface EventValue {
  readonly value: bigint;
  readonly operand?: bigint;
  readonly stored?: bigint;
}

interface LocationValues extends CycleLocation {
  readonly values: ReadonlyMap<number, EventValue>;
  readonly final: bigint | undefined;
}

/** Walks a location's events in the order of the cycle. */
function valuesAt(
  edges: readonly Edge[],
  places: readonly Place[],
  location: number,
  locations: number,
  bytes: Part['bytes'],
): LocationValues {
  const isMixed = places.some((place) => place.location === location && place.part !== undefined);
  const whole: Part = { bytes, offset: 0 };
  const partOf = (n: number): Part => places[n]!.part ?? whole;
  const values = new Map<number, EventValue>();
  const contents: bigint[] = [];
  let cell = 0n;
  let writes = 0;
  let tellsOrder = true;
  let last: Part | undefined;
  const write = (part: Part, operation = ''): AtomicWrite => {
    writes += 1;
    const desired = isMixed ? inEveryByte(writes, part.bytes) : BigInt(writes);
    const written = atomicWrite(operation, extract(cell, part), desired, part.bytes);
    cell = overwrite(cell, part, written.value);
    if (writes > 2 || (last && !overlap(last, part))) tellsOrder = false;
    last = part;
    contents.push(cell);
    return written;
  };
  const first = edges.findIndex((_, n) => places[n]!.location === location && !isReachedInside(edges, n, locations));
  for (let step = 0, n = Math.max(first, 0); step < edges.length && places[n]!.location === location; step += 1) {
    const stored = places[n]!.isStored ? { stored: write(partOf(n)).value } : {};
    const { what } = edges[(n + edges.length - 1) % edges.length]!;
    const isWrite = edges[n]!.from === 'W';
    const operation = what.kind === 'atomic' ? what.operation.slice(2) : '';
    values.set(n, isWrite ? write(partOf(n), operation) : { value: extract(cell, partOf(n)), ...stored });
    n = (n + 1) % edges.length;
  }
  const shape = { bytes, isMixed, contents, tellsOrder };
  if (locations > 1) return { ...shape, values, final: writes > 1 ? cell : undefined };
  // The last edge leads back to the first event: it contradicts the order of the others.
  const { what } = edges.at(-1)!;
  const relation = what.kind === 'communication' ? what.relation : undefined;
  if (relation === 'Fr') values.set(edges.length - 1, { value: 0n });
  else if (relation === 'Rf') values.set(0, { value: extract(cell, partOf(0)) });
  else return { ...shape, values, final: overwrite(cell, partOf(0), values.get(0)!.value) };
  return { ...shape, values, final: writes > 1 ? cell : undefined };
}

/** Whether an event is reached from another one of its location. */
const isReachedInside = (edges: readonly Edge[], n: number, locations: number): boolean =>
  locations === 1 ? n > 0 : edges[(n + edges.length - 1) % edges.length]!.isSameLocation;
