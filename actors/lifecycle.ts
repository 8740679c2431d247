// A lifecycle is drawn and written as an xstate machine. Sending an event to a machine costs 5 to 14 µs, so a machine without
// context is walked once, by xstate's own pure transition, into a table (state × event → state) that the actors use.

import { type AnyStateMachine, initialTransition, transition } from 'xstate';
import { assert } from '../src/report/assert.ts';

export interface Lifecycle<State extends string, Event extends string> {
  readonly initial: State;
  /** Every state that some sequence of events reaches, the initial one first. */
  readonly states: readonly State[];
  readonly events: readonly Event[];
  /** The state after the event; undefined where the machine does not take the event in this state. */
  next(state: State, event: Event): State | undefined;
}

/** Compiles a machine whose states are flat and whose transitions depend on the state alone. */
export function compileLifecycle<State extends string, Event extends string>(
  machine: AnyStateMachine,
  events: readonly Event[],
): Lifecycle<State, Event> {
  const [start] = initialTransition(machine);
  const reached = new Map([[stateName(start.value) as State, start]]);
  const table = new Map<State, Partial<Record<Event, State>>>();
  for (const [state, snapshot] of reached) {
    const row: Partial<Record<Event, State>> = {};
    for (const type of events) {
      if (!snapshot.can({ type })) continue;
      const [after] = transition(machine, snapshot, { type });
      const name = stateName(after.value) as State;
      row[type] = name;
      if (!reached.has(name)) reached.set(name, after);
    }
    table.set(state, row);
  }
  return {
    initial: stateName(start.value) as State,
    states: [...reached.keys()],
    events,
    next: (state, event) => table.get(state)?.[event],
  };
}

function stateName(value: unknown): string {
  assert(typeof value === 'string', 'a compiled lifecycle has flat states');
  return value;
}
