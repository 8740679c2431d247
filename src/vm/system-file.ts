// From a system file, and the files that it names, to a complete system. A file in the ancestor's JSON is a system, too: one GVM beside
// the built-in MVM.

import type { InputFile } from '../board/image.ts';
import { maxMemoryBytes, memoryMap } from '../board/memory-map.ts';
import type { SystemDescription, VmCpus, VmDescription } from '../hypervisor/description.ts';
import { limits } from '../hypervisor/limits.ts';
import { allQuirks, type RhyperOptions } from '../hypervisor/options.ts';
import { draftOfAncestorFile, isAncestorFile } from './ancestor-file.ts';
import { checkLoads, checkVms } from './checks.ts';
import { bytesOfPage, type VmDraft } from './draft.ts';
import { kernelImage } from './kernel-image.ts';
import { type LocatedFile, locatedFile } from './located-file.ts';
import { type ReadFile, readOr } from './read-file.ts';
import { placeCpus } from './placement.ts';
import { type SystemFile, systemFile, type VmEntry } from './schema.ts';
import { buildStore } from './store.ts';
import { draftOfEntry } from './vm-entry.ts';
import { disksOf, placeOnDisks } from './disks.ts';
import { connectConsoles, dmaEnginesOf, groupsOf, transportsOf, uartsOf, withUart } from './system-devices.ts';
import type { RamLayout, VmSystem } from './system.ts';

/** What the command line says in place of the file. */
export interface SystemOverrides {
  readonly options?: Partial<Omit<RhyperOptions, 'quirks'>>;
  readonly fidelity?: 'strict' | 'as-is';
  readonly quirks?: RhyperOptions['quirks'];
  readonly gicVersion?: 2 | 3;
  /** Commands for the MVM's shell, after those of the file. */
  readonly commands?: readonly string[];
}

const MiB = 0x10_0000;
const ownMemoryBytes = 16 * MiB;
const blockBytes = 2 * MiB;
/** Above everything that a VM has by default, and within the 36 bits of a VM's addresses. */
const storeIpa = 0x4_0000_0000;
const defaultCores = 4;
const defaultTickTicks = 1_000_000;
/** Many times what a turn of all vCPUs of a core takes. */
const defaultBlockPatienceTicks = 1_000_000_000;
/** A device tree of a VM is smaller. */
const treeRoomBytes = 0x1_0000;

const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

function optionsOf({ rhyper = {} }: SystemFile, overrides: SystemOverrides): RhyperOptions {
  const isAsIs = (overrides.fidelity ?? rhyper.fidelity) === 'as-is';
  const profile = overrides.options?.profile ?? rhyper.profile ?? 'rust-shyper-2023';
  return {
    profile,
    quirks: isAsIs ? allQuirks : [...new Set([...(rhyper.quirks ?? []), ...(overrides.quirks ?? [])])],
    trapsWaits:
      overrides.options?.trapsWaits ?? rhyper['wait-traps'] ?? (profile === 'rtshyper' || profile === 'textbook'),
    injection: overrides.options?.injection ?? rhyper.injection ?? 'list-registers',
    tickTicks: overrides.options?.tickTicks ?? rhyper.tick ?? defaultTickTicks,
    blockPatienceTicks: rhyper['block-patience'] ?? defaultBlockPatienceTicks,
  };
}

/** Drafts of all VMs in the order of their ids: the MVM, those of power-on, those of the MVM. */
function draftsOf(file: LocatedFile, contents: SystemFile, gicVersion: 2 | 3, read: ReadFile): VmDraft[] {
  const { mvm = {}, vms = [] } = contents;
  const context = { gicVersion, refuse: file.refuse };
  const manager = draftOf({ name: 'mvm', ...mvm }, -1);
  function draftOf(entry: VmEntry, n: number): VmDraft {
    const path = n < 0 ? ['mvm'] : ['vms', n];
    if (entry.config !== undefined) {
      const other = Object.keys(entry).find((key) => key !== 'config' && key !== 'boot');
      if (other !== undefined) file.refuse([...path, other], 'beside config, an entry may say boot alone');
      const config = readOr(
        () => read(entry.config as string),
        (message) => file.refuse([...path, 'config'], message),
      );
      return draftOfAncestorFile(config.path, config.bytes, entry.boot ?? 'mvm');
    }
    const { name = file.refuse(path, 'a VM has a name') } = entry;
    const kind = n < 0 ? 'mvm' : (entry.kind ?? 'gvm');
    return draftOfEntry({ ...entry, name }, { ...context, kind, position: n + 1, path });
  }
  const others = vms.map(draftOf);
  const isStatic = ({ boot }: VmDraft): boolean => boot === 'power-on';
  return [manager, ...others.filter(isStatic), ...others.filter((vm) => !isStatic(vm))];
}

