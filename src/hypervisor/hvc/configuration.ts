// Hypercalls by which the management VM makes another one (function 0x11 of the ancestor): its configuration piece by piece, then
// its image. The VM is built by the first piece of the image.

import type { Activity } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper } from '../context.ts';
import { readGuest, readGuestText, readGuestWords } from '../guest-memory.ts';
import { build, claimVm, load, loadTree, refuseBuild } from '../lifecycle.ts';
import { limits } from '../limits.ts';
import { diskOf, forgetDisk, isMediated } from '../mediated/disks.ts';
import { pageBytes } from '../memory.ts';
import { deviceKind, vmKind, type VmConfig } from '../state.ts';
import type { Hypercall, HypercallHandler, HypercallRow } from './hypercall.ts';
import { vmArgument } from './management.ts';

const fid = 0x11;
const ipaLimit = 1n << 36n;

const at = ({ args }: Hypercall, n: number): bigint => args[n] ?? 0n;

/** An IPA or a size that is a multiple of a page and inside the IPA space, or undefined. */
function pageNumber(value: bigint): number | undefined {
  return value < ipaLimit && value % BigInt(pageBytes) === 0n ? Number(value) : undefined;
}

/** ADD_VM: X0 points to {name, its length, type, command line, its length, kernel, device tree and RAM disk load IPAs}. */
function* addVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const words = readGuestWords(rhyper, call.caller, at(call, 0), 8);
  if (!words) return undefined;
  const [nameIpa, nameLength, kind, lineIpa, lineLength, kernel, tree, ramdisk] = words as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  if (nameLength > BigInt(limits.nameBytes) || lineLength > BigInt(limits.commandLineBytes)) return undefined;
  const name = readGuestText(rhyper, call.caller, nameIpa, Number(nameLength));
  const commandLine = readGuestText(rhyper, call.caller, lineIpa, Number(lineLength));
  const isKind = kind === BigInt(vmKind.operatingSystem) || kind === BigInt(vmKind.bareMetalApp);
  if (name === undefined || commandLine === undefined || !isKind) return undefined;
  if ([kernel, tree, ramdisk].some((ipa) => ipa >= ipaLimit)) return undefined;
  const vm = claimVm(rhyper, name, Number(kind));
  if (!vm) return undefined;
  vm.config.commandLine = commandLine;
  vm.config.kernelLoadIpa = Number(kernel);
  vm.config.dtbLoadIpa = Number(tree);
  vm.config.ramdiskLoadIpa = Number(ramdisk);
  return BigInt(vm.id);
}

/** The configuration that a call is about; none once the VM is built, and never VM 0's. */
function configOf(rhyper: Rhyper, call: Hypercall): VmConfig | undefined {
  const vm = vmArgument(rhyper, call.args[0]);
  return !vm || vm.id === 0 || vm.isBuilt !== 0 ? undefined : vm.config;
}

/** A call that changes the configuration of a VM: true where its arguments are accepted. */
const change = (accept: (config: VmConfig, call: Hypercall, rhyper: Rhyper) => boolean): HypercallHandler =>
  function* (rhyper, call) {
    const config = configOf(rhyper, call);
    return config && accept(config, call, rhyper) ? 0n : undefined;
  };

function* deleteVm(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, call.args[0]);
  if (!vm || vm.id === 0 || vm.isBuilt !== 0) return undefined;
  vm.isConfigured = 0;
  return 0n;
}

const setCpus = change((config, call, { platform }) => {
  const [, count = 0n, mask = 0n, master = 0n] = call.args;
  if (count === 0n || count > BigInt(limits.vcpusPerVm)) return false;
  if (mask === 0n || mask >= 1n << BigInt(platform.coreCount)) return false;
  config.cpuCount = Number(count);
  config.cpuMask = Number(mask);
  config.master = Number(master & 0xffff_ffffn);
  return true;
});

const addMemory = change((config, call) => {
  const ipa = pageNumber(at(call, 1));
  const bytes = pageNumber(at(call, 2));
  const range = config.memory[config.memoryCount];
  if (ipa === undefined || bytes === undefined || bytes === 0 || !range) return false;
  Object.assign(range, { ipa, bytes });
  config.memoryCount += 1;
  return true;
});

const addDevice = change((config, call, rhyper) => {
  const name = readGuestText(rhyper, call.caller, at(call, 1), limits.nameBytes);
  const ipa = pageOrLess(at(call, 2));
  const bytes = pageOrLess(at(call, 3));
  const intid = at(call, 4);
  const values = readGuestWords(rhyper, call.caller, at(call, 5), limits.deviceArguments);
  const kind = Number(at(call, 6) & 0xffffn);
  const device = config.devices[config.deviceCount];
  // The device of messages needs no registers.
  if (bytes === 0 && kind !== deviceKind.shyper) return false;
  if (
    name === undefined ||
    ipa === undefined ||
    bytes === undefined ||
    intid >= BigInt(limits.intids) ||
    !values ||
    !device
  )
    return false;
  Object.assign(device, { name, kind, ipa, bytes, intid: Number(intid), slot: 0 });
  device.arguments.set(values);
  forgetDisk(device);
  // A mediated device needs a disk that the management VM has offered.
  if (isMediated(device) && !diskOf(rhyper, device)) return false;
  config.deviceCount += 1;
  return true;
});

