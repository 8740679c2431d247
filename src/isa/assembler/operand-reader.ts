// The tokens of an instruction's operands as the operand kinds read them, and what is said when no form matches.

import { isOfWidth } from '../syntax/immediates.ts';
import { generalNames, registerNamed } from '../syntax/registers.ts';
import type { OperandReader, SystemRegisterNames } from '../syntax.ts';
import { acceptMark, evaluate, here, isRefusal, parseExpression, type Scope, type TokenStream } from './expressions.ts';
import { described, type Token } from './lexer.ts';
import { hint } from '../../report/suggestion.ts';
import { type Place, refusal } from './source.ts';

/** What was in the way of the forms that got furthest. */
export interface Trouble {
  /** Index of the token that the furthest form came to. */
  at: number;
  token: Token;
  expected: Set<string>;
  refused: string | undefined;
}

export const noTrouble = (tokens: readonly Token[]): Trouble => ({
  at: -1,
  token: tokens[0]!,
  expected: new Set(),
  refused: undefined,
});

export interface ReaderContext {
  readonly address: bigint;
  readonly names: SystemRegisterNames;
  readonly scope: Scope;
}

/** A reader from the first operand, over the fields that the form's variant sets. */
export function operandReader(
  tokens: readonly Token[],
  context: ReaderContext,
  preset: Readonly<Record<string, number>>,
  trouble: Trouble,
): OperandReader {
  const stream: TokenStream = { tokens, at: 0 };
  const fields: Record<string, number> = { ...preset };
  /** The first token of what was read last. */
  let last = here(stream);

  const furthest = (): boolean => {
    if (stream.at < trouble.at) return false;
    if (stream.at > trouble.at)
      Object.assign(trouble, { at: stream.at, token: here(stream), expected: new Set(), refused: undefined });
    return true;
  };
  const refusedAt = (token: Token, why: string): false => {
    if (furthest() && trouble.refused === undefined) Object.assign(trouble, { token, refused: why });
    return false;
  };

  return {
    address: context.address,
    names: context.names,
    fields,
    word: () => {
      const token = here(stream);
      return token.kind === 'word' ? token.text.toLowerCase() : undefined;
    },
    next: () => {
      last = here(stream);
      stream.at += 1;
    },
    accept: (mark) => acceptMark(stream, mark),
    sees: (mark) => here(stream).kind === 'mark' && here(stream).text === mark,
    atEnd: () => here(stream).kind === 'end',
    expression: () => {
      acceptMark(stream, '#');
      last = here(stream);
      const expression = parseExpression(stream);
      if (isRefusal(expression)) {
        if (expression.token === last && furthest()) trouble.expected.add('an expression');
        else refusedAt(expression.token, expression.why);
        return undefined;
      }
      const value = evaluate(expression, context.scope);
      if (!isRefusal(value)) return value;
      if (isRegisterLike(value.token.text)) {
        // `x32` is more likely a slip than a symbol: registers are expected, too.
        stream.at = stream.tokens.indexOf(value.token);
        if (furthest()) trouble.expected.add('an expression');
      } else {
        refusedAt(value.token, value.why);
      }
      return undefined;
    },
    decimal: () => {
      acceptMark(stream, '#');
      const isNegative = acceptMark(stream, '-');
      last = here(stream);
      if (last.kind !== 'decimal' && last.kind !== 'number') {
        if (furthest()) trouble.expected.add('a number');
        return undefined;
      }
      stream.at += 1;
      const value = last.kind === 'decimal' ? Number(last.text) : Number(last.value);
      return isNegative ? -value : value;
    },
    relocation: () => {
      const start = stream.at;
      acceptMark(stream, '#');
      if (acceptMark(stream, ':')) {
        const token = here(stream);
        stream.at += 1;
        if (token.kind === 'word' && acceptMark(stream, ':')) return token.text.toLowerCase();
      }
      stream.at = start;
      return undefined;
    },
    set: (field, value) => {
      fields[field] ??= value;
      return fields[field] === value;
    },
    expected: (what) => {
      if (furthest()) trouble.expected.add(what);
      return false;
    },
    refused: (why) => refusedAt(last, why),
  };
}

const isRegisterLike = (text: string): boolean => /^[xwbhsdq]\d+$/i.test(text);

/** The refusal of a statement of which no form matches. */
export function refusalOf(trouble: Trouble, place: Place, mnemonic: string): Error {
  const { token, expected, refused } = trouble;
  if (refused !== undefined) return refusal(place, token.column, refused);
  const wants = condensed([...expected]).map((what) => (/^\W+$/.test(what) ? `"${what}"` : what));
  const found = described(token);
  const isUnknown = token.kind === 'word' && registerNamed(token.text.toLowerCase()) === undefined;
  if (isUnknown && wants.some((what) => what.includes('register'))) {
    const meant = hint(token.text, generalNames);
    if (isRegisterLike(token.text) || meant !== undefined) {
      return refusal(place, token.column, `no register ${found}`, meant);
    }
  }
  if (wants.length === 1 && wants[0] === 'an expression' && isUnknown) {
    return refusal(place, token.column, `undefined symbol ${found}`);
  }
  if (wants.length === 0) return refusal(place, token.column, `operands that ${mnemonic} does not take`);
  return refusal(place, token.column, `expected ${listed(wants)}, not ${found}`);
}

/** Registers of many shapes are told by their kind alone. */
function condensed(wants: readonly string[]): string[] {
  const kinds = [
    { pattern: /^a vector register \(/, name: 'a vector register' },
    { pattern: /^a \d+-bit register \(/, name: 'a SIMD&FP register' },
  ];
  const kindOf = (what: string): string | undefined => {
    const kind = kinds.find(({ pattern }) => pattern.test(what));
    return kind && wants.filter((other) => kind.pattern.test(other)).length > 1 ? kind.name : undefined;
  };
  return [...new Set(wants.map((what) => kindOf(what) ?? what))];
}

/** `a, b or c`. */
function listed(items: readonly string[]): string {
  if (items.length === 1) return items[0]!;
  return `${items.slice(0, -1).join(', ')} or ${items.at(-1)!}`;
}

/** Whether a value can be stored in this many bytes, as an unsigned or as a signed number. */
export const fitsIn = (value: bigint, bytes: number): boolean => bytes >= 8 || isOfWidth(value, 8 * bytes);
