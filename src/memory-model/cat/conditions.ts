// Conditions of `if`: variants, which are known when the model is loaded, and comparisons of values.

import type { Compiled, Frame, Locals } from './compiled.ts';
import { binary } from './operators.ts';
import type { Span } from './source.ts';
import type { Condition, Expression } from './syntax.ts';
import { keyOf, valueSet, type Value } from './values.ts';

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

/** A condition that is asked of an execution. */
interface Test {
  readonly parts: readonly Compiled[];
  readonly holds: (frame: Frame, locals: Locals | undefined) => boolean;
}

function isSubset(left: Value, right: Value, size: number, at: Span): boolean {
  return keyOf(binary('\\', left, right, size, at), at) === '';
}

/** `compile` gives the code of what is compared. */
export function compileCondition(
  condition: Condition,
  compile: (compared: Expression) => Compiled,
  variants: ReadonlySet<string>,
): Test {
  switch (condition.node) {
    case 'variant': {
      const holds = variants.has(condition.name);
      return { parts: [], holds: () => holds };
    }
    case 'not': {
      const { parts, holds } = compileCondition(condition.of, compile, variants);
      return { parts, holds: (frame, locals) => !holds(frame, locals) };
    }
    case 'and':
    case 'or': {
      const left = compileCondition(condition.left, compile, variants);
      const right = compileCondition(condition.right, compile, variants);
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
      const left = compile(condition.left);
      const right = compile(condition.right);
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
