// Instructions of cat: definitions become slots, tests become checks, and included files are read in their place.

import { Relation } from '../relation.ts';
import { compile, compileClosure, type Context } from './compile-expression.ts';
import { slotValue, type Compiled, type Frame, type Level, type Locals, type Slot } from './compiled.ts';
import { staticCondition } from './conditions.ts';
import { parseCat } from './parser.ts';
import { bind } from './patterns.ts';
import { closureOperands, leastFixedPoint, recursiveName } from './recursion.ts';
import { findProcedure, lookUp, within, withinPattern, type Scope } from './scope.ts';
import { refuse, textOf, type Source, type Span } from './source.ts';
import type { Binding, Instruction, Pattern, TestKind, TestRole } from './syntax.ts';
import { asCollection, asRelation, keyOf, typeOf, valueSet, type Value } from './values.ts';

/** Finds an included file, beside the one that includes it or in the library. */
export type FindFile = (name: string, includedBy: Source) => Source | undefined;

/** A test of a model. */
export interface Check extends Span {
  readonly name: string;
  readonly role: TestRole;
  readonly kind: TestKind;
  readonly isNegated: boolean;
  readonly level: Level;
  readonly of: Compiled;
  /** The value that fails the test; undefined where it holds. */
  fails(frame: Frame): Value | undefined;
}

/** `with x from S`. */
export interface Choice {
  readonly slot: Slot;
  readonly from: Compiled;
}

export interface Model {
  name: string | undefined;
  readonly checks: Check[];
  readonly choices: Choice[];
}

/** How often the instructions around run for an execution, and with which locals. */
interface Surroundings {
  readonly level: Level;
  readonly enter: (frame: Frame) => readonly (Locals | undefined)[];
}

const once: Surroundings = { level: 0, enter: () => [undefined] };

/** Files inside files inside files: deeper than this, a file includes itself. */
const maxIncludes = 40;

export interface Loading extends Context {
  readonly model: Model;
  readonly findFile: FindFile;
  readonly includedBy: readonly Source[];
}

function holds(kind: TestKind, value: Value, size: number, at: Span): boolean {
  if (kind === 'empty') {
    const whole = asCollection(value);
    if ('kind' in whole && (whole.kind === 'function' || whole.kind === 'tuple'))
      refuse(`"empty" of ${typeOf(whole)}`, at);
    if ('kind' in whole && whole.kind === 'universe') return size === 0;
    return keyOf(whole, at) === '';
  }
  const relation = asRelation(value, size, at);
  return kind === 'acyclic' ? relation.isAcyclic : relation.isIrreflexive;
}

function check(test: Extract<Instruction, { node: 'test' }>, of: Compiled, { level, enter }: Surroundings): Check {
  const { kind, role, isNegated, name } = test;
  return {
    source: test.source,
    start: test.start,
    end: test.end,
    name: name ?? textOf(test),
    role,
    kind,
    isNegated,
    level: Math.max(level, of.level),
    of,
    fails: (frame) => {
      for (const locals of enter(frame)) {
        const value = of.code(frame, locals);
        if (holds(kind, value, frame.candidate.size, of.span) === isNegated) return value;
      }
      return undefined;
    },
  };
}

/** Slots for the names of a pattern. */
function define(
  pattern: Pattern,
  definition: Compiled,
  scope: Scope | undefined,
  { slots }: Context,
): Scope | undefined {
  if (!pattern.isTuple) {
    const [name] = pattern.names;
    if (name === undefined) return scope;
    return within(scope, name, { kind: 'slot', slot: slots.define(name, definition) });
  }
  const tuple = slots.define(undefined, definition);
  return pattern.names.reduce<Scope | undefined>((outer, name, n) => {
    const element: Compiled = {
      ...definition,
      anatomy: { kind: 'leaf' },
      code: (frame) => {
        // The innermost local is the last name.
        let locals = bind(pattern, slotValue(frame, tuple), undefined, pattern);
        for (let last = pattern.names.length - 1; last > n; last -= 1) locals = locals?.outer;
        return locals!.value;
      },
    };
    return within(outer, name, { kind: 'slot', slot: slots.define(name, element) });
  }, scope);
}

