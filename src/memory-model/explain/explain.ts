// Why a model allows an outcome, or what forbids it, in plain sentences.
//
// Allowed: an execution that gives the outcome, step by step; where no interleaving of the threads gives it, the cycle that
// sequential consistency would forbid, and the places of that cycle which the model leaves open. Forbidden: every execution that would
// give the outcome, by the cycle that the model's failed axiom finds in it.

import type { CatModel } from '../cat/model.ts';
import type { Edge, Violation } from '../cat/edges.ts';
import { initialThread, isFetch, type Execution, type MemoryEvent } from '../execution.ts';
import type { MemoryArea } from '../program.ts';
import type { Relation } from '../relation.ts';
import { eventNames } from './event-names.ts';
import { sentenceOf, type Telling } from './words.ts';

export interface Models {
  /** What judged the outcome, as a cat file states it. */
  readonly model: CatModel;
  readonly sequentialConsistency: CatModel;
}

export interface Setting {
  readonly threads: readonly string[];
  readonly memory: readonly MemoryArea[];
}

export interface Explanation {
  readonly isAllowed: boolean;
  readonly sentences: readonly string[];
  /** The execution that is told about, for a picture, and the cycle to show in it; none where no execution could give the outcome. */
  readonly shown:
    { readonly telling: Telling; readonly cycle: readonly Edge[]; readonly caption: readonly string[] } | undefined;
}

/** Relations of the project's models, and of published ones, that keep accesses of one thread in order; the first that a model has. */
const localOrders = ['locally-ordered-before', 'local-hw-reqs', 'lob', 'ppo', 'po-tso', 'po_ghb'];
/** The order of the accesses of all threads that a model builds. */
const globalOrders = ['ob', 'ghb'];

const firstRelation = (model: CatModel, execution: Execution, names: readonly string[]): Relation | undefined => {
  for (const name of names) {
    const relation = model.relation(execution, name);
    if (relation) return relation;
  }
  return undefined;
};

/** Events one after the other, each behind all that come before it in an acyclic relation; thread by thread where that leaves it open. */
function linearOrder(events: readonly number[], order: Relation): readonly number[] {
  const left = new Set(events);
  const result: number[] = [];
  while (left.size > 0) {
    const ready = [...left].filter((event) => ![...left].some((other) => other !== event && order.has(other, event)));
    const next = ready[0] ?? [...left][0]!;
    result.push(next);
    left.delete(next);
  }
  return result;
}

const isAccess = ({ events }: Execution, event: number): boolean => {
  const { kind, thread } = events[event]!;
  return thread !== initialThread && kind !== 'F';
};

function steps({ execution, names }: Telling, { threads }: Setting): readonly string[] {
  return threads.map((name, thread) => {
    const own = execution.events
      .filter((event) => event.thread === thread)
      .map(({ id, kind }) => (kind === 'F' ? names.action(id) : `${names.letter(id)}: ${names.action(id)}`));
    return `  ${name}: ${own.length === 0 ? 'nothing' : own.join('; ')}`;
  });
}

const inOrder = ({ execution, names }: Telling, order: Relation): string => {
  const accesses = execution.events.map(({ id }) => id).filter((id) => isAccess(execution, id));
  return linearOrder(accesses, order).map(names.letter).join(', ');
};

const edgeSentences = (edges: readonly Edge[], telling: Telling): readonly string[] =>
  edges.map(
    (edge) =>
      `  ${telling.names.letter(edge.from)} is before ${telling.names.letter(edge.to)}: ${sentenceOf(edge, telling)}`,
  );

const kinds: Readonly<Record<string, string>> = { R: 'load', W: 'store', C: 'cache maintenance instruction' };
const kindText = (event: MemoryEvent): string => (isFetch(event) ? 'fetch' : (kinds[event.kind] ?? 'step'));

/** A step of program order that the model does not keep. */
function gapSentence({ from, to }: Edge, { execution, names }: Telling): string {
  const [a, b] = [execution.events[from]!, execution.events[to]!];
  const where = a.address === b.address ? 'the same location' : 'another location';
  const what = `a ${kindText(a)} followed by a ${kindText(b)} to ${where}`;
  return `nothing keeps ${names.letter(from)} before ${names.letter(to)}: ${what} may take effect in either order`;
}

