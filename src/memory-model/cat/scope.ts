// The names that an expression of cat may use, innermost first, and the slots of a model.

import { hint } from '../../report/suggestion.ts';
import { baseNames } from './candidate.ts';
import { slotUse, type Code, type Compiled, type Level, type Slot } from './compiled.ts';
import { primitives } from './primitives.ts';
import { refuse, type Source, type Span } from './source.ts';
import type { Instruction, Pattern } from './syntax.ts';

export interface Procedure {
  readonly parameter: Pattern;
  readonly body: readonly Instruction[];
  readonly scope: Scope | undefined;
}

type Entry =
  | { readonly kind: 'slot'; readonly slot: Slot }
  | { readonly kind: 'local' }
  | { readonly kind: 'tag'; readonly among: readonly string[] }
  | { readonly kind: 'procedure'; readonly procedure: Procedure };

export interface Scope {
  /** undefined: a local that cannot be named. */
  readonly name: string | undefined;
  readonly entry: Entry;
  readonly outer: Scope | undefined;
}

export const within = (outer: Scope | undefined, name: string | undefined, entry: Entry): Scope => ({
  name,
  entry,
  outer,
});

/** The scope inside a pattern: its names as locals, the last one innermost. */
export const withinPattern = (outer: Scope | undefined, { names }: Pattern): Scope | undefined =>
  names.reduce<Scope | undefined>((scope, name) => within(scope, name, { kind: 'local' }), outer);

/** The source of what no file defines. */
const builtin: Source = { path: 'built in', text: '' };
const nowhere: Span = { source: builtin, start: 0, end: 0 };

/** The slots of the model that is being loaded. */
export class Slots {
  readonly all: Slot[] = [];
  private readonly base = new Map<string, Slot>();
  /** Whether a name was used that only the detailed form of an execution has. */
  needsDetail = false;
  /** The model asks for walks. */
  hasTranslation = false;

  define(name: string | undefined, definition: Compiled): Slot {
    const slot = { index: this.all.length, name, definition };
    this.all.push(slot);
    return slot;
  }

  /** The slot of a name that every execution has, or of a primitive. */
  given(name: string): Slot | undefined {
    const known = this.base.get(name);
    if (known) return known;
    const definition = this.giveBase(name) ?? givePrimitive(name);
    if (!definition) return undefined;
    const slot = this.define(name, definition);
    this.base.set(name, slot);
    return slot;
  }

  private giveBase(name: string): Compiled | undefined {
    const base = baseNames.get(name);
    if (!base) return undefined;
    this.needsDetail ||= base.isDetailed;
    this.hasTranslation ||= name === 'walk';
    const code: Code = base.isSet
      ? ({ candidate }) => candidate.set(name)
      : ({ candidate }) => candidate.relation(name);
    return given(code, base.dependsOnCoherence ? 1 : 0);
  }
}

const given = (code: Code, level: Level): Compiled => ({
  span: nowhere,
  code,
  level,
  isClosed: true,
  anatomy: { kind: 'leaf' },
});

function givePrimitive(name: string): Compiled | undefined {
  const primitive = primitives.get(name);
  if (!primitive) return undefined;
  return given(
    ({ candidate }) => ({ kind: 'function', apply: (argument, call) => primitive(argument, candidate, call) }),
    0,
  );
}

function* namesIn(scope: Scope | undefined): Generator<string> {
  for (let at = scope; at; at = at.outer) if (at.name !== undefined) yield at.name;
  yield* baseNames.keys();
  yield* primitives.keys();
}

/** A name where it is used. */
export function lookUp(name: string, scope: Scope | undefined, slots: Slots, span: Span): Compiled {
  let depth = 0;
  for (let at = scope; at; at = at.outer) {
    if (at.name === name) {
      switch (at.entry.kind) {
        case 'slot':
          return slotUse(at.entry.slot, span);
        case 'local':
          return local(depth, span);
        case 'tag':
          return refuse(`the tag "${name}" is written '${name}`, span);
        case 'procedure':
          return refuse(`"${name}" is a procedure: it is called, and has no value`, span);
      }
    }
    if (at.entry.kind === 'local') depth += 1;
  }
  const slot = slots.given(name);
  if (slot) return slotUse(slot, span);
  return refuse(`nothing is called "${name}"`, span, hint(name, namesIn(scope)));
}

function local(depth: number, span: Span): Compiled {
  const code: Code = (_frame, locals) => {
    let at = locals;
    for (let n = 0; n < depth; n += 1) at = at?.outer;
    return at!.value;
  };
  return { span, code, level: 0, isClosed: false, anatomy: { kind: 'leaf' } };
}

export function findProcedure(name: string, scope: Scope | undefined, span: Span): Procedure {
  for (let at = scope; at; at = at.outer)
    if (at.name === name && at.entry.kind === 'procedure') return at.entry.procedure;
  return refuse(`no procedure is called "${name}"`, span);
}

export function findTag(name: string, scope: Scope | undefined, span: Span): readonly string[] {
  for (let at = scope; at; at = at.outer) if (at.name === name && at.entry.kind === 'tag') return at.entry.among;
  return refuse(`no enumeration has the tag '${name}`, span);
}
