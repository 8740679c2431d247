// Where the variables of a test lie, and what an address is called. Every variable has a page of its own, so that no two of them share
// a granule of an exclusive monitor, a cache line or a translation; addresses are far above every number that a test writes.

import { pageBytes } from '../descriptor.ts';
import type { InitialItem, LitmusTest, Location, Proposition, Spot, Value } from './test.ts';
import { refuse } from './text.ts';
import { x86Names } from './x86-code.ts';
import { int, pointer, type ScalarType, typeOf } from './types.ts';

export interface Variable {
  readonly name: string;
  readonly address: bigint;
  readonly type: ScalarType;
  /** The test states the type. */
  readonly isTyped: boolean;
  /** Elements of an array. */
  readonly length: number | undefined;
}

export interface Layout {
  readonly variables: ReadonlyMap<string, Variable>;
  /** Every variable has at least so many bytes: the widest access may go to the narrowest variable. */
  sizeOf(variable: Variable): number;
  /** `x`, `x+4`, `PTE(x)`, `PA(x)`; undefined where nothing lies. */
  nameAt(address: bigint): string | undefined;
  /** A virtual address in a page of a variable. */
  isVirtual(address: bigint): boolean;
  /** The name of the variable in whose page a virtual or a physical address lies. */
  variableAt(address: bigint): string | undefined;
}

/** Variables lie here; code (code.ts) lies below. Both are in reach of an ADRP. */
const firstAddress = 0x70_8000_0000n;

/** Where the last-level descriptor of the page of a virtual address lies: in a page of its own, so that nothing shares a granule. */
const descriptorsAt = 1n << 40n;
export const descriptorAddress = (virtual: bigint): bigint => pageOf(virtual) + descriptorsAt;
/** Physical addresses are none of the virtual ones. */
const physicalAt = 1n << 44n;
export const physicalAddress = (virtual: bigint): bigint => virtual + physicalAt;
/** The output address of a descriptor that does not say where its page lies. */
export const nowhere = physicalAt;

const pageOf = (address: bigint): bigint => address - (address % pageBytes);
const mostVariables = 4096;
const widestAccessBytes = 16;

interface Declared {
  readonly type: ScalarType;
  readonly isTyped: boolean;
  readonly length: number | undefined;
  readonly at: Spot;
}

export function layOut(test: LitmusTest): Layout {
  const declared = declarations(test.initial);
  for (const name of namesIn(test)) {
    if (!declared.has(name)) declared.set(name, { type: int, isTyped: false, length: undefined, at: noSpot(test) });
  }
  const variables = new Map<string, Variable>();
  let next = firstAddress;
  for (const [name, { type, isTyped, length, at }] of declared) {
    if (variables.size === mostVariables) throw refuse(at, `more than ${mostVariables} variables`);
    const variable: Variable = { name, address: next, type, isTyped, length };
    variables.set(name, variable);
    next += BigInt(pagesOf(variable)) * pageBytes;
  }
  const byPage = new Map<bigint, Variable>();
  for (const variable of variables.values()) {
    for (let page = 0; page < pagesOf(variable); page += 1)
      byPage.set(variable.address / pageBytes + BigInt(page), variable);
  }
  const nameOf = (address: bigint): string | undefined => {
    const variable = byPage.get(address / pageBytes);
    if (variable === undefined) return undefined;
    const offset = address - variable.address;
    return offset === 0n ? variable.name : `${variable.name}+${offset}`;
  };
  return {
    variables,
    sizeOf: bytesOf,
    nameAt: (address) => {
      if (address < descriptorsAt) return nameOf(address);
      if (address >= physicalAt) {
        const at = nameOf(address - physicalAt);
        return address === nowhere ? 'PA()' : at && inFunction('PA', at);
      }
      const at = nameOf(address - descriptorsAt);
      return at && inFunction('PTE', at);
    },
    isVirtual: (address) => byPage.has(address / pageBytes),
    variableAt: (address) => byPage.get((address % descriptorsAt) / pageBytes)?.name,
  };
}

/** `PA(x)+4` */
const inFunction = (name: string, at: string): string => at.replace(/^[^+]*/, (variable) => `${name}(${variable})`);

export const pagesOfVariable = (variable: Variable): bigint[] =>
  Array.from({ length: pagesOf(variable) }, (_, page) => variable.address + BigInt(page) * pageBytes);

const pagesOf = (variable: Variable): number => Math.ceil(bytesOf(variable) / Number(pageBytes));

const bytesOf = ({ type, length }: Variable): number => Math.max(type.bytes * (length ?? 1), widestAccessBytes);

const noSpot = (test: LitmusTest): Spot => ({ file: test.file, line: 1, column: 1 });