export function explainAllowed(
  execution: Execution,
  { model, sequentialConsistency }: Models,
  setting: Setting,
): Explanation {
  const telling: Telling = { execution, names: eventNames(execution, setting.memory) };
  const head = [`Allowed by ${model.name}. An execution that gives it:`, ...steps(telling, setting)];
  const [violation] = sequentialConsistency.violations(execution);
  if (!violation) {
    const { po, rf, co } = execution.relations;
    const order = [rf, co, rf.inverse().sequence(co)].reduce((sum, relation) => sum.union(relation), po).plus();
    const caption = [`The threads take turns: ${inOrder(telling, order)}.`];
    return { isAllowed: true, sentences: [...head, ...caption], shown: { telling, cycle: [], caption } };
  }
  const local = firstRelation(model, execution, localOrders);
  const gaps = violation.edges.filter(
    ({ names, from, to }) =>
      names.includes('po') && local && !local.has(from, to) && isAccess(execution, from) && isAccess(execution, to),
  );
  const global = firstRelation(model, execution, globalOrders);
  const caption = [
    'Allowed although the threads cannot take turns in this way:',
    ...edgeSentences(violation.edges, telling),
    ...gaps.map((gap) => `But ${gapSentence(gap, telling)}.`),
    ...(global ? [`An order that all threads agree on: ${inOrder(telling, global.plus())}.`] : []),
  ];
  return { isAllowed: true, sentences: [...head, ...caption], shown: { telling, cycle: violation.edges, caption } };
}

interface Reason {
  readonly telling: Telling;
  readonly violation: Violation;
  count: number;
}

const axiomWords: ReadonlyMap<string, string> = new Map([
  ['external', 'these would have to be ordered before themselves'],
  ['atomic', 'another write would come between the halves of an atomic update'],
]);

/** The cycle as written: what the same reason has in every execution. */
const keyOf = ({ violation, telling }: Omit<Reason, 'count'>): string =>
  [violation, ...(violation.otherWays ?? [])]
    .flatMap(({ axiom, edges }) => [axiom, ...edgeSentences(edges, telling).toSorted()])
    .join('\n');

function shortest(violations: readonly Violation[]): Violation | undefined {
  const [first, ...others] = violations;
  return others.reduce<Violation | undefined>(
    (best, other) => (best && other.edges.length < best.edges.length ? other : best),
    first,
  );
}

/** `executions`: all that would give the outcome if the model were not asked. */
export function explainForbidden(executions: Iterable<Execution>, { model }: Models, setting: Setting): Explanation {
  const reasons = new Map<string, Reason>();
  let total = 0;
  for (const execution of executions) {
    const violation = shortest(model.violations(execution));
    if (!violation) continue;
    total += 1;
    const telling: Telling = { execution, names: eventNames(execution, setting.memory) };
    const key = keyOf({ violation, telling });
    const known = reasons.get(key);
    if (known) known.count += 1;
    else reasons.set(key, { telling, violation, count: 1 });
  }
  const distinct = [...reasons.values()].sort((a, b) => b.count - a.count);
  const [main] = distinct;
  if (!main) {
    const sentences = [
      'Forbidden by every model: no choice of the writes that the loads read from gives it while each location keeps one order of its writes.',
    ];
    return { isAllowed: false, sentences, shown: undefined };
  }
  const because = ({ axiom }: Violation): string =>
    `(${axiom}${axiomWords.has(axiom) ? `: ${axiomWords.get(axiom)!}` : ''})`;
  const told = ({ telling, violation }: Reason): readonly string[] => {
    const { otherWays = [] } = violation;
    return [
      `Forbidden by ${model.name} because ${because(violation)}`,
      ...edgeSentences(violation.edges, telling),
      ...otherWays.flatMap((way) => [
        `or, where that takes effect in another order${way.axiom === violation.axiom ? '' : `, ${because(way)}`}:`,
        ...edgeSentences(way.edges, telling),
      ]),
    ];
  };
  const many = total === 1 ? 'One execution would give it' : `${total} executions would give it`;
  const summary = `${many}, forbidden for ${distinct.length === 1 ? 'one reason' : `${distinct.length} reasons`}.`;
  const sentences = [
    summary,
    ...distinct
      .slice(0, shownReasons)
      .flatMap((reason, n) => [
        distinct.length === 1 ? '' : `Reason ${n + 1}, of ${reason.count} execution${reason.count === 1 ? '' : 's'}:`,
        ...steps(reason.telling, setting),
        ...told(reason),
      ]),
    ...(distinct.length > shownReasons ? [`… and ${distinct.length - shownReasons} more reasons.`] : []),
  ].filter((line) => line !== '');
  return {
    isAllowed: false,
    sentences,
    shown: { telling: main.telling, cycle: main.violation.edges, caption: told(main) },
  };
}

/** More are no explanation. */
const shownReasons = 5;
