// From a cycle of edges to the events of a test: thread by thread, each with its location, its value and its annotation.
//
// A communication between threads begins the next thread, or leaves for one of its own and comes back; an edge to another location begins the
// next location. Writes to a location are numbered in the order of the cycle, which is the coherence order that is asked for; a read has the
// value that its edges ask for.

import { UserError } from '../../../report/user-error.ts';
import type { Annotation, Direction, Edge } from './edges.ts';

export interface CycleEvent {
  readonly direction: Direction;
  readonly annotation: Annotation;
  readonly thread: number;
  /** Number of the location. */
  readonly location: number;
  readonly value: number;
}

export interface Cycle {
  /** Edge n leads from event n to event n + 1; the last one, which is external, to event 0. */
  readonly edges: readonly Edge[];
  readonly events: readonly CycleEvent[];
  readonly threads: number;
  readonly locations: number;
  /** Values that locations end with where more than one write goes there. */
  readonly finals: ReadonlyMap<number, number>;
}

const fewestThreads = 2;
const mostEdges = 40;

export function layOutCycle(given: readonly Edge[]): Cycle {
  if (given.length > mostEdges) throw new UserError(`a cycle of more than ${mostEdges} edges`);
  const threads = given.filter((edge) => edge.isExternal && edge.excursion !== 'Back').length;
  if (threads < fewestThreads)
    throw new UserError('a cycle needs two communications between threads, such as Rfe and Fre');
  if (!given.some((edge) => edge.isExternal && edge.excursion === undefined))
    throw new UserError('a cycle has a communication that is no excursion, such as Rfe');
  const moves = given.filter((edge) => !edge.isSameLocation).length;
  if (moves === 1) throw new UserError('a cycle that goes to another location comes back by a second such edge');
  const edges = startingRightly(given, moves === 0);
  const locations = Math.max(moves, 1);
  const threadsInOrder = threadsOf(edges);
  let location = 0;
  const places = edges.map((edge, n) => {
    const place = { thread: threadsInOrder[n]!, location };
    if (!edge.isSameLocation) location = (location + 1) % locations;
    return place;
  });
  const { values, finals } = valuesOf(edges, places, locations);
  const events = edges.map((edge, n): CycleEvent => {
    const before = edges[(n + edges.length - 1) % edges.length]!;
    return {
      ...places[n]!,
      direction: edge.from,
      annotation: annotationOf(before, edge),
      value: values[n]!,
    };
  });
  return { edges, events, threads, locations, finals };
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

/** Both edges of an event may annotate it; plain agrees with anything. */
function annotationOf(before: Edge, after: Edge): Annotation {
  const [a, b] = [before.toAnnotation, after.fromAnnotation];
  if (a !== b && a !== 'P' && b !== 'P')
    throw new UserError(`"${before.text}" and "${after.text}" disagree about the event between them`);
  return a === 'P' ? b : a;
}

/**
 * The cycle from the first event of a thread; on one location only, from a write that the cycle comes back to, by Fre rather than by Wse: what
 * a read has overlooked can be seen wherever it is.
 */
function startingRightly(edges: readonly Edge[], isOneLocation: boolean): Edge[] {
  const comingBack = isOneLocation ? ['Fr', 'Ws'] : [undefined];
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

interface Placed {
  readonly location: number;
}

/** Walks each location's events in the order of the cycle. */
function valuesOf(
  edges: readonly Edge[],
  places: readonly Placed[],
  locations: number,
): { values: number[]; finals: Map<number, number> } {
  const values: number[] = edges.map(() => 0);
  const finals = new Map<number, number>();
  for (let location = 0; location < locations; location += 1) {
    const first = edges.findIndex((_, n) => places[n]!.location === location && !isReachedInside(edges, n, locations));
    let [value, writes] = [0, 0];
    for (let step = 0, n = Math.max(first, 0); step < edges.length && places[n]!.location === location; step += 1) {
      if (edges[n]!.from === 'W') {
        value += 1;
        writes += 1;
      }
      values[n] = value;
      n = (n + 1) % edges.length;
    }
    if (writes > 1) finals.set(location, value);
    if (locations === 1 && writes > 2) {
      throw new UserError('on one location, a cycle of more than two writes asks for no single order of them');
    }
  }
  if (locations === 1) contradict(edges, values, finals);
  return { values, finals };
}

/** Whether an event is reached from another one of its location. */
const isReachedInside = (edges: readonly Edge[], n: number, locations: number): boolean =>
  locations === 1 ? n > 0 : edges[(n + edges.length - 1) % edges.length]!.isSameLocation;

/** On one location the last edge leads back to the first write: the read before it is from what that overwrote, or that write is last. */
function contradict(edges: readonly Edge[], values: number[], finals: Map<number, number>): void {
  const last = edges.at(-1)!;
  if (last.from === 'R') values[edges.length - 1] = values[0]! - 1;
  else finals.set(0, values[0]!);
}
