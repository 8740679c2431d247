// The life of a VM (section 10 of the ancestor's description): built from its configuration, booted, rebooted, stopped, removed. The
// state machine is that of `vmState`: inactive → pending (built) → active (booted) → inactive.
//
// A VM that has done what it may not is stopped: its vCPUs leave their cores, its memory stays for whoever wants to see it, and
// no other VM is touched.

import { type Activity, work } from '../arch/resident.ts';
import { bitAt, hasQuirk, type Rhyper, setBit, vcpuAt, vcpuOf, vmAt } from './context.ts';
import { treeDeviceKinds, type VmDescription } from './description.ts';
import { sendIpi } from './ipi.ts';
import { limits } from './limits.ts';
import { forgetDisk, forgetDisks } from './mediated/disks.ts';
import { noticeManager } from './mediated/service.ts';
import { allocateRegion, clearPages, freeRegion, pageBytes } from './memory.ts';
import { costs } from './options.ts';
import { enqueueAgain, isHere, remove, wakeUp } from './scheduler.ts';
import { pendSError } from './serror.ts';
import { createStage2, destroyStage2, flushVm, mapRange } from './stage2.ts';
import { deviceKind, type Vcpu, vcpuState, type Vm, vmKind, vmState } from './state.ts';
import { resetVcpu } from './vcpu.ts';
import { treeOf } from './vm-tree.ts';
import { attachSlots, detachSlots, resetSlots } from './slots.ts';
import { hearFaults } from './smmu/events.ts';
import { flushStreams } from './smmu/queues.ts';
import { attachStreams, detachStreams, resetEngines } from './smmu/streams.ts';
import { isDirect } from './vgic/direct.ts';
import { mappedBytes } from './vgic/gicv-registers.ts';
import { quietPrivate, resetVgicOfVm } from './vgic/reset.ts';

/** What the kinds of VMM message between cores ask for; the ancestor has no `error`. */
const vmmEvent = { boot: 0, reboot: 1, shutdown: 2, assign: 3, remove: 4, error: 5 } as const;

/** A refusal, in words; undefined where all is well. */
type Refusal = string | undefined;

const firstSpi = 32;
const noMaster = 0xffff_ffff;

/** The lowest id that is free, marked as used; undefined when there is none. */
export function claimVm(rhyper: Rhyper, name: string, kind: number): Vm | undefined {
  const vm = rhyper.state.vms.find(({ isConfigured }) => isConfigured === 0);
  if (!vm) return undefined;
  vm.id = rhyper.state.vms.indexOf(vm);
  vm.isConfigured = 1;
  vm.isBuilt = 0;
  vm.isManager = vm.id === 0 ? 1 : 0;
  vm.state = vmState.inactive;
  vm.kind = kind;
  vm.name = name;
  vm.stopReason = '';
  vm.messagePage = 0;
  vm.messageSlot = 0;
  vm.filePage = 0;
  vm.fileCall = 0;
  vm.vcpuCount = 0;
  const { config } = vm;
  config.memoryCount = 0;
  config.deviceCount = 0;
  config.windowCount = 0;
  config.irqCount = 0;
  config.streamCount = 0;
  config.dtbDeviceCount = 0;
  config.cpuCount = 0;
  config.cpuMask = 0;
  config.master = noMaster;
  config.commandLine = '';
  return vm;
}

/** Writes a description into the configuration of a claimed VM. */
export function configure(vm: Vm, description: VmDescription): void {
  const { config } = vm;
  config.kernelLoadIpa = description.kernel.loadIpa;
  config.dtbLoadIpa = description.tree?.loadIpa ?? 0;
  config.ramdiskLoadIpa = description.ramdisk?.loadIpa ?? 0;
  config.commandLine = description.commandLine;
  config.cpuCount = description.cpus.count;
  config.cpuMask = description.cpus.mask;
  config.master = description.cpus.master ?? noMaster;
  description.memory.forEach((range, n) => Object.assign(config.memory[n] ?? {}, range));
  config.memoryCount = description.memory.length;
  description.devices.forEach(({ name, kind, intid, ipa, bytes, arguments: values }, n) => {
    const device = config.devices[n];
    if (!device) return;
    Object.assign(device, { name, kind: deviceKind[kind], intid, ipa, bytes, slot: 0 });
    forgetDisk(device);
    device.arguments.fill(0n);
    values.forEach((value, i) => {
      device.arguments[i] = BigInt(value);
    });
  });
  config.deviceCount = description.devices.length;
  description.windows.forEach(({ ipa, pa, bytes, readOnly }, n) =>
    Object.assign(config.windows[n] ?? {}, { ipa, pa, bytes, isReadOnly: readOnly === true ? 1 : 0 }),
  );
  config.windowCount = description.windows.length;
  config.irqs.set(description.irqs);
  config.irqCount = description.irqs.length;
  config.streams.set(description.streams);
  config.streamCount = description.streams.length;
  description.treeDevices.forEach(({ name, kind, intids, ipa, bytes }, n) => {
    const device = config.dtbDevices[n];
    if (!device) return;
    Object.assign(device, { name, kind: treeDeviceKinds.indexOf(kind), irqCount: intids.length, ipa, bytes });
    device.irqs.set(intids);
  });
  config.dtbDeviceCount = description.treeDevices.length;
}

