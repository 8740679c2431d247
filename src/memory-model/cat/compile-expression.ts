// Expressions of cat to code: what names mean, and what functions, `let … in`, `try`, `if` and `match` do with them.

import { UserError } from '../../report/user-error.ts';
import { make, type Code, type Compiled, type Frame, type Locals } from './compiled.ts';
import { compileCondition, staticCondition } from './conditions.ts';
import { unary } from './operators.ts';
import { bind, takeApart } from './patterns.ts';
import { leastFixedPoint, recursiveName } from './recursion.ts';
import { binaryOf, closureOf, identityOn, restrictionOf, sequenceOf, unionOf, type Step } from './relation-code.ts';
import { findTag, lookUp, within, withinPattern, type Scope, type Slots } from './scope.ts';
import { refuse, type Span } from './source.ts';
import type { Expression, Pattern } from './syntax.ts';
import { empty, typeOf, universe, valueSet, type Value } from './values.ts';

export interface Context {
  readonly slots: Slots;
  readonly variants: ReadonlySet<string>;
}

/** An operand of `;`. */
function compileStep(operand: Expression, scope: Scope | undefined, context: Context): Step {
  const isFilter = operand.node === 'unary' && operand.operator === '[]';
  const inner = compile(isFilter ? operand.operand : operand, scope, context);
  return isFilter ? { filter: inner, part: identityOn(inner, operand) } : { filter: undefined, part: inner };
}

function compileBinary(
  expression: Extract<Expression, { node: 'binary' }>,
  scope: Scope | undefined,
  context: Context,
): Compiled {
  const { operator, left, right } = expression;
  if (operator === '&') {
    for (const [product, other] of [
      [right, left],
      [left, right],
    ] as const) {
      if (product.node !== 'binary' || product.operator !== '*') continue;
      const sets = [compile(product.left, scope, context), compile(product.right, scope, context)] as const;
      return restrictionOf(sets, compile(other, scope, context), context.slots, expression);
    }
  }
  const parts = [compile(left, scope, context), compile(right, scope, context)];
  return binaryOf(operator, parts, context.slots, expression);
}

/** The transitive closure of the union of the operands. */
export function compileClosure(
  operands: readonly Expression[],
  scope: Scope | undefined,
  context: Context,
  span: Span,
): Compiled {
  const parts = operands.map((operand) => compile(operand, scope, context));
  return closureOf(parts.length === 1 ? parts[0]! : unionOf(parts, context.slots, span), span);
}

/** A function value; tuples of parameters are taken apart at the call. */
function closure(parameter: Pattern, body: Compiled, frame: Frame, locals: Locals | undefined): Value {
  return {
    kind: 'function',
    apply: (argument, call) =>
      frame.budget.enter(call, () => body.code(frame, bind(parameter, argument, locals, call))),
  };
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
      return unionOf(
        expression.operands.map((operand) => compile(operand, scope, context)),
        context.slots,
        expression,
      );
    case 'sequence':
      return sequenceOf(
        expression.operands.map((operand) => compileStep(operand, scope, context)),
        context.slots,
        expression,
      );
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
      const compileCompared = (compared: Expression): Compiled => compile(compared, scope, context);
      const { parts, holds } = compileCondition(expression.condition, compileCompared, context.variants);
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