/** Emulated devices need not begin at a page: virtio transports of a VM may share one. */
const pageOrLess = (value: bigint): number | undefined => (value < ipaLimit ? Number(value) : undefined);

const addWindow = (isReadOnly: boolean): HypercallHandler =>
  change((config, call, { platform }) => {
    const ipa = pageNumber(at(call, 1));
    const pa = pageNumber(at(call, 2));
    const bytes = pageNumber(at(call, 3));
    const window = config.windows[config.windowCount];
    if (ipa === undefined || pa === undefined || !bytes || !window) return false;
    // RAM is given by memory regions only: a window of it would be another VM's.
    if (pa + bytes > platform.ownMemory.pa) return false;
    Object.assign(window, { ipa, pa, bytes, isReadOnly: isReadOnly ? 1 : 0 });
    config.windowCount += 1;
    return true;
  });

/** A list of X2 doublewords at X1. */
const addList = (
  target: (config: VmConfig) => Uint32Array,
  count: 'irqCount' | 'streamCount',
  limit: number,
): HypercallHandler =>
  change((config, call, rhyper) => {
    const length = at(call, 2);
    const list = target(config);
    if (length > BigInt(list.length - config[count])) return false;
    const given = readGuestWords(rhyper, call.caller, at(call, 1), Number(length));
    if (!given) return false;
    const values = hasQuirk(rhyper, 'irq-list-of-two') ? [0n, length] : given;
    if (values.some((value) => value >= BigInt(limit))) return false;
    for (const value of values) {
      list[config[count]] = Number(value);
      config[count] += 1;
    }
    return true;
  });

const maxTreeIrqs = 8;
const addTreeDevice = change((config, call, rhyper) => {
  const name = readGuestText(rhyper, call.caller, at(call, 1), limits.nameBytes);
  const irqCount = at(call, 4);
  const device = config.dtbDevices[config.dtbDeviceCount];
  if (name === undefined || irqCount > BigInt(maxTreeIrqs) || !device) return false;
  const irqs = readGuestWords(rhyper, call.caller, at(call, 3), Number(irqCount));
  if (!irqs || at(call, 5) >= ipaLimit || at(call, 6) >= ipaLimit) return false;
  Object.assign(device, {
    name,
    kind: Number(at(call, 2) & 0xffffn),
    irqCount: irqs.length,
    ipa: Number(at(call, 5)),
    bytes: Number(at(call, 6)),
  });
  irqs.forEach((value, n) => {
    device.irqs[n] = Number(value & 0xffff_ffffn);
  });
  config.dtbDeviceCount += 1;
  return true;
});

/** X0 id, X1 size of the whole image, X2 IPA of this piece in the caller, X3 its offset, X4 its size. */
function* uploadImage(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const vm = vmArgument(rhyper, call.args[0]);
  const [, total = 0n, source = 0n, offset = 0n, size = 0n] = call.args;
  if (!vm || vm.id === 0 || offset + size > total || total > BigInt(rhyper.platform.vmMemory.bytes)) return undefined;
  if (vm.isBuilt === 0) {
    const refusal = yield* build(rhyper, vm);
    if (refusal !== undefined) {
      refuseBuild(rhyper, vm, refusal);
      return undefined;
    }
    if (!loadTree(rhyper, vm)) {
      rhyper.port.log(`VM ${vm.id} (${vm.name}): there is no memory where its device tree should be`);
      return undefined;
    }
  }
  const bytes = readGuest(rhyper, call.caller, source, Number(size));
  return bytes && load(rhyper, vm, vm.config.kernelLoadIpa + Number(offset), bytes) ? 0n : undefined;
}

const row = (event: number, name: string, handle: HypercallHandler): HypercallRow => ({
  fid,
  event,
  name: `CONFIG ${name}`,
  manager: true,
  handle,
});

export const configurationCalls: readonly HypercallRow[] = [
  row(0, 'ADD_VM', addVm),
  row(1, 'DELETE_VM', deleteVm),
  row(2, 'CPU', setCpus),
  row(3, 'MEMORY_REGION', addMemory),
  row(4, 'EMULATED_DEVICE', addDevice),
  row(5, 'PASSTHROUGH_REGION', addWindow(false)),
  row(
    6,
    'PASSTHROUGH_IRQS',
    addList(({ irqs }) => irqs, 'irqCount', limits.intids),
  ),
  row(
    7,
    'PASSTHROUGH_STREAM_IDS',
    addList(({ streams }) => streams, 'streamCount', limits.streamIds),
  ),
  row(8, 'DTB_DEVICE', addTreeDevice),
  row(9, 'UPLOAD_KERNEL_IMAGE', uploadImage),
  // Not of the ancestor.
  row(0x20, 'PASSTHROUGH_READ_ONLY', addWindow(true)),
];