const cpusOf = (mask: number): number[] =>
  Array.from({ length: limits.cores }, (_, n) => n).filter((n) => ((mask >>> n) & 1) !== 0);

/** The cores of vCPU 0, 1, …: the master first, the others in ascending order. */
function placement(rhyper: Rhyper, vm: Vm): readonly number[] {
  const { cpuMask, cpuCount, master } = vm.config;
  const cores = cpusOf(cpuMask).filter((n) => n < rhyper.platform.coreCount);
  const first = cores.includes(master) ? master : cores[0];
  return [first, ...cores.filter((n) => n !== first)].filter((n) => n !== undefined).slice(0, cpuCount);
}

/** A VM that takes its interrupts itself takes those of its core's scheduler too: it has its cores to itself. */
function coreOfOthers(rhyper: Rhyper, vm: Vm, cores: readonly number[]): Refusal {
  if (hasQuirk(rhyper, 'gppt-unfiltered')) return undefined;
  const other = rhyper.state.vcpus.find(
    ({ isAllocated, core, vm: id }) =>
      isAllocated !== 0 && cores.includes(core) && (isDirect(vm) || isDirect(vmAt(rhyper, id))),
  );
  return other && `core ${other.core} is VM ${other.vm}’s, and a VM that takes its interrupts itself shares none`;
}

function allocateVcpus(rhyper: Rhyper, vm: Vm): Refusal {
  const cores = placement(rhyper, vm);
  if (cores.length === 0) return 'it has no core';
  const refusal = coreOfOthers(rhyper, vm, cores);
  if (refusal !== undefined) return refusal;
  const free = rhyper.state.vcpus.flatMap(({ isAllocated }, n) => (isAllocated === 0 ? [n] : []));
  if (free.length < cores.length || cores.length > limits.vcpusPerVm) return `there are no ${cores.length} vCPUs left`;
  cores.forEach((core, id) => {
    const position = free[id] as number;
    const vcpu = vcpuAt(rhyper, position);
    vm.vcpus[id] = position;
    Object.assign(vcpu, { isAllocated: 1, id, vm: vm.id, core, state: vcpuState.invalid, isOn: 0 });
    Object.assign(vcpu, { injectedInterrupts: 0, directInterrupts: 0, switches: 0, guestTicks: 0, asleepTicks: 0 });
    vcpu.exits.fill(0n);
  });
  vm.vcpuCount = cores.length;
  return undefined;
}

function allocateMemory(rhyper: Rhyper, vm: Vm): Refusal {
  const { config } = vm;
  vm.regionCount = 0;
  for (let n = 0; n < config.memoryCount; n += 1) {
    const range = config.memory[n];
    const region = vm.regions[n];
    if (!range || !region) continue;
    const pa = allocateRegion(rhyper, range.bytes);
    if (pa === undefined) return `there is no free memory of ${range.bytes} bytes in one piece`;
    Object.assign(region, { ipa: range.ipa, pa, bytes: range.bytes });
    vm.regionCount += 1;
    if (!mapRange(rhyper, vm, { ipa: range.ipa, pa, bytes: range.bytes }, 'normal', vm.isManager !== 0))
      return `IPA 0x${range.ipa.toString(16)} cannot be mapped`;
  }
  return undefined;
}

function mapDevices(rhyper: Rhyper, vm: Vm): Refusal {
  const { config } = vm;
  for (let n = 0; n < config.windowCount; n += 1) {
    const window = config.windows[n];
    if (!window) continue;
    // RAM begins with the hypervisor's; it is given by memory regions alone.
    if (window.pa + window.bytes > rhyper.platform.ownMemory.pa)
      return `PA 0x${window.pa.toString(16)} is not a device’s`;
    const { ipa, pa } = window;
    const kind = window.isReadOnly !== 0 ? 'read-only device' : 'device';
    if (!mapRange(rhyper, vm, { ipa, pa, bytes: mappedBytes(rhyper, window) }, kind, true))
      return `IPA 0x${window.ipa.toString(16)} cannot be mapped`;
  }
  return undefined;
}

