// Why a model forbids an execution: the failed axiom as a cycle of edges, each with the names that the model's file gives it.

import { EventSet, Relation } from '../relation.ts';
import type { Compiled, Frame } from './compiled.ts';
import type { Check } from './compile-instructions.ts';
import { textOf } from './source.ts';
import { asCollection, asRelation, type Value } from './values.ts';

/** One step of a cycle. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  /** Names of the relations that hold it, from the axiom inwards: ['ob', 'obs', 'rfe']. */
  readonly names: readonly string[];
  /** The expression that holds it as the file writes it. */
  readonly text: string;
  /** Events on the way, such as the fence of `po; [F]; po`. */
  readonly via: readonly number[];
}

export interface Violation {
  readonly axiom: string;
  readonly kind: Check['kind'];
  readonly edges: readonly Edge[];
  /** Where the model leaves something to choose ("with r from …"): the other ways to choose, and what fails in them. */
  readonly otherWays?: readonly Violation[];
}

/** The shortest way from one event to another in a relation, at least one step: its events. */
function shortestPath(relation: Relation, from: number, to: number): readonly number[] | undefined {
  const before = new Map<number, number>();
  let frontier = [from];
  while (frontier.length > 0) {
    const next: number[] = [];
    for (const event of frontier) {
      for (const reached of relation.successors(event)) {
        if (before.has(reached)) continue;
        before.set(reached, event);
        if (reached !== to) {
          next.push(reached);
          continue;
        }
        const path = [to];
        do path.unshift(before.get(path[0]!)!);
        while (path[0] !== from || path.length === 1);
        return path;
      }
    }
    frontier = next;
  }
  return undefined;
}

/** The shortest cycle of a relation; its first event is not repeated. */
function shortestCycle(relation: Relation): readonly number[] {
  let best: readonly number[] = [];
  for (let event = 0; event < relation.size; event += 1) {
    const path = shortestPath(relation, event, event);
    if (path && (best.length === 0 || path.length - 1 < best.length)) best = path.slice(0, -1);
  }
  return best;
}

/** The events that break a test: a cycle, an event that is related to itself, or members of what should be empty. */
export function witnessOf(check: Check, value: Value): readonly number[] {
  const whole = asCollection(value);
  if (whole instanceof EventSet) return [...whole].slice(0, 1);
  if (!(whole instanceof Relation)) return [];
  return check.kind === 'empty' ? ([...whole.pairs()][0] ?? []) : shortestCycle(whole);
}

const programOrder: ReadonlySet<string> = new Set(['po', 'po-loc']);

/** Looks into the definitions of one frame. */
export class Anatomist {
  private readonly frame: Frame;
  private readonly known = new Map<Compiled, Relation>();

  constructor(frame: Frame) {
    this.frame = frame;
  }

  private relation(of: Compiled): Relation {
    let relation = this.known.get(of);
    if (!relation) {
      relation = asRelation(of.code(this.frame, undefined), this.frame.candidate.size, of.span);
      this.known.set(of, relation);
    }
    return relation;
  }

  /** How a pair of a relation comes about. */
  path(of: Compiled, from: number, to: number, names: readonly string[] = []): readonly Edge[] {
    const { anatomy } = of;
    if (!of.isClosed) return [leaf(of, from, to, names)];
    switch (anatomy.kind) {
      case 'slot': {
        const { name, definition } = anatomy.slot;
        const deeper = name === undefined || names.at(-1) === name ? names : [...names, name];
        if (definition.span.source.text === '') return [leaf(of, from, to, deeper)];
        return this.path(definition, from, to, deeper);
      }
      case 'union': {
        const part = anatomy.parts.find((candidate) => this.holds(candidate, from, to));
        return part ? this.path(part, from, to, names) : [leaf(of, from, to, names)];
      }
      case 'closure': {
        const steps = shortestPath(this.relation(anatomy.of), from, to);
        if (!steps) return [leaf(of, from, to, names)];
        return steps.slice(1).flatMap((event, n) => this.path(anatomy.of, steps[n]!, event, names));
      }
      case 'sequence':
        return this.sequence(of, anatomy.parts, from, to, names);
      case 'leaf':
        return [leaf(of, from, to, names)];
    }
  }

  private holds(of: Compiled, from: number, to: number): boolean {
    return of.isClosed && this.relation(of).has(from, to);
  }

  private sequence(
    of: Compiled,
    parts: readonly Compiled[],
    from: number,
    to: number,
    names: readonly string[],
  ): readonly Edge[] {
    if (!parts.every(({ isClosed }) => isClosed)) return [leaf(of, from, to, names)];
    const stops = this.stops(parts, from, to);
    if (!stops) return [leaf(of, from, to, names)];
    const steps = parts
      .map((part, n) => ({ part, from: stops[n]!, to: stops[n + 1]! }))
      .filter(({ part }) => [...this.relation(part).pairs()].some(([x, y]) => x !== y));
    // What an axiom itself writes in a row is a row of edges; in a definition it is one edge, which the definition names.
    const way = steps.flatMap((step) => this.path(step.part, step.from, step.to, names));
    if (names.length === 0) return way;
    // `[A]; po` orders because of A: program order alone would be no reason.
    if (steps.length === 1 && !way.some((edge) => programOrder.has(edge.names.at(-1) ?? ''))) return way;
    const via = [...new Set(stops)].filter((event) => event !== from && event !== to);
    return [{ ...leaf(of, from, to, names), via }];
  }

  /** Events between the operands of `;`, the ends included. */
  private stops(parts: readonly Compiled[], from: number, to: number): readonly number[] | undefined {
    const [first, ...rest] = parts;
    if (!first) return from === to ? [from] : undefined;
    for (const next of this.relation(first).successors(from)) {
      const behind = this.stops(rest, next, to);
      if (behind) return [from, ...behind];
    }
    return undefined;
  }

  violation(check: Check, value: Value): Violation {
    const events = witnessOf(check, value);
    const { of, kind } = check;
    const pairs =
      kind === 'empty'
        ? events.length === 2
          ? [[events[0]!, events[1]!] as const]
          : []
        : events.map((event, n) => [event, events[(n + 1) % events.length]!] as const);
    if (kind === 'irreflexive' && of.isClosed) {
      const reflexive = [...this.relation(of).pairs()].filter(([from, to]) => from === to);
      const ways = reflexive.map(([event]) => this.path(of, event, event));
      const shortest = ways.reduce((best, way) => (way.length < best.length ? way : best), ways[0] ?? []);
      return { axiom: check.name, kind, edges: shortest };
    }
    return { axiom: check.name, kind, edges: pairs.flatMap(([from, to]) => this.path(of, from, to)) };
  }
}

const leaf = (of: Compiled, from: number, to: number, names: readonly string[]): Edge => ({
  from,
  to,
  names,
  text: textOf(of.span),
  via: [],
});