/** Variables of the initial state, in its order. */
function declarations(items: readonly InitialItem[]): Map<string, Declared> {
  const declared = new Map<string, Declared>();
  for (const item of items) {
    const { at } = item;
    if (item.kind === 'array' || item.kind === 'shadow stack') {
      if (declared.has(item.name)) throw refuse(at, `${item.name} is declared twice`);
      const elements = item.value?.kind === 'list' ? item.value.elements.length : 0;
      const length = item.length ?? elements;
      if (elements > length) throw refuse(at, `${elements} values for the ${length} elements of ${item.name}`);
      const type = item.kind === 'array' ? typeOf(item.type, at) : pointer;
      declared.set(item.name, { type, isTyped: true, length, at });
    } else if (item.kind === 'location' && item.location.kind === 'memory') {
      const { name, index } = item.location;
      const before = declared.get(name);
      if (index !== undefined) {
        if (before?.length === undefined || index >= before.length) throw refuse(at, `${name} has no element ${index}`);
      } else if (item.type !== undefined || before === undefined) {
        if (before !== undefined && before.isTyped) throw refuse(at, `${name} is declared twice`);
        const holdsAddress = item.value !== undefined && isAddress(item.value);
        const type = item.type === undefined ? (holdsAddress ? pointer : int) : typeOf(item.type, at);
        declared.set(name, { type, isTyped: item.type !== undefined, length: undefined, at });
      }
    }
  }
  return declared;
}

const isAddress = (value: Value): boolean =>
  ['address', 'label', 'descriptor address', 'physical address'].includes(value.kind);

/** The variables of whose pages the test names the descriptors. */
export function describedPages(test: LitmusTest): ReadonlySet<string> {
  const locations = [
    ...[...test.initial, ...test.observed].flatMap((item) => (item.kind === 'location' ? [item.location] : [])),
    ...[test.condition.proposition, ...(test.filter === undefined ? [] : [test.filter])].flatMap((proposition) =>
      [...atomsOf(proposition)].flatMap((atom) => {
        if (atom.kind === 'equal' || atom.kind === 'different') return [atom.location];
        return atom.kind === 'same' ? [atom.left, atom.right] : [];
      }),
    ),
  ];
  const addresses = test.initial.flatMap(({ value }) =>
    value?.kind === 'descriptor address' ? [value] : value?.kind === 'list' ? value.elements : [],
  );
  return new Set([
    ...locations.flatMap((location) => (location.kind === 'descriptor' ? [location.name] : [])),
    ...addresses.flatMap((value) => (value.kind === 'descriptor address' ? [value.name] : [])),
  ]);
}

/** Every variable that the test speaks of. */
function* namesIn(test: LitmusTest): Generator<string> {
  for (const item of test.initial) {
    if (item.kind === 'location') yield* namesOfLocation(item.location);
    if (item.value !== undefined) yield* namesOfValue(item.value);
  }
  for (const item of test.observed) if (item.kind === 'location') yield* namesOfLocation(item.location);
  if (test.filter !== undefined) yield* namesOfProposition(test.filter);
  yield* namesOfProposition(test.condition.proposition);
  if (test.architecture !== 'AArch64') yield* x86Names(test);
}

function* namesOfLocation(location: Location): Generator<string> {
  if (location.kind !== 'register') yield location.name;
}

function* namesOfValue(value: Value): Generator<string> {
  if (value.kind === 'list') for (const element of value.elements) yield* namesOfValue(element);
  else if ('name' in value) yield value.name;
  else if (value.kind === 'descriptor') {
    for (const { value: inner } of value.fields) if (inner.kind === 'physical') yield inner.name;
  }
}

export function* atomsOf(proposition: Proposition): Generator<Proposition> {
  switch (proposition.kind) {
    case 'not':
      yield* atomsOf(proposition.operand);
      break;
    case 'and':
    case 'or':
      for (const operand of proposition.operands) yield* atomsOf(operand);
      break;
    case 'implies':
      yield* atomsOf(proposition.left);
      yield* atomsOf(proposition.right);
      break;
    default:
      yield proposition;
  }
}

function* namesOfProposition(proposition: Proposition): Generator<string> {
  for (const atom of atomsOf(proposition)) {
    if (atom.kind === 'equal' || atom.kind === 'different') {
      yield* namesOfLocation(atom.location);
      yield* namesOfValue(atom.value);
    } else if (atom.kind === 'same') {
      yield* namesOfLocation(atom.left);
      yield* namesOfLocation(atom.right);
    } else if (atom.kind === 'fault' && atom.fault.location !== undefined) yield* namesOfValue(atom.fault.location);
  }
}
