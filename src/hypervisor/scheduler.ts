// Which vCPU has a core: round robin over the core's queue, with a tick while there is more than one (section 1.9 of the ancestor's
// description). A core with one vCPU has no tick at all: that is how a real-time VM has its core to itself.

import { type Activity, work } from '../arch/resident.ts';
import { activeVcpu, coreAt, positionOf, type Rhyper, vcpuAt } from './context.ts';
import { costs } from './options.ts';
import { coreState, type Vcpu, vcpuState } from './state.ts';
import { setTick } from './timer.ts';
import { loadVcpu, saveVcpu } from './vcpu.ts';
import { restoreVgic, saveVgic } from './vgic/switch.ts';

const none = -1;

const placeInQueue = (rhyper: Rhyper, vcpu: Vcpu): number =>
  Array.from(rhyper.core.queue.subarray(0, rhyper.core.queueLength)).indexOf(positionOf(rhyper, vcpu));

/** Takes the active vCPU off the PE; its registers are in its record afterwards. */
function* descend(rhyper: Rhyper): Activity {
  const vcpu = activeVcpu(rhyper);
  if (!vcpu) return;
  saveVcpu(rhyper, vcpu);
  yield* saveVgic(rhyper, vcpu);
  vcpu.state = vcpuState.pending;
  rhyper.core.active = 0;
  rhyper.core.state = coreState.idle;
}

/** Puts a vCPU on the PE. It is the active one before its interrupts are restored, so that those that waited are injected. */
function* ascend(rhyper: Rhyper, vcpu: Vcpu): Activity {
  rhyper.core.active = positionOf(rhyper, vcpu) + 1;
  rhyper.core.state = coreState.running;
  vcpu.state = vcpuState.active;
  vcpu.switches += 1;
  loadVcpu(rhyper, vcpu);
  yield* restoreVgic(rhyper, vcpu);
}

/** Gives the core to a vCPU of its queue. */
function* switchTo(rhyper: Rhyper, vcpu: Vcpu): Activity {
  if (activeVcpu(rhyper) === vcpu) return;
  yield* work(costs.vcpuSwitch);
  yield* descend(rhyper);
  rhyper.core.turn = placeInQueue(rhyper, vcpu);
  yield* ascend(rhyper, vcpu);
}

/** The vCPU whose turn it is after the present one. */
function nextOf(rhyper: Rhyper): Vcpu | undefined {
  const { queueLength, queue, turn } = rhyper.core;
  for (let n = 1; n <= queueLength; n += 1) {
    const vcpu = vcpuAt(rhyper, queue[(turn + n) % queueLength] as number);
    if (vcpu.state !== vcpuState.invalid) return vcpu;
  }
  return undefined;
}

/** Gives the core to the next vCPU in turn; without one it is idle. */
export function* schedule(rhyper: Rhyper): Activity {
  rhyper.core.schedules += 1;
  yield* work(costs.schedule);
  const next = nextOf(rhyper);
  if (next) yield* switchTo(rhyper, next);
}

function adjustTick(rhyper: Rhyper): void {
  const isNeeded = rhyper.core.queueLength > 1;
  if (isNeeded === (rhyper.core.isTicking !== 0)) return;
  rhyper.core.isTicking = isNeeded ? 1 : 0;
  setTick(rhyper, isNeeded);
}

/** A vCPU of this core can run. Alone it runs at once; `now`: it runs at once in any case. */
export function* wakeUp(rhyper: Rhyper, vcpu: Vcpu, now = false): Activity {
  const { core } = rhyper;
  vcpu.state = vcpuState.pending;
  if (placeInQueue(rhyper, vcpu) === none) {
    core.queue[core.queueLength] = positionOf(rhyper, vcpu);
    core.queueLength += 1;
  }
  if (now || core.queueLength === 1) yield* switchTo(rhyper, vcpu);
  adjustTick(rhyper);
}

/** As the ancestor does when it boots a vCPU that it has not taken off its core: the queue has it twice. */
export function enqueueAgain(rhyper: Rhyper, vcpu: Vcpu): void {
  const { core } = rhyper;
  if (core.queueLength === core.queue.length) return;
  core.queue[core.queueLength] = positionOf(rhyper, vcpu);
  core.queueLength += 1;
  adjustTick(rhyper);
}

/** A vCPU of this core no longer runs: its state in its record is what is left of it. */
export function* remove(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const { core } = rhyper;
  const isActive = activeVcpu(rhyper) === vcpu;
  if (isActive) yield* descend(rhyper);
  vcpu.state = vcpuState.invalid;
  for (let place = placeInQueue(rhyper, vcpu); place !== none; place = placeInQueue(rhyper, vcpu)) {
    core.queue.copyWithin(place, place + 1, core.queueLength);
    core.queueLength -= 1;
    if (core.turn >= place && core.turn > 0) core.turn -= 1;
  }
  adjustTick(rhyper);
  if (isActive) yield* schedule(rhyper);
}

/** The tick of this core. */
export function* tick(rhyper: Rhyper): Activity {
  rhyper.core.ticks += 1;
  setTick(rhyper, true);
  yield* schedule(rhyper);
}

/** True on the core that the vCPU belongs to. */
export const isHere = (rhyper: Rhyper, vcpu: Vcpu): boolean => coreAt(rhyper, vcpu.core) === rhyper.core;
