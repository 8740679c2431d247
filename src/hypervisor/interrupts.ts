// Physical interrupts at EL2 (section 6.3 of the ancestor's description), and virtual ones that software raises. EOImode is 1: the
// hypervisor drops the priority of every interrupt at once; it deactivates its own, and a guest deactivates what it has been given by
// the link of its list register (Arm IHI 0069, "Interrupt handling by a hypervisor").

import { type Activity, readDevice, work, writeDevice } from '../arch/resident.ts';
import { activeVcpu, bitAt, type Rhyper, setBit, vcpuOf, vmAt } from './context.ts';
import { type Ipi, sendIpi } from './ipi.ts';
import { limits, ownInterrupts } from './limits.ts';
import { costs } from './options.ts';
import { type InterruptKind, interruptKinds, type Vcpu, vcpuState, type Vm } from './state.ts';
import { change, isActiveElsewhere } from './vgic/delivery.ts';
import { ownCpuInterface } from './vgic/direct.ts';
import {
  firstPpi,
  firstSpecialIntid,
  firstSpi,
  holderOf,
  isPhysical,
  ownerOf,
  putBit,
  targetOf,
} from './vgic/interrupt.ts';
import { maintenance } from './vgic/maintenance.ts';
import {
  acknowledge,
  deactivatePhysical,
  dropPriority,
  redistributorBase,
  writeBits,
  writePriority,
} from './vgic/physical.ts';
import { enqueue } from './vgic/queue.ts';
import { isDirect } from './vgic/direct.ts';
import { raise } from './vgic/transitions.ts';

/** GICD_CTLR: affinity routing, and Group 1 with it; bit 1 is EnableGrp1A of the Non-secure view and EnableGrp1 of the single one. */
const gicdCtlr = { ARE: 1 << 4, EnableGrp1: 1 << 1 } as const;
/** GICR_WAKER. */
const waker = { offset: 0x14, processorSleep: 1 << 1, childrenAsleep: 1 << 2 } as const;
const all = 0xffff_ffff;
/** Enable, DIB, DFB, SRE; without Enable a VM's accesses of ICC_SRE_EL1 are trapped, as in the later ancestor. */
const icc_sre_el2 = { all: 0xfn, withoutEnable: 7n } as const;
const highestPriority = 0;

function* wakeRedistributor(rhyper: Rhyper): Activity {
  const pa = redistributorBase(rhyper, rhyper.index) + waker.offset;
  const before = (yield* readDevice(pa, 4)) ?? 0;
  if ((before & waker.processorSleep) !== 0) yield* writeDevice(pa, 4, before & ~waker.processorSleep);
  while ((((yield* readDevice(pa, 4)) ?? 0) & waker.childrenAsleep) !== 0) yield* work(costs.interrupt);
}

/** The physical GIC, by core 0 before the others, and the interface of this core. */
export function* initInterrupts(rhyper: Rhyper): Activity {
  const { system, platform, index } = rhyper;
  const { profile } = rhyper.options;
  system.write('ICC_SRE_EL2', profile === 'rust-shyper-2025' ? icc_sre_el2.withoutEnable : icc_sre_el2.all);
  if (index === 0) {
    yield* writeDevice(platform.distributorBase, 4, gicdCtlr.ARE);
    for (let word = 1; word < limits.intids / 32; word += 1) yield* writeBits(rhyper, index, 'IGROUPR', word, all);
    yield* writeDevice(platform.distributorBase, 4, gicdCtlr.ARE | gicdCtlr.EnableGrp1);
  }
  yield* wakeRedistributor(rhyper);
  yield* writeBits(rhyper, index, 'IGROUPR', 0, all);
  for (const intid of ownKinds.keys()) {
    yield* writePriority(rhyper, index, intid, highestPriority);
    yield* writeBits(rhyper, index, 'ISENABLER', 0, 1 << intid);
  }
  system.write('ICH_HCR_EL2', 0n);
  system.write('ICH_VMCR_EL2', 0n);
  ownCpuInterface(rhyper);
}

const cnthp = { ENABLE: 1n } as const;
const nanoseconds = 1_000_000_000n;

/** Starts the time slice anew, or stops the tick: CNTHP and PPI 26. */
// eslint-disable-next-line require-yield -- as all that concerns interrupts; on other timers it would wait
export function* setTick({ system, options }: Rhyper, on: boolean): Activity {
  if (on) {
    const count = (BigInt(options.tickTicks) * system.read('CNTFRQ_EL0')) / nanoseconds;
    system.write('CNTHP_TVAL_EL2', count === 0n ? 1n : count);
  }
  system.write('CNTHP_CTL_EL2', on ? cnthp.ENABLE : 0n);
}

/** What the hypervisor does on its own interrupts. */
export interface OwnHandlers {
  ipi(): Activity;
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

function* handleOwn(rhyper: Rhyper, intid: number, handlers: OwnHandlers): Activity {
  if (intid === ownInterrupts.ipi) {
    // Deactivated first: a message that comes while others are handled rings again.
    deactivatePhysical(rhyper, intid);
    yield* handlers.ipi();
    return;
  }
  if (intid === ownInterrupts.maintenance) yield* maintenance(rhyper);
  else {
    rhyper.system.write('CNTHP_CTL_EL2', 0n);
    yield* handlers.tick();
  }
  deactivatePhysical(rhyper, intid);
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

/** The IRQ path: until nothing is pending. */
export function* handleInterrupts(rhyper: Rhyper, handlers: OwnHandlers): Activity {
  for (;;) {
    const intid = acknowledge(rhyper);
    if (intid >= firstSpecialIntid) return;
    yield* work(costs.interrupt);
    dropPriority(rhyper, intid);
    const ownKind = ownKinds.get(intid);
    if (ownKind !== undefined) {
      count(rhyper, ownKind);
      yield* handleOwn(rhyper, intid, handlers);
      continue;
    }
    const deviceKind = yield* handlers.device(intid);
    if (deviceKind !== undefined) {
      count(rhyper, deviceKind);
      deactivatePhysical(rhyper, intid);
    } else if (yield* handleGuests(rhyper, intid)) count(rhyper, 'passthrough');
    else {
      count(rhyper, 'stray');
      rhyper.port.log(`core ${rhyper.index}: interrupt ${intid} is nobody’s`);
      deactivatePhysical(rhyper, intid);
    }
  }
}

/** Brings an interrupt to a vCPU: at once where it is active, else it waits for it; a vCPU that is off leaves an SPI to its VM. */
function* deliver(rhyper: Rhyper, vcpu: Vcpu, intid: number): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  if (isActiveElsewhere(rhyper, vcpu)) {
    yield* sendIpi(rhyper, vcpu.core, { kind: 'IntInject', vm: vcpu.vm, a: intid, b: vcpu.id });
  } else if (activeVcpu(rhyper) === vcpu && !isDirect(vm)) {
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
