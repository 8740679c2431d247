// Sentences of the cat language as trees.

import type { Span } from './source.ts';

/** What a value is bound to: one name, `_`, or a tuple of them. */
export interface Pattern extends Span {
  /** undefined: `_`. */
  readonly names: readonly (string | undefined)[];
  readonly isTuple: boolean;
}

export interface Binding {
  readonly pattern: Pattern;
  readonly value: Expression;
}

export type Condition =
  /** Whether the test runs under a variant, such as "vmsa" or "mixed". */
  | { readonly node: 'variant'; readonly name: string }
  | { readonly node: 'not'; readonly of: Condition }
  | { readonly node: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | {
      readonly node: 'compare';
      readonly operator: '=' | 'subset' | 'in';
      readonly left: Expression;
      readonly right: Expression;
    };

export type UnaryOperator = '+' | '*' | '?' | '^-1' | '~' | '[]';
export type BinaryOperator = '&' | '\\' | '*' | '++';

export type Expression = Span &
  (
    | { readonly node: 'empty' | 'universe' }
    | { readonly node: 'name' | 'tag'; readonly name: string }
    | { readonly node: 'set' | 'tuple'; readonly elements: readonly Expression[] }
    | { readonly node: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
    | {
        readonly node: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    /** Of two or more. */
    | { readonly node: 'union' | 'sequence'; readonly operands: readonly Expression[] }
    | { readonly node: 'apply'; readonly function: Expression; readonly argument: Expression }
    | { readonly node: 'function'; readonly parameter: Pattern; readonly body: Expression }
    | {
        readonly node: 'let';
        readonly isRecursive: boolean;
        readonly bindings: readonly Binding[];
        readonly body: Expression;
      }
    | { readonly node: 'try'; readonly attempt: Expression; readonly otherwise: Expression }
    | {
        readonly node: 'if';
        readonly condition: Condition;
        readonly then: Expression;
        readonly otherwise: Expression;
      }
    | {
        readonly node: 'match tag';
        readonly subject: Expression;
        readonly clauses: readonly { readonly tag: string; readonly body: Expression }[];
        readonly otherwise: Expression | undefined;
      }
    | {
        readonly node: 'match set';
        readonly subject: Expression;
        readonly ifEmpty: Expression;
        /** `element ++ rest`, or `before | element ++ after` over a set. */
        readonly before: string | undefined;
        readonly element: string | undefined;
        readonly rest: string | undefined;
        readonly ifElement: Expression;
      }
  );

export type TestKind = 'acyclic' | 'irreflexive' | 'empty';

/** `flag` reports, `assert` must hold, and a bare test is an axiom of the model. */
export type TestRole = 'axiom' | 'flag' | 'assert' | 'undefined_unless';

export type Instruction = Span &
  (
    | { readonly node: 'bind'; readonly isRecursive: boolean; readonly bindings: readonly Binding[] }
    | {
        readonly node: 'test';
        readonly role: TestRole;
        readonly isNegated: boolean;
        readonly kind: TestKind;
        readonly of: Expression;
        readonly name: string | undefined;
      }
    | { readonly node: 'include'; readonly path: string }
    | {
        readonly node: 'procedure';
        readonly name: string;
        readonly parameter: Pattern;
        readonly body: readonly Instruction[];
      }
    | { readonly node: 'call'; readonly name: string; readonly argument: Expression }
    | {
        readonly node: 'for all';
        readonly name: string;
        readonly of: Expression;
        readonly body: readonly Instruction[];
      }
    | { readonly node: 'with'; readonly name: string; readonly from: Expression }
    | {
        readonly node: 'choose';
        readonly condition: Condition;
        readonly then: readonly Instruction[];
        readonly otherwise: readonly Instruction[];
      }
    | { readonly node: 'enum'; readonly name: string; readonly tags: readonly string[] }
    /** Tells herd7 what to draw; it has no part in the judgement. */
    | { readonly node: 'show' }
  );

export interface CatFile {
  /** As the file names its model; undefined if it does not. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}
