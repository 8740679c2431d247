// Guest RAM for the devices of a machine. They live on host 0, and so does the engine that hears first of what they write over code;
// the other hosts read of it in the log (control-block.ts) before they run anything.

import type { ActorId, Port } from '../actors/actor.ts';
import { coreMessages } from '../actors/core/messages.ts';
import {
  lineHoldsCode,
  lineIsBeforeMonitored,
  lineIsMonitored,
  lineMapOffset,
  lineShift,
  monitorTableOffset,
  pageShift,
  ramBase,
  touchedPageOffset,
} from '../src/arch/state-layout.ts';
import type { Engine } from '../src/engine/engine.ts';
import { createExclusiveMonitors } from '../src/memory/exclusive-monitors.ts';
import type { MemoryViews } from '../src/memory/memory-views.ts';
import { makeRamPort, type RamPort } from '../src/memory/ram-port.ts';

export interface DeviceRamOptions {
  readonly views: MemoryViews;
  readonly ramBytes: number;
  readonly engine: Pick<Engine, 'codeWritten'>;
  /** Actor identities of all cores, by index. */
  readonly cores: readonly ActorId[];
}

/** RAM as the device with this port sees it. */
export function deviceRam({ views, ramBytes, engine, cores }: DeviceRamOptions, port: Pick<Port, 'send'>): RamPort {
  return makeRamPort({
    views,
    ramBase,
    ramBytes,
    lineMapOffset,
    lineShift,
    lineHoldsCode,
    touchedPageOffset,
    pageShift,
    monitors: createExclusiveMonitors(views, {
      tableOffset: monitorTableOffset,
      lineMapOffset,
      lineShift,
      monitored: lineIsMonitored,
      beforeMonitored: lineIsBeforeMonitored,
      count: cores.length,
    }),
    codeWritten: engine.codeWritten,
    monitorCleared: (pe) => {
      port.send(cores[pe] as ActorId, coreMessages.Event.code, []);
    },
  });
}
