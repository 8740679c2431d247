// Physical interrupts at EL2 (section 6.3 of the ancestor's description), and virtual ones that software raises. EOImode is 1: the
// hypervisor drops the priority of every interrupt at once; it deactivates its own, and a guest deactivates what it has been given by
// the link of its list register (Arm IHI 0069, "Interrupt handling by a hypervisor").

import { type Activity, work } from '../arch/resident.ts';
import { activeVcpu, bitAt, type Rhyper, setBit, vcpuOf, vmAt } from './context.ts';
import { type Ipi, sendIpi } from './ipi.ts';
import { ownInterrupts } from './limits.ts';
import { costs } from './options.ts';
import { type InterruptKind, interruptKinds, type Vcpu, vcpuState, type Vm } from './state.ts';
import { change, isActiveElsewhere } from './vgic/delivery.ts';
import { isDirect } from './vgic/direct.ts';
import { gicOf } from './vgic/gic.ts';
import type { Acknowledged } from './vgic/gic-access.ts';
import { firstPpi, firstSpi, holderOf, isPhysical, ownerOf, putBit, targetOf } from './vgic/interrupt.ts';
import { startVirtualInterface } from './vgic/list-registers.ts';
import { maintenance } from './vgic/maintenance.ts';
import { writeBits, writePriority } from './vgic/physical.ts';
import { enqueue } from './vgic/queue.ts';
import { returnToDirect } from './vgic/switch.ts';
import { raise } from './vgic/transitions.ts';

const highestPriority = 0;

/** The physical GIC, by core 0 before the others, and the interface of this core. */
export function* initInterrupts(rhyper: Rhyper): Activity {
  const { index } = rhyper;
  const gic = gicOf(rhyper);
  if (index === 0) yield* gic.startDistributor(rhyper);
  yield* gic.startCore(rhyper);
  for (const intid of ownKinds.keys()) {
    yield* writePriority(rhyper, index, intid, highestPriority);
    yield* writeBits(rhyper, index, 'ISENABLER', 0, 1 << intid);
  }
  yield* startVirtualInterface(rhyper);
}

/** What the hypervisor does on its own interrupts. */
export interface OwnHandlers {
  ipi(): Activity;
  /** The timer of the hypervisor (timer.ts). */
  tick(): Activity;
  /** The interrupt of the SMMU, or of a device of the board that acts for one of a VM's: which it was; undefined where it is neither. */
  device(intid: number): Activity<InterruptKind | undefined>;
}

function count({ core }: Rhyper, kind: InterruptKind): void {
  const at = interruptKinds.indexOf(kind);
  core.interrupts[at] = (core.interrupts[at] as bigint) + 1n;
}

const ownKinds: ReadonlyMap<number, InterruptKind> = new Map([
  [ownInterrupts.ipi, 'IPI'],
  [ownInterrupts.maintenance, 'maintenance'],
  [ownInterrupts.tick, 'tick'],
]);

function* handleOwn(rhyper: Rhyper, interrupt: Acknowledged, handlers: OwnHandlers): Activity {
  const gic = gicOf(rhyper);
  if (interrupt.intid === ownInterrupts.ipi) {
    // Deactivated first: a message that comes while others are handled rings again.
    yield* gic.deactivate(rhyper, interrupt);
    yield* handlers.ipi();
    return;
  }
  if (interrupt.intid === ownInterrupts.maintenance) yield* maintenance(rhyper);
  else {
    rhyper.system.write('CNTHP_CTL_EL2', 0n);
    yield* handlers.tick();
  }
  yield* gic.deactivate(rhyper, interrupt);
}

const ownerOfPhysical = (rhyper: Rhyper, intid: number): Vm | undefined =>
  rhyper.state.vms.find((vm) => vm.isBuilt !== 0 && bitAt(vm.ownedInterrupts, intid));

