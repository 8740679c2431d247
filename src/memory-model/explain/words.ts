// What orders two events, in words: one sentence for each relation that the project's own models name (models/*.cat), and for the names
// that published models use for the same things. A relation of a user's file is quoted as the file writes it.

import type { Edge } from '../cat/edges.ts';
import type { Execution, MemoryEvent } from '../execution.ts';
import { fenceText, type EventNames } from './event-names.ts';

export interface Telling {
  readonly execution: Execution;
  readonly names: EventNames;
}

type Sentence = (from: string, to: string, details: Details) => string;

interface Details {
  readonly location: string;
  /** The fence between the two, as assembly writes it. */
  readonly fence: string;
  /** The access between the two. */
  readonly middle: string;
}

const fenced =
  (what: string): Sentence =>
  (from, to, { fence }) =>
    `${fence} stands between ${from} and ${to}, and orders ${what}`;

const isb =
  (how: string): Sentence =>
  (from, to) =>
    `${to} is behind an ISB, and ${how.replace('@', from)}`;

const readsFrom: Sentence = (from, to) => `${to} reads what ${from} wrote`;
const fromReads: Sentence = (from, to, { location }) => `${from} read ${location} before ${to} overwrote it`;
const coherence: Sentence = (from, to, { location }) =>
  `${from} comes before ${to} in the coherence order of ${location}`;
const address: Sentence = (from, to) => `the address of ${to} depends on what ${from} read`;
const dataflow: Sentence = (from, to) => `the value that ${to} writes depends on what ${from} read`;
const control: Sentence = (from, to) => `${to} is a store behind a branch that depends on what ${from} read`;
const sameInstruction: Sentence = (from, to) => `${from} and ${to} are the read and the write of one atomic update`;
const maintained: Sentence = (from, to, { location }) =>
  `${to} follows ${from} in program order, and both are for ${location}`;
const inTurn: Sentence = (from, to) => `${from} takes effect before ${to} in this order`;
const programOrder: Sentence = (from, to) => `${to} follows ${from} in program order`;