/** The management VM sees the store, and cannot write to it. */
function mapStore(rhyper: Rhyper, vm: Vm): Refusal {
  const { store } = rhyper.description;
  if (vm.isManager === 0 || !store) return undefined;
  return mapRange(rhyper, vm, store, 'read-only', false) ? undefined : 'the store cannot be mapped';
}

/** The SMMU's, or that of a transport that acts for a device of some VM. */
const isOwnSpi = ({ platform, description }: Rhyper, intid: number): boolean =>
  intid === platform.smmu?.gerrorIntid || description.slots.some((slot) => slot.intid === intid);

/** PPIs may belong to several VMs; an SPI to one. */
function claimInterrupts(rhyper: Rhyper, vm: Vm): Refusal {
  vm.ownedInterrupts.fill(0);
  const { irqCount, irqs } = vm.config;
  for (let n = 0; n < irqCount; n += 1) {
    const intid = irqs[n] as number;
    if (intid >= limits.intids) return `there is no interrupt ${intid}`;
    if (isOwnSpi(rhyper, intid)) return `interrupt ${intid} is the hypervisor’s own`;
    if (intid >= firstSpi && bitAt(rhyper.state.assignedInterrupts, intid)) return `interrupts conflict: ${intid}`;
    setBit(vm.ownedInterrupts, intid, true);
    if (intid >= firstSpi) setBit(rhyper.state.assignedInterrupts, intid, true);
  }
  return undefined;
}

/** Devices that reach memory by themselves come as after a reset, whoever had them before. */
function* attachDevices(rhyper: Rhyper, vm: Vm): Activity<Refusal> {
  yield* resetEngines(rhyper, vm);
  return yield* attachStreams(rhyper, vm);
}

/** No device of a VM goes on with what it was told: memory that is cleared stays so. */
function* quietDevices(rhyper: Rhyper, vm: Vm): Activity {
  yield* resetEngines(rhyper, vm);
  yield* resetSlots(rhyper, vm);
}

/** Gives a VM everything that its configuration asks for. What it got is given back where something is missing. */
export function* build(rhyper: Rhyper, vm: Vm): Activity<Refusal> {
  const root = createStage2(rhyper);
  if (root === undefined) return 'there is no memory for its tables';
  vm.stage2Root = root;
  vm.isBuilt = 1;
  vm.entryIpa = vm.config.kernelLoadIpa;
  vm.dtbIpa = vm.config.dtbLoadIpa;
  const refusal =
    allocateVcpus(rhyper, vm) ??
    allocateMemory(rhyper, vm) ??
    claimInterrupts(rhyper, vm) ??
    mapDevices(rhyper, vm) ??
    mapStore(rhyper, vm) ??
    (yield* attachSlots(rhyper, vm)) ??
    (yield* attachDevices(rhyper, vm));
  if (refusal !== undefined) {
    yield* dismantle(rhyper, vm);
    return refusal;
  }
  yield* work(costs.mapPage * Math.max(1, Math.ceil((vm.regions[0]?.bytes ?? 0) / pageBytes)));
  yield* resetVgicOfVm(rhyper, vm);
  vm.state = vmState.pending;
  return undefined;
}

/** Says why a VM cannot be built. */
export function refuseBuild(rhyper: Rhyper, vm: Vm, refusal: string): void {
  const sentence = `VM ${vm.id} (${vm.name}) cannot be built: ${refusal}`;
  const isPanic = hasQuirk(rhyper, 'panic-on-failed-build');
  rhyper.port.log(isPanic ? `panic on core ${rhyper.index}: ${sentence}` : sentence);
  if (isPanic) rhyper.port.stop(1);
}

/** Copies bytes to an IPA of a VM that is built; false where they do not fit into its memory. */
export function load(rhyper: Rhyper, vm: Vm, ipa: number, bytes: Uint8Array): boolean {
  for (let n = 0; n < vm.regionCount; n += 1) {
    const region = vm.regions[n];
    if (!region || ipa < region.ipa || ipa + bytes.length > region.ipa + region.bytes) continue;
    for (let offset = 0; offset < bytes.length; offset += pageBytes)
      rhyper.port.writeRam(region.pa + ipa - region.ipa + offset, bytes.subarray(offset, offset + pageBytes));
    return true;
  }
  return false;
}