function loadVm(vm: VmDraft, cpus: VmCpus, read: ReadFile): VmDescription {
  const fileOf = (aspect: 'kernel' | 'ramdisk' | 'tree', name: string): InputFile =>
    readOr(
      () => read(name),
      (message) => vm.refuse(aspect, undefined, message),
    );
  const kernelFile = fileOf('kernel', vm.kernel.file);
  const kernel = readOr(
    () => kernelImage(kernelFile, vm.kernel.loadIpa, vm.kernel.isLoadGiven),
    (message) => vm.refuse('kernel', undefined, message),
  );
  // The hypercalls upload a kernel and nothing else.
  for (const aspect of ['ramdisk', 'tree'] as const)
    if (vm[aspect]?.file !== undefined && vm.boot !== 'power-on')
      vm.refuse(aspect, undefined, 'the MVM cannot load it: use boot: power-on');
  const ramdisk = vm.ramdisk && { bytes: fileOf('ramdisk', vm.ramdisk.file).bytes, loadIpa: vm.ramdisk.loadIpa };
  const treeBytes = vm.tree?.file === undefined ? undefined : fileOf('tree', vm.tree.file).bytes;
  checkLoads(vm, [
    { aspect: 'kernel', ipa: kernel.loadIpa, bytes: kernel.sizeBytes },
    ...(ramdisk ? [{ aspect: 'ramdisk' as const, ipa: ramdisk.loadIpa, bytes: ramdisk.bytes.length }] : []),
    ...(vm.tree ? [{ aspect: 'tree' as const, ipa: vm.tree.loadIpa, bytes: treeBytes?.length ?? treeRoomBytes }] : []),
  ]);
  const { name, kind, boot, memory, commandLine, windows, irqs, streams, treeDevices } = vm;
  return {
    name,
    kind,
    boot: boot === 'none' ? 'mvm' : boot,
    cpus,
    memory,
    kernel: { bytes: kernel.bytes, loadIpa: kernel.loadIpa },
    ...(ramdisk && { ramdisk }),
    ...(vm.tree && { tree: { loadIpa: vm.tree.loadIpa, ...(treeBytes && { bytes: treeBytes }) } }),
    commandLine,
    devices: vm.devices.map(({ name: device, kind: of, intid, ipa, bytes, arguments: list }) => ({
      name: device,
      kind: of,
      intid,
      ipa,
      bytes,
      arguments: list,
    })),
    windows,
    irqs,
    streams,
    treeDevices,
  };
}

function layoutOf(store: Uint8Array, memoryBytes: number): RamLayout {
  const { base } = memoryMap.ram;
  const storePa = base + ownMemoryBytes;
  const vmPa = alignUp(storePa + store.length, blockBytes);
  return {
    ownMemory: { pa: base, bytes: ownMemoryBytes },
    store: { pa: storePa, bytes: store },
    vmMemory: { pa: vmPa, bytes: base + memoryBytes - vmPa },
  };
}

/**
 * Commands by which the MVM's shell creates and boots the VMs that are its own to boot, then the file's, then those of the command line,
 * before which an `exit` at the file's end gives way.
 */
