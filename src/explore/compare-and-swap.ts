// How a compare and swap that reads what may be open succeeds or fails, and what its success says of what it has read (Arm DDI 0487, CAS and
// CASP). What its register depends on then is in register-sources.ts.

import type { TraceRead } from '../engine/trace-state.ts';
import { dependsOn, type TraceValue } from '../engine/trace-values.ts';
import { type ChoicePoint, choose } from './choices.ts';
import type { LocalEvent } from './local-event.ts';
import { slice } from './memory-parts.ts';

/** Whether it succeeds: by the values where they are known; an earlier choice has to agree. */
export function compare(
  { bits, elements }: TraceRead,
  reads: readonly number[],
  expected: readonly TraceValue[],
  point: ChoicePoint,
): boolean | undefined {
  const known = expected.map((value, n) =>
    value.open === undefined && elements![n]!.open === undefined ? value.bits === bits[n] : undefined,
  );
  const byValues = known.includes(false) ? false : known.includes(undefined) ? undefined : true;
  const needed = dependsOn(expected.filter(({ open }) => open !== undefined));
  // What memory is compared with first: then whether there is a write is known as soon as where it would come in coherence order.
  const chosen = choose(point, { kind: 'compare and swap', reads: [...needed, ...reads] }, byValues);
  if (chosen !== undefined && byValues !== undefined && chosen !== byValues) point.choices.isContradicted = true;
  return chosen;
}

/** What is read is what is expected; so far as the one is known, the other is. The events of its reads, for each element, learn it. */
export function expectRead(
  events: LocalEvent[],
  result: TraceRead,
  reads: readonly (readonly number[])[],
  expected: readonly TraceValue[],
): TraceRead {
  reads.forEach((ofElement, n) => {
    const { open, bits } = expected[n]!;
    if (open !== undefined) return;
    const first = events[ofElement[0]!]!.address;
    for (const at of ofElement) {
      const event = events[at]!;
      events[at] = { ...event, value: slice(bits, event.address - first, event.bytes) };
    }
  });
  const elements = result.elements!.map((element, n) => ({ ...element, open: expected[n]!.open }));
  return { ...result, bits: expected.map(({ bits }) => bits), elements };
}
