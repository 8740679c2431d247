// The initial state: `{ 0:X1=x; uint64_t y=2; int z[2]={1,2}; [PTE(x)]=(valid:0); }`.

import { mostElements, readLocation, readType, readValue } from './terms.ts';
import type { InitialItem, Location, Spot, TypeText, Value } from './test.ts';
import { refuse, type Source, TokenReader } from './text.ts';

/** Reads from the opening brace; the items, and where the closing brace ends. */
export function readInitialState(source: Source, open: number): { items: InitialItem[]; end: number } {
  const reader = new TokenReader(source, open, source.text.length);
  reader.expect('{');
  const items: InitialItem[] = [];
  while (!reader.sees('}')) {
    if (reader.accept(';')) continue;
    items.push(readItem(reader));
    if (!reader.sees('}')) reader.expect(';');
  }
  reader.next();
  return { items, end: reader.position };
}

function readItem(reader: TokenReader): InitialItem {
  const { at } = reader.peek();
  if (reader.sees('SS') && reader.second().text === '(') return readShadowStack(reader, at);
  const type = readType(reader);
  const { text } = reader.peek();
  if (text.startsWith('%')) {
    reader.next();
    return { kind: 'symbolic register', at, name: text.slice(1), ...typed(type), ...readInitialValue(reader) };
  }
  if (type !== undefined && !reader.sees('[') && reader.second().text === '[') return readArray(reader, at, type);
  const location = readLocation(reader);
  checkType(at, type, location);
  return { kind: 'location', at, location, ...typed(type), ...readInitialValue(reader) };
}

const typed = (type: TypeText | undefined) => (type === undefined ? {} : { type });

/** `=1`, `=ATOMIC_INIT(1)`. */
function readInitialValue(reader: TokenReader): { readonly value?: Value } {
  if (!reader.accept('=')) return {};
  if (!reader.accept('ATOMIC_INIT')) return { value: readValue(reader) };
  reader.expect('(');
  const value = readValue(reader);
  reader.expect(')');
  return { value };
}

function checkType(at: Spot, type: TypeText | undefined, location: Location): void {
  if (type !== undefined && location.kind === 'descriptor') throw refuse(at, 'a descriptor has no other type');
}

function readShadowStack(reader: TokenReader, at: Spot): InitialItem {
  reader.next();
  reader.expect('(');
  const { text: name } = reader.word('a name');
  reader.expect(',');
  const length = reader.number('a number of entries', mostElements);
  reader.expect(')');
  return { kind: 'shadow stack', at, name, length, ...readInitialValue(reader) };
}

function readArray(reader: TokenReader, at: Spot, type: TypeText): InitialItem {
  const { text: name } = reader.word('a name');
  reader.expect('[');
  const length = reader.sees(']') ? undefined : reader.number('a number of elements', mostElements);
  reader.expect(']');
  const initial = readInitialValue(reader);
  if (length === undefined && initial.value?.kind !== 'list') throw refuse(at, `array ${name} has no length`);
  return { kind: 'array', at, name, type, ...(length !== undefined && { length }), ...initial };
}
