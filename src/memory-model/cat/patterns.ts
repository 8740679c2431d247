// What patterns take apart: tuples where names are bound, and sets where `match` looks at an element and the rest.

import { EventSet, Relation } from '../relation.ts';
import type { Locals } from './compiled.ts';
import { refuse, type Span } from './source.ts';
import type { Pattern } from './syntax.ts';
import { typeOf, type Value } from './values.ts';

/** The locals of a pattern that is matched with a value. */
export function bind(pattern: Pattern, value: Value, locals: Locals | undefined, at: Span): Locals | undefined {
  if (!pattern.isTuple) return { value, outer: locals };
  const { names } = pattern;
  if (!('kind' in value) || value.kind !== 'tuple' || value.values.length !== names.length)
    return refuse(`expected ${names.length} values, found ${typeOf(value)}`, at);
  return value.values.reduce<Locals | undefined>((outer, element) => ({ value: element, outer }), locals);
}

/** An element of a set that is taken apart, and the rest. */
export function takeApart(value: Value, at: Span): { readonly element: Value; readonly rest: Value } | undefined {
  if (value instanceof EventSet) {
    const [event] = value;
    if (event === undefined) return undefined;
    return {
      element: { kind: 'event', event, size: value.size },
      rest: value.difference(EventSet.of(value.size, [event])),
    };
  }
  if (value instanceof Relation) {
    const [pair] = value.pairs();
    if (pair === undefined) return undefined;
    const [from, to] = pair;
    return {
      element: { kind: 'pair', from, to, size: value.size },
      rest: value.difference(Relation.of(value.size, [pair])),
    };
  }
  if (value.kind === 'empty') return undefined;
  if (value.kind !== 'values') return refuse(`expected a set, found ${typeOf(value)}`, at);
  const [first] = value.members;
  if (!first) return undefined;
  const rest = new Map(value.members);
  rest.delete(first[0]);
  return { element: first[1], rest: { kind: 'values', members: rest } };
}
