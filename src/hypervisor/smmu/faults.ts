// What the hypervisor hears of the SMMU's faults (Arm IHI 0070, "Faults, errors and Event queue"). The Event queue is everybody's, and its
// interrupt is off: whichever core took it, the VM there would pay for the faults of another one's device. The records are looked for in
// the time of the VMs that have such devices, by vCPU 0, at most once in a time slice: on a core that it shares, when its slice has
// just begun. A look takes the same time whatever is in the queue, so that no VM feels the faults of another; what one's own
// faults take beyond that, one pays.
//
// A VM that never enters EL2 hears of its faults when it is removed, or by the look of another one. The first fault of a
// stream is told on the hypervisor's console. A global error is the hypervisor's own, and comes by interrupt.

import { type Activity, work } from '../../arch/resident.ts';
import { activeVcpu, type Rhyper, vmAt } from '../context.ts';
import { limits } from '../limits.ts';
import { costs } from '../options.ts';
import type { Vm } from '../state.ts';
import { lock, readSmmu, takeEvents, unlock, writeSmmu } from './queues.ts';
import { eventNames } from './registers.ts';
import type { StreamRecord } from './state.ts';
import { mute, recordOf } from './streams.ts';

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

/** Streams of a VM that have had so many faults that nobody wants to hear of more. */
const tedious = ({ state }: Rhyper, vm: Vm): readonly StreamRecord[] =>
  state.smmu.streams.filter(
    ({ isKnown, owner, isMuted, faults }) =>
      isKnown !== 0 && owner === vm.id + 1 && isMuted === 0 && faults >= limits.recordedFaults,
  );

/** The VM that goes on now looks for faults of its devices, where it is time. */
export function* hearOwnFaults(rhyper: Rhyper): Activity {
  const vcpu = activeVcpu(rhyper);
  if (!vcpu || vcpu.id !== 0) return;
  const vm = vmAt(rhyper, vcpu.vm);
  if (vm.hearsFaults === 0) return;
  const { ticks } = rhyper.port.counts();
  if (ticks - vm.faultsHeardAt < rhyper.options.tickTicks) return;
  vm.faultsHeardAt = ticks;
  yield* hearFaults(rhyper);
  for (const stream of tedious(rhyper, vm)) {
    yield* lock(rhyper);
    yield* mute(rhyper, stream);
    unlock(rhyper);
  }
}

/** The interrupt of a global error; false where it is of something else. */
export function* smmuInterrupt(rhyper: Rhyper, intid: number): Activity<boolean> {
  const { smmu } = rhyper.platform;
  if (!smmu || rhyper.state.smmu.isOn === 0 || intid !== smmu.gerrorIntid) return false;
  const GERROR = yield* readSmmu(rhyper, 'GERROR');
  const active = GERROR ^ (yield* readSmmu(rhyper, 'GERRORN'));
  if (active === 0) return true;
  rhyper.state.smmu.globalErrors += 1;
  rhyper.port.log(`the SMMU reports a global error: SMMU_GERROR ${hex(active)}`);
  yield* writeSmmu(rhyper, 'GERRORN', GERROR);
  return true;
}
