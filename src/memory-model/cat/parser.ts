// Instructions of cat: definitions, axioms, inclusions.

import { Cursor } from './cursor.ts';
import { atom, bindings, condition, expression, operation } from './expressions.ts';
import { tokens } from './lexer.ts';
import { refuse, type Source } from './source.ts';
import type { CatFile, Instruction, Pattern, TestKind, TestRole } from './syntax.ts';

/** More is no model, and costs more than a moment. */
const maxFileCharacters = 1_000_000;

/** What tells herd7 how to draw, or how to read other files than cat's. */
const notSupported: ReadonlyMap<string, string> = new Map([
  ['instructions', 'declarations of instructions belong to bell files, which are not supported'],
  ['default', 'declarations of instructions belong to bell files, which are not supported'],
  ['debug', '"debug" is not supported'],
  ['match', '"match" is supported in expressions, not around instructions'],
]);

function optionalName(cursor: Cursor): string | undefined {
  return cursor.takes('as') ? cursor.expectKind('name', 'a name after "as"').text : undefined;
}

function isTest(cursor: Cursor): boolean {
  return cursor.sees('acyclic', 'irreflexive', 'empty', '~', 'flag', 'assert', 'undefined_unless');
}

function test(cursor: Cursor): Instruction {
  const first = cursor.next;
  const role = cursor.sees('flag', 'assert', 'undefined_unless') ? (cursor.take().text as TestRole) : 'axiom';
  const isNegated = cursor.takes('~');
  if (!cursor.sees('acyclic', 'irreflexive', 'empty')) cursor.refuse('"acyclic", "irreflexive" or "empty"');
  const kind = cursor.take().text as TestKind;
  const of = expression(cursor);
  const name = optionalName(cursor);
  return { ...cursor.since(first), node: 'test', role, isNegated, kind, of, name };
}

function show(cursor: Cursor): Instruction {
  const first = cursor.take();
  do {
    operation(cursor);
    optionalName(cursor);
  } while (cursor.takes(','));
  return { ...cursor.since(first), node: 'show' };
}

function procedure(cursor: Cursor): Instruction {
  const first = cursor.take();
  if (cursor.takes('rec')) refuse('a procedure that calls itself is not supported', first);
  const name = cursor.expectKind('name', 'the name of a procedure').text;
  const start = cursor.next;
  const names: (string | undefined)[] = [];
  const parameterName = (): string | undefined =>
    cursor.takes('_') ? undefined : cursor.expectKind('name', 'the name of a parameter').text;
  const hasParentheses = cursor.takes('(');
  if (hasParentheses) {
    if (!cursor.sees(')'))
      do names.push(parameterName());
      while (cursor.takes(','));
    cursor.expect(')', 'after the parameters');
  } else names.push(parameterName());
  const parameter: Pattern = { ...cursor.since(start), names, isTuple: names.length !== 1 };
  cursor.expect('=', 'after the parameters of a procedure');
  const body = until(cursor, ['end']);
  cursor.expect('end', 'after the body of a procedure');
  return { ...cursor.since(first), node: 'procedure', name, parameter, body };
}

function choose(cursor: Cursor): Instruction {
  const first = cursor.take();
  const asked = condition(cursor);
  cursor.takes('then');
  const then = until(cursor, ['else', 'end']);
  const otherwise = cursor.takes('else') ? until(cursor, ['end']) : [];
  cursor.expect('end', 'after the instructions of "if"');
  return { ...cursor.since(first), node: 'choose', condition: asked, then, otherwise };
}

function instruction(cursor: Cursor): Instruction {
  const first = cursor.next;
  if (isTest(cursor)) return test(cursor);
  if (cursor.seesKind('keyword')) {
    const refusal = notSupported.get(first.text);
    if (refusal !== undefined) refuse(refusal, first);
    switch (first.text) {
      case 'let': {
        cursor.take();
        const isRecursive = cursor.takes('rec');
        const bound = bindings(cursor);
        if (cursor.sees('when')) refuse('"when" after "let rec" is not supported', cursor.next);
        cursor.takes('in');
        return { ...cursor.since(first), node: 'bind', isRecursive, bindings: bound };
      }
      case 'show':
      case 'unshow':
        return show(cursor);
      case 'include': {
        cursor.take();
        const path = cursor.expectKind('string', 'the name of a file in quotes after "include"').text;
        return { ...cursor.since(first), node: 'include', path };
      }
      case 'procedure':
        return procedure(cursor);
      case 'call': {
        cursor.take();
        const name = cursor.expectKind('name', 'the name of a procedure after "call"').text;
        const argument = atom(cursor);
        optionalName(cursor);
        return { ...cursor.since(first), node: 'call', name, argument };
      }
      case 'forall': {
        cursor.take();
        const name = cursor.expectKind('name', 'a name after "forall"').text;
        cursor.expect('in', 'after the name that "forall" binds');
        const of = expression(cursor);
        cursor.expect('do', 'after the set of "forall"');
        const body = until(cursor, ['end']);
        cursor.expect('end', 'after the body of "forall"');
        return { ...cursor.since(first), node: 'for all', name, of, body };
      }
      case 'with': {
        cursor.take();
        const name = cursor.expectKind('name', 'a name after "with"').text;
        cursor.expect('from', 'after the name that "with" binds');
        const from = expression(cursor);
        return { ...cursor.since(first), node: 'with', name, from };
      }
      case 'enum': {
        cursor.take();
        const name = cursor.expectKind('name', 'a name after "enum"').text;
        cursor.expect('=', 'after the name of an enumeration');
        cursor.takes('||');
        const tags: string[] = [];
        do tags.push(cursor.expectKind('tag', "a tag such as 'x").text);
        while (cursor.takes('||'));
        return { ...cursor.since(first), node: 'enum', name, tags };
      }
      case 'if':
        return choose(cursor);
    }
  }
  return cursor.refuse('a definition or an axiom');
}

function until(cursor: Cursor, ends: readonly string[]): readonly Instruction[] {
  return cursor.nested(() => {
    const result: Instruction[] = [];
    while (!cursor.sees(...ends) && !cursor.seesKind('end')) result.push(instruction(cursor));
    return result;
  });
}

/** Words before the first instruction that tell herd7 something and are no name. */
const options: ReadonlySet<string> = new Set([
  'catdep',
  'withco',
  'withoutco',
  'withinit',
  'withoutinit',
  'withsc',
  'withoutsc',
]);

/** The first words of a file name its model: in quotes, or one or two names. */
function title(cursor: Cursor): string | undefined {
  const names: string[] = [];
  let quoted: string | undefined;
  while (cursor.seesKind('name') || cursor.seesKind('string')) {
    const { kind, text } = cursor.take();
    if (kind === 'string') quoted ??= text;
    else if (!options.has(text)) names.push(text);
  }
  return quoted ?? (names.length === 0 ? undefined : names.join(' '));
}

export function parseCat(source: Source): CatFile {
  if (source.text.length > maxFileCharacters)
    refuse(`longer than ${maxFileCharacters} characters`, { source, start: 0, end: 0 });
  const cursor = new Cursor(tokens(source));
  const name = title(cursor);
  const instructions = until(cursor, []);
  if (!cursor.seesKind('end')) cursor.refuse('a definition or an axiom');
  return { name, instructions };
}
