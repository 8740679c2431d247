import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor, initialTransition, transition } from 'xstate';
import { type InterruptEvent, interruptEvents, interruptMachine } from '../../../actors/gic/interrupt-lifecycle.ts';
import { InterruptState, setBit, test } from '../../../actors/gic/interrupt-state.ts';

const intid = 45;
const triggers = ['edge', 'level'] as const;

/** The bitmaps' side of an event; the machine decides whether it may happen. */
function apply(state: InterruptState, event: InterruptEvent): void {
  switch (event) {
    case 'RAISE': {
      state.raise(intid);
      return;
    }
    case 'LOWER': {
      state.lower(intid);
      return;
    }
    case 'PEND': {
      state.pend(intid);
      return;
    }
    case 'UNPEND': {
      state.unpend(intid);
      return;
    }
    case 'OFFER': {
      state.offer(intid);
      return;
    }
    case 'REISSUE': {
      state.reissue(intid);
      return;
    }
    case 'ACTIVATE': {
      state.activate(intid);
      return;
    }
    case 'RELEASE': {
      state.release(intid);
      return;
    }
    case 'DEACTIVATE': {
      state.deactivate(intid);
      return;
    }
    case 'SET_ACTIVE': {
      setBit(state.active, intid);
      return;
    }
  }
}

const nameOf = (state: InterruptState): string => {
  const pending = state.isPending(intid);
  if (test(state.active, intid)) return pending ? 'activeAndPending' : 'active';
  return pending ? 'pending' : 'inactive';
};

function stateOfTrigger(trigger: (typeof triggers)[number]): InterruptState {
  const state = new InterruptState(2);
  if (trigger === 'edge') setBit(state.edge, intid);
  return state;
}

const walk = (trigger: (typeof triggers)[number], events: readonly InterruptEvent[]): unknown => {
  const actor = createActor(interruptMachine, { input: { trigger } }).start();
  for (const type of events) actor.send({ type });
  return actor.getSnapshot().value;
};

describe('the lifecycle of an interrupt', () => {
  it('an edge-triggered interrupt that is acknowledged is active, and inactive once it is deactivated', () => {
    expect(walk('edge', ['RAISE'])).toBe('pending');
    expect(walk('edge', ['RAISE', 'LOWER'])).toBe('pending');
    expect(walk('edge', ['RAISE', 'OFFER', 'ACTIVATE'])).toBe('active');
    expect(walk('edge', ['RAISE', 'OFFER', 'ACTIVATE', 'DEACTIVATE'])).toBe('inactive');
  });

  it('an edge while it is active makes it active and pending', () => {
    expect(walk('edge', ['RAISE', 'LOWER', 'OFFER', 'ACTIVATE', 'RAISE'])).toBe('activeAndPending');
    expect(walk('edge', ['RAISE', 'LOWER', 'OFFER', 'ACTIVATE', 'RAISE', 'DEACTIVATE'])).toBe('pending');
  });

  it('an edge between the offer and the acknowledge is not lost', () => {
    expect(walk('edge', ['PEND', 'OFFER', 'PEND', 'ACTIVATE'])).toBe('activeAndPending');
    expect(walk('edge', ['PEND', 'OFFER', 'PEND', 'REISSUE', 'ACTIVATE'])).toBe('activeAndPending');
  });

  it('an edge that came before the acknowledge is the same interrupt', () => {
    expect(walk('edge', ['PEND', 'OFFER', 'PEND', 'REISSUE', 'RELEASE', 'ACTIVATE'])).toBe('active');
    expect(walk('edge', ['PEND', 'OFFER', 'PEND', 'RELEASE', 'OFFER', 'ACTIVATE'])).toBe('active');
  });

  it('a level-sensitive interrupt stays pending while its line is high', () => {
    expect(walk('level', ['RAISE', 'OFFER', 'ACTIVATE'])).toBe('activeAndPending');
    expect(walk('level', ['RAISE', 'OFFER', 'ACTIVATE', 'LOWER'])).toBe('active');
    expect(walk('level', ['RAISE', 'UNPEND'])).toBe('pending');
    expect(walk('level', ['RAISE', 'LOWER'])).toBe('inactive');
  });

  it.each(triggers)('the bitmaps and the machine agree over random events (%s)', (trigger) => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...interruptEvents), { minLength: 1, maxLength: 80 }), (events) => {
        const bits = stateOfTrigger(trigger);
        let [snapshot] = initialTransition(interruptMachine, { trigger });
        for (const type of events) {
          if (!snapshot.can({ type })) continue;
          [snapshot] = transition(interruptMachine, snapshot, { type });
          apply(bits, type);
          expect(nameOf(bits)).toBe(snapshot.value);
          const { latch, again, carried, offered, reissued, line } = snapshot.context;
          const ofBits = [bits.latch, bits.again, bits.carried, bits.offered, bits.reissued, bits.line];
          expect(ofBits.map((bitmap) => test(bitmap, intid))).toEqual([latch, again, carried, offered, reissued, line]);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
