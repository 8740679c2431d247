// Terms of a test as herd7 prints them: the condition line, and the left-hand sides of states.

import type { Condition, DescriptorField, FaultTerm, LitmusTest, Location, Proposition, Value } from './test.ts';

/** The value of every field that goes without saying. */
const usualFields: Readonly<Record<string, bigint>> = { af: 1n, db: 1n, dbm: 0n, valid: 1n, el0: 1n, x: 1n };
/** The order of the fields that are printed. */
const fieldOrder: readonly string[] = ['oa', ...Object.keys(usualFields), 'attrs'];
/** Other names of a field. */
const fieldNames: Readonly<Record<string, string>> = { v: 'valid' };

const fieldName = (name: string): string => fieldNames[name] ?? name;

const place = (name: string): number => {
  const at = fieldOrder.indexOf(name);
  return at < 0 ? fieldOrder.length : at;
};

function spellField({ name, value }: DescriptorField): string {
  switch (value.kind) {
    case 'number':
      return `${name}:${value.value}`;
    case 'physical':
      return `${name}:PA(${value.name})`;
    case 'attributes':
      return `${name}:(${value.names.join(', ')})`;
  }
}

/** `(oa:PA(x), af:0)`: the fields of a descriptor that are not as usual. */
export function spellDescriptor(fields: readonly DescriptorField[]): string {
  const shown = fields
    .map((field) => ({ ...field, name: fieldName(field.name) }))
    .filter(({ name, value }) => value.kind !== 'number' || usualFields[name] !== value.value)
    .sort((a, b) => place(a.name) - place(b.name));
  return `(${shown.map(spellField).join(', ')})`;
}

export function spellValue(value: Value): string {
  switch (value.kind) {
    case 'number':
      // 128-bit numbers are as they are; others are read as signed.
      return String(value.value >> 64n === 0n ? BigInt.asIntN(64, value.value) : value.value);
    case 'address': {
      const behind = value.index !== undefined ? `[${value.index}]` : value.offset ? `+${value.offset}` : '';
      return `${value.name}${behind}${value.tag === undefined ? '' : `:${value.tag}`}`;
    }
    case 'label':
      return `label:"P${value.thread}:${value.label}"`;
    case 'instruction':
      return value.text === 'NOP' ? 'NOP' : `instr:"${value.text}"`;
    case 'descriptor address':
      return `PTE(${value.name})`;
    case 'physical address':
      return `PA(${value.name})`;
    case 'descriptor':
      if (value.type === undefined) return spellDescriptor(value.fields);
      return `(${value.type}:(${value.fields.map(spellField).join(', ')}))`;
    case 'list':
      return `{${value.elements.map(spellValue).join(',')}}`;
  }
}

/** Whether a variable is an array: as a whole it is printed without brackets. */
export type IsArray = (name: string) => boolean;

export function spellLocation(location: Location, isArray: IsArray): string {
  switch (location.kind) {
    case 'register':
      return `${location.thread}:${location.name}`;
    case 'descriptor':
      return `[PTE(${location.name})]`;
    case 'memory':
      if (location.index !== undefined) return `${location.name}[${location.index}]`;
      return isArray(location.name) ? location.name : `[${location.name}]`;
  }
}

/** `Fault(P0:L0,x,MMU:Translation)`, or the same with a small letter, as conditions have it. */
export function spellFault({ thread, label, location, type }: FaultTerm, word = 'Fault'): string {
  const site = `P${thread}${label === undefined ? '' : `:${label}`}`;
  const parts = [
    site,
    ...(location === undefined ? [] : [spellValue(location)]),
    ...(type === undefined ? [] : [type]),
  ];
  return `${word}(${parts.join(',')})`;
}

/** A descriptor that does not say where its page lies maps it to itself. */
function spellEqual(location: Location, value: Value, isArray: IsArray): string {
  const left = spellLocation(location, isArray);
  if (location.kind !== 'descriptor' || value.kind !== 'descriptor') return `${left}=${spellValue(value)}`;
  const isMapped = value.fields.some((field) => field.name === 'oa');
  const itself: DescriptorField = { name: 'oa', value: { kind: 'physical', name: location.name } };
  return `${left}=${spellDescriptor(isMapped ? value.fields : [itself, ...value.fields])}`;
}

export function spellProposition(proposition: Proposition, isArray: IsArray): string {
  const inner = (part: Proposition): string => spellProposition(part, isArray);
  /** Parentheses around what binds less. */
  const closed = (part: Proposition, ...kinds: Proposition['kind'][]): string =>
    kinds.includes(part.kind) ? `(${inner(part)})` : inner(part);
  switch (proposition.kind) {
    case 'true':
    case 'false':
      return proposition.kind;
    case 'equal':
      return spellEqual(proposition.location, proposition.value, isArray);
    case 'different':
      return `not (${spellEqual(proposition.location, proposition.value, isArray)})`;
    case 'same':
      return `${spellLocation(proposition.left, isArray)}=${spellLocation(proposition.right, isArray)}`;
    case 'fault':
      return spellFault(proposition.fault, 'fault');
    case 'not':
      return `not (${inner(proposition.operand)})`;
    case 'and':
      return proposition.operands.map((part) => closed(part, 'or')).join(' /\\ ');
    case 'or':
      return proposition.operands.map(inner).join(' \\/ ');
    case 'implies':
      return `${closed(proposition.left, 'implies', 'and', 'or')} => ${closed(proposition.right, 'and', 'or')}`;
  }
}

/** `exists (0:X0=1 /\ [x]=2)`. */
export function spellCondition({ quantifier, proposition }: Condition, isArray: IsArray): string {
  return `${quantifier} (${spellProposition(proposition, isArray)})`;
}

export function arraysOf(test: LitmusTest): IsArray {
  const names = new Set(test.initial.flatMap((item) => (item.kind === 'array' ? [item.name] : [])));
  return (name) => names.has(name);
}