/** A device's interrupt; PPIs and SGIs concern the active vCPU only. False where nobody wants it. */
function* handleGuests(rhyper: Rhyper, intid: number): Activity<boolean> {
  const active = activeVcpu(rhyper);
  const activeVm = active ? vmAt(rhyper, active.vm) : undefined;
  const isForActive = activeVm !== undefined && isPhysical(activeVm, intid);
  if (!isForActive) rhyper.core.foreignInterrupts += 1;
  if (intid < firstSpi) {
    if (!active || !isForActive || intid < firstPpi) return false;
    yield* change(rhyper, active, (placement) => {
      raise(placement, intid);
    });
    return true;
  }
  const vm = isForActive ? activeVm : ownerOfPhysical(rhyper, intid);
  if (!vm) return false;
  const target = ownerOf(rhyper, vm, intid) ?? targetOf(rhyper, vm, intid);
  if (target) yield* deliver(rhyper, target, intid);
  // Routed to no vCPU: it stays pending, and active physically, until it is.
  else setBit(vm.vgic.pending, intid, true);
  return true;
}

/** The path of IRQs, and of FIQs: until nothing is pending that is EL2's to take. */
export function* handleInterrupts(rhyper: Rhyper, handlers: OwnHandlers): Activity {
  const gic = gicOf(rhyper);
  for (;;) {
    const active = activeVcpu(rhyper);
    const interrupt = yield* gic.acknowledge(rhyper, active !== undefined && isDirect(vmAt(rhyper, active.vm)));
    if (!interrupt) return;
    const { intid } = interrupt;
    yield* work(costs.interrupt);
    yield* gic.dropPriority(rhyper, interrupt);
    const ownKind = ownKinds.get(intid);
    if (ownKind !== undefined) {
      count(rhyper, ownKind);
      yield* handleOwn(rhyper, interrupt, handlers);
      continue;
    }
    const deviceKind = yield* handlers.device(intid);
    if (deviceKind !== undefined) {
      count(rhyper, deviceKind);
      yield* gic.deactivate(rhyper, interrupt);
    } else if (yield* handleGuests(rhyper, intid)) count(rhyper, 'passthrough');
    else {
      count(rhyper, 'stray');
      rhyper.port.log(`core ${rhyper.index}: interrupt ${intid} is nobody’s`);
      yield* gic.deactivate(rhyper, interrupt);
    }
  }
}

/** Brings an interrupt to a vCPU: at once where it is active, else it waits for it; a vCPU that is off leaves an SPI to its VM. */
function* deliver(rhyper: Rhyper, vcpu: Vcpu, intid: number): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  if (isActiveElsewhere(rhyper, vcpu)) {
    yield* sendIpi(rhyper, vcpu.core, { kind: 'IntInject', vm: vcpu.vm, a: intid, b: vcpu.id });
  } else if (activeVcpu(rhyper) === vcpu) {
    if (isDirect(vm)) yield* returnToDirect(rhyper, vcpu, [intid]);
    else
      yield* change(rhyper, vcpu, (placement) => {
        raise(placement, intid);
      });
  } else if (vcpu.state === vcpuState.invalid) putBit(vm, vcpu, intid, 'pending', true);
  else enqueue(vcpu, 'waiting', intid);
}

/** An interrupt that software raises for a VM: an emulated device's, or the notification. An SPI goes where it is routed. */
export function* injectInterrupt(rhyper: Rhyper, vcpu: Vcpu, intid: number): Activity {
  yield* work(costs.injection);
  yield* deliver(rhyper, holderOf(rhyper, vcpu, intid) ?? vcpu, intid);
}

/** The message of another core that wants to inject. */
export function* handleIntInjectIpi(rhyper: Rhyper, ipi: Ipi): Activity {
  const vcpu = vcpuOf(rhyper, vmAt(rhyper, ipi.vm), ipi.b ?? 0);
  if (vcpu) yield* injectInterrupt(rhyper, vcpu, ipi.a ?? 0);
}
