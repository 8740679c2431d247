// What cat computes with: sets of events, relations, sets of such values, tags, tuples, functions. The empty set `{}` (and `0`) and the
// universe `_` belong to every type.

import { EventSet, Relation } from '../relation.ts';
import { refuse, type Span } from './source.ts';

export interface ValueSet {
  readonly kind: 'values';
  /** By `keyOf`, in the order of their keys. */
  readonly members: ReadonlyMap<string, Value>;
}

export interface CatFunction {
  readonly kind: 'function';
  apply(argument: Value, call: Span): Value;
}

export type Value =
  | EventSet
  | Relation
  | ValueSet
  | CatFunction
  | { readonly kind: 'empty' | 'universe' }
  | { readonly kind: 'tag'; readonly name: string; readonly among: readonly string[] }
  | { readonly kind: 'event'; readonly event: number; readonly size: number }
  | { readonly kind: 'pair'; readonly from: number; readonly to: number; readonly size: number }
  | { readonly kind: 'tuple'; readonly values: readonly Value[] };

export const empty: Value = { kind: 'empty' };
export const universe: Value = { kind: 'universe' };

/** What a value is, in the words of a refusal. */
export function typeOf(value: Value): string {
  if (value instanceof EventSet) return 'a set of events';
  if (value instanceof Relation) return 'a relation';
  switch (value.kind) {
    case 'values':
      return 'a set of values';
    case 'function':
      return 'a function';
    case 'empty':
      return 'the empty set';
    case 'universe':
      return 'the universe';
    case 'tag':
      return `the tag '${value.name}`;
    case 'event':
      return 'an event';
    case 'pair':
      return 'a pair of events';
    case 'tuple':
      return `a tuple of ${value.values.length}`;
  }
}

/** Equal for equal values. */
export function keyOf(value: Value, at: Span): string {
  if (value instanceof EventSet) return value.isEmpty ? '' : `s${value.words.join()}`;
  if (value instanceof Relation) return value.isEmpty ? '' : `r${value.words.join()}`;
  switch (value.kind) {
    case 'empty':
      return '';
    case 'universe':
      return '_';
    case 'values':
      return value.members.size === 0 ? '' : `{${[...value.members.keys()].join(' ')}}`;
    case 'tag':
      return `'${value.name}`;
    case 'event':
      return `e${String(value.event).padStart(6, '0')}`;
    case 'pair':
      return `p${String(value.from).padStart(6, '0')},${String(value.to).padStart(6, '0')}`;
    case 'tuple':
      return `(${value.values.map((element) => keyOf(element, at)).join(' ')})`;
    case 'function':
      return refuse('functions cannot be compared or put into a set', at);
  }
}

/** A larger set of values is more than a person waits for. */
const maxMembers = 20_000;

/** A set of these members. */
export function membersOf(members: ReadonlyMap<string, Value>, at: Span): ValueSet {
  if (members.size > maxMembers) refuse(`a set of more than ${maxMembers} values`, at);
  return { kind: 'values', members };
}

export function valueSet(values: Iterable<Value>, at: Span): ValueSet {
  const members = new Map<string, Value>();
  for (const value of values) members.set(keyOf(value, at), value);
  return membersOf(members, at);
}

/** A tag, an event or a pair stands for the set of it where a set is wanted. */
export function asCollection(value: Value): Value {
  if (value instanceof EventSet || value instanceof Relation) return value;
  if (value.kind === 'tag') return { kind: 'values', members: new Map([[`'${value.name}`, value]]) };
  if (value.kind === 'event') return EventSet.of(value.size, [value.event]);
  if (value.kind === 'pair') return Relation.of(value.size, [[value.from, value.to]]);
  return value;
}

export function asRelation(value: Value, size: number, at: Span): Relation {
  const whole = asCollection(value);
  if (whole instanceof Relation) return whole;
  if (!(whole instanceof EventSet)) {
    if (whole.kind === 'empty') return new Relation(size);
    if (whole.kind === 'universe') return Relation.product(EventSet.all(size), EventSet.all(size));
  }
  return refuse(`expected a relation, found ${typeOf(value)}: "${at.source.text.slice(at.start, at.end)}"`, at);
}

export function asEvents(value: Value, size: number, at: Span): EventSet {
  const whole = asCollection(value);
  if (whole instanceof EventSet) return whole;
  if (!(whole instanceof Relation)) {
    if (whole.kind === 'empty') return new EventSet(size);
    if (whole.kind === 'universe') return EventSet.all(size);
  }
  return refuse(`expected a set of events, found ${typeOf(value)}: "${at.source.text.slice(at.start, at.end)}"`, at);
}
