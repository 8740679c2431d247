// What Armv8-A asks of translation beyond the order inside threads (Arm DDI 0487, B2.3 "Ordering requirements on translation table
// reads"): who sees the writes of descriptors when, and what TLBI promises. It is asked of an execution that is complete.
//
// A walk may read a descriptor long before the access, as a TLB does, so that in general nothing follows from what it does not see. But
// a walk that leads to a Translation or an Access flag fault cannot have been cached, and a TLBI that is completed by a DSB parts walks into those before it, whose
// accesses are complete behind the DSB, and those after it, which see every write that the TLBI waits for. On which side of it a walk lies is
// tried both ways, unless program order says so.

import type { Graph } from './graph.ts';
import { hasBit, isImplicit, type LocalEvent } from './local-event.ts';
import type { Situation } from './situation.ts';
import type { ThreadPath } from './thread-tree.ts';

const fullDsbs: ReadonlySet<string> = new Set(['DSB.SY', 'DSB.ISH', 'DSB.OSH']);
const isFullDsb = ({ kind, annotations }: LocalEvent): boolean =>
  kind === 'F' && [...annotations].some((name) => fullDsbs.has(name));
const isSynchronization = ({ kind, annotations }: LocalEvent): boolean =>
  kind === 'F' && (annotations.has('ISB') || annotations.has('CSE'));

/** An event of a situation. */
interface Site {
  readonly thread: number;
  readonly local: number;
  readonly number: number;
  readonly event: LocalEvent;
}

/** A TLBI that is completed by a DSB. */
interface Invalidation extends Site {
  /** Events of its thread that wait for it. */
  readonly behind: readonly number[];
}

interface Walk extends Site {
  /** Accesses, or the fault, that it was for. */
  readonly accesses: readonly Site[];
}

/** A TLBI and a walk that it may invalidate; `order` is what program order says, 1 where the walk is after the TLBI. */
interface Pair {
  readonly invalidation: Invalidation;
  readonly walk: Walk;
  readonly order: -1 | 0 | 1;
}

const pageOffset = (address: bigint): bigint => address & 0xfffn;

/** Whether an execution whose coherence order is total has the order that translation asks for; changes the graph. */
export function hasTranslationOrder(situation: Situation, copyOf: (graph: Graph, depth: number) => Graph): boolean {
  const { graph } = situation;
  const sites = situation.paths.flatMap((path, thread) => sitesOf(situation, path, thread));
  const walks: Walk[] = sites
    .filter(({ event }) => event.kind === 'R' && isImplicit(event))
    .map((walk) => ({
      ...walk,
      accesses: sites.filter(({ thread, event }) => thread === walk.thread && event.walk === walk.local),
    }));
  if (!sites.every((site) => hasUpdateOrder(graph, site, sites))) return false;
  if (!walks.every((walk) => hasUncachedOrder(graph, walk))) return false;
  const pairs = pairsOf(situation, sites, walks);
  const decided = pairs.filter(({ order }) => order !== 0);
  if (!decided.every((pair) => orderPair(graph, pair, pair.order === 1, walks))) return false;
  return tryPairs(graph, pairs.filter(({ order }) => order === 0), 0, walks, copyOf); // prettier-ignore
}

function sitesOf({ numbers }: Situation, { events }: ThreadPath, thread: number): Site[] {
  return events.flatMap((event, local) => {
    const number = numbers[thread]![local]!;
    return number < 0 ? [] : [{ thread, local, number, event }];
  });
}

/** The read is from-read before the write. */
function isFromRead(graph: Graph, read: number, write: number): boolean {
  if (graph.location[read] !== graph.location[write] || !graph.isWrite(write)) return false;
  const source = graph.source[read]!;
  return source < 0 || graph.isCoherenceBefore(source, write);
}

/** Hardware's writes are seen in coherence order, in their own thread, too. */
function hasUpdateOrder(graph: Graph, { number, thread, event }: Site, sites: readonly Site[]): boolean {
  if (event.kind !== 'W' || !isImplicit(event)) return true;
  return sites.every((other) => {
    if (other.thread !== thread || other.number === number) return true;
    if (graph.isCoherenceBefore(other.number, number)) return graph.addOrder(other.number, number);
    if (graph.isCoherenceBefore(number, other.number)) return graph.addOrder(number, other.number);
    const isRead = other.event.kind === 'R' && !isImplicit(other.event);
    return !isRead || !isFromRead(graph, other.number, number) || graph.addOrder(other.number, number);
  });
}

