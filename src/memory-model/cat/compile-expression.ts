// Expressions of cat to code.

import { UserError } from '../../report/user-error.ts';
import { EventSet, Relation } from '../relation.ts';
import { slotUse, type Anatomy, type Code, type Compiled, type Frame, type Level, type Locals } from './compiled.ts';
import { binary, restrict, unary, union } from './operators.ts';
import { findTag, lookUp, within, withinPattern, type Scope, type Slots } from './scope.ts';
import { refuse, type Span } from './source.ts';
import type { Binding, Condition, Expression, Pattern } from './syntax.ts';
import { asEvents, asRelation, empty, keyOf, typeOf, universe, valueSet, type Value } from './values.ts';

export interface Context {
  readonly slots: Slots;
  readonly variants: ReadonlySet<string>;
}

const levelOf = (parts: readonly Compiled[]): Level => parts.reduce((level, part) => Math.max(level, part.level), 0);

const make = (span: Span, parts: readonly Compiled[], code: Code, anatomy: Anatomy = { kind: 'leaf' }): Compiled => ({
  span,
  code,
  level: levelOf(parts),
  isClosed: parts.every(({ isClosed }) => isClosed),
  anatomy,
});

/** What is the same for more executions than the expression around it gets a slot, so that it is computed once for them. */
function hoist(part: Compiled, level: Level, { slots }: Context): Compiled {
  if (part.level >= level || !part.isClosed || part.anatomy.kind === 'slot') return part;
  return slotUse(slots.define(undefined, part), part.span);
}

/** The locals of a pattern that is matched with a value. */
export function bind(pattern: Pattern, value: Value, locals: Locals | undefined, at: Span): Locals | undefined {
  if (!pattern.isTuple) return { value, outer: locals };
  const { names } = pattern;
  if (!('kind' in value) || value.kind !== 'tuple' || value.values.length !== names.length)
    return refuse(`expected ${names.length} values, found ${typeOf(value)}`, at);
  return value.values.reduce<Locals | undefined>((outer, element) => ({ value: element, outer }), locals);
}

/** Whether a condition holds, where that is known when the model is loaded. */
export function staticCondition(condition: Condition, variants: ReadonlySet<string>): boolean | undefined {
  switch (condition.node) {
    case 'variant':
      return variants.has(condition.name);
    case 'not': {
      const inner = staticCondition(condition.of, variants);
      return inner === undefined ? undefined : !inner;
    }
    case 'and':
    case 'or': {
      const left = staticCondition(condition.left, variants);
      const right = staticCondition(condition.right, variants);
      const decides = condition.node === 'or';
      if (left === decides || right === decides) return decides;
      return left === undefined || right === undefined ? undefined : !decides;
    }
    case 'compare':
      return undefined;
  }
}

interface Test {
  readonly parts: readonly Compiled[];
  readonly holds: (frame: Frame, locals: Locals | undefined) => boolean;
}

function isSubset(left: Value, right: Value, size: number, at: Span): boolean {
  return keyOf(binary('\\', left, right, size, at), at) === '';
}

function compileCondition(condition: Condition, scope: Scope | undefined, context: Context): Test {
  switch (condition.node) {
    case 'variant': {
      const holds = context.variants.has(condition.name);
      return { parts: [], holds: () => holds };
    }
    case 'not': {
      const { parts, holds } = compileCondition(condition.of, scope, context);
      return { parts, holds: (frame, locals) => !holds(frame, locals) };
    }
    case 'and':
    case 'or': {
      const left = compileCondition(condition.left, scope, context);
      const right = compileCondition(condition.right, scope, context);
      const isAnd = condition.node === 'and';
      return {
        parts: [...left.parts, ...right.parts],
        holds: (frame, locals) =>
          isAnd
            ? left.holds(frame, locals) && right.holds(frame, locals)
            : left.holds(frame, locals) || right.holds(frame, locals),
      };
    }
    case 'compare': {
      const left = compile(condition.left, scope, context);
      const right = compile(condition.right, scope, context);
      const at = left.span;
      return {
        parts: [left, right],
        holds: (frame, locals) => {
          const [a, b] = [left.code(frame, locals), right.code(frame, locals)];
          const { size } = frame.candidate;
          switch (condition.operator) {
            case '=':
              return isSubset(a, b, size, at) && isSubset(b, a, size, at);
            case 'subset':
              return isSubset(a, b, size, at);
            case 'in':
              return isSubset(valueSet([a], at), b, size, at);
          }
        },
      };
    }
  }
}