/** Writes the generated device tree, where the VM has a place for one. */
export const loadTree = (rhyper: Rhyper, vm: Vm): boolean =>
  vm.dtbIpa === 0 || load(rhyper, vm, vm.dtbIpa, rhyper.port.buildTree(treeOf(rhyper, vm)));

/** X0 at the entry: the device tree, or for a bare-metal application without one the end of its first memory region. */
function firstArgument(vm: Vm): bigint {
  if (vm.kind !== vmKind.bareMetalApp || vm.dtbIpa !== 0) return BigInt(vm.dtbIpa);
  const region = vm.regions[0];
  return region ? BigInt(region.ipa + region.bytes) : 0n;
}

/** Starts vCPU 0, on its core. The VM counts as active from here on: what comes before its first instruction concerns it too. */
export function* boot(rhyper: Rhyper, vm: Vm): Activity {
  const vcpu = vcpuOf(rhyper, vm, 0);
  if (!vcpu || vm.isBuilt === 0) return;
  vm.state = vmState.active;
  vm.stopReason = '';
  if (isHere(rhyper, vcpu)) yield* startFirst(rhyper, vm);
  else yield* sendIpi(rhyper, vcpu.core, { kind: 'VMM', vm: vm.id, a: vmmEvent.boot });
}

/** On the core of vCPU 0, unless the VM has been stopped meanwhile. */
function* startFirst(rhyper: Rhyper, vm: Vm): Activity {
  const vcpu = vcpuOf(rhyper, vm, 0);
  if (!vcpu || vm.state !== vmState.active) return;
  yield* startVcpu(rhyper, vcpu, BigInt(vm.entryIpa), firstArgument(vm));
}

/** Resets a vCPU of this core and lets it run. */
export function* startVcpu(rhyper: Rhyper, vcpu: Vcpu, entry: bigint, x0: bigint): Activity {
  const isRunning = vcpu.state !== vcpuState.invalid;
  if (isRunning) yield* remove(rhyper, vcpu);
  yield* resetVcpu(rhyper, vcpu, entry, x0);
  vcpu.isOn = 1;
  yield* wakeUp(rhyper, vcpu, true);
  if (isRunning && hasQuirk(rhyper, 'reset-while-running')) enqueueAgain(rhyper, vcpu);
}

/** A vCPU of this core no longer runs. */
export function* stopVcpu(rhyper: Rhyper, vcpu: Vcpu): Activity {
  vcpu.isOn = 0;
  const vm = vmAt(rhyper, vcpu.vm);
  if (isDirect(vm)) yield* quietPrivate(rhyper, vm);
  yield* remove(rhyper, vcpu);
}

/** 10 ms of waiting for other cores. */
const mostPolls = 10_000_000 / costs.ipi;

/**
 * Takes all vCPUs of a VM off their cores, and waits until they are. False where a core does not answer: a VM that takes its interrupts
 * itself gets the hypervisor's SGI as well, and its core hears of the message only when it enters EL2 for something else.
 */
function* quiesce(rhyper: Rhyper, vm: Vm): Activity<boolean> {
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const vcpu = vcpuOf(rhyper, vm, id);
    if (!vcpu || vcpu.state === vcpuState.invalid) continue;
    if (isHere(rhyper, vcpu)) yield* stopVcpu(rhyper, vcpu);
    else yield* sendIpi(rhyper, vcpu.core, { kind: 'VMM', vm: vm.id, a: vmmEvent.remove });
  }
  if (hasQuirk(rhyper, 'remove-without-waiting')) return true;
  for (let n = 0; isAnyRunning(rhyper, vm); n += 1) {
    if (n === mostPolls) return false;
    yield* rhyper.serveIpis();
    yield* work(costs.ipi);
  }
  return true;
}

const isAnyRunning = (rhyper: Rhyper, vm: Vm): boolean =>
  Array.from({ length: vm.vcpuCount }, (_, id) => vcpuOf(rhyper, vm, id)).some(
    (vcpu) => vcpu !== undefined && vcpu.state !== vcpuState.invalid,
  );

/** Stops a VM for what it has done: the reason goes to the report. */
export function* stop(rhyper: Rhyper, vm: Vm, reason: string): Activity {
  if (vm.state === vmState.inactive) return;
  vm.state = vmState.inactive;
  vm.stopReason = reason;
  rhyper.port.log(`VM ${vm.id} (${vm.name}) is stopped: ${reason}`);
  if (vm.hearsFaults !== 0) yield* hearFaults(rhyper);
  yield* quiesce(rhyper, vm);
  if (vm.isManager !== 0) yield* noticeManager(rhyper);
}

