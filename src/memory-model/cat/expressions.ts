// Expressions of cat. From loosest to tightest: `,`, `|`, `++`, `;`, `\`, `&`, then `*` between sets and the signs behind a relation
// (`+`, `*`, `?`), then `^-1`.

import type { Cursor } from './cursor.ts';
import type { Span } from './source.ts';
import type { Binding, Condition, Expression, Pattern } from './syntax.ts';

/** A span, and what else a node holds. */
const node = <T extends object>(span: Span, rest: T): Span & T => ({
  source: span.source,
  start: span.start,
  end: span.end,
  ...rest,
});

function patternName(cursor: Cursor): string | undefined {
  if (cursor.takes('_')) return undefined;
  return cursor.expectKind('name', 'a name or "_"').text;
}

/** One name, or a tuple in parentheses. */
function pattern(cursor: Cursor): Pattern {
  const first = cursor.next;
  if (!cursor.takes('(')) {
    const name = patternName(cursor);
    return node(cursor.since(first), { names: [name], isTuple: false });
  }
  const names: (string | undefined)[] = [];
  if (!cursor.sees(')'))
    do names.push(patternName(cursor));
    while (cursor.takes(','));
  cursor.expect(')', 'after the names');
  return node(cursor.since(first), { names, isTuple: names.length !== 1 });
}

const startsPattern = (cursor: Cursor): boolean => cursor.seesKind('name') || cursor.sees('_', '(');

/** `name = e`, `name parameters = e`, `(a, b) = e`, `a, b = e`. */
function binding(cursor: Cursor): Binding {
  const first = cursor.next;
  const head = pattern(cursor);
  if (!head.isTuple && head.names[0] !== undefined && startsPattern(cursor)) {
    const parameters: Pattern[] = [];
    while (startsPattern(cursor)) parameters.push(pattern(cursor));
    cursor.expect('=', 'after the parameters of a function');
    const body = expression(cursor);
    const value = parameters.reduceRight<Expression>(
      (inner, parameter) => node(cursor.since(first), { node: 'function', parameter, body: inner }),
      body,
    );
    return { pattern: head, value };
  }
  const names = [...head.names];
  while (cursor.takes(',')) names.push(patternName(cursor));
  const whole = names.length === head.names.length ? head : node(cursor.since(first), { names, isTuple: true });
  cursor.expect('=', 'in a binding');
  return { pattern: whole, value: expression(cursor) };
}

export function bindings(cursor: Cursor): readonly Binding[] {
  const result = [binding(cursor)];
  while (cursor.takes('and')) result.push(binding(cursor));
  return result;
}

function comparison(cursor: Cursor): Condition {
  const left = operation(cursor);
  for (const operator of ['=', 'subset', 'in'] as const)
    if (cursor.takes(operator)) return { node: 'compare', operator, left, right: operation(cursor) };
  return cursor.refuse('"=", "subset" or "in"', 'in a condition');
}

function simpleCondition(cursor: Cursor): Condition {
  if (cursor.seesKind('string')) return { node: 'variant', name: cursor.take().text };
  if (cursor.seesKind('name') && cursor.next.text === 'not') {
    cursor.take();
    return { node: 'not', of: cursor.nested(() => simpleCondition(cursor)) };
  }
  if (cursor.sees('(')) {
    const inner = cursor.attempt(() => {
      cursor.take();
      const inside = cursor.nested(() => condition(cursor));
      cursor.expect(')', 'after a condition');
      return inside;
    });
    if (inner) return inner;
  }
  return comparison(cursor);
}

function conjunction(cursor: Cursor): Condition {
  let left = simpleCondition(cursor);
  while (cursor.takes('&&')) left = { node: 'and', left, right: simpleCondition(cursor) };
  return left;
}

export function condition(cursor: Cursor): Condition {
  let left = conjunction(cursor);
  while (cursor.takes('||')) left = { node: 'or', left, right: conjunction(cursor) };
  return left;
}

function letExpression(cursor: Cursor): Expression {
  const first = cursor.take();
  const isRecursive = cursor.takes('rec');
  const bound = bindings(cursor);
  cursor.expect('in', 'after the bindings of "let" in an expression');
  const body = expression(cursor);
  return node(cursor.since(first), { node: 'let', isRecursive, bindings: bound, body });
}

function functionExpression(cursor: Cursor): Expression {
  const first = cursor.take();
  const parameter = pattern(cursor);
  cursor.expect('->', 'after the parameter of "fun"');
  const body = expression(cursor);
  return node(cursor.since(first), { node: 'function', parameter, body });
}

