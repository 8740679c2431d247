// The virtual GIC after a reset of a vCPU, or of a VM with all that it owns of the physical GIC.

import type { Activity } from '../../arch/resident.ts';
import { bitAt, setBit, type Rhyper, vmAt } from '../context.ts';
import { ownInterrupts } from '../limits.ts';
import type { Vcpu, Vm } from '../state.ts';
import { deactivatePhysical } from './gic.ts';
import { firstSpi, isPhysical } from './interrupt.ts';
import { decodeList, listState } from './list-register.ts';
import { canReach, enabledPpis, physicalBits, writeBits } from './physical.ts';
import { queued } from './queue.ts';

const sgis = 0xffff;
/** GICR_WAKER.ProcessorSleep. */
const asleep = 1 << 1;

/**
 * IGROUPR. With GICv2 it is zero. With GICv3 it is UNKNOWN in part, and all ones here: software that has never heard of a
 * second group finds its interrupts in Group 1, where it expects them.
 */
const groupAtReset = ({ platform }: Rhyper): number => (platform.gicVersion === 2 ? 0 : 0xffff_ffff);

/** SPIs that the vCPU has leave it for the VM: pending ones stay pending for whoever is their target, active ones end. */
function* giveBack(rhyper: Rhyper, vm: Vm, { id, vgic }: Vcpu): Activity {
  for (let n = 0; n < vgic.listCount; n += 1) {
    const { intid, state } = decodeList(vgic.lr[n] as bigint);
    if (intid < firstSpi) continue;
    if ((state & listState.pending) !== 0) setBit(vm.vgic.pending, intid, true);
    else if (state !== 0) setBit(vm.vgic.active, intid, true);
  }
  const ended: number[] = [];
  vm.vgic.owner.forEach((owner, intid) => {
    if (owner !== id + 1) return;
    vm.vgic.owner[intid] = 0;
    if (bitAt(vm.vgic.active, intid) && isPhysical(vm, intid)) ended.push(intid);
    setBit(vm.vgic.active, intid, false);
  });
  for (const intid of ended) yield* deactivatePhysical(rhyper, intid);
}

/** As after a reset of its PE and its redistributor. The vCPU is not the active one. */
export function* resetVgicOfVcpu(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const { vgic } = vcpu;
  const vm = vmAt(rhyper, vcpu.vm);
  yield* giveBack(rhyper, vm, vcpu);
  for (const intid of queued(vcpu, 'waiting')) if (intid >= firstSpi) setBit(vm.vgic.pending, intid, true);
  vgic.enabled[0] = rhyper.platform.gicVersion === 2 ? sgis : 0;
  vgic.pending[0] = 0;
  vgic.active[0] = 0;
  vgic.edge[0] = sgis;
  vgic.group[0] = groupAtReset(rhyper);
  vgic.waker = asleep;
  vgic.priority.fill(0);
  vgic.sgiSources.fill(0);
  vgic.sgiActiveSource.fill(0);
  vgic.hcr = 0n;
  vgic.vmcr = 0n;
  vgic.ap0r = 0n;
  vgic.ap1r = 0n;
  vgic.lr.fill(0n);
  vgic.spilledPendingCount = 0;
  vgic.spilledActiveCount = 0;
  vgic.waitingCount = 0;
}

/** The SPIs of a VM neither interrupt nor wait: what a device of it still asserts is not heard any more. */
function* quietSpis(rhyper: Rhyper, vm: Vm): Activity {
  for (let word = 1; word < vm.ownedInterrupts.length; word += 1) {
    const owned = physicalBits(vm, word);
    if (owned === 0) continue;
    yield* writeBits(rhyper, rhyper.index, 'ICENABLER', word, owned);
    yield* writeBits(rhyper, rhyper.index, 'ICPENDR', word, owned);
    yield* writeBits(rhyper, rhyper.index, 'ICACTIVER', word, owned);
  }
}

/** This core's private interrupts after a VM that takes its interrupts itself: it has written to the physical registers. */
export function* quietPrivate(rhyper: Rhyper, vm: Vm): Activity {
  const written = (physicalBits(vm, 0) | (sgis & ~(1 << ownInterrupts.ipi))) >>> 0;
  for (const kind of ['ICENABLER', 'ICPENDR', 'ICACTIVER'] as const)
    yield* writeBits(rhyper, rhyper.index, kind, 0, written);
}

/** As after a reset of its GIC: its vCPUs run nowhere, its physical interrupts are quiet. */
export function* resetVgicOfVm(rhyper: Rhyper, vm: Vm): Activity {
  for (let n = 0; n < vm.vcpuCount; n += 1) {
    const vcpu = rhyper.state.vcpus[vm.vcpus[n] as number] as Vcpu;
    yield* resetVgicOfVcpu(rhyper, vcpu);
    vcpu.vgic.refusedAccesses = 0;
  }
  const { vgic } = vm;
  vgic.ctlr = 0;
  for (const bits of [vgic.enabled, vgic.pending, vgic.active, vgic.edge]) bits.fill(0);
  vgic.group.fill(groupAtReset(rhyper));
  for (const bytes of [vgic.priority, vgic.target, vgic.owner]) bytes.fill(0);
  yield* quietSpis(rhyper, vm);
  for (let n = 0; n < vm.vcpuCount; n += 1) {
    const { core } = rhyper.state.vcpus[vm.vcpus[n] as number] as Vcpu;
    const unused = (physicalBits(vm, 0) & ~enabledPpis(rhyper, core)) >>> 0;
    // With GICv2 another core's stay enabled: nothing drives them while nobody runs there.
    if (unused !== 0 && canReach(rhyper, core)) yield* writeBits(rhyper, core, 'ICENABLER', 0, unused);
  }
}
