// Messages between the cores of the hypervisor: a queue in each core's record, and SGI 1 to say that there is something in it.

import { type Activity, dsbStores, work } from '../arch/resident.ts';
import { assert } from '../report/assert.ts';
import { coreAt, hasQuirk, type Rhyper } from './context.ts';
import { hold } from './hold.ts';
import { limits } from './limits.ts';
import { costs } from './options.ts';
import { type IpiMessage, ipiKinds } from './state.ts';
import { gicOf } from './vgic/gic.ts';

export type IpiKind = Exclude<(typeof ipiKinds)[number], ''>;

/** The fields of a message, by value. */
export interface Ipi {
  readonly kind: IpiKind;
  readonly vm: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly low?: bigint;
  readonly high?: bigint;
}

const numberOf = (kind: IpiKind): number => ipiKinds.indexOf(kind);

function copyInto(record: IpiMessage, source: number, ipi: Ipi): void {
  record.kind = numberOf(ipi.kind);
  record.source = source;
  record.vm = ipi.vm;
  record.a = ipi.a ?? 0;
  record.b = ipi.b ?? 0;
  record.c = ipi.c ?? 0;
  record.valueLow = ipi.low ?? 0n;
  record.valueHigh = ipi.high ?? 0n;
}

const valueOf = (record: IpiMessage): Ipi => ({
  kind: ipiKinds[record.kind] as IpiKind,
  vm: record.vm,
  a: record.a,
  b: record.b,
  c: record.c,
  low: record.valueLow,
  high: record.valueHigh,
});

/** Puts a message into the queue of a core, this one included, and rings. A full queue makes the sender wait. */
export function* sendIpi(rhyper: Rhyper, target: number, ipi: Ipi): Activity {
  yield* work(costs.ipi);
  const core = coreAt(rhyper, target);
  while (core.ipiCount === limits.ipis) yield* work(costs.ipi);
  copyInto(core.ipis[core.ipiCount] as IpiMessage, rhyper.index, ipi);
  core.ipiCount += 1;
  const at = numberOf(ipi.kind);
  rhyper.core.ipisSent[at] = (rhyper.core.ipisSent[at] as bigint) + 1n;
  if (yield* hold(rhyper, core)) return;
  // The message is there for every observer before the interrupt is: a DMB would order it before later accesses to memory only, and
  // a DSB of all accesses would wait until the GIC has heard of the interrupts that this core has just ended.
  yield* dsbStores();
  yield* gicOf(rhyper).ring(rhyper, core);
}

/** Takes the next message of this core, or undefined. */
export function takeIpi(rhyper: Rhyper): Ipi | undefined {
  const { core } = rhyper;
  if (core.ipiCount === 0) return undefined;
  const newestFirst = hasQuirk(rhyper, 'lifo-ipi');
  const taken = valueOf(core.ipis[newestFirst ? core.ipiCount - 1 : 0] as IpiMessage);
  core.ipiCount -= 1;
  if (!newestFirst) {
    for (let n = 0; n < core.ipiCount; n += 1) {
      const next = core.ipis[n + 1] as IpiMessage;
      copyInto(core.ipis[n] as IpiMessage, next.source, valueOf(next));
    }
  }
  const at = numberOf(taken.kind);
  assert(at >= 0, 'a message has a kind');
  core.ipisReceived[at] = (core.ipisReceived[at] as bigint) + 1n;
  return taken;
}