function tryExpression(cursor: Cursor): Expression {
  const first = cursor.take();
  const attempt = expression(cursor);
  cursor.expect('with', 'after what "try" tries');
  const otherwise = expression(cursor);
  return node(cursor.since(first), { node: 'try', attempt, otherwise });
}

function ifExpression(cursor: Cursor): Expression {
  const first = cursor.take();
  const asked = condition(cursor);
  cursor.expect('then', 'after the condition of "if"');
  const then = expression(cursor);
  cursor.expect('else', 'after what follows "then"');
  const otherwise = expression(cursor);
  return node(cursor.since(first), { node: 'if', condition: asked, then, otherwise });
}

/** `{} -> e || x ++ xs -> e`, in either order. */
function setClauses(cursor: Cursor, first: Span, subject: Expression): Expression {
  let ifEmpty: Expression | undefined;
  let clause: { before?: string; element?: string; rest?: string; body: Expression } | undefined;
  do {
    if (cursor.takes('{')) {
      cursor.expect('}', 'in the pattern of the empty set');
      cursor.expect('->', 'after a pattern');
      ifEmpty = expression(cursor);
    } else {
      const names = [patternName(cursor)];
      if (cursor.takes('|')) names.push(patternName(cursor));
      cursor.expect('++', 'in the pattern of a set that is not empty');
      names.push(patternName(cursor));
      cursor.expect('->', 'after a pattern');
      const [before, element, rest] = names.length === 3 ? names : [undefined, ...names];
      clause = {
        ...named('before', before),
        ...named('element', element),
        ...named('rest', rest),
        body: expression(cursor),
      };
    }
  } while (cursor.takes('||'));
  cursor.expect('end', 'after the clauses of "match"');
  if (!ifEmpty || !clause) return cursor.refuse('a clause for {} and one for x ++ xs', 'in "match" on a set');
  const { before, element, rest, body } = clause;
  return node(cursor.since(first), { node: 'match set', subject, ifEmpty, before, element, rest, ifElement: body });
}

const named = <K extends string>(key: K, name: string | undefined): { readonly [_ in K]?: string } =>
  (name === undefined ? {} : { [key]: name }) as { readonly [_ in K]?: string };

function tagClauses(cursor: Cursor, first: Span, subject: Expression): Expression {
  const clauses: { tag: string; body: Expression }[] = [];
  let otherwise: Expression | undefined;
  do {
    if (cursor.takes('_')) {
      cursor.expect('->', 'after a pattern');
      otherwise = expression(cursor);
    } else {
      const tag = cursor.expectKind('tag', 'a tag such as \'x, or "_"').text;
      cursor.expect('->', 'after a pattern');
      clauses.push({ tag, body: expression(cursor) });
    }
  } while (!otherwise && cursor.takes('||'));
  cursor.expect('end', 'after the clauses of "match"');
  return node(cursor.since(first), { node: 'match tag', subject, clauses, otherwise });
}

function matchExpression(cursor: Cursor): Expression {
  const first = cursor.take();
  const subject = expression(cursor);
  cursor.expect('with', 'after what "match" looks at');
  cursor.takes('||');
  const isOnTags = cursor.seesKind('tag') || (cursor.sees('_') && cursor.second.text === '->');
  return isOnTags ? tagClauses(cursor, first, subject) : setClauses(cursor, first, subject);
}

export function expression(cursor: Cursor): Expression {
  return cursor.nested(() => {
    if (cursor.sees('let')) return letExpression(cursor);
    if (cursor.sees('fun')) return functionExpression(cursor);
    if (cursor.sees('try')) return tryExpression(cursor);
    if (cursor.sees('if')) return ifExpression(cursor);
    if (cursor.sees('match')) return matchExpression(cursor);
    const first = cursor.next;
    const elements = [operation(cursor)];
    while (cursor.takes(',')) elements.push(operation(cursor));
    return elements.length === 1 ? elements[0]! : node(cursor.since(first), { node: 'tuple', elements });
  });
}

/** Operands of an operator that is associative, side by side. */
function chain(
  cursor: Cursor,
  operator: string,
  kind: 'union' | 'sequence',
  operand: (c: Cursor) => Expression,
): Expression {
  const first = cursor.next;
  const operands = [operand(cursor)];
  while (cursor.takes(operator)) operands.push(operand(cursor));
  return operands.length === 1 ? operands[0]! : node(cursor.since(first), { node: kind, operands });
}

/** An expression without `let`, `fun`, `,` and the like at its outside. */
export const operation = (cursor: Cursor): Expression => chain(cursor, '|', 'union', addition);

