// A memory model that a cat file defines. It judges complete executions: it cannot prune an exploration.

import { EventSet, Relation } from '../relation.ts';
import type { Execution, Judgement, Model } from '../execution.ts';
import { candidateOf, type Detail } from './candidate.ts';
import { compileFile, elementsOf, type Check, type Choice, type FindFile } from './compile-instructions.ts';
import { Budget, slotValue, type Frame, type Slot } from './compiled.ts';
import { Anatomist, witnessOf, type Violation } from './edges.ts';
import { Slots, type Scope } from './scope.ts';
import { refuse, textOf, type Source } from './source.ts';
import { asRelation, type Value } from './values.ts';

export interface CatOptions {
  readonly findFile: FindFile;
  /** Names that `if "…"` finds true, such as 'mixed'. */
  readonly variants?: ReadonlySet<string>;
  /** The detailed form of an execution, for models that speak of register events. */
  readonly detail?: (execution: Execution) => Detail;
}

export interface CatModel extends Model {
  /** It speaks of register events. */
  readonly isDetailed: boolean;
  /** Every axiom that fails, with its cycle; empty for an execution that is allowed. */
  violations(execution: Execution): readonly Violation[];
  /** Names of the flags that an execution raises. */
  flags(execution: Execution): readonly string[];
  /** A relation of the model by its name, as the end of the file sees it; undefined if it has none of that name. */
  relation(execution: Execution, name: string): Relation | undefined;
}

interface Failure {
  readonly check: Check;
  readonly value: Value;
}

/** Of more ways to choose, the others are not told. */
const mostWays = 8;

/** The file that every model begins with, from the library. */
const standardLibrary = 'stdlib.cat';

const costOf: Record<Check['kind'], number> = { empty: 0, irreflexive: 1, acyclic: 2 };

export function loadCat(source: Source, options: CatOptions): CatModel {
  const slots = new Slots();
  const checks: Check[] = [];
  const choices: Choice[] = [];
  const model = { name: undefined, checks, choices };
  const variants = options.variants ?? new Set<string>();
  const loading = { slots, variants, model, findFile: options.findFile, includedBy: [] };
  const library = options.findFile(standardLibrary, source);
  const scope = compileFile(source, library ? compileFile(library, undefined, loading) : undefined, loading);
  const name = (model.name as string | undefined) ?? source.path;
  if (slots.needsDetail && !options.detail)
    refuse('this model speaks of register events, which this kind of program does not tell', {
      source,
      start: 0,
      end: 0,
    });
  const result = new LoadedModel(name, slots, checks, choices, scope, options);
  result.judge(noEvents);
  return result;
}

/** What is wrong with the types of a model shows without any event. */
const noEvents: Execution = {
  events: [],
  relations: {
    po: new Relation(0),
    rf: new Relation(0),
    co: new Relation(0),
    addr: new Relation(0),
    data: new Relation(0),
    ctrl: new Relation(0),
    pickAddr: new Relation(0),
    pickData: new Relation(0),
    pickCtrl: new Relation(0),
    lxsx: new Relation(0),
    amo: new Relation(0),
    hu: new Relation(0),
    walk: new Relation(0),
    iicoOrder: new Relation(0),
  },
};

/** The execution that was judged last: the next one may differ in its coherence order only, and then keeps what does not depend on it. */
interface Last {
  readonly execution: Execution;
  readonly detail: Detail | undefined;
  readonly values: (Value | undefined)[];
  /** Of the axioms that do not depend on coherence order; null where they hold. */
  fixed: Failure | null | undefined;
}

class LoadedModel implements CatModel {
  readonly name: string;
  readonly isDetailed: boolean;
  readonly hasTranslation: boolean;
  private readonly axioms: readonly Check[];
  private readonly assertions: readonly Check[];
  private readonly reports: readonly Check[];
  private readonly choices: readonly Choice[];
  private readonly slots: readonly Slot[];
  private readonly scope: Scope | undefined;
  private readonly detail: CatOptions['detail'];
  private readonly budget = new Budget();
  private last: Last | undefined;

  constructor(
    name: string,
    slots: Slots,
    checks: readonly Check[],
    choices: readonly Choice[],
    scope: Scope | undefined,
    { detail }: CatOptions,
  ) {
    this.name = name;
    this.slots = slots.all;
    this.choices = choices;
    this.scope = scope;
    this.isDetailed = slots.needsDetail;
    this.hasTranslation = slots.hasTranslation;
    this.detail = slots.needsDetail ? detail : undefined;
    const cheapestFirst = (a: Check, b: Check): number => a.level - b.level || costOf[a.kind] - costOf[b.kind];
    this.axioms = checks.filter(({ role }) => role === 'axiom').sort(cheapestFirst);
    this.assertions = checks.filter(({ role }) => role === 'assert');
    this.reports = checks.filter(({ role }) => role === 'flag' || role === 'undefined_unless');
  }

