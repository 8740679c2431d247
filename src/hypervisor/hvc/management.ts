// Hypercalls about VMs as they are: list, boot, reboot, remove, shut down, and the caller's own id (functions 0 and 1 of the ancestor); and,
// not of the ancestor, an SError interrupt for a vCPU.

import type { Activity } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { writeGuest } from '../guest-memory.ts';
import { boot, injectSError, powerOff, removeVm, resetVm, shutDown } from '../lifecycle.ts';
import { limits } from '../limits.ts';
import { sendMessage } from '../messages.ts';
import { type Vm, vmState } from '../state.ts';
import type { Hypercall, HypercallHandler, HypercallRow } from './hypercall.ts';

const fid = { system: 0, vmm: 1, configuration: 0x11 } as const;
const event = { reboot: 4, uploadKernelImage: 9, injectSError: 0x20 } as const;

/** One VM in the list: id, name, type, state. */
const listEntryBytes = 4 + limits.nameBytes + 4 + 4;

/** The configured VM with this id. */
export function vmArgument(rhyper: Rhyper, id: bigint | undefined): Vm | undefined {
  if (id === undefined || id >= BigInt(limits.vms)) return undefined;
  const vm = vmAt(rhyper, Number(id));
  return vm.isConfigured === 0 ? undefined : vm;
}

const argument = (call: Hypercall, n: number): bigint => call.args[n] ?? 0n;

function* listVms(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vms = rhyper.state.vms.filter(({ isConfigured }) => isConfigured !== 0);
  const bytes = new Uint8Array(8 + limits.vms * listEntryBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(vms.length), true);
  vms.forEach((vm, n) => {
    const at = 8 + n * listEntryBytes;
    view.setUint32(at, vm.id, true);
    bytes.set(new TextEncoder().encode(vm.name), at + 4);
    view.setUint32(at + 4 + limits.nameBytes, vm.kind, true);
    view.setUint32(at + 8 + limits.nameBytes, vm.state, true);
  });
  return writeGuest(rhyper, call.caller, argument(call, 0), bytes) ? 0n : undefined;
}

function* stateOfVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, argument(call, 0));
  return vm && BigInt(vm.state);
}

function* ownId(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(call.caller.id), true);
  return writeGuest(rhyper, call.caller, argument(call, 0), bytes) ? 0n : undefined;
}

/** What the ancestor has no body for. */
const unfinished = (name: string, handle: HypercallHandler): HypercallHandler =>
  function* (rhyper, call) {
    if (!hasQuirk(rhyper, 'panic-on-shutdown')) return yield* handle(rhyper, call);
    rhyper.port.log(`panic on core ${rhyper.index}: ${name} is not implemented`);
    rhyper.port.stop(1);
    return undefined;
  };

function* bootVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, argument(call, 0));
  if (!vm || vm.isBuilt === 0 || vm.state === vmState.active) return undefined;
  yield* boot(rhyper, vm);
  return 0n;
}

function* shutDownVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, argument(call, 0));
  if (!vm || vm.id === 0) return undefined;
  return (yield* shutDown(rhyper, vm)) ? 0n : undefined;
}

/** Soft: the VM is asked to reset itself. Forced: it is quiesced and cleared, and the caller is asked for its image. */
function* rebootVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const isForced = ((argument(call, 0) >> 16n) & 0xffffn) !== 0n;
  const vm = vmArgument(rhyper, argument(call, 0) & 0xffffn);
  if (!vm || vm.isBuilt === 0) return undefined;
  if (!isForced)
    return (yield* sendMessage(rhyper, vm, { fid: fid.vmm, event: event.reboot, arguments: [vm.id] })) ? 0n : undefined;
  if (vm.id === 0) {
    yield* powerOff(rhyper);
    return 0n;
  }
  if (!(yield* resetVm(rhyper, vm))) return undefined;
  const asked = { fid: fid.configuration, event: event.uploadKernelImage, arguments: [vm.id] };
  yield* sendMessage(rhyper, vmAt(rhyper, 0), asked);
  return 0n;
}

function* remove(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, argument(call, 0));
  if (!vm) return undefined;
  if (vm.id === 0) {
    rhyper.port.log('VM 0 cannot be removed');
    return 0n;
  }
  return (yield* removeVm(rhyper, vm)) ? 0n : undefined;
}

/** X0 the VM, X1 the vCPU. */
function* injectError(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, argument(call, 0));
  const vcpu =
    vm && argument(call, 1) < BigInt(vm.vcpuCount) ? vcpuOf(rhyper, vm, Number(argument(call, 1))) : undefined;
  return vcpu && (yield* injectSError(rhyper, vcpu)) ? 0n : undefined;
}

const row = (f: number, e: number, name: string, manager: boolean, handle: HypercallHandler): HypercallRow => ({
  fid: f,
  event: e,
  name,
  manager,
  handle,
});

export const managementCalls: readonly HypercallRow[] = [
  row(fid.vmm, 0, 'VMM LIST_VM', true, listVms),
  row(fid.vmm, 1, 'VMM GET_VM_STATE', true, unfinished('VMM GET_VM_STATE', stateOfVm)),
  row(fid.vmm, 2, 'VMM BOOT_VM', true, bootVm),
  row(fid.vmm, 3, 'VMM SHUTDOWN_VM', true, unfinished('VMM SHUTDOWN_VM', shutDownVm)),
  row(fid.vmm, event.reboot, 'VMM REBOOT_VM', true, rebootVm),
  row(fid.vmm, 8, 'VMM GET_VM_ID', false, ownId),
  row(fid.vmm, 16, 'VMM VM_REMOVE', true, remove),
  row(fid.vmm, event.injectSError, 'VMM INJECT_SERROR', true, injectError),
];
