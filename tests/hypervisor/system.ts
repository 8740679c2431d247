// Whole systems of virtual machines whose kernels are assembled here: the real machine, the real hypervisor, on one thread.

import { registerNames } from '../../src/arch/register-names.ts';
import { pageShift, peState, ramBase } from '../../src/arch/state-layout.ts';
import { slotOf } from '../../src/arch/system-registers.ts';
import { resolveBoard } from '../../src/board/virt.ts';
import type {
  EmulatedDeviceDescription,
  SlotDescription,
  SystemDescription,
  VmDescription,
} from '../../src/hypervisor/description.ts';
import type { RhyperOptions } from '../../src/hypervisor/options.ts';
import { stateAt, type SystemState, type Vm } from '../../src/hypervisor/state.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { type MemoryViews, memoryViews } from '../../src/memory/memory-views.ts';
import type { Backend, GuestUart } from '../../src/vm/system.ts';
import { encodeStepModule } from '../../src/engine/step-module.ts';
import type { MachineConfig } from '../../workers/machine.ts';
import { oneHostMachine, type OneHostRun } from '../../workers/one-host.ts';

const stepModule = new WebAssembly.Module(encodeStepModule());

const MiB = 0x10_0000;
const memoryBytes = 96 * MiB;
const ownBytes = 16 * MiB;
/** The last of RAM: what the management VM may read only, where a test asks for that. */
const storeBytes = 2 * MiB;
export const kernelIpa = 0x8000_0000;
export const gicdIpa = 0x0800_0000;
export const gicrIpa = 0x080a_0000;
export const giccIpa = 0x0801_0000;
export type GicVersion = 2 | 3;
/** GICC and GICV of the board. */
const physicalInterface = { gicc: 0x0801_0000, gicv: 0x0804_0000 } as const;

export const gic: readonly EmulatedDeviceDescription[] = [
  { name: 'gicd', kind: 'gicd', ipa: gicdIpa, bytes: 0x1_0000, intid: 0, arguments: [] },
  { name: 'gicr', kind: 'gicr', ipa: gicrIpa, bytes: 0x10_0000, intid: 0, arguments: [] },
];

export interface TestVm {
  readonly name: string;
  readonly kind?: VmDescription['kind'];
  /** A64 source; it is entered at its first instruction. */
  readonly source: string;
  readonly cores: readonly number[];
  readonly memoryBytes?: number;
  readonly devices?: readonly EmulatedDeviceDescription[];
  readonly irqs?: readonly number[];
  readonly boot?: VmDescription['boot'];
  /** A kernel that takes the machine from its device tree, in place of the source. */
  readonly program?: { readonly image: Uint8Array; readonly commandLine: string };
  readonly windows?: VmDescription['windows'];
  readonly tree?: VmDescription['tree'];
  readonly streams?: readonly number[];
  readonly treeDevices?: VmDescription['treeDevices'];
}

const textOffset = 0x8_0000;

/** A VM of a board with a GICv2 has no redistributors, and a window to its CPU interface. */
function versionParts(version: GicVersion, { devices = gic, windows = [] }: TestVm) {
  if (version === 3) return { devices, windows };
  const pa = devices.some(({ kind }) => kind === 'gppt') ? physicalInterface.gicc : physicalInterface.gicv;
  return {
    devices: devices.filter(({ kind }) => kind !== 'gicr'),
    windows: [{ ipa: giccIpa, pa, bytes: 0x2000 }, ...windows],
  };
}

function describeVm(vm: TestVm, version: GicVersion): VmDescription {
  const { name, kind = 'gvm', source, cores, ...rest } = vm;
  const { bytes } = assemble(source, { base: BigInt(kernelIpa), names: registerNames });
  return {
    name,
    kind,
    boot: rest.boot ?? 'power-on',
    cpus: {
      count: cores.length,
      mask: cores.reduce((sum, n) => sum | (1 << n), 0),
      master: cores[0] ?? 0,
      exclusive: false,
    },
    memory: [{ ipa: kernelIpa, bytes: rest.memoryBytes ?? 2 * MiB }],
    kernel: { bytes, loadIpa: kernelIpa },
    commandLine: '',
    ...versionParts(version, vm),
    ...(rest.tree && { tree: rest.tree }),
    irqs: rest.irqs ?? [27],
    streams: rest.streams ?? [],
    treeDevices: rest.treeDevices ?? [],
    ...(rest.program && {
      kernel: { bytes: rest.program.image, loadIpa: kernelIpa + textOffset },
      tree: { loadIpa: kernelIpa },
      commandLine: rest.program.commandLine,
    }),
  };
}

