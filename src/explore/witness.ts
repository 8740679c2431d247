// An explored graph as an execution in the words that models, pictures and explanations share (memory-model/execution.ts).

import { type BaseRelations, type Execution, initialThread, type MemoryEvent } from '../memory-model/execution.ts';
import { Relation } from '../memory-model/relation.ts';
import { isAccess, isInOrder } from './local-event.ts';
import type { MemoryParts } from './memory-parts.ts';
import type { Search } from './search.ts';
import type { Situation } from './situation.ts';

/** The execution of a complete graph whose coherence order is total. */
export function executionOf({ graph, paths, numbers }: Situation, parts: MemoryParts, search: Search): Execution {
  const events: MemoryEvent[] = [];
  const initialAt = new Map<bigint, number>();
  /** Events of the execution by their number in the graph. */
  const byNumber = new Map<number, number>();
  const none: ReadonlySet<string> = new Set();
  const instruction: ReadonlySet<string> = new Set(['Instr']);

  const everyAddress = new Map<bigint, number>();
  for (const { events: own } of paths)
    for (const event of own) if (isAccess(event)) everyAddress.set(event.address, event.bytes);
  const ascending = [...everyAddress].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [address, bytes] of ascending) {
    const id = events.length;
    initialAt.set(address, id);
    const value = parts.initial({ address, bytes });
    const place = { thread: initialThread, instruction: id, access: id };
    events.push({
      id,
      ...place,
      kind: 'W',
      address,
      bytes,
      value,
      annotations: parts.isCode(address) ? instruction : none,
    });
  }
  let accesses = events.length;
  const ids = paths.map(({ events: own }, thread) => {
    const firstAccess = accesses;
    return own.map((event, local) => {
      const { kind, instruction, address, bytes, annotations, virtual } = event;
      const id = events.length;
      const number = numbers[thread]![local]!;
      if (isAccess(event)) byNumber.set(number, id);
      const value = isAccess(event) ? search.valueOf(graph.value[number]!) : 0n;
      const access = isAccess(event) ? firstAccess + event.access : -1;
      accesses = Math.max(accesses, access + 1);
      events.push({
        id,
        thread,
        instruction,
        access,
        kind,
        address,
        bytes,
        value,
        annotations,
        ...(virtual !== undefined && { virtual }),
      });
      return id;
    });
  });

  const size = events.length;
  const relation = (): Relation => new Relation(size);
  const relations = {
    ...{ po: relation(), rf: relation(), co: relation(), lxsx: relation(), amo: relation(), hu: relation() },
    ...{ iicoOrder: relation(), walk: relation() },
    ...{ addr: relation(), data: relation(), ctrl: relation() },
    ...{ pickAddr: relation(), pickData: relation(), pickCtrl: relation() },
  } satisfies BaseRelations;
  for (const a of events)
    for (const b of events)
      if (a.thread === b.thread && a.thread !== initialThread && a.instruction < b.instruction)
        relations.po.add(a.id, b.id);

  paths.forEach(({ events: own }, thread) => {
    own.forEach((event, local) => {
      const id = ids[thread]![local]!;
      const from = (reads: readonly number[], to: Relation): void => {
        for (const read of reads) to.add(ids[thread]![read]!, id);
      };
      from(event.addr.deps, relations.addr);
      from(event.addr.picks, relations.pickAddr);
      from(event.data.deps, relations.data);
      from(event.data.picks, relations.pickData);
      from(event.ctrl.deps, relations.ctrl);
      from(event.ctrl.picks, relations.pickCtrl);
      if (event.rmw && (event.rmw.isAtomic || event.rmw.kind !== 'hu'))
        from([event.rmw.read], relations[event.rmw.kind]);
      if (event.walk !== undefined) from([event.walk], relations.walk);
      own.forEach((before, n) => {
        if (n < local && isInOrder(before, event)) relations.iicoOrder.add(ids[thread]![n]!, id);
      });
      if (event.kind !== 'R') return;
      const source = graph.source[numbers[thread]![local]!]!;
      relations.rf.add(source >= 0 ? byNumber.get(source)! : initialAt.get(event.address)!, id);
    });
  });
  for (const [number, id] of byNumber) {
    if (!graph.isWrite(number)) continue;
    relations.co.add(initialAt.get(events[id]!.address)!, id);
    for (const [other, after] of byNumber) if (graph.isCoherenceBefore(number, other)) relations.co.add(id, after);
  }
  return { events, relations };
}
