// Loops of a thread: those that only wait are left out, and the others are followed a bounded number of times.
//
// An iteration that writes nothing and comes back to the state in which it began, as far as that matters, can be left out of an execution:
// every final state is reached without it, because a read less is an order less. The same holds for an iteration that does what the one
// before it did, over other reads: the earlier one can be left out.

import type { TraceValue } from '../engine/trace-values.ts';
import type { SameValue, ThreadState } from '../memory-model/program.ts';
import type { LocalEvent } from './local-event.ts';
import type { Monitor, RecorderState } from './thread-recorder.ts';

/** Where a thread was before an instruction. */
export interface Visit {
  readonly pc: bigint;
  readonly state: ThreadState;
  readonly recorder: RecorderState;
}

/** A read in the name of an open value (thread-recorder.ts, fetches.ts, walks.ts). */
const readInName = /#(\d+)/g;

const isSameValue: SameValue = (a, b) => a.bits === b.bits && a.open === b.open;

/** As isSameValue, where reads from `from` on count as those `distance` before them. */
function isSameValueEarlier(from: number, distance: number): SameValue {
  const earlier = ({ open }: TraceValue): string | undefined =>
    open?.replace(readInName, (name, read: string) => (Number(read) < from ? name : `#${Number(read) - distance}`));
  return (a, b) => a.bits === b.bits && (a.open === b.open || earlier(a) === b.open);
}

function isSameEvent(a: LocalEvent, b: LocalEvent): boolean {
  return (
    a.kind === b.kind &&
    a.address === b.address &&
    a.bytes === b.bytes &&
    a.value === b.value &&
    a.annotations.size === b.annotations.size &&
    [...a.annotations].every((name) => b.annotations.has(name))
  );
}

/** The same exclusive access was last, where reads count as those `distance` before them. */
function isSameMonitor(a: Monitor | undefined, b: Monitor | undefined, distance: number): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSameRead = (read: number, n: number): boolean => read - distance === b.reads[n];
  return a.address === b.address && a.bytes === b.bytes && a.reads.every(isSameRead);
}

/** Whether the iteration from `last`, which has just ended in `state`, can be left out; `before` is the visit before it. */
export function isIdle(
  before: Visit | undefined,
  last: Visit,
  { state, recorder }: Pick<Visit, 'state' | 'recorder'>,
  events: readonly LocalEvent[],
): boolean {
  const keepsMonitor = (distance: number): boolean =>
    !state.needsMonitor || isSameMonitor(recorder.monitor, last.recorder.monitor, distance);
  const iteration = events.slice(last.recorder.events);
  if (iteration.some(({ kind }) => kind === 'W')) return false;
  if (state.isSameAs(last.state, isSameValue) && keepsMonitor(0)) return true;
  if (!before) return false;
  const earlier = events.slice(before.recorder.events, last.recorder.events);
  return (
    earlier.length === iteration.length &&
    iteration.every((event, n) => isSameEvent(event, earlier[n]!)) &&
    (keepsMonitor(iteration.length) || keepsMonitor(0)) &&
    state.isSameAs(last.state, isSameValueEarlier(last.recorder.events, iteration.length))
  );
}
