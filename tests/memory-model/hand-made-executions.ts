// Executions written by hand, for what is to be judged without an exploration.

import {
  initialThread,
  type BaseRelations,
  type Execution,
  type MemoryEvent,
} from '../../src/memory-model/execution.ts';
import { Relation } from '../../src/memory-model/relation.ts';

interface Step {
  readonly kind: MemoryEvent['kind'];
  readonly location: string;
  readonly value: number;
  readonly annotations: readonly string[];
}

export const W = (location: string, value: number, ...annotations: string[]): Step => ({
  kind: 'W',
  location,
  value,
  annotations,
});
export const R = (location: string, value: number, ...annotations: string[]): Step => ({
  kind: 'R',
  location,
  value,
  annotations,
});
export const F = (fence: string): Step => ({ kind: 'F', location: '', value: 0, annotations: [fence] });

/** Pairs of [thread, step], as [[0, 0], [0, 1]] for the first two steps of thread 0. */
type Pair = readonly [readonly [number, number], readonly [number, number]];

export type Given = Partial<Record<Exclude<keyof BaseRelations, 'po' | 'rf' | 'co'>, readonly Pair[]>>;

/**
 * Threads of steps. Every value is written once to a location, so that a read gets the write of its value (0: the initial one); `order`
 * gives the values of a location in coherence order, those of the steps one after the other unless given.
 */
export function execution(
  threads: readonly (readonly Step[])[],
  order: Readonly<Record<string, readonly number[]>> = {},
  given: Given = {},
): Execution {
  const locations = [...new Set(threads.flat().map(({ location }) => location))].filter((name) => name !== '');
  const events: MemoryEvent[] = [];
  const add = (thread: number, instruction: number, { kind, location, value, annotations }: Step): void => {
    events.push({
      id: events.length,
      thread,
      instruction,
      access: events.length,
      kind,
      address: BigInt(0x1000 + 8 * locations.indexOf(location)),
      bytes: kind === 'F' ? 0 : 8,
      value: BigInt(value),
      annotations: new Set(annotations),
    });
  };
  locations.forEach((location, n) => add(initialThread, n, W(location, 0)));
  const idOf = (thread: number, step: number): number =>
    locations.length + threads.slice(0, thread).reduce((sum, { length }) => sum + length, 0) + step;
  threads.forEach((steps, thread) => steps.forEach((step, n) => add(thread, n, step)));

  const size = events.length;
  const relate = (related: (a: MemoryEvent, b: MemoryEvent) => boolean): Relation =>
    Relation.of(
      size,
      events.flatMap((a) => events.filter((b) => related(a, b)).map((b) => [a.id, b.id] as const)),
    );
  const writes = events.filter(({ kind }) => kind === 'W');
  const rank = ({ address, value }: MemoryEvent): number => {
    const name = locations[Number(address - 0x1000n) / 8] ?? '';
    const values = [0, ...(order[name] ?? writes.filter((w) => w.address === address).map((w) => Number(w.value)))];
    return values.lastIndexOf(Number(value));
  };
  const listed = (pairs: readonly Pair[] = []): Relation =>
    Relation.of(
      size,
      pairs.map(([from, to]) => [idOf(...from), idOf(...to)] as const),
    );
  return {
    events,
    relations: {
      po: relate((a, b) => a.thread === b.thread && a.thread !== initialThread && a.id < b.id),
      rf: relate((a, b) => a.kind === 'W' && b.kind === 'R' && a.address === b.address && a.value === b.value),
      co: relate((a, b) => a.kind === 'W' && b.kind === 'W' && a.address === b.address && rank(a) < rank(b)),
      addr: listed(given.addr),
      data: listed(given.data),
      ctrl: listed(given.ctrl),
      pickAddr: listed(given.pickAddr),
      pickData: listed(given.pickData),
      pickCtrl: listed(given.pickCtrl),
      lxsx: listed(given.lxsx),
      amo: listed(given.amo),
      hu: listed(given.hu),
      walk: listed(given.walk),
      iicoOrder: listed(given.iicoOrder),
    },
  };
}
