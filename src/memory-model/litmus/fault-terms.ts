// The exceptions that a test asks for, `fault(P0:L0,x,MMU:Translation)`: which of those that threads have taken they are, and how herd7
// prints them: those that were taken first, as completely as they are known, then the terms that none was taken for.

import type { TakenException } from '../program.ts';
import { spellFault } from './spelling.ts';
import type { FaultTerm, LitmusTest, Spot, Value } from './test.ts';
import { refuse } from './text.ts';

/** What is known of places besides their addresses. */
export interface FaultNames {
  /** `x+4`, `PTE(x)`: what an address is called. */
  nameOf(address: bigint): string | undefined;
  /** Labels of the instruction at an address. */
  labelsAt(pc: bigint): readonly string[];
}

/** An exception of a final state, as far as a term asks for it. */
interface Fault {
  readonly thread: number;
  readonly labels: readonly string[];
  readonly location: string | undefined;
  readonly type: string;
  readonly text: string;
}

export interface FaultTerms {
  readonly isEmpty: boolean;
  numberOf(taken: readonly (readonly TakenException[])[]): bigint;
  /** `Fault(P0:L0,x,MMU:Translation); ~Fault(P1,y);`, for what numberOf has numbered. */
  spell(number: bigint): string;
  compare(a: bigint, b: bigint): number;
  /** Whether an exception was taken that the term asks for. */
  holds(term: FaultTerm): (number: bigint) => boolean;
}

const compareTexts = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);

const compareFaults = (a: Fault, b: Fault): number =>
  a.thread - b.thread ||
  compareTexts(a.labels.join(), b.labels.join()) ||
  compareTexts(a.location, b.location) ||
  compareTexts(a.type, b.type);

const locationText = (location: Value | undefined): string | undefined => {
  if (location?.kind === 'address') return location.name;
  return location?.kind === 'descriptor address' ? `PTE(${location.name})` : undefined;
};

const compareTerms = (a: FaultTerm, b: FaultTerm): number =>
  a.thread - b.thread ||
  compareTexts(a.label, b.label) ||
  compareTexts(locationText(a.location), locationText(b.location)) ||
  compareTexts(a.type, b.type);

/** `MMU:Translation` is a fault of data or of an instruction. */
const isType = (type: string, asked: string): boolean => type === asked || type.endsWith(`-${asked}`);

/** The variable that a name like `x+4` begins with. */
const baseOf = (name: string): string => /^[^+[]+/.exec(name)?.[0] ?? name;

export function faultTerms(
  test: LitmusTest,
  asked: readonly { readonly fault: FaultTerm; readonly at: Spot }[],
  names: FaultNames,
): FaultTerms {
  const terms = new Map<string, FaultTerm>();
  for (const { fault, at } of asked) {
    if (!test.columns.some(({ thread }) => thread === fault.thread))
      throw refuse(at, `${spellFault(fault)}: there is no P${fault.thread}`);
    terms.set(spellFault(fault), fault);
  }
  const ordered = [...terms.values()].sort(compareTerms);

  /** A fault that was taken, under the type that the term gives it. */
  const matching = (term: FaultTerm, thread: number, taken: TakenException): Fault | undefined => {
    const labels = names.labelsAt(taken.pc);
    const location =
      taken.address === undefined ? undefined : (names.nameOf(taken.address) ?? `0x${taken.address.toString(16)}`);
    const wanted = locationText(term.location);
    const isAsked =
      term.thread === thread &&
      (term.label === undefined || labels.includes(term.label)) &&
      (wanted === undefined || (location !== undefined && baseOf(location) === wanted)) &&
      (term.type === undefined || isType(taken.type, term.type));
    if (!isAsked) return undefined;
    const type = term.type ?? taken.type;
    const site = labels.length > 1 ? `P${thread}:{${labels.join(',')}}` : [`P${thread}`, ...labels].join(':');
    const text = `Fault(${[site, ...(location === undefined ? [] : [location]), type].join(',')});`;
    return { thread, labels, location, type, text };
  };

  /** By the texts of their faults. */
  const numbers = new Map<string, bigint>([['', 0n]]);
  const found: (readonly { readonly fault: Fault; readonly term: FaultTerm }[])[] = [[]];
  const distinct = (number: bigint): Fault[] =>
    [...new Map(found[Number(number)]!.map(({ fault }) => [fault.text, fault])).values()].sort(compareFaults);
  return {
    isEmpty: ordered.length === 0,
    numberOf: (taken) => {
      const faults = ordered.flatMap((term) =>
        taken.flatMap((own, thread) =>
          own.flatMap((exception) => {
            const fault = matching(term, thread, exception);
            return fault ? [{ fault, term }] : [];
          }),
        ),
      );
      const key = [...new Set(faults.map(({ fault, term }) => `${spellFault(term)} ${fault.text}`))].join();
      const known = numbers.get(key) ?? BigInt(found.push(faults) - 1);
      numbers.set(key, known);
      return known;
    },
    spell: (number) => {
      if (ordered.length === 0) return '';
      const taken = distinct(number).map(({ text }) => text);
      const others = ordered.filter((term) => !found[Number(number)]!.some((one) => one.term === term)).reverse();
      return ` ${taken.join(' ')}${others.map((term) => ` ~${spellFault(term)};`).join('')}`;
    },
    compare: (a, b) => {
      const [x, y] = [distinct(a), distinct(b)];
      for (let n = 0; n < Math.min(x.length, y.length); n += 1) {
        const order = compareFaults(x[n]!, y[n]!);
        if (order !== 0) return order;
      }
      return x.length - y.length;
    },
    holds: (term) => {
      const wanted = terms.get(spellFault(term));
      return (number) => found[Number(number)]!.some((one) => one.term === wanted);
    },
  };
}
