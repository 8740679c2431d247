// The end of a test: `locations [x; 0:X1;]`, `filter P`, and `exists P`, `~exists P` or `forall P`.

import { readFault, readLocation, readValue } from './terms.ts';
import type { Condition, ObservedItem, Proposition, Quantifier, TypeText } from './test.ts';
import { described, refuse, type Source, TokenReader } from './text.ts';

export interface Ending {
  readonly observed: readonly ObservedItem[];
  readonly filter: Proposition | undefined;
  readonly condition: Condition;
}

/** The words that end the columns. */
export const endingWords: ReadonlySet<string> = new Set([
  'locations', 'filter', 'observed', 'exists', 'forall', 'final', '~', 'cond',
]); // prettier-ignore

/** A test that asks nothing holds. */
const nothingAsked: Condition = { quantifier: 'forall', proposition: { kind: 'true' } };

export function readEnding(source: Source, from: number): Ending {
  const reader = new TokenReader(source, from, source.text.length);
  const observed: ObservedItem[] = [];
  let filter: Proposition | undefined;
  for (;;) {
    if (reader.accept('locations') || reader.accept('observed')) observed.push(...readObserved(reader));
    else if (reader.accept('filter')) filter = readProposition(reader);
    else break;
    reader.accept(';');
  }
  const condition = reader.peek().kind === 'end' ? nothingAsked : readCondition(reader);
  reader.accept(';');
  const rest = reader.peek();
  if (rest.kind !== 'end') throw refuse(rest.at, `expected the end of the test, not ${described(rest)}`);
  return { observed, filter, condition };
}

function readCondition(reader: TokenReader): Condition {
  reader.accept('final');
  const isNegated = reader.accept('~') || reader.accept('not');
  const { text } = reader.peek();
  if (text !== 'exists' && (text !== 'forall' || isNegated)) {
    throw reader.unexpected(isNegated ? '"exists"' : '"exists", "~exists" or "forall"');
  }
  reader.next();
  const quantifier: Quantifier = text === 'forall' ? 'forall' : isNegated ? '~exists' : 'exists';
  return { quantifier, proposition: readProposition(reader) };
}

function readObserved(reader: TokenReader): ObservedItem[] {
  const items: ObservedItem[] = [];
  reader.expect('[');
  while (!reader.accept(']')) {
    if (reader.accept(';')) continue;
    const { at, text } = reader.peek();
    if (isFault(reader)) items.push({ kind: 'fault', at, fault: readFault(reader) });
    else if (text === '~') throw reader.unexpected('a location');
    else {
      const location = readLocation(reader);
      const type = readTrailingType(reader);
      items.push({ kind: 'location', at, location, ...(type !== undefined && { type }) });
    }
    if (!reader.sees(']')) reader.expect(';');
  }
  return items;
}

/** `x int;`, `0:X1 int *;`, `x *;`. */
function readTrailingType(reader: TokenReader): TypeText | undefined {
  if (reader.accept('*')) return { name: 'int', isPointer: true };
  if (reader.peek().kind !== 'word') return undefined;
  const name = reader.next().text;
  return { name, isPointer: reader.accept('*') };
}

const isFault = (reader: TokenReader): boolean => /^fault$/i.test(reader.peek().text) && reader.second().text === '(';

/** `=>` binds least and to the right, then `\/`, then `/\`, then `not` and `~`. */
function readProposition(reader: TokenReader): Proposition {
  return reader.nested(() => {
    const left = readSeries(reader, '\\/', 'or', () => readSeries(reader, '/\\', 'and', () => readAtom(reader)));
    return reader.accept('=>') ? { kind: 'implies', left, right: readProposition(reader) } : left;
  });
}

function readSeries(reader: TokenReader, mark: string, kind: 'and' | 'or', read: () => Proposition): Proposition {
  const operands = [read()];
  while (reader.accept(mark)) operands.push(read());
  return operands.length === 1 ? operands[0]! : { kind, operands };
}

function readAtom(reader: TokenReader): Proposition {
  if (reader.accept('not') || reader.accept('~')) {
    return { kind: 'not', operand: reader.nested(() => readAtom(reader)) };
  }
  if (reader.accept('(')) {
    const inner = readProposition(reader);
    reader.expect(')');
    return inner;
  }
  const { at, text } = reader.peek();
  if (text === 'true' || text === 'false') {
    reader.next();
    return { kind: text };
  }
  if (isFault(reader)) return { kind: 'fault', at, fault: readFault(reader) };
  const location = readLocation(reader);
  if (reader.accept('<>') || reader.accept('!=')) {
    return { kind: 'different', location, value: readValue(reader), at };
  }
  if (reader.accept('==')) return { kind: 'same', left: location, right: readLocation(reader), at };
  reader.expect('=');
  return { kind: 'equal', location, value: readValue(reader), at };
}
