// A message to another core and its answer, for whoever wants to know what that costs (`heddle bench ipi`). Not a call of the ancestor.

import { type Activity, work } from '../../arch/resident.ts';
import { coreAt, type Rhyper } from '../context.ts';
import { type Ipi, sendIpi } from '../ipi.ts';
import { costs } from '../options.ts';
import type { Hypercall, HypercallRow } from './hypercall.ts';

const fid = 0;
const pingEvent = { ask: 0, answer: 1 } as const;

/** A core that takes so long, 1 ms, does not answer: its VM takes the interrupts itself. */
const mostPolls = 20_000;

/** SYS PING_CORE: X0 a core; 0 when its hypervisor has answered. */
function* pingCore(rhyper: Rhyper, { caller, args }: Hypercall): Activity<bigint | undefined> {
  const target = args[0] ?? 0n;
  if (target >= BigInt(rhyper.platform.coreCount)) return undefined;
  const { core } = rhyper;
  const number = core.pings + 1;
  core.pings = number;
  yield* sendIpi(rhyper, Number(target), { kind: 'Hvc', vm: caller.id, a: pingEvent.ask, b: rhyper.index, c: number });
  for (let n = 0; n < mostPolls; n += 1) {
    yield* rhyper.serveIpis();
    if (core.pingAnswered === number) return 0n;
    yield* work(costs.ipi);
  }
  return undefined;
}

/** The message arrives: it is answered, or it is the answer. */
export function* handlePingIpi(rhyper: Rhyper, { vm, a, b = 0, c = 0 }: Ipi): Activity {
  if (a === pingEvent.ask) yield* sendIpi(rhyper, b, { kind: 'Hvc', vm, a: pingEvent.answer, c });
  else coreAt(rhyper, rhyper.index).pingAnswered = c;
}

export const pingCalls: readonly HypercallRow[] = [
  { fid, event: 0x40, name: 'SYS PING_CORE', manager: true, handle: pingCore },
];
