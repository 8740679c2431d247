// What `let rec` means: the least fixed point of its equations, or the transitive closure where it is written as one.

import { refuse, type Span } from './source.ts';
import type { Binding, Expression } from './syntax.ts';
import { empty, keyOf, type Value } from './values.ts';

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
