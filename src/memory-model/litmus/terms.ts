// Locations and values, as the initial state and the condition spell them.

import type { DescriptorField, FaultTerm, Location, TypeText, Value } from './test.ts';
import { clipped, refuse, type Token, type TokenReader } from './text.ts';

/** More threads than any test has, and fewer than would take long to print. */
const mostThreads = 64;

/** Elements of an array: what a page holds. */
export const mostElements = 4096;

/** `P1` or `1`: the number of a thread before a colon. */
function threadOf(token: Token): number | undefined {
  if (token.kind !== 'number' && token.kind !== 'word') return undefined;
  const [, digits] = /^P?(\d{1,4})$/.exec(token.text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function checkThread(token: Token, thread: number): number {
  if (thread >= mostThreads) throw refuse(token.at, `thread ${thread}, but a test has at most ${mostThreads}`);
  return thread;
}

const descriptorOf = (name: string): string | undefined => /^pte_(\w+)$/.exec(name)?.[1];
const physicalOf = (name: string): string | undefined => /^phy_(\w+)$/.exec(name)?.[1];

const isCall = (reader: TokenReader, ...names: string[]): boolean =>
  names.includes(reader.peek().text) && reader.second().text === '(';

/** `NAME(x)`: the x. */
function argument(reader: TokenReader): string {
  reader.next();
  reader.expect('(');
  const { text } = reader.word('the name of a variable');
  reader.expect(')');
  return text;
}

/** `0:X1`, `x`, `x[2]`, `[x]`, `PTE(x)`. */
export function readLocation(reader: TokenReader): Location {
  if (reader.accept('[')) {
    const location = reader.nested(() => readLocation(reader));
    if (location.kind === 'register') throw reader.unexpected('a variable in the brackets');
    reader.expect(']');
    return location;
  }
  const token = reader.peek();
  const thread = threadOf(token);
  if (thread !== undefined && reader.second().text === ':') {
    reader.next();
    reader.next();
    return {
      kind: 'register',
      thread: checkThread(token, thread),
      name: reader.registerName(reader.word('a register').text),
    };
  }
  if (isCall(reader, 'PTE', 'TTD')) return { kind: 'descriptor', name: argument(reader) };
  if (isCall(reader, 'tag', 'TAG')) throw refuse(token.at, 'memory tags are not supported');
  const { text } = reader.word('a register or a variable');
  const page = descriptorOf(text);
  if (page !== undefined) return { kind: 'descriptor', name: page };
  if (!reader.accept('[')) return { kind: 'memory', name: text };
  const index = reader.number('an index', mostElements - 1);
  reader.expect(']');
  return { kind: 'memory', name: text, index };
}

/** `0:X1`, where what follows the colon is the name of a register and no label. */
export function isRegister(reader: TokenReader): boolean {
  const [token, colon, name] = reader.ahead(3);
  return threadOf(token!) !== undefined && colon!.text === ':' && reader.isRegister(name!.text);
}

/** `-1`, `x`, `&x[1]`, `x+4`, `P0:L0`, `NOP`, `instr:"B .+8"`, `(oa:PA(x), valid:0)`, `{1,2}`. */
export function readValue(reader: TokenReader): Value {
  const token = reader.peek();
  if (reader.accept('-')) {
    const { kind, value } = reader.peek();
    if (kind !== 'number') throw reader.unexpected('a number');
    reader.next();
    return { kind: 'number', value: -value };
  }
  if (reader.sees('{')) return readList(reader);
  if (reader.accept('(')) return { kind: 'descriptor', fields: readFields(reader) };
  const isAddress = reader.accept('&');
  const thread = isAddress ? undefined : threadOf(token);
  if (thread !== undefined && reader.second().text === ':') {
    reader.next();
    reader.next();
    return { kind: 'label', thread: checkThread(token, thread), label: reader.word('a label').text };
  }
  if (token.kind === 'number') {
    reader.next();
    return { kind: 'number', value: token.value };
  }
  if (isCall(reader, 'PTE', 'TTD')) return { kind: 'descriptor address', name: argument(reader) };
  if (isCall(reader, 'PA')) return { kind: 'physical address', name: argument(reader) };
  if (isCall(reader, 'pac', 'pacda', 'pacdb', 'pacia', 'pacib'))
    throw refuse(token.at, 'values with a pointer authentication code are not supported');
  const { text } = reader.word('a value');
  if (!isAddress && reader.accept(':')) return readPrefixed(reader, text);
  return isAddress ? readAddress(reader, text) : namedValue(reader, text);
}

/** `{1, 2}`. */
function readList(reader: TokenReader, type?: string): Value {
  reader.expect('{');
  const elements: Value[] = [];
  while (!reader.accept('}')) {
    if (elements.length > 0) reader.expect(',');
    if (elements.length === mostElements) throw refuse(reader.peek().at, `more than ${mostElements} elements`);
    elements.push(reader.nested(() => readValue(reader)));
  }
  return { kind: 'list', ...(type !== undefined && { type }), elements };
}

/** What follows `name:`: an instruction, a label, a structure of that type, or the colour of a tag. */
function readPrefixed(reader: TokenReader, prefix: string): Value {
  const token = reader.peek();
  if (token.kind === 'string' && prefix === 'instr') {
    reader.next();
    return { kind: 'instruction', text: token.text.trim() };
  }
  if (token.kind === 'string' && prefix === 'label') {
    reader.next();
    const [, thread, label] = /^\s*P?(\d{1,4}):\s*([\w.$]+)\s*$/.exec(token.text) ?? [];
    if (thread === undefined || label === undefined)
      throw refuse(token.at, `"${clipped(token.text)}" is no label: as in "P0:L0"`);
    return { kind: 'label', thread: checkThread(token, Number(thread)), label };
  }
  if (reader.accept('(')) return { kind: 'descriptor', type: prefix, fields: readFields(reader) };
  if (reader.sees('{')) return readList(reader, prefix);
  return { kind: 'address', name: prefix, tag: reader.word('a tag, a string or a structure').text };
}

function namedValue(reader: TokenReader, name: string): Value {
  const [page, physical] = [descriptorOf(name), physicalOf(name)];
  if (page !== undefined) return { kind: 'descriptor address', name: page };
  if (physical !== undefined) return { kind: 'physical address', name: physical };
  if (name === 'NOP') return { kind: 'instruction', text: name };
  return readAddress(reader, name);
}

function readAddress(reader: TokenReader, name: string): Value {
  if (reader.accept('[')) {
    const index = reader.number('an index', mostElements);
    reader.expect(']');
    return { kind: 'address', name, index };
  }
  if (reader.accept('+')) return { kind: 'address', name, offset: BigInt(reader.number('an offset', 2 ** 31)) };
  return { kind: 'address', name };
}

/** The fields of a structure up to its closing parenthesis. */
function readFields(reader: TokenReader): DescriptorField[] {
  const fields: DescriptorField[] = [];
  do {
    const { text: name } = reader.word('the name of a field');
    reader.expect(':');
    fields.push({ name, value: readFieldValue(reader) });
  } while (reader.accept(','));
  reader.expect(')');
  return fields;
}

function readFieldValue(reader: TokenReader): DescriptorField['value'] {
  if (reader.accept('(')) {
    const names: string[] = [];
    do names.push(reader.word('an attribute').text);
    while (reader.accept(','));
    reader.expect(')');
    return { kind: 'attributes', names };
  }
  if (isCall(reader, 'PA')) return { kind: 'physical', name: argument(reader) };
  const { kind, text, value } = reader.peek();
  if (kind === 'number') {
    reader.next();
    return { kind: 'number', value };
  }
  const physical = physicalOf(text);
  if (physical === undefined) throw reader.unexpected('a number or a physical address');
  reader.next();
  return { kind: 'physical', name: physical };
}

/** `fault(P0:L0,x,MMU:Translation)`, from its word on. */
export function readFault(reader: TokenReader): FaultTerm {
  reader.next();
  reader.expect('(');
  const token = reader.peek();
  const thread = threadOf(token);
  if (thread === undefined) throw reader.unexpected('a thread');
  reader.next();
  const label = reader.accept(':') ? reader.word('a label').text : undefined;
  let location: Value | undefined;
  let type: string | undefined;
  while (type === undefined && reader.accept(',')) {
    const isType = location !== undefined || isFaultType(reader);
    if (isType) type = readFaultType(reader);
    else location = readValue(reader);
  }
  reader.expect(')');
  return {
    thread: checkThread(token, thread),
    ...(label !== undefined && { label }),
    ...(location !== undefined && { location }),
    ...(type !== undefined && { type }),
  };
}

/** Variables begin with a small letter where a type is an abbreviation or a name of the manual. */
const isFaultType = (reader: TokenReader): boolean =>
  /^(?:MMU|D|I|TagCheck|UndefinedInstruction|SupervisorCall|GCS|PacCheck|Alignment|SymbolicAlignment)$/.test(
    reader.peek().text,
  ) && !/^[[:]$/.test(reader.peek().text);

/** `MMU:Translation`, `D-MMU:Permission`, `GCS:POPM`, `TagCheck`. */
function readFaultType(reader: TokenReader): string {
  const parts = [reader.word('the type of a fault').text];
  while (reader.sees(':') || reader.sees('-')) parts.push(reader.next().text, reader.word('the type of a fault').text);
  return parts.join('');
}

/** `int [x]`, where `x[1]` is no type. */
const isBracketed = (reader: TokenReader): boolean => reader.ahead(3)[2]!.kind === 'word';

/** `int`, `uint64_t *` before a location, where the next word is one: two words, or a word and a star or a thread. */
export function readType(reader: TokenReader): TypeText | undefined {
  if (reader.accept('*')) return { name: 'int', isPointer: true };
  reader.accept('_Atomic');
  const token = reader.peek();
  if (token.kind !== 'word') return undefined;
  const second = reader.second();
  const isType =
    second.kind === 'word' ||
    second.text === '*' ||
    second.kind === 'number' ||
    (second.text === '[' && isBracketed(reader));
  if (!isType) return undefined;
  reader.next();
  if (token.text === 'unsigned') reader.accept('int');
  return { name: token.text, isPointer: reader.accept('*') };
}
