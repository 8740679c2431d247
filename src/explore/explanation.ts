// Why an outcome of a program is allowed, or what forbids it: the executions that the sentences tell about are explored here.

import type { Execution, Model } from '../memory-model/execution.ts';
import { explainAllowed, explainForbidden, type Explanation, type Models } from '../memory-model/explain/explain.ts';
import type { FinalState, Program } from '../memory-model/program.ts';
import { explore } from './explore.ts';
import type { OrderingModel } from './local-event.ts';

export interface Question {
  readonly program: Program;
  /** The outcome that is asked about. */
  readonly wanted: (state: FinalState) => boolean;
  /** What decides. */
  readonly decides: OrderingModel | Model;
  /** The same model, and sequential consistency, as cat files state them: whence the words come. */
  readonly models: Models;
  readonly shouldStop?: () => boolean;
}

/** Of more executions that would give the outcome, the others are not looked at. */
const maxCandidates = 2000;

/** Accepts everything: all executions are candidates. */
const anything: Model = { name: 'anything', judge: () => ({ isAllowed: true }) };

/** undefined where the exploration was stopped before it knew. */
export function explainOutcome({ program, wanted, decides, models, shouldStop }: Question): Explanation | undefined {
  const setting = { threads: program.threads.map(({ name }) => name), memory: program.memory };
  const stop = shouldStop ? { shouldStop } : {};
  const { outcomes, isComplete } = explore(program, decides, { witnesses: true, ...stop });
  const found = outcomes.find(({ state }) => wanted(state))?.witness;
  if (found) return explainAllowed(found, models, setting);
  if (!isComplete) return undefined;
  const candidates: Execution[] = [];
  explore(program, anything, {
    onCandidate: (state, execution) => {
      if (candidates.length < maxCandidates && wanted(state)) candidates.push(execution());
    },
    shouldStop: () => candidates.length >= maxCandidates || (shouldStop?.() ?? false),
  });
  return explainForbidden(candidates, models, setting);
}