/** By the name of the relation. */
const sentences: ReadonlyMap<string, Sentence> = new Map<string, Sentence>([
  ['rfe', readsFrom],
  ['rfi', readsFrom],
  ['rf', readsFrom],
  ['fr', fromReads],
  ['fre', fromReads],
  ['fri', fromReads],
  ['fr-external', fromReads],
  ['co', coherence],
  ['coe', coherence],
  ['coi', coherence],
  ['co-external', coherence],
  ['observed-by-class', (from, to) => `${to} is part of the single-copy atomic access that observes ${from}`],
  ['addr', address],
  ['address-dependency', address],
  ['data', dataflow],
  ['data-dependency', dataflow],
  ['control-dependency', control],
  ['ctrl', control],
  [
    'address-then-write',
    (from, to, { middle }) => `${to} is a store behind ${middle}, whose address depends on what ${from} read`,
  ],
  [
    'address-then-local-read',
    (from, to, { middle }) =>
      `${to} reads from ${middle}, a store of its own thread whose address depends on what ${from} read`,
  ],
  [
    'data-then-local-read',
    (from, to, { middle }) =>
      `${to} reads from ${middle}, a store of its own thread whose value depends on what ${from} read`,
  ],
  ['pick-address-dependency', (from, to) => `what ${from} read picks the address of the store ${to}`],
  ['pick-data-dependency', (from, to) => `what ${from} read picks the value that ${to} writes`],
  ['pick-control-dependency', (from, to) => `what ${from} read picks what a branch before the store ${to} depends on`],
  [
    'pick-address-then-write',
    (from, to, { middle }) => `${to} is a store behind ${middle}, whose address what ${from} read picks`,
  ],
  [
    'pick-through-memory',
    (from, to, { middle }) => `what ${from} read picks the value of ${middle}, which ${to} reads`,
  ],
  ['atomic-read-to-write', sameInstruction],
  ['rmw', sameInstruction],
  ['amo', sameInstruction],
  ['lxsx', sameInstruction],
  ['atomic-write-to-acquire', (from, to) => `the load-acquire ${to} reads what the atomic update of ${from} wrote`],
  ['dmb-full', fenced('everything before it with everything after it')],
  ['dmb-ld', fenced('loads before it with everything after it')],
  ['dmb-st', fenced('stores before it with stores after it')],
  ['dsb-full', fenced('everything before it with everything after it')],
  ['dsb-ld', fenced('loads before it with everything after it')],
  ['dsb-st', fenced('stores before it with everything after it')],
  ['acquire', (from, to) => `${from} is a load-acquire, and ${to} follows it`],
  ['release', (from, to) => `${to} is a store-release, and ${from} precedes it`],
  ['release-to-acquire', (from, to) => `${from} is a store-release, and ${to} a load-acquire that follows it`],
  [
    'acquire-release-atomic',
    (from, to) => `${from} is the write of an atomic instruction that acquires and releases, and ${to} follows it`,
  ],
  ['acquire-pair', (from, to) => `${from} and ${to} are the reads of one load-acquire of a pair`],
  ['release-pair', (from, to) => `${from} and ${to} are the writes of one store-release of a pair`],
  ['control-isb', isb('the branch before it depends on what @ read')],
  ['address-isb', isb('an address before it depends on what @ read')],
  ['pick-control-isb', isb('what @ read picks what the branch before it depends on')],
  ['pick-address-isb', isb('what @ read picks an address before it')],
  ['pick-data-isb', isb('what @ read picks a value that is stored before it')],
  ['dsb-isb', isb('a DSB before it has completed @')],
  ['fetched-isb', isb('the ISB itself was fetched by @')],
  ['walk-isb', isb('the access before it was translated by @')],
  ['walk-fault', (from, to) => `${to} is behind the entry of the exception that the walk ${from} has led to`],
  ['pick-address-fault', (from, to) => `${to} is behind a fault at an address that what ${from} read picks`],
  ['walk-before-access', (from, to) => `${from} is the walk for ${to}`],
  ['walk-then-write', (from, to, { middle }) => `${to} is a store behind ${middle}, which was translated by ${from}`],
  [
    'walk-same-location',
    (from, to, { location }) => `${to} is a later store of the same thread to ${location}, which the walk ${from} read`,
  ],
  ['before-faulting-walk', (from, to) => `${to} is the walk of a fault, which with FEAT_ETS2 is behind ${from}`],
  ['walk-from', (from, to) => `the walk ${to} reads what ${from} wrote`],
  ['from-hardware', readsFrom],
  [
    'uncached-before-write',
    (from, to, { location }) => `no TLB holds what the walk ${from} read from ${location}, before ${to} overwrote it`,
  ],
  [
    'hardware-in-coherence',
    (from, to, { location }) => `hardware and software see ${from} and ${to} in the coherence order of ${location}`,
  ],
  ['TLBI-before-write', (from, to, { middle }) => `the walk ${middle} comes after ${from}, and does not see ${to}`],
  [
    'walk-before-DSB',
    (from, to, { fence }) => `the walk ${from} comes before ${fence}, which is complete before ${to}`,
  ],
  [
    'access-before-DSB',
    (from, to, { middle }) =>
      `${from} was translated by ${middle}, which comes before the TLBI that is complete before ${to}`,
  ],
  [
    'earlier-walk-before-DSB',
    (from, to) =>
      `${from} is no newer than a later walk of its thread, which comes before the TLBI that is complete before ${to}`,
  ],
  ['fetched-from', (from, to) => `${to} fetches what ${from} wrote`],
  ['fetch-before-execution', (from, to) => `${from} fetched the instruction that does ${to}`],
  ['fetched', (from, to) => `${from} fetched the instruction that does ${to}`],
  ['fetch-before-later', (from, to) => `${to} follows the fetch ${from} in program order`],
  ['same-line-clean', maintained],
  ['clean-same-line', maintained],
  ['IC-before-fetch', inTurn],
  ['fetch-before-IC', inTurn],
  ['write-before-DC', inTurn],
  ['DC-before-write', inTurn],
  [
    'IC-before-DC',
    (from, to, { middle }) => `${middle}, which comes after ${from}, does not fetch what ${to} has cleaned`,
  ],
  [
    'IC-before-write',
    (from, to, { middle }) => `${middle}, which comes after ${from}, does not fetch what ${to} writes`,
  ],
  ['fetch-before-write', (from, to, { location }) => `${from} fetched ${location} before ${to} overwrote it`],
  [
    'earlier-fetch-before-DSB',
    (from, to, { middle }) =>
      `${from} is no newer than the later fetch ${middle}, which comes before the IC that is complete before ${to}`,
  ],
  [
    'earlier-fetch-before-write',
    (from, to, { middle }) => `${from} is no newer than the later fetch ${middle}, which does not see ${to}`,
  ],
  [
    'local-write-successor',
    (from, to, { location }) => `${to} is a later store of the same thread to ${location}, which ${from} accesses`,
  ],
  [
    'local-write-successor-class',
    (from, to) => `${to} belongs to one access with a later store to what ${from} accesses`,
  ],
  [
    'hazard-ordered-before',
    (from, to, { location, middle }) => `${from} reads ${location} before ${middle} does, whose value ${to} overwrites`,
  ],
  ['po', programOrder],
  ['po-loc', (from, to, { location }) => `${to} follows ${from} in program order, and both access ${location}`],
  ['load-before-all', (from, to) => `${from} is a load, and total store order keeps ${to} behind it`],
  ['stores-in-order', (from, to) => `${from} and ${to} are stores, which leave the store buffer in order`],
  ['mfence', (from, to, { fence }) => `${fence} between ${from} and ${to} waits until the store buffer is empty`],
  ['locked-behind', (from, to) => `the locked instruction of ${from} empties the store buffer before ${to}`],
  [
    'locked-before',
    (from, to) => `the locked instruction of ${to} waits until the store ${from} has left the store buffer`,
  ],
  ['own-write-between', coherence],
]);

