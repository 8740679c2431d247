// Records of the Event queue (Arm IHI 0070, "Faults, errors and Event queue"): each is counted for its stream, and the first of a stream
// is told on the hypervisor's console.

import { type Activity, work } from '../../arch/resident.ts';
import { type Rhyper, vmAt } from '../context.ts';
import { costs } from '../options.ts';
import { takeEvents } from './queues.ts';
import { eventNames } from './registers.ts';
import type { StreamRecord } from './state.ts';
import { recordOf } from './stream-records.ts';

/** The fourth word of a record, as far as it is of interest: RnW. */
const RnW = 1 << 3;
const twoTo32 = 2 ** 32;
const hex = (value: number): string => `0x${value.toString(16)}`;

/** Events that tell an address begin here. */
const firstWithAddress = 0x0b;

function tell(rhyper: Rhyper, stream: StreamRecord): void {
  const { owner, streamId, lastEvent, lastAddress, lastIsWrite } = stream;
  const name = eventNames[lastEvent] ?? `event ${hex(lastEvent)}`;
  const vm = owner === 0 ? undefined : vmAt(rhyper, owner - 1);
  const whose = vm ? `VM ${vm.id} (${vm.name})` : 'nobody’s device';
  const what = lastIsWrite === 0 ? 'read of' : 'write to';
  const where = lastEvent < firstWithAddress ? 'access' : `${what} ${hex(lastAddress)}`;
  rhyper.port.log(`${whose}: stream ${streamId}: a device's ${where} is aborted, ${name}`);
}

function noteEvent(rhyper: Rhyper, words: readonly number[]): void {
  const [first = 0, streamId = 0, , flags = 0, low = 0, high = 0] = words;
  rhyper.state.smmu.events += 1;
  const stream = recordOf(rhyper, streamId);
  if (!stream) return;
  stream.faults += 1;
  stream.lastEvent = first & 0xff;
  stream.lastIsWrite = (flags & RnW) === 0 ? 1 : 0;
  stream.lastAddress = (high & 0x1f_ffff) * twoTo32 + low;
  if (stream.faults === 1) tell(rhyper, stream);
}

/** Looks for records, whosever they are. */
export function* hearFaults(rhyper: Rhyper): Activity {
  if (rhyper.state.smmu.isOn === 0) return;
  yield* takeEvents(rhyper, (words) => {
    noteEvent(rhyper, words);
  });
  yield* work(costs.eventQueue);
}
