// Functions that cat cannot express itself.

import { EventSet, Relation } from '../relation.ts';
import type { Candidate } from './candidate.ts';
import { refuse, type Span } from './source.ts';
import { asEvents, asRelation, empty, typeOf, valueSet, type Value } from './values.ts';

/** More orders than these are more than a person waits for. */
const maxLinearisations = 20_000;

type Primitive = (argument: Value, candidate: Candidate, at: Span) => Value;

const pairOf = (argument: Value, at: Span): readonly [Value, Value] => {
  if ('kind' in argument && argument.kind === 'tuple' && argument.values.length === 2)
    return [argument.values[0]!, argument.values[1]!];
  return refuse(`expected two arguments, found ${typeOf(argument)}`, at);
};

/** Groups of events that a function gives the same key. */
function classes(set: EventSet, keyOf: (event: number) => unknown, at: Span): Value {
  const groups = new Map<unknown, EventSet>();
  for (const event of set) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group) group.add(event);
    else groups.set(key, EventSet.of(set.size, [event]));
  }
  return valueSet(groups.values(), at);
}

/** Every total order of `set` that extends a relation, as sets of pairs; none if the relation has a cycle there. */
function linearisations(set: EventSet, relation: Relation, at: Span): Value {
  const members = [...set];
  const found: Relation[] = [];
  const place = (placed: readonly number[], left: readonly number[]): void => {
    if (left.length === 0) {
      if (found.length === maxLinearisations)
        refuse(`more than ${maxLinearisations} orders of ${members.length} events`, at);
      const order = new Relation(set.size);
      placed.forEach((from, n) => {
        for (const to of placed.slice(n + 1)) order.add(from, to);
      });
      found.push(order);
    }
    for (const event of left) {
      if (left.some((other) => relation.has(other, event))) continue;
      place(
        [...placed, event],
        left.filter((other) => other !== event),
      );
    }
  };
  place([], members);
  return found.length === 0 ? empty : valueSet(found, at);
}

function filtered(relation: Relation, keep: (from: number, to: number) => boolean): Relation {
  return Relation.of(
    relation.size,
    [...relation.pairs()].filter(([from, to]) => keep(from, to)),
  );
}

/** What looks into translation table descriptors, whose values an execution of user-mode code does not have. */
const onDescriptors =
  (name: string): Primitive =>
  (argument, { size }, at) => {
    const first = 'kind' in argument && argument.kind === 'tuple' ? argument.values[0]! : argument;
    const isEmpty =
      first instanceof Relation || first instanceof EventSet
        ? first.isEmpty
        : 'kind' in first && first.kind === 'empty';
    if (!isEmpty) return refuse(`"${name}" on translation table descriptors is not supported`, at);
    return name === 'same-oa' ? new Relation(size) : empty;
  };

export const primitives: ReadonlyMap<string, Primitive> = new Map<string, Primitive>([
  ['domain', (argument, { size }, at) => asRelation(argument, size, at).domain()],
  ['range', (argument, { size }, at) => asRelation(argument, size, at).range()],
  [
    'fromto',
    (argument, { size, relation }, at) => {
      const po = relation('po');
      return po.sequence(Relation.identityOn(asEvents(argument, size, at))).sequence(po);
    },
  ],
  [
    'classes-loc',
    (argument, { size, relation }, at) => {
      const loc = relation('loc');
      const first = (event: number): number => [...loc.successors(event)][0] ?? -1 - event;
      return classes(asEvents(argument, size, at), first, at);
    },
  ],
  [
    'classes',
    (argument, { size }, at) => {
      const relation = asRelation(argument, size, at);
      return classes(relation.domain(), (event) => relation.successors(event).words.join(), at);
    },
  ],
  [
    'linearisations',
    (argument, { size }, at) => {
      const [set, relation] = pairOf(argument, at);
      return linearisations(asEvents(set, size, at), asRelation(relation, size, at), at);
    },
  ],
  [
    'different-values',
    (argument, { size, value }, at) =>
      filtered(asRelation(argument, size, at), (from, to) => value(from) !== value(to)),
  ],
  ['same-oa', onDescriptors('same-oa')],
  ['oa-changes', onDescriptors('oa-changes')],
  ['at-least-one-writable', onDescriptors('at-least-one-writable')],
]);
