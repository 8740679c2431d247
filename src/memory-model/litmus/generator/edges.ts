// The edges of which the cycles of litmus tests are made, in the names of diy7 (Alglave, Maranget, Sarkar, Sewell, "Litmus: running tests
// against hardware"): communications (Rfe, Fre, Wse and their internal kin), program order, fences, dependencies, atomics. FrLeave and its kin
// leave a thread for one of their own, from which RfBack and its kin come back to the thread that was left. Two letters behind an edge
// annotate its ends: P plain, A acquire, Q acquirePC, L release, X exclusive.

import { UserError } from '../../../report/user-error.ts';

export type Direction = 'R' | 'W';
export type Annotation = 'P' | 'A' | 'Q' | 'L' | 'X';

export type EdgeKind =
  | { readonly kind: 'communication'; readonly relation: 'Rf' | 'Fr' | 'Ws' }
  | { readonly kind: 'po' }
  | { readonly kind: 'fence'; readonly instruction: string }
  | { readonly kind: 'dependency'; readonly dependency: 'addr' | 'data' | 'ctrl' | 'ctrlisb' }
  /** One instruction, or an exclusive pair, that reads and writes. */
  | { readonly kind: 'atomic'; readonly operation: 'Swp' | 'LdAdd' | 'Cas' | 'LxSx' };

export interface Edge {
  readonly text: string;
  readonly what: EdgeKind;
  readonly from: Direction;
  readonly to: Direction;
  readonly fromAnnotation: Annotation;
  readonly toAnnotation: Annotation;
  /** It leads to another thread. */
  readonly isExternal: boolean;
  /** That thread is not the next one of the cycle, but one between two events of a thread, or it is that thread again. */
  readonly excursion?: 'Leave' | 'Back';
  readonly isSameLocation: boolean;
}

const directionsOf = { Rf: ['W', 'R'], Fr: ['R', 'W'], Ws: ['W', 'W'] } as const;
/** Reads acquire, writes release, both may be exclusive. */
const annotationsOf: Readonly<Record<Direction, string>> = { R: 'PAQX', W: 'PLX' };

const barriers = ['DMB', 'DSB'].flatMap((name) => ['SY', 'LD', 'ST'].map((type) => `${name}.${type}`));
const fence = [...barriers, 'ISB'].map((name) => name.replace('.', '\\.')).join('|');

const shapes: readonly (readonly [
  RegExp,
  (match: readonly string[]) => Partial<Edge> & Pick<Edge, 'what' | 'from' | 'to'>,
])[] = [
  [
    /^(Rf|Fr|Ws|Co)(e|i|Leave|Back)/,
    ([, name, side]) => {
      const relation = name === 'Co' ? 'Ws' : (name as 'Rf' | 'Fr' | 'Ws');
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
    /^Dp(Addr|Data|CtrlIsb|Ctrl)([ds])([RW])/,
    ([, name, place, to]) => ({
      what: { kind: 'dependency', dependency: name!.toLowerCase() as 'addr' | 'data' | 'ctrl' | 'ctrlisb' },
      ...ends('R', to),
      isSameLocation: place === 's',
    }),
  ],
  [
    /^(?:Amo\.(Swp|LdAdd|Cas)|(LxSx))/,
    ([, amo, pair]) => ({
      what: { kind: 'atomic', operation: (amo ?? pair) as 'Swp' | 'LdAdd' | 'Cas' | 'LxSx' },
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
    const letters = text.slice(match[0].length) || 'PP';
    const [fromAnnotation, toAnnotation] = letters as unknown as readonly Annotation[];
    const isGood =
      letters.length === 2 &&
      annotationsOf[edge.from].includes(fromAnnotation!) &&
      annotationsOf[edge.to].includes(toAnnotation!);
    if (!isGood) throw new UserError(`edge "${text}": "${letters}" does not annotate a ${edge.from} and a ${edge.to}`);
    if (edge.what.kind === 'dependency' && edge.what.dependency === 'data' && edge.to === 'R') break;
    return {
      text,
      isExternal: false,
      isSameLocation: false,
      ...edge,
      fromAnnotation: fromAnnotation!,
      toAnnotation: toAnnotation!,
    };
  }
  throw new UserError(`no edge "${text.slice(0, 40)}"`, 'as in Rfe, PodWW, DMB.SYdRW, DpAddrdR, RfeLA');
}

/** Edges of a text with spaces between them. */
export function readCycle(text: string): Edge[] {
  const edges = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map(readEdge);
  edges.forEach((edge, n) => {
    const next = edges[(n + 1) % edges.length]!;
    if (edge.to !== next.from)
      throw new UserError(`"${edge.text}" ends in a ${edge.to}, "${next.text}" begins with a ${next.from}`);
  });
  return edges;
}
