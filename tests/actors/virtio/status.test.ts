import { describe, expect, it } from 'vitest';
import { deviceLifecycle, type DeviceState } from '../../../actors/virtio/status.ts';

describe('the lifecycle of a virtio device', () => {
  it('reaches every state', () => {
    const states: DeviceState[] = ['reset', 'acknowledged', 'driven', 'negotiated', 'live', 'broken', 'failed'];
    expect([...deviceLifecycle.states].sort()).toEqual(states.sort());
  });

  it('leads from every state to reset', () => {
    for (const state of deviceLifecycle.states) expect(deviceLifecycle.next(state, 'RESET')).toBe('reset');
  });

  it('has no way out of broken and of failed but the reset', () => {
    for (const state of ['broken', 'failed'] as const)
      for (const event of deviceLifecycle.events)
        if (event !== 'RESET' && event !== 'FAILED') expect(deviceLifecycle.next(state, event)).toBeUndefined();
  });

  it('needs a reset only of a device that has looked at rings', () => {
    const breaking = deviceLifecycle.states.filter((state) => deviceLifecycle.next(state, 'BROKEN') === 'broken');
    expect(breaking.sort()).toEqual(['live', 'negotiated']);
  });
});
