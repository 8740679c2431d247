// What a test looks at in a final state: which registers and bytes these are, how herd7 prints them, and whether they fulfil a
// condition.
//
// Registers come first, by thread and number; then variables by name, then elements of arrays by index; faults are last.

import type { FinalState, Observable } from '../program.ts';
import { atomsOf, descriptorAddress, type Layout } from './layout.ts';
import { type FaultNames, faultTerms } from './fault-terms.ts';
import { type IsArray, spellLocation } from './spelling.ts';
import type { FaultTerm, LitmusTest, Location, Proposition, Spot, TypeText, Value } from './test.ts';
import { refuse } from './text.ts';
import { asType, descriptor, int, pointer, type ScalarType, typeOf } from './types.ts';

/** A location of the test, as it is printed and as it is observed. */
interface Term {
  readonly location: Location;
  readonly text: string;
  readonly type: ScalarType;
  /** Places in the observed values: one, or those of all elements. */
  readonly at: readonly number[];
}

/** What is known of a value besides its bits. */
export interface ValueNames extends FaultNames {
  /** The number that a value of the test stands for; a descriptor may be that of the location. */
  numberOf(value: Value, at: Spot, location?: Location): bigint;
  /** A register of a thread under the name that its state knows. */
  registerOf(name: string): string | undefined;
  /** `(oa:PA(x), valid:0)`: what a descriptor of a page is called, and where it comes among others. */
  descriptorOf(bits: bigint): string | undefined;
  /** A page that is mapped to itself, as usual. */
  descriptorOfPage(page: bigint): bigint;
  descriptorOrder(bits: bigint): bigint | undefined;
  /** The number that is printed for the address of an instruction without a label. */
  codeNumberOf(address: bigint): bigint | undefined;
  /** `NOP`, `instr:"B .+8"`: what an instruction of the test is called. */
  instructionOf(word: bigint): string | undefined;
}

export interface FinalStates {
  readonly observed: readonly Observable[];
  /** `0:X0=1; [x]=2;`. */
  spell(state: FinalState): string;
  /** Whether the test looks at the state at all (`filter`). */
  isLookedAt(state: FinalState): boolean;
  fulfils(state: FinalState): boolean;
  /** States in the order of herd7. */
  compare(a: FinalState, b: FinalState): number;
}

export function finalStates(test: LitmusTest, layout: Layout, names: ValueNames, isArray: IsArray): FinalStates {
  const { terms, observed } = observe(test, layout, names, isArray);
  const faults = faultTerms(test, faultsIn(test), names);
  const faultsAt = observed.length;
  if (!faults.isEmpty) observed.push({ kind: 'exceptions', numberOf: (taken) => faults.numberOf(taken) });
  const byText = new Map(terms.map((term) => [term.text, term]));
  const termOf = (location: Location): Term => byText.get(spellLocation(location, isArray))!;
  const printed = printedTerms(test, terms, termOf);
  const wasTaken = (fault: FaultTerm): Holds => {
    const holdsFor = faults.holds(fault);
    return (state) => holdsFor(state[faultsAt]!);
  };
  const holds = compile(termOf, names, wasTaken);
  const filter = test.filter === undefined ? undefined : holds(test.filter);
  const condition = holds(test.condition.proposition);

  const spellOne = (type: ScalarType, bits: bigint): string => {
    const name = type.kind === 'instruction' ? undefined : (names.descriptorOf(bits) ?? names.nameOf(bits));
    return name ?? names.instructionOf(bits) ?? String(names.codeNumberOf(bits) ?? asType(type, bits));
  };
  const spellTerm = ({ location, text, type, at }: Term, state: FinalState): string => {
    const values = at.map((n) => spellOne(type, state[n]!));
    const isWhole = location.kind === 'memory' && location.index === undefined && isArray(location.name);
    return `${text}=${isWhole ? `{${values.join(',')}}` : values[0]!};`;
  };
  const ordered = printed.flatMap(({ type, at }) => at.map((n) => ({ type, n })));
  return {
    observed,
    spell: (state) => {
      const text = printed.map((term) => spellTerm(term, state)).join(' ');
      return faults.isEmpty ? text : `${text}${faults.spell(state[faultsAt]!)}`;
    },
    isLookedAt: (state) => filter?.(state) ?? true,
    fulfils: condition,
    compare: (a, b) => {
      for (const { type, n } of ordered) {
        const [x, y] = [orderOf(type, a[n]!, names), orderOf(type, b[n]!, names)];
        if (x !== y) return x < y ? -1 : 1;
      }
      return faults.isEmpty ? 0 : faults.compare(a[faultsAt]!, b[faultsAt]!);
    },
  };
}

