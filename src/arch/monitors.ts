// The exclusive monitors of a machine, and the lock of its accesses of 16 bytes, where state-layout.ts has them.

import { createExclusiveMonitors, type ExclusiveMonitors } from '../memory/exclusive-monitors.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { createPairs, type Pairs } from '../memory/pairs.ts';
import { createSharedMonitors } from '../memory/shared-monitors.ts';
import type { Concurrency } from './pe.ts';
import {
  lineHoldsPair,
  lineIsBeforeMonitored,
  lineIsMonitored,
  lineMapOffset,
  linePairIsReady,
  lineShift,
  monitorTableOffset,
  pairLockOffset,
} from './state-layout.ts';

/** `count`: PEs of the machine. */
export function monitorsOf(memory: MemoryViews, count: number, concurrency?: Concurrency): ExclusiveMonitors {
  return (concurrency ? createSharedMonitors : createExclusiveMonitors)(memory, {
    tableOffset: monitorTableOffset,
    lineMapOffset,
    lineShift,
    monitored: lineIsMonitored,
    beforeMonitored: lineIsBeforeMonitored,
    count,
  });
}

export const pairsOf = (memory: MemoryViews, { awaitOthers }: Concurrency): Pairs =>
  createPairs(memory, {
    lockOffset: pairLockOffset,
    lineMapOffset,
    lineShift,
    holdsPair: lineHoldsPair,
    pairIsReady: linePairIsReady,
    awaitOthers,
  });
