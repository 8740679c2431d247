// The result of a litmus test in the text of herd7, which other tools read: Test, States, the states, Ok or No, Witnesses, Condition,
// Observation. Witnesses are counted in states, where herd7 counts executions; its Hash is left out.

import type { LitmusResult } from '../explore/litmus.ts';
import type { Quantifier } from '../memory-model/litmus/test.ts';

const kinds: Readonly<Record<Quantifier, string>> = { exists: 'Allowed', '~exists': 'Forbidden', forall: 'Required' };

export function litmusText(result: LitmusResult, seconds?: number): string {
  const { name, quantifier, proposition, states, fulfilling, others, observation, verdict } = result;
  const [positive, negative] = quantifier === '~exists' ? [others, fulfilling] : [fulfilling, others];
  const lines = [
    `Test ${name} ${kinds[quantifier]}`,
    `States ${states.length}`,
    ...states,
    `${result.hasBound ? 'Loop ' : ''}${verdict}`,
    'Witnesses',
    `Positive: ${positive} Negative: ${negative}`,
    ...(result.isComplete ? [] : ['Flag Incomplete: stopped before its end, there may be more states']),
    `Condition ${quantifier} (${proposition})`,
    `Observation ${name} ${observation} ${fulfilling} ${others}`,
    ...(seconds === undefined ? [] : [`Time ${name} ${seconds.toFixed(2)}`]),
  ];
  return `${lines.join('\n')}\n\n`;
}