function compileUnion(
  operands: readonly Expression[],
  scope: Scope | undefined,
  context: Context,
  span: Span,
): Compiled {
  const parts = operands.map((operand) => compile(operand, scope, context));
  const level = levelOf(parts);
  const later = parts.filter((part) => part.level === level || !part.isClosed);
  const early = parts.filter((part) => !later.includes(part));
  const join =
    (of: readonly Compiled[]): Code =>
    (frame, locals) =>
      of.reduce((sum, part) => union(sum, part.code(frame, locals), span), empty);
  const first = early.length < 2 ? early : [make(span, early, join(early))];
  const joined = [...first.map((part) => hoist(part, level, context)), ...later];
  return make(span, parts, join(joined), { kind: 'union', parts });
}

/** [S]. */
const identityOn = (set: Compiled, span: Span): Compiled =>
  make(span, [set], (frame, locals) => unary('[]', set.code(frame, locals), frame.candidate.size, set.span));

/** Operands of `;`: sets in brackets filter what stands beside them. */
function compileSequence(
  operands: readonly Expression[],
  scope: Scope | undefined,
  context: Context,
  span: Span,
): Compiled {
  const compiled = operands.map((operand) => {
    const isFilter = operand.node === 'unary' && operand.operator === '[]';
    const inner = compile(isFilter ? operand.operand : operand, scope, context);
    return isFilter ? { filter: inner, part: identityOn(inner, operand) } : { filter: undefined, part: inner };
  });
  const parts = compiled.map(({ part }) => part);
  const level = levelOf(parts);
  const steps = compiled.map(({ filter, part }) => ({
    filter: filter && hoist(filter, level, context),
    part: filter ? part : hoist(part, level, context),
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

function compileBinary(
  expression: Extract<Expression, { node: 'binary' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const { operator } = expression;
  if (operator === '&') {
    for (const [product, other] of [
      [expression.right, expression.left],
      [expression.left, expression.right],
    ] as const) {
      if (product.node !== 'binary' || product.operator !== '*') continue;
      const sets = [compile(product.left, scope, context), compile(product.right, scope, context)] as const;
      const whole = compile(other, scope, context);
      const level = levelOf([...sets, whole]);
      const [from, to, of] = [...sets, whole].map((part) => hoist(part, level, context));
      return make(expression, [...sets, whole], (frame, locals) => {
        const { size } = frame.candidate;
        return restrict(
          asRelation(of!.code(frame, locals), size, of!.span),
          asEvents(from!.code(frame, locals), size, from!.span),
          asEvents(to!.code(frame, locals), size, to!.span),
        );
      });
    }
  }
  const parts = [compile(expression.left, scope, context), compile(expression.right, scope, context)];
  const level = levelOf(parts);
  const [left, right] = parts.map((part) => hoist(part, level, context));
  const code: Code = (frame, locals) =>
    binary(operator, left!.code(frame, locals), right!.code(frame, locals), frame.candidate.size, expression);
  return make(expression, parts, code);
}

/** A function value; tuples of parameters are taken apart at the call. */
function closure(parameter: Pattern, body: Compiled, frame: Frame, locals: Locals | undefined): Value {
  return {
    kind: 'function',
    apply: (argument, call) =>
      frame.budget.enter(call, () => body.code(frame, bind(parameter, argument, locals, call))),
  };
}

/** Iterations of `let rec` over relations that only grow; what does not settle within these is no fixed point. */
const maxIterations = 2_000;

/** The least fixed point of equations between sets or relations. */
export function leastFixedPoint(
  count: number,
  step: (values: readonly Value[]) => readonly Value[],
  at: Span,
): readonly Value[] {
  let values: readonly Value[] = Array.from({ length: count }, () => empty);
  for (let round = 0; round < maxIterations; round += 1) {
    const next = step(values);
    if (next.every((value, n) => keyOf(value, at) === keyOf(values[n]!, at))) return next;
    values = next;
  }
  return refuse(`"let rec" does not settle within ${maxIterations} rounds`, at);
}

/** The name that a binding of `let rec` gives; recursion through a tuple has no meaning. */
export function recursiveName({ pattern }: Binding): string {
  const [name] = pattern.names;
  if (pattern.isTuple || name === undefined) return refuse('"let rec" binds names', pattern);
  return name;
}

/** `x = a | b | x; x`: the operands without the last, whose closure x is. */
export function closureOperands({ pattern, value }: Binding): readonly Expression[] | undefined {
  const [name] = pattern.names;
  if (value.node !== 'union' || name === undefined) return undefined;
  const isSquare = (operand: Expression): boolean =>
    operand.node === 'sequence' &&
    operand.operands.length === 2 &&
    operand.operands.every((side) => side.node === 'name' && side.name === name);
  const others = value.operands.filter((operand) => !isSquare(operand));
  if (others.length !== value.operands.length - 1 || others.length === 0) return undefined;
  return others.some((operand) => mentions(operand, name)) ? undefined : others;
}

/** Whether a name occurs in an expression; one that is bound again inside counts too. */
function mentions(expression: unknown, name: string): boolean {
  if (Array.isArray(expression)) return expression.some((part) => mentions(part, name));
  if (typeof expression !== 'object' || expression === null) return false;
  const part = expression as { readonly node?: string; readonly name?: string };
  if (part.node === 'name' && part.name === name) return true;
  return Object.entries(part).some(([key, inner]) => key !== 'source' && mentions(inner, name));
}

export function compileClosure(
  operands: readonly Expression[],
  scope: Scope | undefined,
  context: Context,
  span: Span,
): Compiled {
  const of =
    operands.length === 1 ? compile(operands[0]!, scope, context) : compileUnion(operands, scope, context, span);
  return make(span, [of], (frame, locals) => asRelation(of.code(frame, locals), frame.candidate.size, span).plus(), {
    kind: 'closure',
    of,
  });
}

function compileLet(
  expression: Extract<Expression, { node: 'let' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const { bindings, isRecursive } = expression;
  if (!isRecursive) {
    const values = bindings.map(({ value }) => compile(value, scope, context));
    const inner = bindings.reduce<Scope | undefined>((outer, { pattern }) => withinPattern(outer, pattern), scope);
    const body = compile(expression.body, inner, context);
    const code: Code = (frame, locals) =>
      body.code(
        frame,
        bindings.reduce(
          (outer, { pattern }, n) => bind(pattern, values[n]!.code(frame, locals), outer, pattern),
          locals,
        ),
      );
    return { ...make(expression, [...values, { ...body, isClosed: true }], code), isClosed: false };
  }
  const inner = bindings.reduce<Scope | undefined>(
    (outer, binding) => within(outer, recursiveName(binding), { kind: 'local' }),
    scope,
  );
  const values = bindings.map(({ value }) => compile(value, inner, context));
  const body = compile(expression.body, inner, context);
  const areFunctions = bindings.every(({ value }) => value.node === 'function');
  const code: Code = (frame, locals) => {
    const within: Locals[] = [];
    const place = (value: Value): void => void within.push({ value, outer: within.at(-1) ?? locals });
    if (areFunctions) {
      bindings.forEach(() => place(empty));
      within.forEach((cell, n) => (cell.value = values[n]!.code(frame, within.at(-1))));
    } else {
      const step = (known: readonly Value[]): readonly Value[] => {
        within.length = 0;
        known.forEach(place);
        return values.map((value) => value.code(frame, within.at(-1)));
      };
      const fixed = leastFixedPoint(values.length, step, expression);
      within.length = 0;
      fixed.forEach(place);
    }
    return body.code(frame, within.at(-1));
  };
  return { ...make(expression, [...values, body], code), isClosed: false };
}

function compileTry(
  expression: Extract<Expression, { node: 'try' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const otherwise = compile(expression.otherwise, scope, context);
  let attempt: Compiled;
  try {
    attempt = compile(expression.attempt, scope, context);
  } catch (error) {
    if (error instanceof UserError) return otherwise;
    throw error;
  }
  const code: Code = (frame, locals) => {
    try {
      return attempt.code(frame, locals);
    } catch (error) {
      if (error instanceof UserError) return otherwise.code(frame, locals);
      throw error;
    }
  };
  return make(expression, [attempt, otherwise], code, attempt.anatomy);
}

/** An element of a set that is taken apart, and the rest. */
function takeApart(value: Value, at: Span): { readonly element: Value; readonly rest: Value } | undefined {
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

function compileMatchSet(
  expression: Extract<Expression, { node: 'match set' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const { before, element, rest } = expression;
  const subject = compile(expression.subject, scope, context);
  const ifEmpty = compile(expression.ifEmpty, scope, context);
  const inner = [before, element, rest].reduce<Scope | undefined>(
    (outer, name) => within(outer, name, { kind: 'local' }),
    scope,
  );
  const ifElement = compile(expression.ifElement, inner, context);
  const code: Code = (frame, locals) => {
    const apart = takeApart(subject.code(frame, locals), subject.span);
    if (!apart) return ifEmpty.code(frame, locals);
    const cells = [empty, apart.element, apart.rest].reduce<Locals | undefined>(
      (outer, value) => ({ value, outer }),
      locals,
    );
    return ifElement.code(frame, cells);
  };
  return { ...make(expression, [subject, ifEmpty, ifElement], code), isClosed: false };
}

function compileMatchTag(
  expression: Extract<Expression, { node: 'match tag' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const subject = compile(expression.subject, scope, context);
  const clauses = expression.clauses.map(({ tag, body }) => {
    findTag(tag, scope, body);
    return { tag, body: compile(body, scope, context) };
  });
  const otherwise = expression.otherwise && compile(expression.otherwise, scope, context);
  const parts = [subject, ...clauses.map(({ body }) => body), ...(otherwise ? [otherwise] : [])];
  return make(expression, parts, (frame, locals) => {
    const value = subject.code(frame, locals);
    if (!('kind' in value) || value.kind !== 'tag')
      return refuse(`expected a tag, found ${typeOf(value)}`, subject.span);
    const clause = clauses.find(({ tag }) => tag === value.name)?.body ?? otherwise;
    if (!clause) return refuse(`no clause for the tag '${value.name}`, expression);
    return clause.code(frame, locals);
  });
}

export function compile(expression: Expression, scope: Scope | undefined, context: Context): Compiled {
  switch (expression.node) {
    case 'empty':
      return make(expression, [], () => empty);
    case 'universe':
      return make(expression, [], () => universe);
    case 'name':
      return lookUp(expression.name, scope, context.slots, expression);
    case 'tag': {
      const among = findTag(expression.name, scope, expression);
      const tag: Value = { kind: 'tag', name: expression.name, among };
      return make(expression, [], () => tag);
    }
    case 'set': {
      const parts = expression.elements.map((element) => compile(element, scope, context));
      return make(expression, parts, (frame, locals) =>
        valueSet(
          parts.map((part) => part.code(frame, locals)),
          expression,
        ),
      );
    }
    case 'tuple': {
      const parts = expression.elements.map((element) => compile(element, scope, context));
      return make(expression, parts, (frame, locals) => ({
        kind: 'tuple',
        values: parts.map((part) => part.code(frame, locals)),
      }));
    }
    case 'unary': {
      const { operator } = expression;
      if (operator === '[]') return identityOn(compile(expression.operand, scope, context), expression);
      if (operator === '+') return compileClosure([expression.operand], scope, context, expression);
      const operand = compile(expression.operand, scope, context);
      return make(expression, [operand], (frame, locals) =>
        unary(operator, operand.code(frame, locals), frame.candidate.size, operand.span),
      );
    }
    case 'binary':
      return compileBinary(expression, scope, context);
    case 'union':
      return compileUnion(expression.operands, scope, context, expression);
    case 'sequence':
      return compileSequence(expression.operands, scope, context, expression);
    case 'apply': {
      const called = compile(expression.function, scope, context);
      const argument = compile(expression.argument, scope, context);
      return make(expression, [called, argument], (frame, locals) => {
        const value = called.code(frame, locals);
        if (!('kind' in value) || value.kind !== 'function')
          return refuse(`expected a function, found ${typeOf(value)}`, called.span);
        return value.apply(argument.code(frame, locals), expression);
      });
    }
    case 'function': {
      const { parameter } = expression;
      const body = compile(expression.body, withinPattern(scope, parameter), context);
      const code: Code = (frame, locals) => closure(parameter, body, frame, locals);
      // A function of the outermost scope uses no locals but its own; those of inner ones are not hoisted anyway.
      return { ...make(expression, [body], code), isClosed: !hasLocals(scope) };
    }
    case 'let':
      return { ...compileLet(expression, scope, context), isClosed: !hasLocals(scope) };
    case 'try':
      return compileTry(expression, scope, context);
    case 'if': {
      const known = staticCondition(expression.condition, context.variants);
      if (known !== undefined) return compile(known ? expression.then : expression.otherwise, scope, context);
      const { parts, holds } = compileCondition(expression.condition, scope, context);
      const then = compile(expression.then, scope, context);
      const otherwise = compile(expression.otherwise, scope, context);
      return make(expression, [...parts, then, otherwise], (frame, locals) =>
        (holds(frame, locals) ? then : otherwise).code(frame, locals),
      );
    }
    case 'match tag':
      return compileMatchTag(expression, scope, context);
    case 'match set':
      return { ...compileMatchSet(expression, scope, context), isClosed: !hasLocals(scope) };
  }
}

function hasLocals(scope: Scope | undefined): boolean {
  for (let at = scope; at; at = at.outer) if (at.entry.kind === 'local') return true;
  return false;
}