/** `let rec … and …`: functions see each other's slots; relations are a least fixed point, computed together. */
function defineRecursive(bindings: readonly Binding[], scope: Scope | undefined, context: Context): Scope | undefined {
  const [only] = bindings;
  const operands = bindings.length === 1 && only ? closureOperands(only) : undefined;
  if (only && operands)
    return define(only.pattern, compileClosure(operands, scope, context, only.value), scope, context);
  const inner = bindings.reduce<Scope | undefined>(
    (outer, binding) => within(outer, recursiveName(binding), { kind: 'local' }),
    scope,
  );
  const values = bindings.map(({ value }) => compile(value, inner, context));
  const level = values.reduce<Level>((most, value) => Math.max(most, value.level), 0);
  const areFunctions = bindings.every(({ value }) => value.node === 'function');
  const [first] = bindings;
  const all: Compiled = {
    span: first!.value,
    level,
    isClosed: true,
    anatomy: { kind: 'leaf' },
    code: (frame) => {
      const cells: Locals[] = [];
      const place = (value: Value): void => void cells.push({ value, outer: cells.at(-1) });
      const evaluate = (): readonly Value[] => values.map((value) => value.code(frame, cells.at(-1)));
      if (areFunctions) {
        bindings.forEach(() => place({ kind: 'empty' }));
        evaluate().forEach((value, n) => (cells[n]!.value = value));
        return { kind: 'tuple', values: cells.map(({ value }) => value) };
      }
      const step = (known: readonly Value[]): readonly Value[] => {
        cells.length = 0;
        known.forEach(place);
        return frame.budget.enter(first!.value, evaluate);
      };
      return { kind: 'tuple', values: leastFixedPoint(values.length, step, first!.value) };
    },
  };
  return define({ ...first!.pattern, names: bindings.map(recursiveName), isTuple: true }, all, scope, context);
}

function include(path: string, span: Span, scope: Scope | undefined, loading: Loading): Scope | undefined {
  const { includedBy } = loading;
  const source = loading.findFile(path, span.source);
  if (!source) return refuse(`cannot find the included file "${path}"`, span);
  if (includedBy.length >= maxIncludes || includedBy.some((file) => file.path === source.path))
    refuse(`"${path}" includes itself`, span);
  return compileFile(source, scope, loading);
}

/** The scope after a file whose instructions were loaded. */
export function compileFile(source: Source, scope: Scope | undefined, loading: Loading): Scope | undefined {
  const { name, instructions } = parseCat(source);
  const inner = { ...loading, includedBy: [...loading.includedBy, source] };
  loading.model.name = loading.includedBy.length === 0 ? name : loading.model.name;
  return compileAll(instructions, scope, inner, once);
}

function compileAll(
  instructions: readonly Instruction[],
  scope: Scope | undefined,
  loading: Loading,
  around: Surroundings,
): Scope | undefined {
  let names = scope;
  let surroundings = around;
  for (const instruction of instructions) [names, surroundings] = compileOne(instruction, names, loading, surroundings);
  return names;
}

type Next = [Scope | undefined, Surroundings];

/** The same surroundings with more locals in each round. */
function deeper(
  around: Surroundings,
  level: Level,
  extend: (frame: Frame, locals: Locals | undefined) => readonly (Locals | undefined)[],
): Surroundings {
  return {
    level: Math.max(around.level, level),
    enter: (frame) => around.enter(frame).flatMap((locals) => extend(frame, locals)),
  };
}

function compileOne(instruction: Instruction, scope: Scope | undefined, loading: Loading, around: Surroundings): Next {
  switch (instruction.node) {
    case 'bind':
      return compileBinding(instruction, scope, loading, around);
    case 'test':
      loading.model.checks.push(check(instruction, compile(instruction.of, scope, loading), around));
      return [scope, around];
    case 'show':
      return [scope, around];
    case 'include':
      if (around !== once) refuse('a file is included at the outside, not in a procedure', instruction);
      return [include(instruction.path, instruction, scope, loading), around];
    case 'procedure': {
      const { name, parameter, body } = instruction;
      if (around !== once) refuse('a procedure is defined at the outside', instruction);
      return [within(scope, name, { kind: 'procedure', procedure: { parameter, body, scope } }), around];
    }
    case 'call': {
      const { parameter, body, scope: outside } = findProcedure(instruction.name, scope, instruction);
      const argument = compile(instruction.argument, scope, loading);
      const called: Surroundings = {
        level: Math.max(around.level, argument.level),
        enter: (frame) =>
          around.enter(frame).map((locals) => bind(parameter, argument.code(frame, locals), undefined, instruction)),
      };
      compileAll(body, withinPattern(outside, parameter), loading, called);
      return [scope, around];
    }
    case 'for all': {
      const of = compile(instruction.of, scope, loading);
      const each = deeper(around, of.level, (frame, locals) =>
        frame.budget.enter(instruction, () =>
          elementsOf(of.code(frame, locals), of.span).map((value) => ({ value, outer: locals })),
        ),
      );
      compileAll(instruction.body, within(scope, instruction.name, { kind: 'local' }), loading, each);
      return [scope, around];
    }
    case 'with':
      if (around !== once) refuse('"with" chooses at the outside, not in a procedure', instruction);
      return [compileChoice(instruction, scope, loading), around];
    case 'choose': {
      const chosen = staticCondition(instruction.condition, loading.variants);
      if (chosen === undefined) refuse('"if" around instructions asks for variants only, such as "vmsa"', instruction);
      return [compileAll(chosen ? instruction.then : instruction.otherwise, scope, loading, around), around];
    }
    case 'enum': {
      const { name, tags } = instruction;
      const inner = tags.reduce<Scope | undefined>(
        (outer, tag) => within(outer, tag, { kind: 'tag', among: tags }),
        scope,
      );
      const all = valueSet(
        tags.map((tag): Value => ({ kind: 'tag', name: tag, among: tags })),
        instruction,
      );
      const definition: Compiled = {
        span: instruction,
        level: 0,
        isClosed: true,
        anatomy: { kind: 'leaf' },
        code: () => all,
      };
      return [within(inner, name, { kind: 'slot', slot: loading.slots.define(name, definition) }), around];
    }
  }
}