/** A walk that no TLB can have cached sees what memory holds. */
function hasUncachedOrder(graph: Graph, { number, accesses }: Walk): boolean {
  const isUncached = accesses.some(
    ({ event: { annotations } }) => annotations.has('MMU') && !annotations.has('Permission'),
  );
  return !isUncached || orderBeforeOverwriters(graph, number, number);
}

/** `event` is ordered before the writes that overwrite what `read` has read. */
function orderBeforeOverwriters(graph: Graph, read: number, event: number): boolean {
  for (let write = 0; write < graph.count; write += 1)
    if (isFromRead(graph, read, write) && !graph.addOrder(event, write)) return false;
  return true;
}

function pairsOf({ paths, numbers }: Situation, sites: readonly Site[], walks: readonly Walk[]): Pair[] {
  const invalidations = sites.flatMap((site) => {
    if (!site.event.annotations.has('TLBI')) return [];
    const behind = behindTlbi(paths[site.thread]!.events, site.local);
    return behind ? [{ ...site, behind: behind.map((local) => numbers[site.thread]![local]!) }] : [];
  });
  return invalidations.flatMap((invalidation) =>
    walks.flatMap((walk): Pair[] => {
      const { event, thread, local } = invalidation;
      const isFor = event.bytes === 0 || event.address === walk.event.address;
      if (!isFor || (thread !== walk.thread && !event.annotations.has('TLBIIS'))) return [];
      const { order } = paths[thread]!;
      const isOrdered = (before: number, after: number): boolean =>
        thread === walk.thread && hasBit(order[after]!, before);
      const known = isOrdered(local, walk.local) ? 1 : isOrdered(walk.local, local) ? -1 : 0;
      return [{ invalidation, walk, order: known }];
    }),
  );
}

/** Places of the events that wait for a TLBI: behind a DSB, or for walks behind context synchronization; undefined without a DSB. */
function behindTlbi(events: readonly LocalEvent[], tlbi: number): number[] | undefined {
  const dsb = events.findIndex((event, n) => n > tlbi && isFullDsb(event));
  if (dsb < 0) return undefined;
  const synchronization = events.findIndex((event, n) => n > dsb && isSynchronization(event));
  return events.flatMap((event, n) => {
    if (n <= dsb) return [];
    const isBehind = !isImplicit(event) || event.annotations.has('ETS2') || event.annotations.has('ETS3');
    return isBehind || (synchronization >= 0 && n > synchronization) ? [n] : [];
  });
}

/** What follows from the side of the TLBI on which a walk lies. */
function orderPair(graph: Graph, { invalidation, walk }: Pair, isAfter: boolean, walks: readonly Walk[]): boolean {
  if (isAfter) return orderBeforeOverwriters(graph, walk.number, invalidation.number);
  const behind = invalidation.behind.filter((number) => number >= 0);
  const isCompleted = (event: number): boolean => behind.every((later) => graph.addOrder(event, later));
  if (!isCompleted(walk.number)) return false;
  if (walk.thread === invalidation.thread) return true;
  return walk.accesses.every(({ number }) => isCompleted(number)) && walks.every((other) => {
    return !isEarlierAtSameOffset(other, walk) || isCompleted(other.number);
  }); // prettier-ignore
}

/** Walks for accesses to the same place of a page, one after the other in program order. */
function isEarlierAtSameOffset(earlier: Walk, walk: Walk): boolean {
  if (earlier.thread !== walk.thread) return false;
  return earlier.accesses.some((first) =>
    walk.accesses.some(
      (second) =>
        first.event.instruction < second.event.instruction &&
        first.event.virtual !== undefined &&
        second.event.virtual !== undefined &&
        pageOffset(first.event.virtual) === pageOffset(second.event.virtual),
    ),
  );
}

/** Whether there is a side for each walk on which it can lie. */
function tryPairs(
  graph: Graph,
  [pair, ...rest]: readonly Pair[],
  depth: number,
  walks: readonly Walk[],
  copyOf: (graph: Graph, depth: number) => Graph,
): boolean {
  if (pair === undefined) return true;
  return [true, false].some((isAfter) => {
    const next = copyOf(graph, depth);
    return orderPair(next, pair, isAfter, walks) && tryPairs(next, rest, depth + 1, walks, copyOf);
  });
}