/**
 * Values are ordered as unsigned numbers of 64 bits; addresses come behind them, then descriptors, and then instructions: NOP, and the
 * others as they are encoded.
 */
function orderOf(type: ScalarType, bits: bigint, names: ValueNames): bigint {
  const descriptor = names.descriptorOrder(bits);
  if (descriptor !== undefined) return (1n << 129n) + descriptor;
  if (names.nameOf(bits) !== undefined) return (1n << 128n) + bits;
  const instruction = names.instructionOf(bits);
  if (instruction !== undefined) return (1n << 130n) + (instruction === 'NOP' ? 0n : bits + 1n);
  const number = names.codeNumberOf(bits);
  if (number !== undefined) return number;
  return BigInt.asUintN(Math.max(64, 8 * type.bytes), asType(type, bits));
}

const locationsOf = (proposition: Proposition): Location[] =>
  [...atomsOf(proposition)].flatMap((atom) => {
    if (atom.kind === 'equal' || atom.kind === 'different') return [atom.location];
    return atom.kind === 'same' ? [atom.left, atom.right] : [];
  });

/** All exceptions that anything asks for. */
function faultsIn(test: LitmusTest): { readonly fault: FaultTerm; readonly at: Spot }[] {
  const propositions = [test.condition.proposition, ...(test.filter === undefined ? [] : [test.filter])];
  return [...test.observed, ...propositions.flatMap((proposition) => [...atomsOf(proposition)])].flatMap((item) =>
    item.kind === 'fault' ? [item] : [],
  );
}

/** All locations that anything asks for, and what is to be observed for them. */
function observe(
  test: LitmusTest,
  layout: Layout,
  names: ValueNames,
  isArray: IsArray,
): { terms: Term[]; observed: Observable[] } {
  const asked: { readonly location: Location; readonly type?: TypeText; readonly at: Spot }[] = [];
  for (const item of test.observed) if (item.kind === 'location') asked.push(item);
  for (const proposition of [test.condition.proposition, ...(test.filter === undefined ? [] : [test.filter])]) {
    for (const atom of atomsOf(proposition)) {
      if (!('at' in atom)) continue;
      for (const location of locationsOf(atom)) asked.push({ location, at: atom.at });
    }
  }
  const registers = registerTypes(test);
  const storesAddresses = mayStoreAddresses(test);
  const terms: Term[] = [];
  const observed: Observable[] = [];
  const seen = new Set<string>();
  const observe = (observable: Observable): number => observed.push(observable) - 1;
  for (const { location, type, at } of asked) {
    const text = spellLocation(location, isArray);
    if (seen.has(text)) continue;
    seen.add(text);
    const stated = type === undefined ? undefined : typeOf(type, at);
    if (location.kind === 'register') {
      if (!test.columns.some((column) => column.thread === location.thread)) {
        throw refuse(at, `${text}: there is no P${location.thread}`);
      }
      const { thread } = location;
      const name = names.registerOf(location.name);
      if (name === undefined) throw refuse(at, `${location.name} is no register of a thread`);
      const declared = stated ?? registers.get(text) ?? int;
      terms.push({ location, text, type: declared, at: [observe({ kind: 'register', thread, name })] });
      continue;
    }
    const variable = layout.variables.get(location.name)!;
    if (location.kind === 'descriptor') {
      const address = descriptorAddress(variable.address);
      terms.push({
        location,
        text,
        type: descriptor,
        at: [observe({ kind: 'memory', address, bytes: descriptor.bytes })],
      });
      continue;
    }
    if (location.index !== undefined && location.index >= (variable.length ?? 0)) {
      throw refuse(at, `${location.name} has no element ${location.index}`);
    }
    const element = (index: number): number => {
      const { bytes } = variable.type;
      // A variable without a type may come to hold an address.
      const isWide = !variable.isTyped && storesAddresses && bytes < pointer.bytes;
      return observe({
        kind: 'memory',
        address: variable.address + BigInt(index * bytes),
        bytes: isWide ? pointer.bytes : bytes,
      });
    };
    const isWhole = location.index === undefined && variable.length !== undefined;
    const indices = isWhole ? Array.from({ length: variable.length }, (_, n) => n) : [location.index ?? 0];
    terms.push({ location, text, type: stated ?? variable.type, at: indices.map(element) });
  }
  return { terms, observed };
}

/** Types that the initial state gives to registers. */
function registerTypes(test: LitmusTest): Map<string, ScalarType> {
  const types = new Map<string, ScalarType>();
  for (const item of test.initial) {
    if (item.kind !== 'location' || item.location.kind !== 'register' || item.type === undefined) continue;
    const { thread, name } = item.location;
    types.set(`${thread}:${name}`, typeOf(item.type, item.at));
  }
  return types;
}

