// Lists of INTIDs in a vCPU's record, in the order of arrival and without duplicates.

import { assert } from '../../report/assert.ts';
import type { Vcpu } from '../state.ts';

export type QueueName = 'spilledPending' | 'spilledActive' | 'waiting';

export const queued = ({ vgic }: Vcpu, name: QueueName): readonly number[] =>
  Array.from(vgic[name].subarray(0, vgic[`${name}Count`]));

export function enqueue({ vgic }: Vcpu, name: QueueName, intid: number): boolean {
  const count = vgic[`${name}Count`];
  if (vgic[name].subarray(0, count).includes(intid)) return false;
  assert(count < vgic[name].length, 'a VM has no more interrupts than a list of them has places');
  vgic[name][count] = intid;
  vgic[`${name}Count`] = count + 1;
  return true;
}

export function dequeue({ vgic }: Vcpu, name: QueueName, intid: number): void {
  const count = vgic[`${name}Count`];
  const at = vgic[name].subarray(0, count).indexOf(intid);
  if (at < 0) return;
  vgic[name].copyWithin(at, at + 1, count);
  vgic[`${name}Count`] = count - 1;
}
