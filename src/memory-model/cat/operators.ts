// The operators of cat over its values. `&`, `|`, `\` and `~` work on sets of events, on relations and on sets of values alike.

import { EventSet, Relation } from '../relation.ts';
import { refuse, type Span } from './source.ts';
import type { BinaryOperator, UnaryOperator } from './syntax.ts';
import {
  asCollection,
  asEvents,
  asRelation,
  empty,
  keyOf,
  membersOf,
  typeOf,
  universe,
  valueSet,
  type Value,
  type ValueSet,
} from './values.ts';

const is = (value: Value, kind: 'empty' | 'universe'): boolean => 'kind' in value && value.kind === kind;

const isValues = (value: Value): value is ValueSet => 'kind' in value && value.kind === 'values';

const mixed = (operator: string, left: Value, right: Value, at: Span): never =>
  refuse(`"${operator}" between ${typeOf(left)} and ${typeOf(right)}`, at);

/** [S]; r and r; [S] in one: the pairs of r from one set to another. */
export function restrict(relation: Relation, from: EventSet | undefined, to: EventSet | undefined): Relation {
  const { size, stride } = relation;
  const result = new Relation(size);
  for (let event = 0; event < size; event += 1) {
    if (from && !from.has(event)) continue;
    const row = event * stride;
    for (let n = 0; n < stride; n += 1)
      result.words[row + n] = (relation.words[row + n] as number) & (to ? (to.words[n] as number) : -1);
  }
  return result;
}

/** The members whose keys are wanted. */
const select = (set: ValueSet, keep: (key: string) => boolean): ValueSet => ({
  kind: 'values',
  members: new Map([...set.members].filter(([key]) => keep(key))),
});

export function union(left: Value, right: Value, at: Span): Value {
  if (is(left, 'universe') || is(right, 'universe')) return universe;
  const [a, b] = [asCollection(left), asCollection(right)];
  if (is(a, 'empty')) return b;
  if (is(b, 'empty')) return a;
  if (a instanceof Relation && b instanceof Relation) return a.union(b);
  if (a instanceof EventSet && b instanceof EventSet) return a.union(b);
  if (isValues(a) && isValues(b)) return membersOf(new Map([...a.members, ...b.members]), at);
  return mixed('|', left, right, at);
}

function intersection(left: Value, right: Value, at: Span): Value {
  const [a, b] = [asCollection(left), asCollection(right)];
  if (is(a, 'universe')) return b;
  if (is(b, 'universe')) return a;
  if (is(a, 'empty') || is(b, 'empty')) return empty;
  if (a instanceof Relation && b instanceof Relation) return a.intersection(b);
  if (a instanceof EventSet && b instanceof EventSet) return a.intersection(b);
  if (isValues(a) && isValues(b)) return select(a, (key) => b.members.has(key));
  return mixed('&', left, right, at);
}

function difference(left: Value, right: Value, size: number, at: Span): Value {
  const [a, b] = [asCollection(left), asCollection(right)];
  if (is(a, 'empty') || is(b, 'universe')) return empty;
  if (is(b, 'empty')) return a;
  if (is(a, 'universe')) return complement(b, size, at);
  if (a instanceof Relation && b instanceof Relation) return a.difference(b);
  if (a instanceof EventSet && b instanceof EventSet) return a.difference(b);
  if (isValues(a) && isValues(b)) return select(a, (key) => !b.members.has(key));
  return mixed('\\', left, right, at);
}

function complement(value: Value, size: number, at: Span): Value {
  const whole = asCollection(value);
  if (whole instanceof EventSet) return EventSet.all(size).difference(whole);
  if (whole instanceof Relation) return Relation.product(EventSet.all(size), EventSet.all(size)).difference(whole);
  if (whole.kind === 'empty') return universe;
  if (whole.kind === 'universe') return empty;
  const [first] = isValues(whole) ? whole.members.values() : [];
  if (isValues(whole) && first && 'kind' in first && first.kind === 'tag') {
    const all = first.among.map((name): Value => ({ kind: 'tag', name, among: first.among }));
    return difference(valueSet(all, at), whole, size, at);
  }
  return refuse(`"~" of ${typeOf(value)}`, at);
}

/** `x ++ s`: x put into s. */
function addition(left: Value, right: Value, at: Span): Value {
  if (is(left, 'universe')) return refuse('the universe cannot be put into a set', at);
  if (is(right, 'universe')) return universe;
  const isEmpty = is(right, 'empty');
  if (!(left instanceof EventSet || left instanceof Relation)) {
    if (left.kind === 'event' && (isEmpty || right instanceof EventSet)) return union(left, right, at);
    if (left.kind === 'pair' && (isEmpty || right instanceof Relation)) return union(left, right, at);
  }
  if (isEmpty) return valueSet([left], at);
  if (isValues(right)) return membersOf(new Map(right.members).set(keyOf(left, at), left), at);
  return refuse(`"++" puts a value into a set of values, found ${typeOf(right)}`, at);
}

export function unary(operator: UnaryOperator, value: Value, size: number, at: Span): Value {
  switch (operator) {
    case '~':
      return complement(value, size, at);
    case '[]':
      return Relation.identityOn(asEvents(value, size, at));
    case '+':
      return asRelation(value, size, at).plus();
    case '*':
      return asRelation(value, size, at).plus().optional();
    case '?':
      return asRelation(value, size, at).optional();
    case '^-1':
      return asRelation(value, size, at).inverse();
  }
}

export function binary(operator: BinaryOperator, left: Value, right: Value, size: number, at: Span): Value {
  switch (operator) {
    case '&':
      return intersection(left, right, at);
    case '\\':
      return difference(left, right, size, at);
    case '*':
      return Relation.product(asEvents(left, size, at), asEvents(right, size, at));
    case '++':
      return addition(left, right, at);
  }
}
