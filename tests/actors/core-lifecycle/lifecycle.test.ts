import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { coreEvents, coreLifecycle, coreMachine } from '../../../actors/core/lifecycle.ts';
import { compileLifecycle } from '../../../actors/lifecycle.ts';

describe('the lifecycle of a core', () => {
  it('starts off, and reaches every state', () => {
    expect(coreLifecycle.initial).toBe('off');
    expect([...coreLifecycle.states].sort()).toEqual(['asleep', 'off', 'on', 'onPending', 'suspended']);
  });

  it('goes from off to on only by way of on-pending', () => {
    expect(coreLifecycle.next('off', 'BOOTED')).toBeUndefined();
    expect(coreLifecycle.next('off', 'CPU_ON')).toBe('onPending');
    expect(coreLifecycle.next('onPending', 'CPU_ON')).toBeUndefined();
    expect(coreLifecycle.next('onPending', 'BOOTED')).toBe('on');
  });

  it('sleeps and is suspended only while it is on, and wakes to on', () => {
    expect(coreLifecycle.next('on', 'SLEEP')).toBe('asleep');
    expect(coreLifecycle.next('asleep', 'WAKE')).toBe('on');
    expect(coreLifecycle.next('asleep', 'CPU_OFF')).toBeUndefined();
    expect(coreLifecycle.next('on', 'SUSPEND')).toBe('suspended');
    expect(coreLifecycle.next('suspended', 'WAKE')).toBe('on');
  });

  it('is reset from every state', () => {
    for (const state of coreLifecycle.states) expect(coreLifecycle.next(state, 'RESET')).toBe('off');
  });

  it('the table is the machine: every state and event agree with a running xstate actor', () => {
    for (const value of coreLifecycle.states) {
      for (const type of coreEvents) {
        const snapshot = coreMachine.resolveState({ value });
        const actor = createActor(coreMachine, { snapshot }).start();
        const taken = actor.getSnapshot().can({ type });
        actor.send({ type });
        const after = actor.getSnapshot().value;
        expect(coreLifecycle.next(value, type), `${value} ${type}`).toBe(taken ? after : undefined);
      }
    }
  });

  it('a machine with nested states is refused', () => {
    const nested = createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: {} } } } });
    expect(() => compileLifecycle(nested, ['X'])).toThrow(/flat states/);
  });
});