function detailsOf({ from, to, via }: Edge, { execution, names }: Telling): Details {
  const { events } = execution;
  const on = via.map((event) => events[event]).filter((event) => event !== undefined);
  const fence = on.find(({ kind }) => kind === 'F');
  const middle = on.find(({ kind }) => kind === 'R' || kind === 'W');
  const isAccess = ({ kind }: MemoryEvent): boolean => kind === 'R' || kind === 'W';
  const located = [to, from].find((event) => events[event] && (isAccess(events[event]) || events[event].kind === 'C'));
  return {
    location: located === undefined ? '' : names.location(located),
    fence: fence ? fenceText(fence) : 'a barrier',
    middle: middle ? names.letter(middle.id) : 'another access',
  };
}

/** The name of an edge that has a sentence; the outer ones are unions that say less, the inner ones parts of it. */
const knownName = ({ names }: Edge): string | undefined => names.find((name) => sentences.has(name));

/** Why `from` is ordered before `to`. */
export function sentenceOf(edge: Edge, telling: Telling): string {
  const [from, to] = [telling.names.letter(edge.from), telling.names.letter(edge.to)];
  const known = knownName(edge);
  const sentence = known === undefined ? undefined : sentences.get(known);
  if (sentence) return sentence(from, to, detailsOf(edge, telling));
  const name = edge.names.at(-1);
  return name === undefined || name === edge.text
    ? `${from} and ${to} are related by "${edge.text}"`
    : `${from} and ${to} are related by ${name}: "${edge.text}"`;
}

/** A word or two for the edge of a picture: the fence where there is one. */
export function labelOf(edge: Edge, { execution }: Telling): string {
  const fence = edge.via.map((event) => execution.events[event]).find((event) => event?.kind === 'F');
  const known = knownName(edge);
  if (fence) return fenceText(fence);
  return (known ?? edge.names.at(-1) ?? edge.text)
    .replace(/^(fr|co)-external$/, '$1')
    .replace(/^(rf|fr|co)[ei]$/, '$1')
    .replace(/^address-dependency$/, 'addr')
    .replace(/^data-dependency$/, 'data')
    .replace(/^control-dependency$/, 'ctrl');
}
