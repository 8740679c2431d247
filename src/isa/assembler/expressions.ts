// Expressions, with the precedence of GNU as: * / % << >> bind closest, then | & ^, then + -. Values are 64 bits, shown as signed.

import { registerNamed } from '../syntax/registers.ts';
import { described, type Token } from './lexer.ts';

export type Expression =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'symbol' | 'local' | 'dot'; readonly token: Token }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly token: Token;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Why a text has no value, and where. */
export interface Refusal {
  readonly token: Token;
  readonly why: string;
}

/** What the symbols stand for at a place in the image. */
export interface Scope {
  readonly dot: bigint;
  readonly symbol: (name: string) => bigint | undefined;
  /** The address of local label `number`: the last one before (`b`) or the next one after (`f`) this place. */
  readonly local: (number: bigint, direction: string) => bigint | undefined;
}

/** Tokens that are read from left to right. */
export interface TokenStream {
  readonly tokens: readonly Token[];
  at: number;
}

/** The token here. The last token is the end, which is not stepped over. */
export const here = (stream: TokenStream): Token => stream.tokens[Math.min(stream.at, stream.tokens.length - 1)]!;

export function acceptMark(stream: TokenStream, mark: string): boolean {
  const token = here(stream);
  if (token.kind !== 'mark' || token.text !== mark) return false;
  stream.at += 1;
  return true;
}

export const isRefusal = (x: Expression | bigint | Refusal): x is Refusal => typeof x === 'object' && 'why' in x;

const levels: readonly (readonly string[])[] = [
  ['+', '-'],
  ['|', '&', '^'],
  ['*', '/', '%', '<<', '>>'],
];

/** Operators and parentheses of one expression. More are refused, so that no source overflows the stack. */
const mostOperators = 500;

/** What is left of them. */
interface Budget {
  operators: number;
}

export function parseExpression(stream: TokenStream): Expression | Refusal {
  return parseLevel(stream, 0, { operators: mostOperators });
}

function parseLevel(stream: TokenStream, level: number, budget: Budget): Expression | Refusal {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(stream, budget);
  let left = parseLevel(stream, level + 1, budget);
  for (;;) {
    if (isRefusal(left)) return left;
    const token = here(stream);
    if (token.kind !== 'mark' || !operators.includes(token.text)) return left;
    stream.at += 1;
    budget.operators -= 1;
    const right = parseLevel(stream, level + 1, budget);
    if (isRefusal(right)) return right;
    left = { kind: 'binary', operator: token.text, token, left, right };
  }
}

function parseUnary(stream: TokenStream, budget: Budget): Expression | Refusal {
  const token = here(stream);
  if (budget.operators < 0) return { token, why: `the expression has more than ${mostOperators} operators` };
  if (token.kind === 'mark' && ['-', '+', '~'].includes(token.text)) {
    stream.at += 1;
    budget.operators -= 1;
    const operand = parseUnary(stream, budget);
    return isRefusal(operand) ? operand : { kind: 'unary', operator: token.text, operand };
  }
  if (acceptMark(stream, '(')) {
    budget.operators -= 1;
    const inner = parseLevel(stream, 0, budget);
    if (isRefusal(inner)) return inner;
    return acceptMark(stream, ')')
      ? inner
      : { token: here(stream), why: `expected ")", not ${described(here(stream))}` };
  }
  const isRegister = token.kind === 'word' && registerNamed(token.text.toLowerCase())?.kind === 'general';
  if (isRegister || !['number', 'word', 'local'].includes(token.kind)) {
    return { token, why: `expected an expression, not ${isRegister ? 'register ' : ''}${described(token)}` };
  }
  stream.at += 1;
  if (token.kind === 'number') return { kind: 'constant', value: token.value };
  return { kind: token.kind === 'local' ? 'local' : token.text === '.' ? 'dot' : 'symbol', token };
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

export function evaluate(expression: Expression, scope: Scope): bigint | Refusal {
  switch (expression.kind) {
    case 'constant':
      return signed(expression.value);
    case 'dot':
      return signed(scope.dot);
    case 'symbol': {
      const value = scope.symbol(expression.token.text);
      return value === undefined
        ? { token: expression.token, why: `undefined symbol "${expression.token.text}"` }
        : signed(value);
    }
    case 'local': {
      const { token } = expression;
      const direction = token.text.at(-1)!;
      const value = scope.local(token.value, direction);
      if (value !== undefined) return signed(value);
      return { token, why: `no label ${token.value}: ${direction === 'b' ? 'before' : 'after'} this line` };
    }
    case 'unary': {
      const operand = evaluate(expression.operand, scope);
      if (isRefusal(operand)) return operand;
      if (expression.operator === '+') return operand;
      return signed(expression.operator === '-' ? -operand : ~operand);
    }
    case 'binary': {
      const left = evaluate(expression.left, scope);
      if (isRefusal(left)) return left;
      const right = evaluate(expression.right, scope);
      return isRefusal(right) ? right : combine(expression.operator, expression.token, left, right);
    }
  }
}

function combine(operator: string, token: Token, left: bigint, right: bigint): bigint | Refusal {
  switch (operator) {
    case '+':
      return signed(left + right);
    case '-':
      return signed(left - right);
    case '*':
      return signed(left * right);
    case '|':
      return left | right;
    case '&':
      return left & right;
    case '^':
      return left ^ right;
    case '/':
    case '%':
      if (right === 0n) return { token, why: 'division by zero' };
      return signed(operator === '/' ? left / right : left % right);
    default: {
      // Shifts are of the unsigned value, as in GNU as.
      if (right < 0n || right > 63n) return { token, why: `shift by ${right}: 0 to 63 are possible` };
      const value = BigInt.asUintN(64, left);
      return signed(operator === '<<' ? value << right : value >> right);
    }
  }
}