function scriptOf(vms: readonly VmDraft[], ofFile: readonly string[], typed: readonly string[]): string[] {
  const own = vms.flatMap(({ name, boot }, id) => (boot === 'mvm' ? [`vm config ${name}`, `vm boot ${id}`] : []));
  const goesOn = typed.length > 0 && ofFile.at(-1) === 'exit';
  return [...own, ...(goesOn ? ofFile.slice(0, -1) : ofFile), ...typed];
}

export function readSystem(path: string, bytes: Uint8Array, read: ReadFile, overrides: SystemOverrides = {}): VmSystem {
  const file = locatedFile(path, bytes);
  const isAncestor = isAncestorFile(file);
  const contents = isAncestor ? {} : file.value === null ? {} : file.read(systemFile);
  const { board = {}, commands = [], network = {} } = contents;
  const gicVersion = overrides.gicVersion ?? board.gic ?? 3;
  if (gicVersion !== 2 && gicVersion !== 3)
    return file.refuse(['board', 'gic'], `there is no GIC version ${gicVersion}`);
  const cores = board.cores ?? defaultCores;
  if (cores < 1 || cores > limits.cores)
    file.refuse(['board', 'cores'], `a system of VMs has 1 to ${limits.cores} cores, not ${cores}`);

  const errors = (board.errors ?? []).map(({ core, at }, n) => {
    if (core >= cores) file.refuse(['board', 'errors', n, 'core'], `there is no core ${core}`);
    return { core, atTicks: at };
  });

  const drafted = draftsOf(file, contents, gicVersion, read);
  if (isAncestor) drafted.push(draftOfAncestorFile(path, bytes, 'mvm'));
  const uarts = uartsOf(drafted);
  const diskNamed = disksOf(file, contents, read);
  const withUarts = drafted.map((vm) => withUart(vm, uarts));
  const vms = connectConsoles(placeOnDisks(withUarts, Object.keys(contents.disks ?? {}), diskNamed));
  checkVms(vms);
  const cpus = placeCpus(vms, cores);
  const vcpus = cpus.reduce((sum, { count }) => sum + count, 0);
  if (vcpus > limits.vcpus)
    vms.at(-1)?.refuse('cpus', undefined, `at most ${limits.vcpus} vCPUs in all VMs, not ${vcpus}`);
  const described = vms.map((vm, n) => loadVm(vm, cpus[n] as VmCpus, read));

  const script = scriptOf(vms, commands, overrides.commands ?? []);
  const store = buildStore(
    described.slice(1).filter(({ boot }) => boot === 'mvm'),
    script,
    storeIpa,
  );
  const wanted = vms.reduce((sum, vm) => sum + vm.memory.reduce((all, region) => all + region.bytes, 0), 0);
  const needed = alignUp(ownMemoryBytes + alignUp(store.length, blockBytes) + wanted, blockBytes);
  const memoryBytes = board.memory ?? alignUp(needed, 64 * MiB);
  if (memoryBytes > maxMemoryBytes || memoryBytes % MiB !== 0)
    file.refuse(['board', 'memory'], `RAM is a whole number of MiB, 3G at most, not ${memoryBytes} bytes`);
  if (needed > memoryBytes)
    file.refuse(
      ['board', 'memory'],
      `the VMs, the store and the hypervisor need ${needed / MiB}M, and RAM has ${memoryBytes / MiB}M`,
    );
  const layout = layoutOf(store, memoryBytes);
  const options = optionsOf(contents, overrides);
  const { slots, backends } = transportsOf(
    vms,
    diskNamed,
    ({ kind }) => kind === 'app' && options.profile === 'rust-shyper-2023',
  );
  const description: SystemDescription = {
    options,
    vms: described,
    slots,
    store: { pa: layout.store.pa, ipa: storeIpa, bytes: alignUp(store.length, bytesOfPage) },
  };
  return {
    board: { cores, memoryBytes, gicVersion, dmaEngines: dmaEnginesOf(vms), errors },
    description,
    layout,
    uarts,
    backends,
    network: {
      ...(network.capture !== undefined && { capture: network.capture }),
      user: network.user ?? false,
      rule: options.profile === 'textbook' ? 'learning' : 'table',
      groups: groupsOf(vms).length,
    },
  };
}
