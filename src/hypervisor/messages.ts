// Messages from the hypervisor to a VM (section 4.3 of the ancestor's description): eight slots of 512 bytes in a page that the VM has
// named, and an interrupt.

import { type Activity, dsbStores } from '../arch/resident.ts';
import { type Rhyper, vcpuOf } from './context.ts';
import { injectInterrupt } from './interrupts.ts';
import { notificationIntid } from './limits.ts';
import { deviceKind, type Vm } from './state.ts';

const slots = 8;
const slotBytes = 512;

/** fid and event, then what the kind of message has. */
export interface VmMessage {
  readonly fid: number;
  readonly event: number;
  readonly arguments: readonly (number | bigint)[];
}

/** False, and a line on the console, where the VM has named no page. */
export function* sendMessage(rhyper: Rhyper, vm: Vm, { fid, event, arguments: values }: VmMessage): Activity<boolean> {
  if (vm.messagePage === 0) {
    rhyper.port.log(`VM ${vm.id} has no page for messages: {${fid}, ${event}} is dropped`);
    return false;
  }
  const message = new Uint8Array(slotBytes);
  const view = new DataView(message.buffer);
  [fid, event, ...values].forEach((value, n) => {
    view.setBigUint64(n * 8, BigInt(value), true);
  });
  rhyper.port.writeRam(vm.messagePage + vm.messageSlot * slotBytes, message);
  vm.messageSlot = (vm.messageSlot + 1) % slots;
  // The slot is there for every observer before the interrupt is.
  yield* dsbStores();
  const vcpu = vcpuOf(rhyper, vm, 0);
  if (vcpu) yield* injectInterrupt(rhyper, vcpu, intidOf(vm));
  return true;
}

/** The interrupt of the VM's "shyper" device, or the one that every VM has by default. */
function intidOf(vm: Vm): number {
  const shyper = vm.config.devices.find(({ kind }, n) => n < vm.config.deviceCount && kind === deviceKind.shyper);
  return shyper && shyper.intid !== 0 ? shyper.intid : notificationIntid;
}
