// The end of a test: `locations [x; 0:X1;]`, `filter P`, and `exists P`, `~exists P` or `forall P`.

import { isRegister, readFault, readLocation, readValue } from './terms.ts';
import type { Condition, ObservedItem, Proposition, Quantifier, TypeText } from './test.ts';
import { described, refuse, type Source, TokenReader } from './text.ts';

export interface Ending {
  readonly observed: readonly ObservedItem[];
  readonly filter: Proposition | undefined;
  readonly condition: Condition;
}

/** The words that end the columns. */
export const endingWords: ReadonlySet<string> = new Set([
  'locations', 'filter', 'observed', 'Observed', 'exists', 'forall', 'final', '~', 'not', '(',
]); // prettier-ignore

/** A test that asks nothing holds. */
const nothingAsked: Condition = { quantifier: 'forall', proposition: { kind: 'true' } };

export function readEnding(source: Source, from: number): Ending {
  const reader = new TokenReader(source, from, source.text.length);
  const observed: ObservedItem[] = [];
  let filter: Proposition | undefined;
  for (;;) {
    if (reader.accept('locations')) observed.push(...readLocations(reader));
    else if (reader.accept('filter')) filter = readProposition(reader);
    else break;
    reader.accept(';');
  }
  const condition = reader.peek().kind === 'end' ? nothingAsked : readCondition(reader);
  reader.accept(';');
  if (reader.accept('with')) skipKinds(reader);
  const rest = reader.peek();
  if (rest.kind !== 'end') throw refuse(rest.at, `expected the end of the test, not ${described(rest)}`);
  return { observed, filter, condition };
}

/** `exists P`, which may also be `final P` or `(P)`, `~exists P`, `forall P`, `observed …`. */
function readCondition(reader: TokenReader): Condition {
  if (reader.accept('final') || reader.sees('(')) return { quantifier: 'exists', proposition: readProposition(reader) };
  if (reader.accept('observed') || reader.accept('Observed'))
    return { quantifier: 'exists', proposition: readStates(reader) };
  const isNegated = reader.accept('~') || reader.accept('not');
  const { text } = reader.peek();
  if (text !== 'exists' && (text !== 'forall' || isNegated)) {
    throw reader.unexpected(isNegated ? '"exists"' : '"exists", "~exists" or "forall"');
  }
  reader.next();
  const quantifier: Quantifier = text === 'forall' ? 'forall' : isNegated ? '~exists' : 'exists';
  return { quantifier, proposition: readProposition(reader) };
}

/** `0:X1=1; x=2; and 0:X1=0; x=1;`: states as they are printed. */
function readStates(reader: TokenReader): Proposition {
  const states: Proposition[] = [];
  do {
    const atoms: Proposition[] = [];
    while (!reader.sees('and') && reader.peek().kind !== 'end') {
      atoms.push(readAtom(reader));
      reader.expect(';');
    }
    states.push(atoms.length === 1 ? atoms[0]! : { kind: 'and', operands: atoms });
  } while (reader.accept('and'));
  return states.length === 1 ? states[0]! : { kind: 'or', operands: states };
}

/** `with tso: exists; sc: ~exists`: what other models are known to say, which is not looked at. */
function skipKinds(reader: TokenReader): void {
  while (reader.peek().kind !== 'end') {
    reader.word('the name of a model');
    reader.expect(':');
    const isNegated = reader.accept('~') || reader.accept('not');
    if (!reader.accept('exists') && (isNegated || !reader.accept('forall'))) throw reader.unexpected('"exists"');
    if (!reader.accept(';')) break;
  }
}

function readLocations(reader: TokenReader): ObservedItem[] {
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

/** `\/` binds least, then `/\`, then `=>`, which binds to the right, then `not` and `~`: as in herd7. */
function readProposition(reader: TokenReader): Proposition {
  return reader.nested(() =>
    readSeries(reader, '\\/', 'or', () => readSeries(reader, '/\\', 'and', () => readImplication(reader))),
  );
}

function readImplication(reader: TokenReader): Proposition {
  const left = readAtom(reader);
  if (!reader.accept('=>')) return left;
  return { kind: 'implies', left, right: reader.nested(() => readImplication(reader)) };
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
  const isNegated = reader.accept('<>') || reader.accept('!=');
  if (!isNegated && !reader.accept('==')) reader.expect('=');
  if (isLocation(reader)) {
    reader.accept('*');
    const same: Proposition = { kind: 'same', left: location, right: readLocation(reader), at };
    return isNegated ? { kind: 'not', operand: same } : same;
  }
  return { kind: isNegated ? 'different' : 'equal', location, value: readValue(reader), at };
}

/** `[x]`, `*x` and `0:X1` on the right stand for what is there; a name alone is an address. */
const isLocation = (reader: TokenReader): boolean => reader.sees('[') || reader.sees('*') || isRegister(reader);
