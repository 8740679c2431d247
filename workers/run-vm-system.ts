// A system of virtual machines, from its description to what it leaves behind: the machine has no image, Rhyper is resident at EL2.

import { memoryMap } from '../src/board/memory-map.ts';
import type { RunIo } from '../src/board/run-options.ts';
import { resolveBoard } from '../src/board/virt.ts';
import { stateAt, type SystemState } from '../src/hypervisor/state.ts';
import { type MemoryViews, memoryViews } from '../src/memory/memory-views.ts';
import type { RunReport } from '../src/report/run-report.ts';
import { deviceReports, type VmDeviceReport } from '../src/vm/device-report.ts';
import { reportSystem, type VmSystemReport } from '../src/vm/report.ts';
import type { VmSystem } from '../src/vm/system.ts';
import { lookaheadTicks, makeMemory, placeInRam } from './booted-machine.ts';
import { maxHosts } from './control-block.ts';
import type { MachineConfig } from './machine.ts';
import { runConfigured, type RunLimits } from './run-machine.ts';
import { readStepModule } from './step-module.ts';

export interface VmRunOptions extends RunLimits {
  readonly system: VmSystem;
  readonly hostThreads: number;
}

/** The machine of a system as it comes out of reset. */
export function vmMachine(
  { system, seed, hostThreads }: Pick<VmRunOptions, 'system' | 'seed' | 'hostThreads'>,
  stepModule: WebAssembly.Module,
): MachineConfig {
  const { cores, memoryBytes } = system.board;
  const board = resolveBoard({ ...system.board, iommu: 'smmuv3', virtualization: true, secure: false });
  const memory = makeMemory(memoryBytes);
  const { ownMemory, vmMemory, store } = system.layout;
  placeInRam(new Uint8Array(memory.buffer), store.pa, store.bytes);
  return {
    board,
    memory,
    entry: memoryMap.ram.base,
    x0: 0,
    reset: { el: 2, psciConduit: 'smc', allCoresStart: false },
    semihosting: false,
    commandLine: '',
    devices: [],
    errors: system.board.errors,
    seed,
    hosts: Math.min(hostThreads, cores, maxHosts),
    lookaheadTicks,
    engineMode: 'tiered',
    stepModule,
    resident: {
      description: system.description,
      ownMemory,
      vmMemory,
      uarts: system.uarts,
      backends: system.backends,
      network: system.network,
    },
  };
}

/** What a system leaves behind. */
interface VmSystemEnd {
  readonly report: RunReport;
  readonly vms: VmSystemReport;
  readonly devices: readonly VmDeviceReport[];
  /** None where they are not all RAM of such a VM. */
  readonly memoryOf: (vm: string, ipa: number, bytes: number) => Uint8Array | undefined;
}

/** Bytes of a VM's memory by IPA, as the run has left them. */
function memoryReader(state: SystemState, { bytes: ram }: MemoryViews): VmSystemEnd['memoryOf'] {
  return (name, ipa, bytes) => {
    const vm = state.vms.find((candidate) => candidate.isConfigured !== 0 && candidate.name === name);
    const region = vm?.regions.find(
      (candidate, n) => n < vm.regionCount && ipa >= candidate.ipa && ipa + bytes <= candidate.ipa + candidate.bytes,
    );
    return region && ram.subarray(region.pa + ipa - region.ipa, region.pa + ipa - region.ipa + bytes);
  };
}

/** Runs a system to its end. */
export async function runVmSystem(options: VmRunOptions, io: Omit<RunIo, 'stderr'>): Promise<VmSystemEnd> {
  const config = vmMachine(options, readStepModule());
  const { report, results } = await runConfigured(config, options, io);
  const { description, network } = options.system;
  const [first] = results;
  if (network.capture !== undefined && first?.capture) io.writeFile(network.capture, first.capture);
  const views = memoryViews(config.memory.buffer);
  const state = stateAt(views, options.system.layout.ownMemory.pa);
  return {
    report,
    vms: reportSystem(state, report, first?.smmu),
    devices: deviceReports(description, first?.vmDevices ?? []),
    memoryOf: memoryReader(state, views),
  };
}