  /** What the model knows of an execution before it asks anything. */
  private begin(execution: Execution): { readonly frame: Frame; readonly last: Last } {
    const { events, relations } = execution;
    const known = this.last?.execution;
    if (
      !this.last ||
      known?.events !== events ||
      known.relations.rf !== relations.rf ||
      known.relations.po !== relations.po
    )
      this.last = {
        execution,
        detail: events.length === 0 ? undefined : this.detail?.(execution),
        values: [],
        fixed: undefined,
      };
    else this.forget(this.last.values, 1);
    const { last } = this;
    this.budget.reset();
    return {
      frame: { candidate: candidateOf(execution, last.detail), values: last.values, budget: this.budget },
      last,
    };
  }

  /** Forgets the values of a level and above. */
  private forget(values: (Value | undefined)[], level: number): void {
    for (const { index, definition } of this.slots) if (definition.level >= level) values[index] = undefined;
  }

  private firstFailure(frame: Frame, wanted: (level: number) => boolean): Failure | undefined {
    for (const check of this.axioms) {
      if (!wanted(check.level)) continue;
      const value = check.fails(frame);
      if (value !== undefined) return { check, value };
    }
    return undefined;
  }

  /** The failure that no choice from the n-th on avoids; `onFailure` hears of that of each way to choose, if there is any. */
  private choose(frame: Frame, n: number, onFailure?: (failure: Failure) => void): Failure | undefined {
    const choice = this.choices[n];
    if (!choice) return undefined;
    const { slot, from } = choice;
    const { span } = slot.definition;
    const members = elementsOf(from.code(frame, undefined), span);
    if (members.length === 0) return { check: nothingToChoose(choice), value: new EventSet(0) };
    let failure: Failure | undefined;
    for (const member of members) {
      this.forget(frame.values, 2 + n);
      frame.values[slot.index] = member;
      failure = frame.budget.enter(span, () => {
        const own = this.firstFailure(frame, (level) => level === 2 + n);
        if (own) onFailure?.(own);
        return own ?? this.choose(frame, n + 1, onFailure);
      });
      if (!failure) return undefined;
    }
    return failure;
  }

  private failure(frame: Frame, last: Last, onFailure?: (failure: Failure) => void): Failure | undefined {
    if (last.fixed === undefined) {
      this.assert(frame, (level) => level === 0);
      last.fixed = this.firstFailure(frame, (level) => level === 0) ?? null;
    }
    if (last.fixed) return last.fixed;
    this.assert(frame, (level) => level === 1);
    return this.firstFailure(frame, (level) => level === 1) ?? this.choose(frame, 0, onFailure);
  }

  /** What `assert` states is checked for each execution; where it fails, the model does not fit the program. */
  private assert(frame: Frame, wanted: (level: number) => boolean): void {
    for (const check of this.assertions)
      if (wanted(check.level) && check.fails(frame) !== undefined)
        refuse(`the assertion does not hold for this program: ${textOf(check)}`, check);
  }

  judge(execution: Execution): Judgement {
    const { frame, last } = this.begin(execution);
    const failure = this.failure(frame, last);
    if (!failure) return { isAllowed: true };
    const { check, value } = failure;
    return {
      isAllowed: false,
      axiom: check.name,
      // Most judgements are counted only.
      get cycle() {
        return witnessOf(check, value);
      },
    };
  }

  violations(execution: Execution): readonly Violation[] {
    const { frame, last } = this.begin(execution);
    const ways = new Map<string, Violation>();
    const failure = this.failure(frame, last, ({ check, value }) => {
      if (ways.size === mostWays) return;
      const way = new Anatomist(frame).violation(check, value);
      ways.set(`${way.axiom} ${way.edges.map(({ from, to }) => `${from} ${to}`).join()}`, way);
    });
    if (!failure) return [];
    const anatomist = new Anatomist(frame);
    if (failure.check.level >= 2) {
      const [first = anatomist.violation(failure.check, failure.value), ...otherWays] = ways.values();
      return [{ ...first, ...(otherWays.length > 0 && { otherWays }) }];
    }
    return this.axioms
      .filter(({ level }) => level < 2)
      .flatMap((check) => {
        const value = check.fails(frame);
        return value === undefined ? [] : [anatomist.violation(check, value)];
      });
  }

  flags(execution: Execution): readonly string[] {
    const { frame, last } = this.begin(execution);
    if (this.failure(frame, last)) return [];
    return this.reports
      .filter((check) => (check.fails(frame) === undefined) === (check.role === 'flag'))
      .map(({ name }) => name);
  }

  relation(execution: Execution, name: string): Relation | undefined {
    const { frame, last } = this.begin(execution);
    this.failure(frame, last);
    for (let at = this.scope; at; at = at.outer) {
      if (at.name !== name || at.entry.kind !== 'slot') continue;
      return asRelation(slotValue(frame, at.entry.slot), frame.candidate.size, at.entry.slot.definition.span);
    }
    return undefined;
  }
}

/** The test that stands for a choice from nothing. */
const nothingToChoose = ({ slot, from }: Choice): Check => ({
  ...from.span,
  name: `with ${slot.name ?? ''}`,
  role: 'axiom',
  kind: 'empty',
  isNegated: true,
  level: slot.definition.level,
  of: from,
  fails: () => undefined,
});
