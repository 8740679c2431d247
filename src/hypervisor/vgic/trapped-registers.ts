// Accesses of the GIC's System registers by a guest that enter EL2: ICC_SGI1R_EL1, by which a vCPU sends an SGI (Arm IHI 0069,
// "ICC_SGI1R_EL1"), and, where they are trapped, those of the CPU interface (cpu-interface.ts).
// A virtual MPIDR is the number of the vCPU in Aff0. There is no Group 0 or Secure Group 1: what sends to them sends nothing.

import { type Activity, work } from '../../arch/resident.ts';
import { type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { costs } from '../options.ts';
import { sgiTo } from '../ipi.ts';
import { ownInterrupts } from '../limits.ts';
import type { Vcpu, Vm } from '../state.ts';
import { readCpuInterface, writeCpuInterface } from './cpu-interface.ts';
import { change, operate, set } from './delivery.ts';
import { firstPpi, isPhysical } from './interrupt.ts';
import { injectsByBits } from './list-registers.ts';
import { isDirect } from './direct.ts';

const irm = 1n << 40n;
/** Aff3, Aff2, Aff1, and RS, which is RES0 without range selection. */
const affinities = 0x00ff_00ff_00ff_0000n;
const intidShift = 24n;

function isTarget(sender: Vcpu, id: number, sgi1r: bigint): boolean {
  if ((sgi1r & irm) !== 0n) return id !== sender.id;
  return (sgi1r & affinities) === 0n && ((sgi1r >> BigInt(id)) & 1n) !== 0n;
}

/** A trapped write of ICC_SGI1R_EL1. */
export function* sendSgi(rhyper: Rhyper, vcpu: Vcpu, sgi1r: bigint): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  const intid = Number((sgi1r >> intidShift) & 0xfn);
  yield* work(costs.injection);
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const target = vcpuOf(rhyper, vm, id);
    if (target && isTarget(vcpu, id, sgi1r)) yield* operate(rhyper, target, 'SetPend', intid, set);
  }
}

/** Its own SGIs and physical interrupts: not the hypervisor's SGI, and nobody else's interrupt. */
const isOwn = (vm: Vm, intid: number): boolean =>
  intid < firstPpi ? intid !== ownInterrupts.ipi : isPhysical(vm, intid);

/** What ICH_HCR_EL2.TC traps of a VM that has the physical interface (direct.ts): it goes on where it concerns this VM alone. */
function* accessDirect(
  rhyper: Rhyper,
  vcpu: Vcpu,
  name: string,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const { system } = rhyper;
  const vm = vmAt(rhyper, vcpu.vm);
  yield* work(costs.injection);
  switch (name) {
    case 'ICC_SGI1R_EL1': {
      const intid = Number((value >> intidShift) & 0xfn);
      for (let id = 0; id < vm.vcpuCount && isOwn(vm, intid); id += 1) {
        const target = vcpuOf(rhyper, vm, id);
        if (target && isTarget(vcpu, id, value))
          system.write(name, sgiTo(rhyper.state.cores[target.core]?.mpidr ?? 0n, intid));
      }
      return 0n;
    }
    case 'ICC_SGI0R_EL1':
    case 'ICC_ASGI1R_EL1':
      return 0n;
    case 'ICC_DIR_EL1':
      if (isOwn(vm, Number(value & 0xff_ffffn))) system.write(name, value);
      return 0n;
    case 'ICC_PMR_EL1':
    case 'ICC_CTLR_EL1':
    case 'ICC_RPR_EL1':
      if (!isWrite) return system.read(name);
      system.write(name, value);
      return 0n;
    default:
      return undefined;
  }
}

/** A trapped access of an ICC_* register. Undefined where it is not one that is trapped for the interface's sake. */
export function* accessCpuInterface(
  rhyper: Rhyper,
  vcpu: Vcpu,
  name: string,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  if (isDirect(vmAt(rhyper, vcpu.vm))) return yield* accessDirect(rhyper, vcpu, name, isWrite, value);
  if (name.startsWith('ICC_SGI') || name.startsWith('ICC_ASGI')) {
    if (name === 'ICC_SGI1R_EL1') yield* sendSgi(rhyper, vcpu, value);
    return 0n;
  }
  const isEmulated = injectsByBits(rhyper) ? name.startsWith('ICC_') : name === 'ICC_DIR_EL1';
  if (!isEmulated) return undefined;
  yield* work(costs.injection);
  let result = 0n;
  yield* change(rhyper, vcpu, (placement) => {
    if (isWrite) writeCpuInterface(placement, name, value);
    else result = readCpuInterface(placement, name);
  });
  return result;
}
