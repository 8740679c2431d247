// Accesses of the GIC's System registers by a guest that enter EL2: ICC_SGI1R_EL1 and its relatives, by which a vCPU sends an SGI (Arm
// IHI 0069, "ICC_SGI1R_EL1"), and, where they are trapped, those of the CPU interface (icv-registers.ts, direct.ts).
// A virtual MPIDR is the number of the vCPU in Aff0. There is one Security state: ICC_ASGI1R_EL1 is as ICC_SGI1R_EL1.

import { type Activity, work } from '../../arch/resident.ts';
import { coreAt, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { ownInterrupts } from '../limits.ts';
import { costs } from '../options.ts';
import type { Vcpu } from '../state.ts';
import { change, operate, setBy } from './delivery.ts';
import { accessDirect, isDirect } from './direct.ts';
import { gicOf } from './gic.ts';
import { readIcv, writeIcv } from './icv-registers.ts';
import { groupOf } from './interrupt.ts';
import { injectsByBits } from './list-registers.ts';

const irm = 1n << 40n;
/** Aff3, Aff2, Aff1, and RS, which is RES0 without range selection. */
const affinities = 0x00ff_00ff_00ff_0000n;
const intidShift = 24n;

/** An SGI of this vCPU to others of its VM, or to itself. `group`: reaches those that have it in this group; any without. */
export function* sendSgi(
  rhyper: Rhyper,
  vcpu: Vcpu,
  intid: number,
  isTarget: (id: number) => boolean,
  group?: 0 | 1,
): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  yield* work(costs.injection);
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const target = isTarget(id) ? vcpuOf(rhyper, vm, id) : undefined;
    if (!target) continue;
    if (isDirect(vm)) {
      if (intid !== ownInterrupts.ipi) yield* gicOf(rhyper).sendDirectSgi(rhyper, coreAt(rhyper, target.core), intid);
    } else if (group === undefined || groupOf(vm, target, intid) === group)
      yield* operate(rhyper, target, 'SetPend', intid, setBy(rhyper.platform.gicVersion === 2 ? vcpu.id : 0));
  }
}

/** A trapped write of an ICC_*SGI*R_EL1. */
export function* sendSgiByRegister(rhyper: Rhyper, vcpu: Vcpu, sgir: bigint, group: 0 | 1): Activity {
  const isTarget = (id: number): boolean => {
    if ((sgir & irm) !== 0n) return id !== vcpu.id;
    return (sgir & affinities) === 0n && ((sgir >> BigInt(id)) & 1n) !== 0n;
  };
  yield* sendSgi(rhyper, vcpu, Number((sgir >> intidShift) & 0xfn), isTarget, group);
}

/** A trapped access of an ICC_* register. Undefined where it is not one that is trapped for the interface's sake. */
export function* accessCpuInterface(
  rhyper: Rhyper,
  vcpu: Vcpu,
  name: string,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  if (name.startsWith('ICC_SGI') || name.startsWith('ICC_ASGI')) {
    yield* sendSgiByRegister(rhyper, vcpu, value, name === 'ICC_SGI0R_EL1' ? 0 : 1);
    return 0n;
  }
  if (isDirect(vmAt(rhyper, vcpu.vm))) {
    yield* work(costs.injection);
    return yield* accessDirect(rhyper, vcpu, name, isWrite, value);
  }
  const isEmulated = injectsByBits(rhyper) ? name.startsWith('ICC_') : name === 'ICC_DIR_EL1';
  if (!isEmulated) return undefined;
  yield* work(costs.injection);
  let result = 0n;
  yield* change(rhyper, vcpu, (placement) => {
    if (isWrite) writeIcv(placement, name, value);
    else result = readIcv(placement, name);
  });
  return result;
}
