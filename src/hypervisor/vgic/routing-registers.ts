// Which vCPU an SPI of a VM goes to: GICD_IROUTER<n> of a GICv3 (Arm IHI 0069), GICD_ITARGETSR<n> of a GICv2 (Arm IHI 0048). Virtual
// affinities and targets are numbers of vCPUs; what stands for a physical interrupt is routed to the core of the vCPU that gets it.

import type { Activity } from '../../arch/resident.ts';
import { coreAt, vmAt } from '../context.ts';
import { operateOnHolder } from './delivery.ts';
import { gicOf } from './gic.ts';
import { exists, firstSpi, isPhysical, targetOf } from './interrupt.ts';
import type { Access } from './interrupt-registers.ts';
import { dequeue } from './queue.ts';
import { anyVcpu } from './state.ts';

const irm = 0x8000_0000;
const affinities = 0x00ff_ff00;
/** No vCPU has this number. */
const nobody = 0xfe;

/** Gives an SPI another target, and moves it where that is another vCPU. */
function* retarget({ rhyper, vcpu }: Access, intid: number, target: number): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  const before = targetOf(rhyper, vm, intid);
  vm.vgic.target[intid] = target;
  const now = targetOf(rhyper, vm, intid);
  if (now === before) return;
  if (before && vm.vgic.owner[intid] === 0) dequeue(before, 'spilledPending', intid);
  if (now && isPhysical(vm, intid)) yield* gicOf(rhyper).route(rhyper, intid, coreAt(rhyper, now.core));
  yield* operateOnHolder(rhyper, vcpu, 'SetTrgt', intid);
}

/** GICD_IROUTER<n>, the low word: a virtual affinity is the number of a vCPU in Aff0. The high word, Aff3, is zero. */
export function* accessRoute(access: Access, intid: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  if (!Number.isInteger(intid) || intid < firstSpi || !exists(vm, intid)) return 0;
  if (!isWrite) {
    const target = vm.vgic.target[intid] as number;
    return target === anyVcpu ? irm : target;
  }
  const isAny = (value & irm) !== 0;
  const id = (value & affinities) === 0 && (value & 0xff) < vm.vcpuCount ? value & 0xff : nobody;
  yield* retarget(access, intid, isAny ? anyVcpu : id);
  return 0;
}

/** GICD_ITARGETSR, one byte or four. Those of SGIs and PPIs name the vCPU that reads; with one vCPU all are RAZ/WI. */
export function* accessTargets(access: Access, firstIntid: number, count: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  if (vm.vcpuCount === 1) return 0;
  let result = 0;
  for (let n = 0; n < count; n += 1) {
    const intid = firstIntid + n;
    if (!exists(vm, intid)) continue;
    if (!isWrite) result |= (intid < firstSpi ? 1 << vcpu.id : (vm.vgic.target[intid] as number)) << (8 * n);
    else if (intid >= firstSpi) yield* retarget(access, intid, (value >>> (8 * n)) & ((1 << vm.vcpuCount) - 1));
  }
  return result >>> 0;
}
