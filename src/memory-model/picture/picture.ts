// A picture of an execution before it has a shape: what is drawn, whatever the format. Threads are columns; the orders that follow from
// others (program order and coherence order over more than one step) are left out.

import { labelOf, type Telling } from '../explain/words.ts';
import type { Edge } from '../cat/edges.ts';
import { initialThread } from '../execution.ts';
import type { Relation } from '../relation.ts';

export type EdgeKind = 'po' | 'rf' | 'co' | 'fr' | 'dependency' | 'atomic' | 'order';

export interface PictureEvent {
  readonly id: number;
  readonly text: string;
  readonly kind: 'access' | 'fence' | 'initial';
}

export interface PictureEdge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
  /** '' for program order, which needs none. */
  readonly label: string;
  /** Part of the cycle that is told about. */
  readonly isInCycle: boolean;
}

export interface Picture {
  readonly title: string;
  readonly columns: readonly { readonly name: string; readonly events: readonly PictureEvent[] }[];
  /** Initial writes that something reads or that the cycle passes. */
  readonly initial: readonly PictureEvent[];
  readonly edges: readonly PictureEdge[];
  /** The cycle in words, one sentence a line. */
  readonly caption: readonly string[];
}

/** A relation without the pairs that follow from two others. */
const immediate = (relation: Relation): Relation => relation.difference(relation.sequence(relation));

const kindOfName: ReadonlyMap<string, EdgeKind> = new Map<string, EdgeKind>([
  ['rf', 'rf'],
  ['rfe', 'rf'],
  ['rfi', 'rf'],
  ['fr', 'fr'],
  ['fre', 'fr'],
  ['fri', 'fr'],
  ['fr-external', 'fr'],
  ['co', 'co'],
  ['coe', 'co'],
  ['coi', 'co'],
  ['co-external', 'co'],
  ['po', 'po'],
  ['addr', 'dependency'],
  ['address-dependency', 'dependency'],
  ['data', 'dependency'],
  ['data-dependency', 'dependency'],
  ['ctrl', 'dependency'],
  ['control-dependency', 'dependency'],
  ['rmw', 'atomic'],
]);

const kindOf = ({ names }: Edge): EdgeKind =>
  kindOfName.get(names.find((name) => kindOfName.has(name)) ?? '') ?? 'order';

export function pictureOf(
  telling: Telling,
  what: {
    readonly title: string;
    readonly threads: readonly string[];
    readonly cycle: readonly Edge[];
    readonly caption: readonly string[];
  },
): Picture {
  const { execution, names } = telling;
  const { events, relations } = execution;
  const isInitial = (event: number): boolean => events[event]?.thread === initialThread;

  const edges = new Map<string, PictureEdge>();
  const put = (edge: PictureEdge): void => {
    const key = `${edge.from}→${edge.to}:${edge.kind === 'po' ? 'po' : edge.label}`;
    if (!edges.get(key)?.isInCycle) edges.set(key, edge);
  };
  const draw = (relation: Relation, kind: EdgeKind, label: string): void => {
    for (const [from, to] of relation.pairs()) put({ from, to, kind, label, isInCycle: false });
  };

  draw(immediate(relations.po), 'po', '');
  draw(relations.rf, 'rf', 'rf');
  const co = immediate(relations.co);
  for (const [from, to] of co.pairs())
    if (!isInitial(from)) put({ from, to, kind: 'co', label: 'co', isInCycle: false });
  draw(relations.rf.inverse().sequence(co), 'fr', 'fr');
  draw(relations.addr, 'dependency', 'addr');
  draw(relations.data, 'dependency', 'data');
  // A branch orders what follows it one after the other: the first of these says it.
  draw(relations.ctrl.difference(relations.ctrl.sequence(relations.po)), 'dependency', 'ctrl');
  draw(relations.pickAddr.union(relations.pickData), 'dependency', 'pick');
  draw(relations.amo.union(relations.lxsx), 'atomic', 'rmw');
  for (const edge of what.cycle)
    put({
      from: edge.from,
      to: edge.to,
      kind: kindOf(edge),
      label: kindOf(edge) === 'po' ? '' : labelOf(edge, telling),
      isInCycle: true,
    });

  // Every first read of a location reads its initial value: that is drawn where it matters.
  const drawn = [...edges.values()].filter(
    ({ from, to, isInCycle }) => isInCycle || !(isInitial(from) || isInitial(to)),
  );
  const touches = (event: number): boolean => drawn.some(({ from, to }) => from === event || to === event);
  const text = (event: number): string =>
    events[event]?.kind === 'F' || isInitial(event)
      ? names.action(event)
      : `${names.letter(event)}: ${names.action(event)}`;
  const all = events.map(({ id, kind, thread }): PictureEvent & { thread: number } => ({
    id,
    text: text(id),
    thread,
    kind: thread === initialThread ? 'initial' : kind === 'F' ? 'fence' : 'access',
  }));
  return {
    title: what.title,
    columns: what.threads.map((name, thread) => ({ name, events: all.filter((event) => event.thread === thread) })),
    initial: all.filter(({ id, kind }) => kind === 'initial' && touches(id)),
    edges: drawn,
    caption: what.caption,
  };
}
