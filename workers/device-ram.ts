// Guest RAM for the devices of a machine. They live on host 0, and so does the engine that hears first of what they write over code;
// the other hosts read of it in the log (control-block.ts) before they run anything.

import type { ActorId, Port } from '../actors/actor.ts';
import { coreMessages } from '../actors/core/messages.ts';
import { monitorsOf, pairsOf } from '../src/arch/monitors.ts';
import type { Concurrency } from '../src/arch/pe.ts';
import {
  lineHoldsCode,
  lineMapOffset,
  lineShift,
  pageShift,
  ramBase,
  touchedPageOffset,
} from '../src/arch/state-layout.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { MemoryViews } from '../src/memory/memory-views.ts';
import { makeRamPort, type RamPort } from '../src/memory/ram-port.ts';

export interface DeviceRamOptions {
  readonly views: MemoryViews;
  readonly ramBytes: number;
  readonly engine: Pick<Engine, 'codeWritten'>;
  /** Actor identities of all cores, by index. */
  readonly cores: readonly ActorId[];
  /** Given where cores of other threads run at the same time. */
  readonly concurrency?: Concurrency;
}

/** RAM as the device with this port sees it. */
export function deviceRam(
  { views, ramBytes, engine, cores, concurrency }: DeviceRamOptions,
  port: Pick<Port, 'send'>,
): RamPort {
  return makeRamPort({
    views,
    ramBase,
    ramBytes,
    lineMapOffset,
    lineShift,
    lineHoldsCode,
    touchedPageOffset,
    pageShift,
    monitors: monitorsOf(views, cores.length, concurrency),
    ...(concurrency && { pairs: pairsOf(views, concurrency) }),
    codeWritten: engine.codeWritten,
    monitorCleared: (pe) => {
      port.send(cores[pe] as ActorId, coreMessages.Event.code, []);
    },
  });
}
