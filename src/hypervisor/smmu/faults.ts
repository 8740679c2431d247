// What the SMMU tells by interrupt (Arm IHI 0070, "Faults, errors and Event queue"): faults of streams, which are counted for the VM that has
// the stream, and global errors. The first fault of a stream is told on the hypervisor's console.

import type { Activity } from '../../arch/resident.ts';
import { type Rhyper, vmAt } from '../context.ts';
import { limits } from '../limits.ts';
import { lock, readSmmu, takeEvents, unlock, writeSmmu } from './queues.ts';
import { eventNames } from './registers.ts';
import type { StreamRecord } from './state.ts';
import { mute, recordOf } from './streams.ts';

/** The third word of a record, as far as it is of interest: RnW. */
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

function* noteEvent(rhyper: Rhyper, words: readonly number[]): Activity {
  const [first = 0, streamId = 0, , flags = 0, low = 0, high = 0] = words;
  rhyper.state.smmu.events += 1;
  const stream = recordOf(rhyper, streamId);
  if (!stream) return;
  stream.faults += 1;
  stream.lastEvent = first & 0xff;
  stream.lastIsWrite = (flags & RnW) === 0 ? 1 : 0;
  stream.lastAddress = (high & 0x1f_ffff) * twoTo32 + low;
  if (stream.faults === 1) tell(rhyper, stream);
  if (stream.faults >= limits.recordedFaults && stream.isMuted === 0) yield* mute(rhyper, stream);
}

function* noteErrors(rhyper: Rhyper): Activity {
  const GERROR = yield* readSmmu(rhyper, 'GERROR');
  const active = GERROR ^ (yield* readSmmu(rhyper, 'GERRORN'));
  if (active === 0) return;
  rhyper.state.smmu.globalErrors += 1;
  rhyper.port.log(`the SMMU reports a global error: SMMU_GERROR ${hex(active)}`);
  yield* writeSmmu(rhyper, 'GERRORN', GERROR);
}

/** An interrupt of the SMMU; false where it is of something else. */
export function* smmuInterrupt(rhyper: Rhyper, intid: number): Activity<boolean> {
  const { smmu } = rhyper.platform;
  if (!smmu || rhyper.state.smmu.isOn === 0) return false;
  if (intid === smmu.intids.gerror) yield* noteErrors(rhyper);
  else if (intid !== smmu.intids.eventq) return false;
  else yield* drainEvents(rhyper);
  return true;
}

/** Reads the records that there are. */
export function* drainEvents(rhyper: Rhyper): Activity {
  if (rhyper.state.smmu.isOn === 0) return;
  yield* lock(rhyper);
  for (const words of yield* takeEvents(rhyper)) yield* noteEvent(rhyper, words);
  unlock(rhyper);
}
