// Accesses of a VM to the frames of its interrupt controller: GICD, and for each vCPU of a GICv3 a GICR pair.

import type { Activity } from '../../arch/resident.ts';
import { type Rhyper, vcpuOf, vmAt } from '../context.ts';
import type { Vcpu } from '../state.ts';
import { forwardRaw, isUnfiltered } from './direct-registers.ts';
import { isDirect } from './direct.ts';
import { distributorRows } from './distributor.ts';
import { accessRows, answerTo } from './frame.ts';
import { distributorAddress, redistributorBase } from './physical.ts';
import { redistributorRows } from './redistributor.ts';

const isRaw = (rhyper: Rhyper, vcpu: Vcpu): boolean => isUnfiltered(rhyper) && isDirect(vmAt(rhyper, vcpu.vm));

/** An access of the active vCPU to its GICD. The value of a read; undefined where the access is refused. */
export function* accessDistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  if (isRaw(rhyper, vcpu)) return yield* forwardRaw(distributorAddress(rhyper, offset), sizeBytes, isWrite, value);
  const rows = distributorRows[rhyper.platform.gicVersion];
  return answerTo(rhyper, vcpu, yield* accessRows(rows, { rhyper, vcpu, isWrite, value }, offset, sizeBytes));
}

/** An access of the active vCPU to the GICR of vCPU `which` of its VM. */
export function* accessRedistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  which: number,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const target = vcpuOf(rhyper, vmAt(rhyper, vcpu.vm), which);
  if (!target) return answerTo(rhyper, vcpu, undefined);
  if (isRaw(rhyper, vcpu))
    return yield* forwardRaw(redistributorBase(rhyper, target.core) + offset, sizeBytes, isWrite, value);
  const access = { rhyper, vcpu: target, isWrite, value };
  return answerTo(rhyper, vcpu, yield* accessRows(redistributorRows, access, offset, sizeBytes));
}
