// The operators that make relations of others, as code over code: unions, sequences with the sets that filter them, restrictions, closures.
//
// An operand that is the same for more executions than the others is hoisted: it gets a slot, and is computed once for them.

import { type EventSet, Relation } from '../relation.ts';
import { levelOf, make, slotUse, type Code, type Compiled, type Level } from './compiled.ts';
import { binary, restrict, unary, union } from './operators.ts';
import type { Slots } from './scope.ts';
import type { Span } from './source.ts';
import type { BinaryOperator } from './syntax.ts';
import { asEvents, asRelation, empty } from './values.ts';

/** What is the same for more executions than the expression around it gets a slot. */
function hoist(part: Compiled, level: Level, slots: Slots): Compiled {
  if (part.level >= level || !part.isClosed || part.anatomy.kind === 'slot') return part;
  return slotUse(slots.define(undefined, part), part.span);
}

export function unionOf(parts: readonly Compiled[], slots: Slots, span: Span): Compiled {
  const level = levelOf(parts);
  const later = parts.filter((part) => part.level === level || !part.isClosed);
  const early = parts.filter((part) => !later.includes(part));
  const join =
    (of: readonly Compiled[]): Code =>
    (frame, locals) =>
      of.reduce((sum, part) => union(sum, part.code(frame, locals), span), empty);
  const first = early.length < 2 ? early : [make(span, early, join(early))];
  const joined = [...first.map((part) => hoist(part, level, slots)), ...later];
  return make(span, parts, join(joined), { kind: 'union', parts });
}

/** [S]. */
export const identityOn = (set: Compiled, span: Span): Compiled =>
  make(span, [set], (frame, locals) => unary('[]', set.code(frame, locals), frame.candidate.size, set.span));

/** An operand of `;`: a set in brackets filters what stands beside it. */
export interface Step {
  readonly filter: Compiled | undefined;
  /** The operand as a relation. */
  readonly part: Compiled;
}

export function sequenceOf(operands: readonly Step[], slots: Slots, span: Span): Compiled {
  const parts = operands.map(({ part }) => part);
  const level = levelOf(parts);
  const steps = operands.map(({ filter, part }) => ({
    filter: filter && hoist(filter, level, slots),
    part: filter ? part : hoist(part, level, slots),
  }));
  const code: Code = (frame, locals) => {
    const { size } = frame.candidate;
    let result: Relation | undefined;
    let pending: EventSet | undefined;
    for (const { filter, part } of steps) {
      if (filter) {
        const set = asEvents(filter.code(frame, locals), size, filter.span);
        if (result) result = restrict(result, undefined, set);
        else pending = pending ? pending.intersection(set) : set;
      } else {
        let next = asRelation(part.code(frame, locals), size, part.span);
        if (pending) next = restrict(next, pending, undefined);
        pending = undefined;
        result = result ? result.sequence(next) : next;
      }
      if (result?.isEmpty) return result;
    }
    return result ?? Relation.identityOn(pending!);
  };
  return make(span, parts, code, { kind: 'sequence', parts });
}

/** `r & (A * B)`, without the product. */
export function restrictionOf(
  [from, to]: readonly [Compiled, Compiled],
  relation: Compiled,
  slots: Slots,
  span: Span,
): Compiled {
  const parts = [from, to, relation];
  const level = levelOf(parts);
  const [domain, range, of] = parts.map((part) => hoist(part, level, slots));
  return make(span, parts, (frame, locals) => {
    const { size } = frame.candidate;
    return restrict(
      asRelation(of!.code(frame, locals), size, of!.span),
      asEvents(domain!.code(frame, locals), size, domain!.span),
      asEvents(range!.code(frame, locals), size, range!.span),
    );
  });
}

export function binaryOf(operator: BinaryOperator, parts: readonly Compiled[], slots: Slots, span: Span): Compiled {
  const level = levelOf(parts);
  const [left, right] = parts.map((part) => hoist(part, level, slots));
  const code: Code = (frame, locals) =>
    binary(operator, left!.code(frame, locals), right!.code(frame, locals), frame.candidate.size, span);
  return make(span, parts, code);
}

/** The transitive closure. */
export const closureOf = (of: Compiled, span: Span): Compiled =>
  make(span, [of], (frame, locals) => asRelation(of.code(frame, locals), frame.candidate.size, span).plus(), {
    kind: 'closure',
    of,
  });
