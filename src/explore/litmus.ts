// A litmus test explored to its end: its final states as herd7 spells them, and whether its condition holds.

import type { Model } from '../memory-model/execution.ts';
import type { LitmusProgram } from '../memory-model/litmus/program.ts';
import { arraysOf, spellProposition } from '../memory-model/litmus/spelling.ts';
import type { Quantifier } from '../memory-model/litmus/test.ts';
import { explore } from './explore.ts';
import type { OrderingModel } from './local-event.ts';

export type Observation = 'Never' | 'Sometimes' | 'Always';
/** 'Undef': what was found does not decide it, and not all was looked at. */
export type Verdict = 'Ok' | 'No' | 'Undef';

export interface LitmusResult {
  readonly name: string;
  readonly quantifier: Quantifier;
  /** What the quantifier ranges over, as herd7 spells it. */
  readonly proposition: string;
  /** Different from each other, in the order of herd7. */
  readonly states: readonly string[];
  /** States that fulfil the proposition, and the others. */
  readonly fulfilling: number;
  readonly others: number;
  readonly observation: Observation;
  readonly verdict: Verdict;
  /** False where the exploration was stopped before its end. */
  readonly isComplete: boolean;
  /** A loop was cut at its bound: there may be more states. */
  readonly hasBound: boolean;
  readonly executions: number;
}

export function runLitmus(
  { test, program, finalStates }: LitmusProgram,
  model: OrderingModel | Model,
  shouldStop: () => boolean = () => false,
): LitmusResult {
  const { outcomes, isComplete, hasBound, executions } = explore(program, model, { shouldStop });
  const looked = outcomes
    .map(({ state }) => state)
    .filter((state) => finalStates.isLookedAt(state))
    .sort((a, b) => finalStates.compare(a, b));
  // States that differ only in what is not printed are one.
  const spelled = new Map(looked.map((state) => [finalStates.spell(state), finalStates.fulfils(state)]));
  const fulfilling = [...spelled.values()].filter(Boolean).length;
  const others = spelled.size - fulfilling;
  const { quantifier, proposition } = test.condition;
  return {
    name: test.name,
    quantifier,
    proposition: spellProposition(proposition, arraysOf(test)),
    states: [...spelled.keys()],
    fulfilling,
    others,
    observation: fulfilling === 0 ? 'Never' : others === 0 ? 'Always' : 'Sometimes',
    verdict: verdictOf(quantifier, fulfilling, others, isComplete),
    isComplete,
    hasBound,
    executions,
  };
}

function verdictOf(quantifier: Quantifier, fulfilling: number, others: number, isComplete: boolean): Verdict {
  const decides = quantifier === 'forall' ? others > 0 : fulfilling > 0;
  if (decides) return quantifier === 'exists' ? 'Ok' : 'No';
  if (!isComplete) return 'Undef';
  return quantifier === 'exists' ? 'No' : 'Ok';
}
