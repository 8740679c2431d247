// The device status field (virtio 1.2, "Device Status Field" and "Device Initialization") and the lifecycle that it tells of.

import { createMachine } from 'xstate';
import { compileLifecycle } from '../lifecycle.ts';

export const deviceStatus = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  DEVICE_NEEDS_RESET: 64,
  FAILED: 128,
} as const;

/** The bits that a driver sets, each an event of the lifecycle, in the order of initialization. */
export const driverSteps = ['ACKNOWLEDGE', 'DRIVER', 'FEATURES_OK', 'DRIVER_OK', 'FAILED'] as const;

const deviceEvents = [...driverSteps, 'BROKEN', 'RESET'] as const;
type DeviceEvent = (typeof deviceEvents)[number];
export type DeviceState = 'reset' | 'acknowledged' | 'driven' | 'negotiated' | 'live' | 'broken' | 'failed';

/**
 *            ACKNOWLEDGE                  DRIVER             FEATURES_OK                DRIVER_OK
 *      ┌───────┐ ────► ┌──────────────┐ ────► ┌────────┐ ────────► ┌────────────┐ ────────► ┌──────┐
 *  ──► │ reset │       │ acknowledged │       │ driven │           │ negotiated │           │ live │
 *      └───────┘       └──────────────┘       └────────┘           └────────────┘           └──────┘
 *          ▲                                                              │ BROKEN              │ BROKEN
 *          │                                                              ▼                     ▼
 *          │ RESET, from every state                                 ┌────────────────────────────┐
 *          └──────────────────────────────────────────────────────── │ broken: DEVICE_NEEDS_RESET │
 *                                                                    └────────────────────────────┘
 *
 * FAILED leads from every state to failed: the driver has given up. Rings are read in the state live, and in no other. A device takes
 * FEATURES_OK only for a set of features that it can serve; otherwise the bit stays 0 and the driver can read that it does.
 */
const deviceMachine = createMachine({
  id: 'virtio-device',
  initial: 'reset',
  on: { RESET: '.reset', FAILED: '.failed' },
  states: {
    reset: { on: { ACKNOWLEDGE: 'acknowledged' } },
    acknowledged: { on: { DRIVER: 'driven' } },
    driven: { on: { FEATURES_OK: 'negotiated' } },
    negotiated: { on: { DRIVER_OK: 'live', BROKEN: 'broken' } },
    live: { on: { BROKEN: 'broken' } },
    broken: {},
    failed: {},
  },
});

export const deviceLifecycle = compileLifecycle<DeviceState, DeviceEvent>(deviceMachine, deviceEvents);
