// What expressions of cat are compiled to: functions over a frame, which holds the values of the names of a model for one execution.
//
// Names are resolved to slots when the model is loaded. A slot knows its level: what does not depend on coherence order is computed once
// for all the coherence orders of an execution, and what depends on a choice (`with x from S`) is computed anew for each choice.

import type { Candidate } from './candidate.ts';
import { refuse, type Span } from './source.ts';
import type { Value } from './values.ts';

/** 0: the same for every coherence order; 1: depends on it; 2 + n: depends on choice n. */
export type Level = number;

export interface Frame {
  readonly candidate: Candidate;
  readonly values: (Value | undefined)[];
  readonly budget: Budget;
}

/** The values of names that functions, `let … in` and patterns bind, innermost first. */
export interface Locals {
  value: Value;
  readonly outer: Locals | undefined;
}

export type Code = (frame: Frame, locals: Locals | undefined) => Value;

/** How the pairs of a relation come about, for explanations. */
export type Anatomy =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'slot'; readonly slot: Slot }
  | { readonly kind: 'union' | 'sequence'; readonly parts: readonly Compiled[] }
  /** The transitive closure. */
  | { readonly kind: 'closure'; readonly of: Compiled };

export interface Compiled {
  readonly span: Span;
  readonly code: Code;
  readonly level: Level;
  /** No local name occurs free in it. */
  readonly isClosed: boolean;
  readonly anatomy: Anatomy;
}

export interface Slot {
  readonly index: number;
  /** As the file calls it; undefined for a part of an expression that has a slot of its own. */
  readonly name: string | undefined;
  readonly definition: Compiled;
}

/**
 * Bounds on what one judgement may cost. The enumeration of coherence orders by the published cross.cat calls two functions for each
 * order; each call nests a handful of frames of the host's stack.
 */
const maxCalls = 200_000;
const maxDepth = 700;

export class Budget {
  private calls = 0;
  private depth = 0;

  reset(): void {
    this.calls = 0;
    this.depth = 0;
  }

  enter<T>(call: Span, act: () => T): T {
    this.calls += 1;
    if (this.calls > maxCalls) refuse(`more than ${maxCalls} calls for one execution`, call);
    if (this.depth === maxDepth) refuse(`calls are nested deeper than ${maxDepth} levels`, call);
    this.depth += 1;
    try {
      return act();
    } finally {
      this.depth -= 1;
    }
  }
}

export function slotValue(frame: Frame, slot: Slot): Value {
  let value = frame.values[slot.index];
  if (value === undefined) {
    value = slot.definition.code(frame, undefined);
    frame.values[slot.index] = value;
  }
  return value;
}

/** A use of a slot. */
export const slotUse = (slot: Slot, span: Span): Compiled => ({
  span,
  code: (frame) => frame.values[slot.index] ?? slotValue(frame, slot),
  level: slot.definition.level,
  isClosed: true,
  anatomy: { kind: 'slot', slot },
});

/** Of code that computes with these parts. */
export const levelOf = (parts: readonly Compiled[]): Level =>
  parts.reduce((level, part) => Math.max(level, part.level), 0);

/** A part of code that is made of others. */
export const make = (
  span: Span,
  parts: readonly Compiled[],
  code: Code,
  anatomy: Anatomy = { kind: 'leaf' },
): Compiled => ({
  span,
  code,
  level: levelOf(parts),
  isClosed: parts.every(({ isClosed }) => isClosed),
  anatomy,
});