/** The members of a set, a relation or a set of values. */
export function elementsOf(value: Value, at: Span): readonly Value[] {
  const whole = asCollection(value);
  if ('kind' in whole) {
    if (whole.kind === 'empty') return [];
    if (whole.kind === 'values') return [...whole.members.values()];
    return refuse(`expected a set, found ${typeOf(whole)}`, at);
  }
  if (whole instanceof Relation)
    return [...whole.pairs()].map(([from, to]) => ({ kind: 'pair', from, to, size: whole.size }));
  return [...whole].map((event) => ({ kind: 'event', event, size: whole.size }));
}

function compileBinding(
  { bindings, isRecursive }: Extract<Instruction, { node: 'bind' }>,
  scope: Scope | undefined,
  loading: Loading,
  around: Surroundings,
): Next {
  if (around === once) {
    if (isRecursive) return [defineRecursive(bindings, scope, loading), around];
    const values = bindings.map(({ value }) => compile(value, scope, loading));
    return [bindings.reduce((outer, { pattern }, n) => define(pattern, values[n]!, outer, loading), scope), around];
  }
  if (isRecursive)
    refuse('"let rec" stands at the outside or in an expression, not in a procedure', bindings[0]!.pattern);
  const values = bindings.map(({ value }) => compile(value, scope, loading));
  const level = values.reduce<Level>((most, value) => Math.max(most, value.level), 0);
  const inner = bindings.reduce<Scope | undefined>((outer, { pattern }) => withinPattern(outer, pattern), scope);
  const bound = deeper(around, level, (frame, locals) => [
    bindings.reduce((outer, { pattern }, n) => bind(pattern, values[n]!.code(frame, locals), outer, pattern), locals),
  ]);
  return [inner, bound];
}

/**
 * `with co from S`: coherence order comes with the execution, and S must hold it. Any other name stands for each member of S in turn,
 * and the execution is allowed if one of them passes.
 */
function compileChoice(
  instruction: Extract<Instruction, { node: 'with' }>,
  scope: Scope | undefined,
  loading: Loading,
): Scope | undefined {
  const { name } = instruction;
  const from = compile(instruction.from, scope, loading);
  if (name === 'co') {
    const co = lookUp('co', undefined, loading.slots, instruction);
    const of: Compiled = { ...co, level: Math.max(co.level, from.level) };
    loading.model.checks.push({
      source: instruction.source,
      start: instruction.start,
      end: instruction.end,
      name: 'co',
      role: 'axiom',
      kind: 'empty',
      isNegated: false,
      level: of.level,
      of,
      fails: (frame) => {
        const order = co.code(frame, undefined);
        const orders = from.code(frame, undefined);
        const key = keyOf(order, instruction);
        const isMember = elementsOf(orders, from.span).some((member) => keyOf(member, instruction) === key);
        return isMember ? undefined : order;
      },
    });
    const chosen = co.anatomy.kind === 'slot' ? co.anatomy.slot : loading.slots.define(name, co);
    return within(scope, name, { kind: 'slot', slot: chosen });
  }
  const definition: Compiled = {
    span: instruction,
    level: Math.max(from.level, 2 + loading.model.choices.length),
    isClosed: true,
    anatomy: { kind: 'leaf' },
    code: () => refuse(`"${name}" is not chosen yet`, instruction),
  };
  const slot = loading.slots.define(name, definition);
  loading.model.choices.push({ slot, from });
  return within(scope, name, { kind: 'slot', slot });
}