const strict: RhyperOptions = {
  profile: 'rust-shyper-2023',
  quirks: [],
  trapsWaits: false,
  injection: 'list-registers',
  tickTicks: 100_000,
  blockPatienceTicks: 1_000_000_000,
};

export interface System {
  readonly run: OneHostRun;
  readonly state: SystemState;
  readonly memory: MemoryViews;
  readonly console: string;
  readonly vm: (name: string) => Vm;
  /** A System register of a core as the run has left it. */
  readonly register: (core: number, name: string) => bigint;
  /** Doublewords of a VM's memory. */
  readonly words: (name: string, ipa: number, count?: number) => bigint[];
}

interface SystemOptions extends Partial<RhyperOptions> {
  readonly cores?: number;
  readonly maxTicks?: number;
  readonly seed?: number;
  readonly storeIpa?: number;
  readonly gicVersion?: GicVersion;
  /** Behind an SMMU. */
  readonly dmaEngines?: number;
  /** Virtio transports of the board that act for devices of the VMs, and what is behind each; behind the SMMU, too. Without either there is none. */
  readonly slots?: readonly SlotDescription[];
  readonly backends?: readonly Backend[];
  /** UARTs of the board beside its first one. */
  readonly uarts?: readonly GuestUart[];
  /** SError interrupts of cores. */
  readonly errors?: MachineConfig['errors'];
}

export function runSystem(vms: readonly TestVm[], options: SystemOptions = {}): System {
  const { cores = 2, maxTicks = 20_000_000, seed = 1, storeIpa, dmaEngines = 0, gicVersion = 3, ...more } = options;
  const { slots = [], backends = [], uarts = [], errors = [], ...rhyper } = more;
  const iommu = dmaEngines > 0 || slots.length > 0 ? 'smmuv3' : 'none';
  const machine = { cores, memoryBytes, gicVersion, virtualization: true, secure: false };
  const board = resolveBoard({ ...machine, iommu, dmaEngines });
  const pages = (ramBase + memoryBytes) >>> 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const description: SystemDescription = {
    options: { ...strict, ...rhyper },
    vms: vms.map((vm) => describeVm(vm, gicVersion)),
    slots,
    ...(storeIpa !== undefined && {
      store: { ipa: storeIpa, pa: ramBase + memoryBytes - storeBytes, bytes: storeBytes },
    }),
  };
  let console = '';
  const host = oneHostMachine(
    {
      board,
      memory,
      entry: ramBase,
      x0: 0,
      reset: { el: 2, psciConduit: 'smc', allCoresStart: false },
      semihosting: false,
      commandLine: '',
      hosts: 1,
      lookaheadTicks: 500,
      devices: [],
      errors,
      seed,
      engineMode: 'tiered',
      stepModule,
      resident: {
        description,
        ownMemory: { pa: ramBase, bytes: ownBytes },
        vmMemory: { pa: ramBase + ownBytes, bytes: memoryBytes - ownBytes - storeBytes },
        uarts,
        backends,
        network: { user: false, rule: 'table', groups: 1 },
      },
    },
    (bytes) => {
      console += new TextDecoder().decode(bytes);
    },
  );
  const run = host.run({ seed, maxInstructions: Infinity, maxTicks });
  const views = memoryViews(memory.buffer);
  const state = stateAt(views, ramBase);
  const named = (name: string): Vm => {
    const found = state.vms.find((vm) => vm.isConfigured !== 0 && vm.name === name);
    if (!found) throw new Error(`there is a VM ${name}`);
    return found;
  };
  return {
    run,
    state,
    memory: views,
    console,
    vm: named,
    register: (core, name) => views.doublewords[(peState(core) + slotOf(name)) / 8] as bigint,
    words: (name, ipa, count = 1) => {
      const region = named(name).regions[0];
      if (!region) throw new Error(`${name} has memory`);
      const at = (region.pa + ipa - region.ipa) / 8;
      return [...views.doublewords.subarray(at, at + count)];
    },
  };
}

export const pageBytes = 1 << pageShift;
