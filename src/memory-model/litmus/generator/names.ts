// Names of tests as the literature has them: the family by the communications and the ends of the threads (Alglave, Maranget, Tautschnig,
// "Herding cats", table of families), then what each thread does between its ends: `MP+dmb.sy+addr`.

import type { Cycle } from './cycle.ts';
import { type Access, accessText, accessesText, mergedAccess } from './accesses.ts';
import type { Edge } from './edges.ts';

/** By the ends of each thread and the communication that leaves it. */
const families: Readonly<Record<string, string>> = {
  MP: 'WW Rf RR Fr', SB: 'WR Fr WR Fr', LB: 'RW Rf RW Rf', S: 'WW Rf RW Ws', R: 'WW Ws WR Fr', '2+2W': 'WW Ws WW Ws',
  WRC: 'W Rf RW Rf RR Fr', RWC: 'W Rf RR Fr WR Fr', WWC: 'W Rf RW Rf RW Ws', IRIW: 'W Rf RR Fr W Rf RR Fr',
  'WRW+WR': 'W Rf RW Ws WR Fr', 'WRW+2W': 'W Rf RW Ws WW Ws', 'WRR+2W': 'W Rf RR Fr WW Ws', 'W+RWC': 'WW Rf RR Fr WR Fr',
  IRRWIW: 'W Rf RR Fr W Rf RW Ws', IRWIW: 'W Rf RW Ws W Rf RW Ws', ISA2: 'WW Rf RW Rf RR Fr',
  'Z6.0': 'WW Rf RW Ws WR Fr', 'Z6.1': 'WW Ws WW Rf RW Ws', 'Z6.2': 'WW Rf RW Rf RW Ws', 'Z6.3': 'WW Ws WW Rf RR Fr',
  'Z6.4': 'WW Ws WR Fr WR Fr', 'Z6.5': 'WW Ws WW Ws WR Fr', '3.2W': 'WW Ws WW Ws WW Ws', '3.SB': 'WR Fr WR Fr WR Fr', '3.LB': 'RW Rf RW Rf RW Rf',
}; // prettier-ignore

/** On one location; some of a thread alone. */
const coherenceFamilies: Readonly<Record<string, string>> = {
  CoRR: 'W Rf RR Fr', CoRW1: 'RW Rf', CoRW2: 'W Rf RW Ws', CoWR: 'W Ws WR Fr', CoWR0: 'WR Fr', CoWW: 'WW Ws',
}; // prettier-ignore

export const familyNames: readonly string[] = [...Object.keys(families), ...Object.keys(coherenceFamilies)];

/** The plain cycle of a family, as edges. */
export function cycleOfFamily(name: string): string | undefined {
  const shape = families[name] ?? coherenceFamilies[name];
  if (shape === undefined) return undefined;
  const order = name in families ? 'Pod' : 'Pos';
  return shape
    .split(' ')
    .flatMap((part, n) => (n % 2 === 1 ? [`${part}e`] : part.length === 2 ? [`${order}${part}`] : []))
    .join(' ');
}

interface ThreadShape {
  readonly ends: string;
  readonly decoration: string | undefined;
  /** Of its only event. */
  readonly single: Access | undefined;
  readonly communication: string;
}

export function nameOf(cycle: Cycle): string {
  const threads = threadsOf(cycle);
  const isOneLocation = cycle.locations.length === 1;
  const known = Object.entries(isOneLocation ? { ...coherenceFamilies, ...families } : families);
  const names = threads.map((_, start) => {
    const rotated = [...threads.slice(start), ...threads.slice(0, start)];
    const shape = rotated.map(({ ends, communication }) => `${ends} ${communication}`).join(' ');
    const family = known.find(([, familyShape]) => familyShape === shape)?.[0];
    // Where threads are alike, the name that comes first in the alphabet.
    const rank = family === undefined ? (rotated[0]!.ends === 'W' ? 1 : 2) : 0;
    const base = family ?? rotated.map(({ ends }) => ends).join('+');
    const plain = isOneLocation && family !== undefined && family in coherenceFamilies ? 'pos' : 'po';
    return { rank, name: `${base}${decorations(rotated, plain)}${annotationsOfSingles(rotated)}` };
  });
  names.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  return names[0]!.name;
}

/** `+L`, `+NaL`, `+w0`: the accesses of the threads of one event, which stand in no decoration. */
function annotationsOfSingles(threads: readonly ThreadShape[]): string {
  const texts = threads.flatMap(({ single }) => (single === undefined ? [] : [accessText(single)]));
  if (texts.every((text) => text === 'P')) return '';
  return `+${texts.map((text) => (text === 'P' ? 'Na' : text)).join('')}`;
}

/** What the two edges of an event say of it. */
const singleOf = (before: Edge, after: Edge): Access => mergedAccess(before.toAccess, after.fromAccess)!;

function threadsOf({ edges }: Cycle): ThreadShape[] {
  const threads: ThreadShape[] = [];
  let inner: Edge[] = [];
  for (const [n, edge] of edges.entries()) {
    if (!edge.isExternal || edge.excursion !== undefined) {
      inner.push(edge);
      continue;
    }
    const first = inner[0];
    threads.push({
      ends: first === undefined ? edge.from : `${first.from}${edge.from}`,
      decoration: first === undefined ? undefined : inner.map(decorationOf).join('-'),
      single: first === undefined ? singleOf(edges[(n + edges.length - 1) % edges.length]!, edge) : undefined,
      communication: edge.what.kind === 'communication' ? edge.what.relation : '',
    });
    inner = [];
  }
  return threads;
}

function decorationOf(edge: Edge): string {
  const annotations = `${accessesText(edge.fromAccess, edge.toAccess)}${edge.isStored ? '-store' : ''}`.toLowerCase();
  const place = edge.isSameLocation ? 's' : '';
  switch (edge.what.kind) {
    case 'po':
      return `po${place}${annotations}`;
    case 'fence':
      return `${edge.what.instruction.replace(' ', '.').toLowerCase()}${place}${annotations}`;
    case 'dependency':
      return `${edge.what.dependency}${edge.what.isCsel ? 'csel' : ''}${place}${annotations}`;
    case 'communication':
      return communicationName(edge, edge.what.relation.toLowerCase()) + annotations;
    case 'atomic':
      return `${edge.what.operation === 'LxSx' ? 'lxsx' : `amo.${edge.what.operation.toLowerCase()}`}${annotations}`;
  }
}

/** What is in brackets happens in another thread: `[fr-rf]`. */
function communicationName({ excursion }: Edge, relation: string): string {
  if (excursion === undefined) return relation === 'hat' ? relation : `${relation}i`;
  return excursion === 'Leave' ? `[${relation}` : `${relation}]`;
}

/** Nothing where all is plain; once and with an s where all are the same. */
function decorations(threads: readonly ThreadShape[], plain: string): string {
  const all = threads.flatMap(({ decoration }) => (decoration === undefined ? [] : [decoration]));
  if (all.every((decoration) => decoration === plain)) return '';
  const isOne = all.length > 1 && all.every((decoration) => decoration === all[0]);
  return isOne ? `+${all[0]!}s` : all.map((decoration) => `+${decoration}`).join('');
}
