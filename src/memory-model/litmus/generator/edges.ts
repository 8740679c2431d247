// The edges of which the cycles of litmus tests are made, in the names of diy7 (Alglave, Maranget, Sarkar, Sewell, "Litmus: running tests
// against hardware"): communications (Rfe, Fre, Wse and their internal kin, and Hat between two reads of one write), program order, fences,
// dependencies, atomics. FrLeave and its kin leave a thread for one of their own, from which RfBack and its kin come back to the thread that
// was left. Store behind an edge lets the thread begin with a store to the location of the read there. What annotates the ends of an
// edge is in accesses.ts.

import { UserError } from '../../../report/user-error.ts';
import { type Access, accessesText, type Direction, readAccesses } from './accesses.ts';

/** One instruction, or an exclusive pair, that reads and writes. The St forms have no register for what they read. */
export type AtomicName =
  'Swp' | 'Cas' | 'LxSx' | 'LdAdd' | 'LdEor' | 'LdSet' | 'LdClr' | 'StAdd' | 'StEor' | 'StSet' | 'StClr';

export type EdgeKind =
  | { readonly kind: 'communication'; readonly relation: 'Rf' | 'Fr' | 'Ws' | 'Hat' }
  | { readonly kind: 'po' }
  | { readonly kind: 'fence'; readonly instruction: string }
  /** `csel` is with a conditional select in between, which picks what the dependency is on. */
  | { readonly kind: 'dependency'; readonly dependency: 'addr' | 'data' | 'ctrl' | 'ctrlisb'; readonly isCsel: boolean }
  | { readonly kind: 'atomic'; readonly operation: AtomicName };

export interface Edge {
  readonly text: string;
  /** The text without what annotates its ends. */
  readonly stem: string;
  readonly what: EdgeKind;
  readonly from: Direction;
  readonly to: Direction;
  readonly fromAccess: Access;
  readonly toAccess: Access;
  /** It leads to another thread. */
  readonly isExternal: boolean;
  /** That thread is not the next one of the cycle, but one between two events of a thread, or it is that thread again. */
  readonly excursion?: 'Leave' | 'Back';
  readonly isSameLocation: boolean;
  /** The thread of the event behind it begins with a store to its location. */
  readonly isStored?: boolean;
}

const directionsOf = { Rf: ['W', 'R'], Fr: ['R', 'W'], Ws: ['W', 'W'], Hat: ['R', 'R'] } as const;

const domains = ['', 'ISH', 'OSH', 'NSH'];
const types = domains.flatMap((domain) =>
  domain === '' ? ['SY', 'LD', 'ST'] : [domain, `${domain}LD`, `${domain}ST`],
);
const fenceNames: readonly string[] = [
  ...['DMB', 'DSB'].flatMap((name) => types.map((type) => `${name}.${type}`)),
  'ISB',
];
const fence = fenceNames.map((name) => name.replace('.', '\\.')).join('|');

const shapes: readonly (readonly [
  RegExp,
  (match: readonly string[]) => Partial<Edge> & Pick<Edge, 'what' | 'from' | 'to'>,
])[] = [
  [
    /^(Rf|Fr|Ws|Co)(e|i|Leave|Back)|^Hat/,
    ([, name, side]) => {
      const relation = name === undefined ? 'Hat' : name === 'Co' ? 'Ws' : (name as 'Rf' | 'Fr' | 'Ws');
      const [from, to] = directionsOf[relation];
      const what = { kind: 'communication', relation } as const;
      const excursion = side === 'Leave' || side === 'Back' ? ({ excursion: side } as const) : {};
      return { what, from, to, isExternal: side !== 'i', isSameLocation: true, ...excursion };
    },
  ],
  [
    /^Po([ds])([RW])([RW])/,
    ([, place, from, to]) => ({ what: { kind: 'po' }, ...ends(from, to), isSameLocation: place === 's' }),
  ],
  [
    new RegExp(`^(${fence})([ds])([RW])([RW])`),
    ([, name, place, from, to]) => ({
      what: { kind: 'fence', instruction: name!.replace('.', ' ') },
      ...ends(from, to),
      isSameLocation: place === 's',
    }),
  ],
  [
    /^Dp(Addr|Data|CtrlIsb|Ctrl)(Csel)?([ds])([RW])/,
    ([, name, csel, place, to]) => ({
      what: {
        kind: 'dependency',
        dependency: name!.toLowerCase() as 'addr' | 'data' | 'ctrl' | 'ctrlisb',
        isCsel: csel !== undefined,
      },
      ...ends('R', to),
      isSameLocation: place === 's',
    }),
  ],
  [
    /^(?:Amo\.(Swp|Cas|(?:Ld|St)(?:Add|Eor|Set|Clr))|LxSx|Rmw)/,
    ([, amo]) => ({
      what: { kind: 'atomic', operation: (amo ?? 'LxSx') as AtomicName },
      ...ends('R', 'W'),
      isSameLocation: true,
    }),
  ],
];

const ends = (from: string | undefined, to: string | undefined) => ({ from: from as Direction, to: to as Direction });

/** Reads one edge; a UserError says what is wrong with it. */
export function readEdge(text: string): Edge {
  for (const [pattern, make] of shapes) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const edge = make(match);
    const [stem] = match as unknown as readonly [string];
    const letters = text.slice(stem.length);
    const accesses = readAccesses(letters, edge.from, edge.to);
    if (!accesses || !isPossible(edge.what, ...accesses))
      throw new UserError(`edge "${text}": "${letters}" does not annotate a ${edge.from} and a ${edge.to}`);
    if (edge.what.kind === 'dependency' && edge.what.dependency === 'data' && edge.to === 'R') break;
    const [fromAccess, toAccess] = accesses;
    return { text, stem, isExternal: false, isSameLocation: false, ...edge, fromAccess, toAccess };
  }
  throw new UserError(`no edge "${text.slice(0, 40)}"`, 'as in Rfe, PodWW, DMB.SYdRW, DpAddrdR, RfeLA');
}

/** An atomic has one address, acquires and releases; its St form does not acquire. */
function isPossible(what: EdgeKind, from: Access, to: Access): boolean {
  if (what.kind !== 'atomic') return true;
  const mayBegin = what.operation.startsWith('St') ? ['P'] : ['P', 'A'];
  return mayBegin.includes(from.annotation) && ['P', 'L'].includes(to.annotation);
}

/** The same edge with other annotations. */
export const withAccesses = (edge: Edge, fromAccess: Access, toAccess: Access): Edge => ({
  ...edge,
  text: `${edge.stem}${accessesText(fromAccess, toAccess)}${edge.isStored ? ' Store' : ''}`,
  fromAccess,
  toAccess,
});

/** Edges of a text with spaces between them. */
export function readCycle(text: string): Edge[] {
  const edges: Edge[] = [];
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    if (word !== 'Store') {
      edges.push(readEdge(word));
      continue;
    }
    const last = edges.pop();
    if (last?.to !== 'R') throw new UserError('"Store" stands behind an edge that ends in a R, such as DpAddrdR');
    edges.push({ ...last, text: `${last.text} Store`, isStored: true });
  }
  edges.forEach((edge, n) => {
    const next = edges[(n + 1) % edges.length]!;
    if (edge.to !== next.from)
      throw new UserError(`"${edge.text}" ends in a ${edge.to}, "${next.text}" begins with a ${next.from}`);
  });
  return edges;
}
