// SGIs of a GICv2 as a VM's distributor has them (Arm IHI 0048, "GICD_SGIR", "GICD_CPENDSGIR<n>", "GICD_SPENDSGIR<n>"): sent by a write of
// memory, and pending once for each vCPU that has sent them.

import type { Activity } from '../../arch/resident.ts';
import { hasQuirk, vmAt } from '../context.ts';
import { clearBy, operate, setBy } from './delivery.ts';
import { isDirect } from './direct.ts';
import type { Access } from './interrupt-registers.ts';
import { decodeList, listState } from './list-register.ts';
import { sendSgi } from './trapped-registers.ts';

const sgir = { listShift: 16, filterShift: 24 } as const;
/** TargetListFilter. */
const filter = { list: 0, others: 1, self: 2 } as const;

export function* accessSgir({ rhyper, vcpu, isWrite, value }: Access): Activity<number> {
  if (!isWrite) return 0;
  const list = (value >>> sgir.listShift) & 0xff;
  const chosen = (value >>> sgir.filterShift) & 3;
  const isTarget = (id: number): boolean => {
    if (chosen === filter.list) return ((list >>> id) & 1) !== 0;
    if (chosen === filter.others) return id !== vcpu.id;
    return chosen === filter.self && id === vcpu.id;
  };
  yield* sendSgi(rhyper, vcpu, value & 0xf, isTarget);
  return 0;
}

/** The senders of an SGI that is pending for this vCPU, a bit for each: in the record, and in a list register. */
function sendersOf({ vcpu: { vgic } }: Access, intid: number): number {
  let senders = vgic.sgiSources[intid] as number;
  for (let n = 0; n < vgic.listCount; n += 1) {
    const list = decodeList(vgic.lr[n] as bigint);
    if (list.intid === intid && (list.state & listState.pending) !== 0) senders |= 1 << list.source;
  }
  return senders;
}

/** The bytes of one SGI or of four. What a VM takes itself is pending in the physical distributor, by physical senders: not here. */
export function* accessSgiPending(access: Access, firstIntid: number, count: number, isSet: boolean): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  if (hasQuirk(rhyper, 'no-sgi-pending-registers') || isDirect(vm)) return 0;
  let result = 0;
  if (!isWrite) yield* operate(rhyper, vcpu, 'Route', firstIntid);
  for (let n = 0; n < count; n += 1) {
    const intid = firstIntid + n;
    if (!isWrite) {
      result |= sendersOf(access, intid) << (8 * n);
      continue;
    }
    for (let id = 0; id < vm.vcpuCount; id += 1)
      if (((value >>> (8 * n + id)) & 1) !== 0)
        yield* operate(rhyper, vcpu, 'SetPend', intid, isSet ? setBy(id) : clearBy(id));
  }
  return result >>> 0;
}