function addition(cursor: Cursor): Expression {
  const first = cursor.next;
  const left = sequence(cursor);
  if (!cursor.takes('++')) return left;
  const right = cursor.nested(() => addition(cursor));
  return node(cursor.since(first), { node: 'binary', operator: '++', left, right });
}

const sequence = (cursor: Cursor): Expression => chain(cursor, ';', 'sequence', difference);

function difference(cursor: Cursor): Expression {
  const first = cursor.next;
  let left = intersection(cursor);
  while (cursor.takes('\\')) {
    const right = intersection(cursor);
    left = node(cursor.since(first), { node: 'binary', operator: '\\', left, right });
  }
  return left;
}

function intersection(cursor: Cursor): Expression {
  const first = cursor.next;
  let left = product(cursor);
  while (cursor.takes('&')) {
    const right = product(cursor);
    left = node(cursor.since(first), { node: 'binary', operator: '&', left, right });
  }
  return left;
}

function product(cursor: Cursor): Expression {
  const first = cursor.next;
  const left = signed(cursor);
  if (!cursor.sees('*')) return left;
  cursor.take();
  const right = signed(cursor);
  return node(cursor.since(first), { node: 'binary', operator: '*', left, right });
}

/** A `*` with an operand behind it stands between two sets. */
function starIsProduct(cursor: Cursor): boolean {
  const { kind, text } = cursor.second;
  if (kind === 'name' || kind === 'tag') return true;
  return ['(', '[', '{', '_', '0', '~', 'begin'].includes(text) && kind !== 'string';
}

function signed(cursor: Cursor): Expression {
  const first = cursor.next;
  if (cursor.takes('~')) {
    const operand = cursor.nested(() => signed(cursor));
    return node(cursor.since(first), { node: 'unary', operator: '~', operand });
  }
  let operand = application(cursor);
  for (;;) {
    if (cursor.sees('+', '?')) {
      const operator = cursor.take().text as '+' | '?';
      operand = node(cursor.since(first), { node: 'unary', operator, operand });
    } else if (cursor.sees('*') && !starIsProduct(cursor)) {
      cursor.take();
      operand = node(cursor.since(first), { node: 'unary', operator: '*', operand });
    } else if (cursor.takes('^')) {
      const operator = cursor.takes('-1')
        ? '^-1'
        : cursor.sees('+', '*', '?')
          ? (cursor.take().text as '+' | '*' | '?')
          : undefined;
      if (operator === undefined) return cursor.refuse('"-1"', 'after "^"');
      operand = node(cursor.since(first), { node: 'unary', operator, operand });
    } else return operand;
  }
}

/** What may stand as the argument of a function without parentheses of its own. */
const startsArgument = (cursor: Cursor): boolean =>
  cursor.seesKind('name') || cursor.seesKind('tag') || cursor.sees('0', '{', '_', '(', '[', 'begin');

function application(cursor: Cursor): Expression {
  const first = cursor.next;
  const isName = cursor.seesKind('name');
  let result = atom(cursor);
  while (isName && startsArgument(cursor)) {
    const argument = atom(cursor);
    result = node(cursor.since(first), { node: 'apply', function: result, argument });
  }
  return result;
}

/** The argument of `call`. */
export function atom(cursor: Cursor): Expression {
  const first = cursor.next;
  if (cursor.seesKind('name')) return node(first, { node: 'name', name: cursor.take().text });
  if (cursor.seesKind('tag')) return node(first, { node: 'tag', name: cursor.take().text });
  if (cursor.takes('0')) return node(first, { node: 'empty' });
  if (cursor.takes('_')) return node(first, { node: 'universe' });
  if (cursor.takes('{')) {
    const elements: Expression[] = [];
    if (!cursor.sees('}'))
      do elements.push(cursor.nested(() => operation(cursor)));
      while (cursor.takes(','));
    cursor.expect('}', 'after the elements of a set');
    const span = cursor.since(first);
    return elements.length === 0 ? node(span, { node: 'empty' }) : node(span, { node: 'set', elements });
  }
  if (cursor.takes('(')) {
    if (cursor.takes(')')) return node(cursor.since(first), { node: 'tuple', elements: [] });
    const inner = expression(cursor);
    cursor.expect(')', 'after an expression in parentheses');
    return node(cursor.since(first), inner);
  }
  if (cursor.takes('begin')) {
    const inner = expression(cursor);
    cursor.expect('end', 'after an expression that "begin" opens');
    return inner;
  }
  if (cursor.takes('[')) {
    const operand = expression(cursor);
    cursor.expect(']', 'after the set');
    return node(cursor.since(first), { node: 'unary', operator: '[]', operand });
  }
  return cursor.refuse('an expression');
}