/** Whether any instruction stores 64 bits. */
const mayStoreAddresses = (test: LitmusTest): boolean =>
  test.columns.some((column) =>
    column.lines.some(
      (line) => line.kind === 'instruction' && /^(?:ST|SWP|CAS|LD|MOV|XCHG)\w*\b.*(?:\bX|%r|Q\b)/i.test(line.text),
    ),
  );

/** What is printed: the locations of the condition and of `locations`, in order. */
function printedTerms(test: LitmusTest, terms: readonly Term[], termOf: (location: Location) => Term): Term[] {
  const printed = new Set<Term>(locationsOf(test.condition.proposition).map(termOf));
  for (const item of test.observed) if (item.kind === 'location') printed.add(termOf(item.location));
  return terms.filter((term) => printed.has(term)).sort((a, b) => compareLocations(a.location, b.location));
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Registers, variables, elements. */
const rank = (location: Location): number =>
  location.kind === 'register' ? 0 : location.kind === 'descriptor' ? 2 : location.index === undefined ? 1 : 3;

function compareLocations(a: Location, b: Location): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a.kind === 'register' && b.kind === 'register') {
    return a.thread - b.thread || numberIn(a.name) - numberIn(b.name) || compareTexts(a.name, b.name);
  }
  if (a.kind === 'register' || b.kind === 'register') return 0;
  const [x, y] = [a, b].map((location) => (location.kind === 'memory' ? (location.index ?? 0) : 0)) as [number, number];
  return compareTexts(a.name, b.name) || x - y;
}

/** General-purpose registers by their number, before all others; those of x86 by their names. */
const numberIn = (name: string): number => Number(/^X(\d+)$/.exec(name)?.[1] ?? 99);

type Holds = (state: FinalState) => boolean;

/** Propositions as functions of the observed values. */
function compile(
  termOf: (location: Location) => Term,
  names: ValueNames,
  wasTaken: (fault: FaultTerm) => Holds,
): (proposition: Proposition) => Holds {
  const equal = (location: Location, value: Value, at: Spot): Holds => {
    const term = termOf(location);
    const wanted = term.at.length === 1 && value.kind !== 'list' ? [value] : elementsOf(value, term, at);
    const numbers = wanted.map((element) => names.numberOf(element, at, location));
    return (state) => term.at.every((n, index) => isSame(term.type, state[n]!, numbers[index]!));
  };
  /** Equal as numbers of the type, or as the addresses that they are. */
  const hasName = (bits: bigint): boolean => names.nameOf(bits) !== undefined || names.descriptorOf(bits) !== undefined;
  const isSame = (type: ScalarType, bits: bigint, wanted: bigint): boolean =>
    hasName(wanted) || hasName(bits)
      ? bits === BigInt.asUintN(64, wanted)
      : asType(type, names.codeNumberOf(bits) ?? bits) === asType(type, wanted);
  const holds = (proposition: Proposition): Holds => {
    switch (proposition.kind) {
      case 'true':
      case 'false':
        return () => proposition.kind === 'true';
      case 'equal':
        return equal(proposition.location, proposition.value, proposition.at);
      case 'different': {
        const inner = equal(proposition.location, proposition.value, proposition.at);
        return (state) => !inner(state);
      }
      case 'same': {
        const [left, right] = [termOf(proposition.left), termOf(proposition.right)];
        return (state) =>
          left.at.length === right.at.length &&
          left.at.every((n, index) => isSame(left.type, state[n]!, state[right.at[index]!]!));
      }
      case 'fault':
        return wasTaken(proposition.fault);
      case 'not': {
        const inner = holds(proposition.operand);
        return (state) => !inner(state);
      }
      case 'and': {
        const parts = proposition.operands.map(holds);
        return (state) => parts.every((part) => part(state));
      }
      case 'or': {
        const parts = proposition.operands.map(holds);
        return (state) => parts.some((part) => part(state));
      }
      case 'implies': {
        const [left, right] = [holds(proposition.left), holds(proposition.right)];
        return (state) => !left(state) || right(state);
      }
    }
  };
  return holds;
}

function elementsOf(value: Value, term: Term, at: Spot): readonly Value[] {
  if (value.kind !== 'list') throw refuse(at, `${term.text} is an array: its value is a list in braces`);
  if (value.elements.length !== term.at.length) {
    throw refuse(at, `${term.text} has ${term.at.length} elements, not ${value.elements.length}`);
  }
  return value.elements;
}