/** A VM has turned itself off, or is told to. False, with a line on the console, where it still runs. */
export function* shutDown(rhyper: Rhyper, vm: Vm): Activity<boolean> {
  const { state } = vm;
  vm.state = vmState.inactive;
  if (yield* quiesce(rhyper, vm)) {
    if (vm.isManager !== 0) yield* noticeManager(rhyper);
    return true;
  }
  vm.state = state;
  rhyper.port.log(`VM ${vm.id} (${vm.name}) goes on: a core that it has does not answer`);
  return false;
}

function* clearMemory(rhyper: Rhyper, vm: Vm): Activity {
  for (let n = 0; n < vm.regionCount; n += 1) {
    const region = vm.regions[n];
    if (!region) continue;
    clearPages(rhyper, region.pa, region.bytes);
    yield* work(costs.copyPage);
  }
}

/** Turns the machine off; what has not been told is. */
export function* powerOff(rhyper: Rhyper): Activity {
  yield* hearFaults(rhyper);
  rhyper.port.stop(0);
}

/** Quiesces a VM and clears its memory; it is booted again when its images have been loaded anew. */
export function* resetVm(rhyper: Rhyper, vm: Vm): Activity<boolean> {
  if (!hasQuirk(rhyper, 'reset-while-running') && !(yield* shutDown(rhyper, vm))) return false;
  yield* quietDevices(rhyper, vm);
  yield* flushStreams(rhyper, vm);
  yield* clearMemory(rhyper, vm);
  loadTree(rhyper, vm);
  vm.messagePage = 0;
  vm.messageSlot = 0;
  vm.fileCall = 0;
  yield* resetVgicOfVm(rhyper, vm);
  vm.state = vmState.pending;
  return true;
}

/** Gives back what `build` took. */
function* dismantle(rhyper: Rhyper, vm: Vm): Activity {
  yield* quietDevices(rhyper, vm);
  yield* detachStreams(rhyper, vm);
  detachSlots(vm);
  forgetDisks(rhyper, vm);
  yield* clearMemory(rhyper, vm);
  yield* resetVgicOfVm(rhyper, vm);
  if (vm.stage2Root !== 0) yield* flushVm(rhyper, vm);
  destroyStage2(rhyper, vm);
  for (let n = 0; n < vm.regionCount; n += 1) {
    const region = vm.regions[n];
    if (region) freeRegion(rhyper, region.pa, region.bytes);
  }
  vm.regionCount = 0;
  for (let intid = firstSpi; intid < limits.intids; intid += 1) {
    if (bitAt(vm.ownedInterrupts, intid)) setBit(rhyper.state.assignedInterrupts, intid, false);
  }
  vm.ownedInterrupts.fill(0);
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const vcpu = vcpuOf(rhyper, vm, id);
    if (vcpu) vcpu.isAllocated = 0;
  }
  vm.vcpuCount = 0;
  vm.isBuilt = 0;
  vm.state = vmState.inactive;
}

/** Removes a VM: its id, its memory and its interrupts can be used again. */
export function* removeVm(rhyper: Rhyper, vm: Vm): Activity<boolean> {
  if (!(yield* shutDown(rhyper, vm))) return false;
  yield* dismantle(rhyper, vm);
  vm.isConfigured = 0;
  return true;
}

/** Makes a virtual SError pending for a vCPU, on its core. False where it is off, or does not take any (HCR_EL2.AMO is 0). */
export function* injectSError(rhyper: Rhyper, vcpu: Vcpu): Activity<boolean> {
  if (vcpu.state === vcpuState.invalid || hasQuirk(rhyper, 'serror-to-guest')) return false;
  if (isHere(rhyper, vcpu)) return yield* pendSError(rhyper, vcpu);
  yield* sendIpi(rhyper, vcpu.core, { kind: 'VMM', vm: vcpu.vm, a: vmmEvent.error, b: vcpu.id });
  return true;
}

/** What another core asks this one for. */
export function* handleVmmIpi(rhyper: Rhyper, vmId: number, event: number, vcpuId: number): Activity {
  const vm = vmAt(rhyper, vmId);
  const named = vcpuOf(rhyper, vm, vcpuId);
  if (event === vmmEvent.error && named && isHere(rhyper, named)) yield* pendSError(rhyper, named);
  if (event === vmmEvent.boot) yield* startFirst(rhyper, vm);
  if (event !== vmmEvent.remove) return;
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const vcpu = vcpuOf(rhyper, vm, id);
    if (vcpu && isHere(rhyper, vcpu)) yield* stopVcpu(rhyper, vcpu);
  }
}
